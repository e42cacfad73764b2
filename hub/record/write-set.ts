/**
 * The changes of one transaction, in memory: loads and locks what they touch, applies them one after the other, and
 * writes the outcome with a handful of statements, however many resources there are.
 */
import { type ScannedResource, typeCode, typeName } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import type { AccessNote } from '../trust/index.ts';
import { type Row, takeNumbers, writeRows, writeStatementTimes } from './flush.ts';
import type { HomeKeys } from './home-keys.ts';
import type { HomeNumbers } from './home-numbers.ts';
import { ridOf, sharedHome } from './keys.ts';
import { homePatient, prepare, type ResolveReference, withTime } from './prepare.ts';
import type { ShownAs } from './present.ts';
import { openText, seal } from './sealing.ts';
import { Settled, SettledChange } from './settled.ts';
import type { TextSpool } from './text-spool.ts';

/** Characters of texts that a large job has in memory before they are settled. */
const settledLength = 512 * 1024;

export interface ResourceKey {
  type: string;
  id: string;
}

/**
 * A version of a resource as the transaction sees it. `updated` and `text` of one that the transaction makes hold only
 * once it is committed: its time may have to be a later one (see `WriteSet.flush`).
 */
export interface Version {
  type: string;
  id: string;
  rid: string;
  home: number;
  /** Undefined for a resource made in this transaction: its first sequence number becomes its key. */
  rkey: number | undefined;
  version: number;
  updated: Date;
  deleted: boolean;
  asOf: string | undefined;
  /** The inbox message that stated it. */
  message: string | undefined;
  text: string | undefined;
  /** Where the text is instead, in a large transaction. */
  settled?: Settled;
  /** As whom its patient is shown, where that is another than the text says. */
  shownAs?: ShownAs;
}

/** One change of one resource. */
export interface Change {
  readonly before: Version | undefined;
  readonly after: Version;
  /** Read anew each time where the set was settled. */
  readonly resource: Record<string, unknown> | undefined;
  /** The resource's `meta`. */
  readonly meta: unknown;
}

export interface PutOptions {
  /** When the source said so, ISO 8601. */
  asOf?: string;
  /** The inbox message it comes from. */
  message?: string;
  /** Gives references of the text another value. */
  resolve?: ResolveReference;
}

interface Slot {
  loaded: Version | undefined;
  current: Version | undefined;
  rows: Row[];
}

export class WriteSet {
  readonly transaction: Transaction;
  /** When the transaction began, or, where others were committed since, a moment after them. */
  now: Date;
  readonly #keys: HomeKeys;
  readonly #numbers: HomeNumbers;
  #homeKeys = new Map<number, Buffer>();
  readonly #slots = new Map<string, Slot>();
  readonly #homes = new Map<string, number>();
  /** Homes of patients that are made, until they are written. */
  #madeHomes = new Map<string, number>();
  /** The person as whom the patient of a home is shown, where it is one of several sources. */
  readonly #presented = new Map<number, string>();
  /** The source patient that stands for a person whose own id was named. */
  readonly #standIns = new Map<string, string>();
  #journal: (() => void)[] = [];
  readonly #timed: ((time: Date) => void)[] = [];
  /** Rows that were not settled, as the last of `changes`, and the characters of their texts. */
  #fresh: Row[] = [];
  #freshLength = 0;
  /** What was changed, in order. */
  readonly changes: Change[] = [];
  touched = false;
  /** The accesses that the changes are. */
  readonly accesses: AccessNote[] = [];
  /** The version of the custom search parameters by which the resources are indexed, and whether they are changed. */
  readonly parameters: { version: number; changed: boolean };

  /** @param parametersVersion see `CustomParameters.version` */
  constructor(transaction: Transaction, keys: HomeKeys, numbers: HomeNumbers, now: Date, parametersVersion: number) {
    this.transaction = transaction;
    this.#keys = keys;
    this.#numbers = numbers;
    this.now = now;
    this.parameters = { version: parametersVersion, changed: false };
  }

  /** Makes ready for resources under ids of the hub's making, which are not there yet. */
  async expect(made: readonly ResourceKey[]): Promise<void> {
    for (const { type, id } of made) this.#slot(type, ridOf(id));
    const patients = made.filter(({ type }) => type === 'Patient').map(({ id }) => ridOf(id));
    const numbers = await this.#numbers.take(this.transaction, patients.length);
    patients.forEach((rid, i) => {
      this.#homes.set(rid, numbers[i]!);
      this.#madeHomes.set(rid, numbers[i]!);
    });
  }

