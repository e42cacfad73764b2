/**
 * A key for each whom events are about, wrapped by the master key. It is made when they are mentioned first, in a
 * transaction of its own, or in the one that makes them. Where a key is destroyed, all that is private of the events about
 * them is sealed for ever.
 */
import type { Database, NamedStatement, Transaction } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import { subjectKey } from './commitments.ts';
import type { Subject } from './event.ts';

/** Keys of so many subjects are kept in memory, and as many of those that were used before. */
const kept = 5_000;

/** So many numbers of subjects are drawn at a time. */
const block = 256;

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
  readonly #numbers: number[] = [];

  /** @param database whose statements wait for no transaction: keys are asked for within transactions */
  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  /**
   * The keys of subjects; at once where all are at hand. What has none gets one.
   * @param made those that are made in the transaction that asks
   */
  of(
    names: Iterable<string>,
    made?: ReadonlyMap<string, Subject>,
  ): Map<string, Subject> | Promise<Map<string, Subject>> {
    const found = new Map<string, Subject>(made);
    const missing = new Set<string>();
    for (const name of names) {
      if (found.has(name)) continue;
      const subject = this.#recent.get(name) ?? this.#before.get(name);
      if (!subject) missing.add(name);
      else {
        this.#keep(name, subject);
        found.set(name, subject);
      }
    }
    return missing.size === 0 ? found : this.#withMissing(found, missing);
  }

  /**
   * Keys for subjects whom nobody can have mentioned, since the transaction that is given the statement makes them; hand them
   * to `keep` once it is committed. At once where numbers are at hand.
   */
  make(names: readonly string[]): NewSubjects | Promise<NewSubjects> {
    return this.#numbers.length < names.length ? this.#drawn(names) : this.#made(names);
  }

  /** Keeps keys that a committed transaction made. */
  keep(subjects: ReadonlyMap<string, Subject>): void {
    for (const [name, subject] of subjects) this.#keep(name, subject);
  }

  async #drawn(names: readonly string[]): Promise<NewSubjects> {
    while (this.#numbers.length < names.length) {
      const { rows } = await this.#database.query<{ number: number }>({
        name: 'audit_subject_numbers',
        text: `SELECT nextval(pg_get_serial_sequence('audit_subject', 'number')) AS number FROM generate_series(1, $1::integer)`,
        values: [Math.max(block, names.length)],
      });
      this.#numbers.push(...rows.map(({ number }) => number));
    }
    return this.#made(names);
  }

  #made(names: readonly string[]): NewSubjects {
    const numbers = this.#numbers.splice(0, names.length);
    const keys = names.map(() => newDataKey());
    const wrapped = keys.map((key, i) => wrapDataKey(this.#master, key, contextOf(names[i]!)).toString('hex'));
    return {
      subjects: new Map(names.map((name, i) => [name, { number: numbers[i]!, ...subjectKey(keys[i]!) }])),
      insertion: {
        name: 'audit_subjects_with_change',
        text: `INSERT INTO audit_subject (number, name, wrapped) OVERRIDING SYSTEM VALUE
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])`,
        values: [`{${numbers.join(',')}}`, names, `{${wrapped.map((hex) => `"\\\\x${hex}"`).join(',')}}`],
      },
    };
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

/** Keys of subjects that a transaction makes, and the statement that makes them. */
export interface NewSubjects {
  subjects: Map<string, Subject>;
  insertion: NamedStatement;
}

interface Stored {
  number: number;
  name: string;
  wrapped: Buffer;
}
