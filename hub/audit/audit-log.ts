/** The audit log of a hub: what is recorded of accesses, and who may be told what of it (docs/audit.md). */
import type { Database, NamedStatement, Transaction } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { accountSubject, type Entry, partsOf, sealEvent, subjectNames } from './event.ts';
import { type AuditedEvent, type EventQuery, EventReader, type RawEvent } from './reader.ts';
import { insertion } from './rows.ts';
import { SubjectKeys } from './subject-keys.ts';

export class AuditLog {
  readonly #keys: SubjectKeys;
  readonly #reader: EventReader;

  constructor(database: Database, master: MasterKey) {
    // Statements of readers wait for no transaction: a transaction may ask for keys.
    const reading = database.as('all');
    this.#keys = new SubjectKeys(reading, master);
    this.#reader = new EventReader(reading, this.#keys);
  }

  /**
   * The statement that records accesses; at once where the keys of all whom they are about are at hand.
   * @param row the number and time that an old row has already
   */
  insertion(entries: readonly Entry[], row?: { id: number; at: Date }): NamedStatement | Promise<NamedStatement> {
    const parts = entries.flatMap(partsOf);
    const names = parts.map(subjectNames);
    const keys = this.#keys.of(names.flat());
    const sealed = (found: Awaited<typeof keys>) =>
      insertion(
        parts.map((part, i) =>
          sealEvent(
            part,
            names[i]!.map((name) => found.get(name)!),
          ),
        ),
        row,
      );
    return keys instanceof Promise ? keys.then(sealed) : sealed(keys);
  }

  /** Events, the latest first, with what can be opened of them. */
  eventsOf(query: EventQuery): Promise<{ events: AuditedEvent[]; next?: string }> {
    return this.#reader.eventsOf(query);
  }

  /** The event with a number; undefined where none has it yet. */
  eventAt(index: number): Promise<AuditedEvent | undefined> {
    return this.#reader.eventAt(index);
  }

  /** The events of the rows after one, in their order, unopened. */
  rawAfter(row: number, settledMs: number, rows: number): Promise<{ events: RawEvent[]; rows: number; last: number }> {
    return this.#reader.rawAfter(row, settledMs, rows);
  }

  /**
   * Destroys the keys of persons and of their accounts: what is private of all events about them can never be opened
   * again. Call `forgetKeys` when the transaction is committed.
   */
  destroyAuditKeys(
    transaction: Transaction,
    patients: readonly string[],
    accounts: readonly string[] = [],
  ): Promise<void> {
    return this.#keys.destroy(transaction, namesOf(patients, accounts));
  }

  /** Forgets destroyed keys in memory. */
  forgetKeys(patients: readonly string[], accounts: readonly string[] = []): void {
    this.#keys.forget(namesOf(patients, accounts));
  }
}

function namesOf(patients: readonly string[], accounts: readonly string[]): string[] {
  return [...patients, ...accounts.map(accountSubject)];
}
