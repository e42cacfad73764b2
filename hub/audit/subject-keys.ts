/**
 * A key for each whom events are about, wrapped by the master key. It is made when they are mentioned first, in a
 * transaction of its own. Where a key is destroyed, all that is private of the events about them is sealed for ever.
 */
import type { Database, Transaction } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import { subjectKey } from './commitments.ts';
import type { Subject } from './event.ts';

/** Keys of so many subjects are kept in memory, and as many of those that were used before. */
const kept = 5_000;

const contextOf = (name: string) => `audit-subject/${name}`;

/** What the replacement of the master key wraps anew. */
export const auditSubjectColumn: WrappedColumn = {
  table: 'audit_subject',
  column: 'wrapped',
  key: 'name',
  type: 'text',
  context: contextOf,
};

export class SubjectKeys {
  readonly #database: Database;
  readonly #master: MasterKey;
  #recent = new Map<string, Subject>();
  #before = new Map<string, Subject>();

  /** @param database whose statements wait for no transaction: keys are asked for within transactions */
  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  /** The keys of subjects; at once where all are at hand. What has none gets one. */
  of(names: Iterable<string>): Map<string, Subject> | Promise<Map<string, Subject>> {
    const found = new Map<string, Subject>();
    const missing = new Set<string>();
    for (const name of names) {
      const subject = this.#recent.get(name) ?? this.#before.get(name);
      if (!subject) missing.add(name);
      else {
        this.#keep(name, subject);
        found.set(name, subject);
      }
    }
    return missing.size === 0 ? found : this.#withMissing(found, missing);
  }

  /** The keys of subjects by number, as they are in the database now; destroyed ones are missing. */
  async byNumber(numbers: readonly number[]): Promise<Map<number, { name: string; subject: Subject }>> {
    const { rows } = await this.#database.query<Stored>({
      name: 'audit_subjects_by_number',
      text: 'SELECT number, name, wrapped FROM audit_subject WHERE number = ANY ($1) AND wrapped IS NOT NULL',
      values: [numbers],
    });
    return new Map(rows.map((row) => [row.number, { name: row.name, subject: this.#opened(row) }]));
  }

  /** The numbers of subjects that are mentioned. */
  async numbers(names: readonly string[]): Promise<number[]> {
    return (await this.#stored(names)).map(({ number }) => number);
  }

  /**
   * Destroys keys. What is recorded afterwards, before `forget`, about the same subjects is sealed by them too; what comes
   * later gets others.
   */
  async destroy(transaction: Transaction, names: readonly string[]): Promise<void> {
    // While the transaction lasts, making a key under one of these names would wait for it.
    await this.of(names);
    await transaction.query('UPDATE audit_subject SET name = NULL, wrapped = NULL WHERE name = ANY ($1)', [names]);
  }

  /** Forgets keys in memory. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      this.#recent.delete(name);
      this.#before.delete(name);
    }
  }

  async #withMissing(found: Map<string, Subject>, missing: Set<string>): Promise<Map<string, Subject>> {
    const take = (rows: Stored[]) => {
      for (const row of rows) {
        missing.delete(row.name);
        const subject = this.#opened(row);
        this.#keep(row.name, subject);
        found.set(row.name, subject);
      }
    };
    take(await this.#stored([...missing]));
    while (missing.size > 0) {
      const names = [...missing];
      const { rows } = await this.#database.query<Stored>({
        name: 'audit_subjects_made',
        text: `INSERT INTO audit_subject (name, wrapped) SELECT name, wrapped FROM unnest($1::text[], $2::bytea[]) AS v (name, wrapped)
               ON CONFLICT (name) DO NOTHING RETURNING number, name, wrapped`,
        values: [names, names.map((name) => wrapDataKey(this.#master, newDataKey(), contextOf(name)))],
      });
      take(rows);
      // The others were made by another hub meanwhile.
      if (missing.size > 0) take(await this.#stored([...missing]));
    }
    return found;
  }

  async #stored(names: readonly string[]): Promise<Stored[]> {
    const { rows } = await this.#database.query<Stored>({
      name: 'audit_subjects',
      text: 'SELECT number, name, wrapped FROM audit_subject WHERE name = ANY ($1)',
      values: [names],
    });
    return rows;
  }

  #opened({ number, name, wrapped }: Stored): Subject {
    return { number, ...subjectKey(unwrapDataKey(this.#master, wrapped, contextOf(name))) };
  }

  #keep(name: string, subject: Subject): void {
    if (this.#recent.has(name)) return;
    if (this.#recent.size >= kept) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(name, subject);
  }
}

interface Stored {
  number: number;
  name: string;
  wrapped: Buffer;
}
