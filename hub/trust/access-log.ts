/**
 * The record of every access: who, what, when, why. Accesses that happen together are committed as one row, before
 * their answers leave.
 */
import type { Database, NamedStatement, Transaction } from '../database/index.ts';
import type { Access } from './access.ts';

/** One access. */
export interface AccessEntry {
  /** `read`, `search`, `create`, `update`, `delete`, `link`, `open-message`, … */
  action: string;
  /** What was asked: `Patient/…`, `Observation?code=…`. */
  what: string;
  /** Whose records were given out or changed, as ids of Patients; at most 100. */
  patients?: string[];
  /** HTTP status. */
  status: number;
  /** Why, where a reason is asked for. */
  reason?: string;
}

/** An access and whose it is, to be recorded in the transaction of the change that it makes. */
export interface AccessNote {
  access: Access;
  entry: AccessEntry;
}

const commitsAtOnce = 2;
const entriesPerCommit = 500;
const namedPatients = 100;

interface Pending {
  entry: string;
  resolve(): void;
  reject(error: unknown): void;
}

export class AccessLog {
  readonly #database: Database;
  #queue: Pending[] = [];
  #running = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves once the entry is on disk. */
  record(access: Access, entry: AccessEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry: lineOf({ access, entry }), resolve, reject });
      if (this.#running < commitsAtOnce) {
        this.#running++;
        setImmediate(() => void this.#drain());
      }
    });
  }

  /** Makes a change and records it in one transaction: neither is there without the other. */
  change<T>(make: (transaction: Transaction) => Promise<{ made: T; note: AccessNote }>): Promise<T> {
    return this.#database.transaction(async (transaction) => {
      const { made, note } = await make(transaction);
      this.recordWith(transaction, [note]);
      return made;
    });
  }

  /** Records accesses in a transaction: they are on disk when, and only when, its changes are. */
  recordWith(transaction: Transaction, notes: readonly AccessNote[]): void {
    if (notes.length > 0) transaction.send(insertion(notes.map(lineOf)));
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, entriesPerCommit);
      try {
        await this.#database.query(insertion(batch.map(({ entry }) => entry)));
        for (const pending of batch) pending.resolve();
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
    }
    this.#running--;
  }
}

function insertion(lines: string[]): NamedStatement {
  return {
    name: 'access_log',
    text: 'INSERT INTO access_log (entries) VALUES ($1)',
    values: [`[${lines.join(',')}]`],
  };
}

function lineOf({ access: { who, role, organization, purpose, client, emergency }, entry }: AccessNote): string {
  return JSON.stringify({
    at: new Date(),
    who: storable(who),
    role,
    organization: storable(organization),
    purpose,
    ...(client === undefined ? {} : { client: storable(client) }),
    ...(emergency === undefined ? {} : { emergency }),
    action: entry.action,
    what: storable(entry.what),
    status: entry.status,
    ...(entry.reason === undefined ? {} : { reason: storable(entry.reason) }),
    ...(entry.patients && entry.patients.length > 0
      ? { patients: entry.patients.slice(0, namedPatients).map(storable) }
      : {}),
  });
}

/** Text as jsonb takes it: without U+0000 and halves of surrogate pairs, which would fail the whole row. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
