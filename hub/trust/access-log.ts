/**
 * Records every access in the audit log: who, what, when, why. Accesses that happen together are made durable together, before
 * their answers leave: in the hub's journal, or as one row of the database. While that cannot be written nothing is given out,
 * save in an emergency: those accesses are written into the journal and brought in later.
 */
import type { AuditLog, Entry, Journal } from '../audit/index.ts';
import type { Database, Transaction } from '../database/index.ts';
import type { Access } from './access.ts';
import { GroupCommit } from './group-commit.ts';
import type { Relations } from './relations.ts';
import { Strangers } from './strangers.ts';

/** One access. */
export interface AccessEntry {
  /** `read`, `search`, `create`, `update`, `delete`, `link`, `open-message`, … */
  action: string;
  /** What was asked: `Patient/…`, `Observation?code=…`. */
  what: string;
  /** Whose records were given out or changed, as ids of Patients. */
  patients?: string[];
  /** HTTP status. */
  status: number;
  /** Why, where a reason is asked for. */
  reason?: string;
}

/** What proves that an organisation treats those whose records were given out; see `relations.ts`. */
type Relationship = Pick<Relations, 'proofs' | 'note'>;

/** An access and whose it is, to be recorded in the transaction of the change that it makes. */
export interface AccessNote {
  access: Access;
  entry: AccessEntry;
}

const entriesPerCommit = 500;

interface Pending {
  entry: Entry;
  isEmergency: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

export class AccessLog {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #journal: Journal | undefined;
  readonly #entries = new GroupCommit<Pending>((entries) => this.#commit(entries), entriesPerCommit);

  /** Requests of those whom nobody knows. */
  readonly strangers = new Strangers((access, entry) => this.record(access, entry));

  /** Where it is there, the proof of a relationship is recorded with what is given out for treatment. */
  relations: Relationship | undefined;

  /** @param journal where accesses are written first, or those in an emergency while the database does not take them */
  constructor(database: Database, audit: AuditLog, journal?: Journal) {
    this.#database = database;
    this.#audit = audit;
    this.#journal = journal;
  }

  async close(): Promise<void> {
    await this.strangers.close().catch(() => {});
    await this.#journal?.close();
  }

  /** Resolves once the entry is on disk; rejects where it cannot be written, and then nothing may be given out. */
  record(access: Access, entry: AccessEntry): Promise<void> {
    if (access.relation && this.relations && entry.status < 300 && isOfRecord(entry)) {
      return this.#proven(access, entry).then((proven) => this.#record(access, entry, proven));
    }
    return this.#record(access, entry);
  }

  /** What proves the relationship to those whose records are given out; what nothing proves is noted. */
  async #proven(access: Access, { patients }: AccessEntry): Promise<Proven> {
    const { relation, organization, who } = access;
    const proofs = await this.relations!.proofs(relation!, patients!);
    const unproven = patients!.filter((patient) => !proofs.has(patient));
    // Where proof is required, nothing was seen without.
    if (unproven.length > 0 && relation!.mode === 'flag')
      await this.relations!.note(organization, who, relation!.purpose, unproven);
    return { kinds: [...new Set(patients!.map((patient) => proofs.get(patient) ?? 'none'))].sort(), unproven };
  }

  #record(access: Access, entry: AccessEntry, proven?: Proven): Promise<void> {
    return new Promise((resolve, reject) => {
      const isEmergency = access.emergency !== undefined;
      this.#entries.add({ entry: entryOf({ access, entry }, proven), isEmergency, resolve, reject });
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

  /** The same for what an emergency must not wait for: where the record cannot be written, the journal takes it. */
  changeAnyway<T>(make: (transaction: Transaction) => Promise<{ made: T; note: AccessNote }>): Promise<T> {
    return this.#database.transaction(async (transaction) => {
      const { made, note } = await make(transaction);
      const entry = entryOf(note);
      await transaction.query('SAVEPOINT recorded');
      try {
        await transaction.query(await this.#audit.insertion([entry]));
      } catch (error) {
        if (!this.#journal) throw error;
        await transaction.query('ROLLBACK TO SAVEPOINT recorded');
        await this.#journal.appendEntries([entry]);
      }
      return made;
    });
  }

  /**
   * Records accesses in a transaction: they are on disk when, and only when, its changes are.
   * @param made the Patients that it makes under ids of the hub's making
   * @returns what is to be called once it is committed
   */
  recordWith(transaction: Transaction, notes: readonly AccessNote[], made: readonly string[] = []): () => void {
    if (notes.length === 0) return () => {};
    if (made.length > 0)
      return this.#audit.recordChange(
        transaction,
        notes.map((note) => entryOf(note)),
        made,
      );
    const statement = this.#audit.insertion(notes.map((note) => entryOf(note)));
    if (statement instanceof Promise) transaction.sendLater(statement);
    else transaction.send(statement);
    return () => {};
  }

  async #commit(pending: readonly Pending[]): Promise<void> {
    try {
      await this.#write(pending.map(({ entry }) => entry));
      for (const { resolve } of pending) resolve();
    } catch (error) {
      const urgent = pending.filter(({ isEmergency }) => isEmergency);
      for (const { isEmergency, reject } of pending) if (!isEmergency) reject(error);
      await this.#writeAnyway(urgent, error);
    }
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    if (this.#journal?.isOpen) await this.#journal.append(await this.#audit.sealed(entries));
    else await this.#database.query(await this.#audit.insertion(entries));
  }

  async #writeAnyway(urgent: readonly Pending[], reason: unknown): Promise<void> {
    if (urgent.length === 0) return;
    try {
      if (!this.#journal) throw reason;
      await this.#journal.appendEntries(urgent.map(({ entry }) => entry));
      for (const { resolve } of urgent) resolve();
    } catch (error) {
      for (const { reject } of urgent) reject(error);
    }
  }
}

/** What proves the relationships to those named in an entry, and for whom there is nothing. */
interface Proven {
  kinds: string[];
  unproven: string[];
}

/** Whether something of a person's record was given out, or looked through, and not only who the person is. */
function isOfRecord({ what, patients }: AccessEntry): boolean {
  const isOfPatient = /^\/?Patient(\?|$|\/[^/?]+(\/_history.*)?(\?|$))/.test(what);
  return (patients?.length ?? 0) > 0 && (!isOfPatient || /[?&](_revinclude|_include|_has)\b/.test(what));
}

function entryOf({ access, entry }: AccessNote, proven?: Proven): Entry {
  const { action, status, patients = [] } = entry;
  const { who, role, organization, purpose, client, emergency, address, cameOf, decidedBy } = access;
  const of: Entry = {
    at: new Date().toISOString(),
    who,
    role,
    organization,
    action,
    what: storable(entry.what),
    status,
  };
  if (purpose !== undefined) of.purpose = purpose;
  if (client !== undefined) of.client = client;
  if (decidedBy) of.decidedBy = decidedBy;
  if (emergency !== undefined) of.emergency = emergency;
  if (address !== undefined) of.address = address;
  if (cameOf !== undefined) of.token = cameOf.token;
  if (entry.reason !== undefined) of.reason = storable(entry.reason);
  if (proven) of.relationship = proven.kinds.join(' ');
  if (proven && proven.kinds.length > 1 && proven.unproven.length > 0) of.unproven = proven.unproven.map(storable);
  if (patients.length > 0) of.patients = patients.map(storable);
  return of;
}

/** Text without U+0000 and halves of surrogate pairs, which neither PostgreSQL nor canonical JSON takes. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