  /** Loads and locks the resources named, and numbers the patients named. May be called again for more. */
  async load(keys: ResourceKey[], patients: Iterable<string>, texts = false): Promise<void> {
    await this.#loadVersions(keys, texts);
    await this.#loadHomes(new Set([...patients, ...keys.filter((key) => key.type === 'Patient').map((key) => key.id)]));
  }

  /** The version of a resource that was loaded, with the changes made so far. */
  get(type: string, id: string): Version | undefined {
    return this.#slots.get(slotKey(type, ridOf(id)))?.current;
  }

  /** The number of a patient's home. The patient must have been named in `load`. */
  homeOf(patientId: string): number {
    const home = this.#homes.get(ridOf(patientId));
    if (home === undefined) throw new Error('A patient was not loaded before it was written.');
    return home;
  }

  /** Stores a resource as the next version of `type/id`, which must have been loaded. */
  put(scanned: ScannedResource, type: string, id: string, options: PutOptions = {}): Version {
    const rid = ridOf(id);
    const slot = this.#slot(type, rid);
    const before = slot.current;
    const resolve = this.#standIns.size === 0 ? options.resolve : this.#sourced(options.resolve);
    const patient = homePatient(scanned, id, resolve);
    const home = patient === undefined ? sharedHome(rid) : this.homeOf(patient);
    const version = (before?.version ?? 0) + 1;
    const prepared = prepare(scanned, {
      id,
      version,
      updated: this.now,
      ...(patient === undefined ? {} : { patient }),
      ...(resolve ? { resolve } : {}),
      ...(options.message ? { message: options.message } : {}),
    });
    const after: Version = {
      type,
      id,
      rid,
      home,
      rkey: before?.rkey,
      version,
      updated: this.now,
      deleted: false,
      asOf: options.asOf,
      message: options.message,
      text: prepared.text,
    };
    const person = prepared.refs.length > 0 ? this.#presented.get(home) : undefined;
    if (person !== undefined) after.shownAs = { person, refs: prepared.refs };
    const row: Row = { ...after, after, code: typeCode(type)!, ...prepared, body: undefined };
    this.#push(slot, before, after, row, scanned.value);
    return after;
  }

  /** Deletes a resource, which must have been loaded and exist. */
  remove(type: string, id: string, options: PutOptions = {}): Version {
    const slot = this.#slot(type, ridOf(id));
    const before = slot.current!;
    const after: Version = {
      ...before,
      version: before.version + 1,
      updated: this.now,
      deleted: true,
      asOf: options.asOf,
      message: options.message,
      text: undefined,
    };
    const row: Row = { ...after, after, code: typeCode(type)!, refs: [], timeAt: 0, index: undefined, body: undefined };
    this.#push(slot, before, after, row, undefined);
    return after;
  }

