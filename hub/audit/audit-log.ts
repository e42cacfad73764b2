/** The audit log of a hub: what is recorded of accesses, and who may be told what of it (docs/audit.md). */
import { type TilePlace, verifierText } from '@causeway/tlog';
import type { Database, NamedStatement, Transaction } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { type WitnessState, witnessStates } from './cosigned.ts';
import {
  accountSubject,
  type Entry,
  partsOf,
  type SealedEvent,
  type Subject,
  sealEvent,
  subjectNames,
} from './event.ts';
import { ownEvents } from './journal-found.ts';
import { makeSigner, verifiersOf } from './log-keys.ts';
import {
  type AuditStatus,
  auditStatus,
  proofOf,
  publishedCheckpoint,
  publishedEntries,
  publishedTile,
  type Receipt,
  receiptOf,
} from './published.ts';
import { type AuditedEvent, type EventQuery, EventReader, type RawEvent } from './reader.ts';
import type { Finding } from './replay.ts';
import { insertion } from './rows.ts';
import { type NewSubjects, SubjectKeys } from './subject-keys.ts';
import { lockedState } from './tree.ts';
import { verifyDeep } from './verify-deep.ts';

export class AuditLog {
  readonly #reading: Database;
  readonly #master: MasterKey;
  readonly #keys: SubjectKeys;
  readonly #reader: EventReader;

  /** Called before anybody looks: brings in what this hub wrote into its journal and is not in the database yet. */
  settled: () => Promise<void> = async () => {};

  constructor(database: Database, master: MasterKey) {
    // Statements of readers wait for no transaction: a transaction may ask for keys.
    const reading = database.as('all');
    this.#reading = reading;
    this.#master = master;
    this.#keys = new SubjectKeys(reading, master);
    this.#reader = new EventReader(reading, this.#keys);
  }

  /**
   * The statement that records accesses; at once where the keys of all whom they are about are at hand.
   * @param row the number and time that an old row has already
   */
  insertion(entries: readonly Entry[], row?: { id: number; at: Date }): NamedStatement | Promise<NamedStatement> {
    const events = this.sealed(entries);
    return events instanceof Promise ? events.then((all) => insertion(all, row)) : insertion(events, row);
  }

  /** Accesses as events, ready to be stored; at once where the keys of all whom they are about are at hand. */
  sealed(entries: readonly Entry[]): SealedEvent[] | Promise<SealedEvent[]> {
    const parts = entries.flatMap(partsOf);
    const names = parts.map(subjectNames);
    const keys = this.#keys.of(names.flat());
    const seal = (found: Awaited<typeof keys>) =>
      parts.map((part, i) =>
        sealEvent(
          part,
          names[i]!.map((name) => found.get(name)!),
        ),
      );
    return keys instanceof Promise ? keys.then(seal) : seal(keys);
  }

  /** Those of sealed events that the keys of this database open, or that are sealed for ever; others belong to another one. */
  async ownOf(events: readonly SealedEvent[]): Promise<SealedEvent[]> {
    return ownEvents(this.#reading, this.#keys, events);
  }

  /**
   * Records accesses in the transaction of a change, with keys for the Patients that it makes under ids of the hub's making.
   * Returns what is to be called once it is committed.
   */
  recordChange(transaction: Transaction, entries: readonly Entry[], patients: readonly string[]): () => void {
    let made: NewSubjects['subjects'] | undefined;
    const record = (fresh: NewSubjects) => {
      made = fresh.subjects;
      transaction.send(fresh.insertion);
      const parts = entries.flatMap(partsOf);
      const names = parts.map(subjectNames);
      const seal = (keys: ReadonlyMap<string, Subject>) =>
        insertion(
          parts.map((part, i) =>
            sealEvent(
              part,
              names[i]!.map((name) => keys.get(name)!),
            ),
          ),
        );
      const keys = this.#keys.of(names.flat(), made);
      return keys instanceof Promise ? keys.then(seal) : seal(keys);
    };
    const fresh = this.#keys.make(patients);
    const statement = fresh instanceof Promise ? fresh.then(record) : record(fresh);
    if (statement instanceof Promise) transaction.sendLater(statement);
    else transaction.send(statement);
    return () => this.#keys.keep(made!);
  }

  /** Events, the latest first, with what can be opened of them. */
  async eventsOf(query: EventQuery): Promise<{ events: AuditedEvent[]; next?: string }> {
    await this.settled();
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

  async status(): Promise<AuditStatus> {
    await this.settled();
    return auditStatus(this.#reading);
  }

  /** The latest checkpoint; undefined where none was signed yet. */
  checkpoint(): Promise<string | undefined> {
    return publishedCheckpoint(this.#reading, false);
  }

  /** The checkpoint that most witnesses cosigned, the latest of those; undefined where none did. */
  cosignedCheckpoint(): Promise<string | undefined> {
    return publishedCheckpoint(this.#reading, true);
  }

  /** The keys that sign, and those that did. */
  verifiers(): Promise<{ verifier: string; made: Date; ends: Date | null }[]> {
    return verifiersOf(this.#reading);
  }

  /** Those who cosign. */
  async witnesses(): Promise<Pick<WitnessState, 'name' | 'verifier'>[]> {
    return (await witnessStates(this.#reading, '')).map(({ name, verifier }) => ({ name, verifier }));
  }

  /** So many hashes of a tile; undefined where the tree is not so large yet. */
  tile(place: TilePlace & { width: number }): Promise<Buffer | undefined> {
    return publishedTile(this.#reading, place);
  }

  /** The leaves of a tile of level 0; undefined where the tree is not so large yet. */
  entries(index: number, width: number): Promise<Buffer | undefined> {
    return publishedEntries(this.#reading, index, width);
  }

  /** The proof that an event is in the log; undefined where no checkpoint has it yet. */
  proof(index: number): Promise<string | undefined> {
    return proofOf(this.#reading, index);
  }

  /**
   * A receipt of the event with a number; undefined where there is none yet.
   * @param patient the one to whom it is given; without, it is for who may see all
   */
  async receipt(index: number, patient?: string): Promise<Receipt | undefined> {
    const event = await this.eventAt(index);
    return event && receiptOf(this.#reading, event, patient);
  }

  /** Holds what goes with the leaves to what they say. */
  verifyDeep(): Promise<{ finding?: Finding; opened: number; sealed: number }> {
    return verifyDeep(this.#reading, this.#keys);
  }

  /** A new key signs from the next checkpoint on, and the one before besides for a while. Returns how others know it. */
  async rotateKey(transaction: Transaction): Promise<string> {
    const { name } = await lockedState(transaction);
    return verifierText(await makeSigner(transaction, this.#master, name));
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

  /** Destroys the key of a month: what is private of its events can never be opened again. Call `forgetMonth` afterwards. */
  destroyMonth(transaction: Transaction, month: string): Promise<void> {
    return this.#keys.destroy(transaction, [month]);
  }

  forgetMonth(month: string): void {
    this.#keys.forget([month]);
  }

  /** Forgets destroyed keys in memory. */
  forgetKeys(patients: readonly string[], accounts: readonly string[] = []): void {
    this.#keys.forget(namesOf(patients, accounts));
  }
}

function namesOf(patients: readonly string[], accounts: readonly string[]): string[] {
  return [...patients, ...accounts.map(accountSubject)];
}