  /** Notes that a source says the same again, later: no new version, but what is older changes it no longer. */
  restate(type: string, id: string, asOf: string): void {
    const slot = this.#slot(type, ridOf(id));
    const before = slot.current!;
    if (before.asOf !== undefined && asOf <= before.asOf) return;
    const row = slot.rows.at(-1);
    slot.current = { ...before, asOf };
    if (row) row.asOf = asOf;
    this.#journal.push(() => {
      slot.current = before;
      if (row) row.asOf = before.asOf;
    });
    this.touch();
  }

  /** Says that the transaction changes what the steps before the commit look at, though no resource. */
  touch(): void {
    this.touched = true;
  }

  /** Starts a part of the changes that can be discarded alone. */
  begin(): void {
    this.#journal = [];
  }

  accept(): void {
    this.#journal = [];
  }

  discard(): void {
    for (const undo of this.#journal.reverse()) undo();
    this.#journal = [];
  }

  /**
   * Seals what was put so far, once it is much, and keeps it in a spool until it is written. For a job that has the
   * transaction alone, and makes all that it said it would.
   */
  async settle(spool: TextSpool): Promise<void> {
    if (this.#freshLength < settledLength) return;
    this.enterHomes('all');
    await this.#loadKeys(this.#fresh);
    const first = this.changes.length - this.#fresh.length;
    for (const [i, row] of this.#fresh.entries()) {
      if (row.text === undefined) continue;
      new Settled(row, spool, this.#homeKeys.get(row.home)!);
      this.changes[first + i] = new SettledChange(this.changes[first + i]!);
    }
    this.#journal = [];
    this.#fresh = [];
    this.#freshLength = 0;
    // Others have their turn, and the database does not take the transaction for one that was forgotten.
    await this.transaction.query({ name: 'still_there', text: 'SELECT 1' });
  }

  /**
   * Writes the homes of patients that were made, with their keys: the first of all that is written.
   * @param which those of patients that were put, or all
   */
  enterHomes(which: 'put' | 'all' = 'put'): void {
    const isWritten = (rid: string) => which === 'all' || this.#slots.get(slotKey('Patient', rid))?.current;
    const written = [...this.#madeHomes].filter(([rid]) => isWritten(rid));
    if (written.length === 0) return;
    this.#madeHomes = new Map();
    const homes = written.map(([, home]) => home);
    this.transaction.send({
      name: 'patient_home_made',
      text: 'INSERT INTO patient_home (rid, home) SELECT * FROM unnest($1::uuid[], $2::bigint[])',
      values: [`{${written.map(([rid]) => rid).join(',')}}`, `{${homes.join(',')}}`],
    });
    for (const [home, key] of this.#keys.make(this.transaction, homes)) this.#homeKeys.set(home, key);
  }

  /** Sends statements that hold the time of the changes, once that is known: with the changes themselves. */
  whenTimed(send: (time: Date) => void): void {
    this.#timed.push(send);
  }

  /**
   * Writes all changes. Their time is the one under which they were prepared, unless other changes were committed
   * meanwhile under a later one: then they get a time after those, so that times are in the order of commits. Whoever
   * asks for what is newer than the newest it saw misses nothing.
   * @throws ParametersChanged
   */
  async flush(): Promise<void> {
    const written = [...this.#slots.values()].filter((slot) => slot.rows.length > 0);
    const rows = written.flatMap((slot) => slot.rows);
    await this.#loadKeys(rows);
    for (const row of rows) this.#seal(row);
    const restated = [...this.#slots.values()].filter(
      ({ rows, loaded, current }) => rows.length === 0 && loaded !== current,
    );
    writeStatementTimes(
      this.transaction,
      restated.map(({ current }) => current!),
    );
    if (rows.length === 0 && this.#timed.length === 0) return;
    const { last, time } = await takeNumbers(this.transaction, rows.length, this.now, this.parameters);
    if (time.getTime() !== this.now.getTime()) this.#retime(rows, time);
    for (const send of this.#timed) send(time);
    await writeRows(
      this.transaction,
      written.map(({ loaded, rows }) => ({ before: loaded, rows })),
      last,
    );
  }

  #seal(row: Row): void {
    if (!row.settled && row.text !== undefined)
      row.body = seal(row.text, this.#homeKeys.get(row.home)!, sealIdentity(row));
  }

  /** Gives all versions of the transaction another time. */
  #retime(rows: readonly Row[], time: Date): void {
    this.now = time;
    for (const row of rows) {
      row.updated = time;
      row.after.updated = time;
      if (row.settled || row.text === undefined) continue;
      row.text = withTime(row.text, row.timeAt, time);
      row.after.text = row.text;
      this.#seal(row);
    }
  }

  /** Tells the set that its transaction was committed. */
  committed(): void {
    this.#keys.remember(this.#homeKeys);
  }

  async #loadKeys(rows: readonly Row[]): Promise<void> {
    const unknown = rows.map(({ home }) => home).filter((home) => !this.#homeKeys.has(home));
    const keys = unknown.length > 0 ? await this.#keys.loadOrMake(this.transaction, unknown) : [];
    for (const [home, key] of keys) this.#homeKeys.set(home, key);
  }

  #slot(type: string, rid: string): Slot {
    const key = slotKey(type, rid);
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = { loaded: undefined, current: undefined, rows: [] };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #push(slot: Slot, before: Version | undefined, after: Version, row: Row, resource: unknown): void {
    slot.current = after;
    slot.rows.push(row);
    const value = resource as Record<string, unknown> | undefined;
    this.changes.push({ before, after, resource: value, meta: value?.meta });
    this.#fresh.push(row);
    const length = row.text?.length ?? 0;
    this.#freshLength += length;
    this.#journal.push(() => {
      slot.current = before;
      slot.rows.pop();
      this.changes.pop();
      this.#fresh.pop();
      this.#freshLength -= length;
    });
  }

  async #loadVersions(keys: ResourceKey[], texts: boolean): Promise<void> {
    const wanted = new Map<string, ResourceKey & { rid: string }>();
    for (const key of keys) {
      const rid = ridOf(key.id);
      if (!this.#slots.has(slotKey(key.type, rid))) wanted.set(slotKey(key.type, rid), { ...key, rid });
    }
    if (wanted.size === 0) return;
    const rows = await lockVersions(
      this.transaction,
      [...wanted.values()].map(({ rid }) => rid),
      texts,
    );
    const homeKeys = texts
      ? await this.#keys.loadOrMake(
          this.transaction,
          rows.map((row) => row.home),
        )
      : undefined;
    for (const row of rows) {
      const type = typeName(row.type)!;
      const key = wanted.get(slotKey(type, row.rid));
      if (!key) continue;
      const version: Version = {
        type,
        id: key.id,
        rid: row.rid,
        home: row.home,
        rkey: row.rkey,
        version: row.version,
        updated: row.updated,
        deleted: row.deleted,
        asOf: row.as_of?.toISOString(),
        message: row.message ?? undefined,
        text: undefined,
      };
      if (row.body) version.text = openText(row.body, homeKeys!.get(row.home)!, sealIdentity(version));
      this.#slots.set(slotKey(type, row.rid), { loaded: version, current: version, rows: [] });
    }
    for (const [slot] of wanted) {
      if (!this.#slots.has(slot)) this.#slots.set(slot, { loaded: undefined, current: undefined, rows: [] });
    }
  }

  async #loadHomes(patients: Set<string>): Promise<void> {
    const rids = [...patients].map(ridOf).filter((rid) => !this.#homes.has(rid));
    if (rids.length === 0) return;
    const known = await this.transaction.query({
      name: 'patient_home',
      text: `SELECT p.rid, p.home, l.presented FROM patient_home p LEFT JOIN link l ON l.home = p.home
             WHERE p.rid = ANY($1)`,
      values: [rids],
    });
    for (const row of known.rows) {
      this.#homes.set(row.rid, row.home);
      if (row.presented) this.#presented.set(row.home, row.presented);
    }
    const unknown = rids.filter((rid) => !this.#homes.has(rid));
    if (unknown.length > 0) await this.#loadStandIns(unknown);
    const fresh = unknown.filter((rid) => !this.#homes.has(rid)).sort();
    if (fresh.length === 0) return;
    const made = await this.transaction.query({
      name: 'patient_home_make',
      text: `INSERT INTO patient_home (rid) SELECT unnest($1::uuid[])
             ON CONFLICT (rid) DO UPDATE SET rid = excluded.rid RETURNING rid, home`,
      values: [fresh],
    });
    for (const row of made.rows) this.#homes.set(row.rid, row.home);
  }

  /** Persons that are shown as one Patient: what is said about that Patient is kept with its first source. */
  async #loadStandIns(rids: string[]): Promise<void> {
    const { rows } = await this.transaction.query({
      name: 'person_stand_in',
      text: `SELECT DISTINCT ON (person) person, patient, home, presented FROM link
             WHERE person = ANY($1) AND presented IS NOT NULL ORDER BY person, since, home`,
      values: [rids],
    });
    for (const row of rows) {
      this.#homes.set(row.person, row.home);
      this.#homes.set(row.patient, row.home);
      this.#standIns.set(row.person, row.patient);
      this.#presented.set(row.home, row.presented);
    }
  }

  /** References to a merged Patient as references to the source that stands for it. */
  #sourced(resolve: ResolveReference | undefined): ResolveReference {
    return (reference) => {
      const resolved = resolve?.(reference);
      const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(resolved ?? reference)?.[1];
      const source = id === undefined ? undefined : this.#standIns.get(ridOf(id));
      return source === undefined ? resolved : `Patient/${source}`;
    };
  }
}

/** The current versions of resources, locked in one order. */
async function lockVersions(transaction: Transaction, rids: string[], texts: boolean) {
  const { rows } = await transaction.query({
    name: texts ? 'write_load_texts' : 'write_load',
    text: `SELECT rid, type, home, rkey, version, updated, deleted, as_of, message${texts ? ', body' : ''}
           FROM resource WHERE rid = ANY($1) ORDER BY rid, type FOR UPDATE`,
    values: [[...new Set(rids)]],
  });
  return rows;
}

/** What a stored text is sealed together with. */
export function sealIdentity(row: { type: string; rid: string; version: number }): string {
  return `${row.type}/${row.rid}/${row.version}`;
}

function slotKey(type: string, rid: string): string {
  return `${type}/${rid}`;
}
