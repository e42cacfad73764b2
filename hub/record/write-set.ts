/**
 * The changes of one transaction, in memory: they are applied one after the other to what was loaded and locked, and the
 * outcome is written with a handful of statements, however many resources there are.
 */
import { daysOf } from '@causeway/access';
import { type ScannedResource, typeCode } from '@causeway/fhir';
import type { Transaction } from '../database/index.ts';
import { Pace } from '../pace.ts';
import type { Access, AccessNote } from '../trust/index.ts';
import { type Row, takeNumbers, takeNumbersUnseen, writeRows, writeStatementTimes } from './flush.ts';
import type { HomeKeys } from './home-keys.ts';
import type { HomeNumbers } from './home-numbers.ts';
import type { IndexKey } from './index-key.ts';
import { ridOf, sharedHome } from './keys.ts';
import { LimitedChanges } from './limited-changes.ts';
import { homePatient, prepare, type ResolveReference, withTime } from './prepare.ts';
import { seal, sealIdentity } from './sealing.ts';
import { Settled, SettledChange } from './settled.ts';
import type { TextSpool } from './text-spool.ts';
import { TransactionHomes } from './transaction-homes.ts';
import { type ResourceKey, type Slot, TransactionResources, type Version } from './transaction-resources.ts';
import type { WriteJob } from './writer.ts';

/** Characters of texts that a large job has in memory before they are settled. */
const settledLength = 512 * 1024;

/** So many changes are soon made again, should they have to be. */
const fewChanges = 64;

/** One change of one resource. */
export interface Change {
  readonly before: Version | undefined;
  readonly after: Version;
  /** The resource, undefined where it is deleted. Of a set that was settled it is opened and read anew each time. */
  parsed(): Record<string, unknown> | undefined;
  /** The resource's `meta`. */
  readonly meta: unknown;
  /** Who made it; undefined for the hub itself. */
  readonly by?: Access;
}

export interface PutOptions {
  /** When the source said so, ISO 8601. */
  asOf?: string;
  /** The inbox message it comes from. */
  message?: string;
  /** Gives references of the text another value. */
  resolve?: ResolveReference;
}

/** The labels of a resource, as it is parsed. */
export type Labelling = (resource: Record<string, unknown>) => number;

export class WriteSet {
  readonly transaction: Transaction;
  /** When the transaction began, or, where others were committed since, a moment after them. */
  now: Date;
  readonly #labelling: Labelling;
  #limited: LimitedChanges | undefined;
  /** Who makes the changes. */
  #by: Access | undefined;
  readonly #index: IndexKey;
  readonly #homes: TransactionHomes;
  readonly #resources: TransactionResources;
  #journal: (() => void)[] = [];
  readonly #timed: ((time: Date) => void)[] = [];
  /** Numbers that are taken beside those of versions. */
  #beside = 0;
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

  /** @param parametersVersion see `CustomParameters.version` @param labelling the labels of a resource */
  constructor(
    transaction: Transaction,
    keys: HomeKeys,
    numbers: HomeNumbers,
    now: Date,
    parametersVersion: number,
    labelling: Labelling,
  ) {
    this.#labelling = labelling;
    this.transaction = transaction;
    this.#index = keys.index;
    this.#homes = new TransactionHomes(transaction, keys, numbers);
    this.#resources = new TransactionResources(transaction, this.#homes);
    this.now = now;
    this.parameters = { version: parametersVersion, changed: false };
  }

  /** Makes ready for resources under ids of the hub's making, which are not there yet. */
  async expect(made: readonly ResourceKey[]): Promise<void> {
    for (const { type, id } of made) this.#resources.slot(type, ridOf(id));
    this.#limited?.make(made);
    await this.#homes.expect(made.filter(({ type }) => type === 'Patient').map(({ id }) => ridOf(id)));
  }

  /** Loads and locks the resources named, and numbers the patients named. May be called again for more. */
  async load(keys: ResourceKey[], patients: Iterable<string>, texts = false): Promise<void> {
    await this.#resources.load(keys, texts);
    await this.#limited?.look(keys);
    await this.#homes.load(
      new Set([...patients, ...keys.filter((key) => key.type === 'Patient').map((key) => key.id)]),
    );
  }

  /** Makes the changes that follow those of a job: what its access may not see is not there for them. */
  async actFor({ access, keys, made = [] }: Pick<WriteJob<unknown>, 'access' | 'keys' | 'made'>): Promise<void> {
    this.#by = access;
    this.#limited =
      access && !access.limits.isCustodian ? new LimitedChanges(this.transaction, access, made) : undefined;
    await this.#limited?.look(keys);
  }

  /**
   * The version of a resource that was loaded, with the changes made so far.
   * @throws RecordError 403 where those for whom it is changed see a part of it only
   */
  get(type: string, id: string): Version | undefined {
    if (this.#limited?.hides(type, ridOf(id))) return undefined;
    const found = this.#resources.find(type, ridOf(id))?.current;
    this.#limited?.checkWhole(found);
    return found;
  }

  /** The number of a patient's home. The patient must have been named in `load`. */
  homeOf(patientId: string): number {
    return this.#homes.of(patientId);
  }

  /** Stores a resource as the next version of `type/id`, which must have been loaded. */
  put(scanned: ScannedResource, type: string, id: string, options: PutOptions = {}): Version {
    const rid = ridOf(id);
    const slot = this.#resources.slot(type, rid);
    const before = slot.current;
    this.#limited?.checkTarget(type, rid, before);
    const resolve = this.#homes.sourced(options.resolve);
    const patient = homePatient(scanned, id, resolve);
    const home = patient === undefined ? sharedHome(rid) : this.homeOf(patient);
    this.#limited?.checkPlace(type, home);
    const version = (before?.version ?? 0) + 1;
    const prepared = prepare(scanned, {
      id,
      version,
      updated: this.now,
      ...(patient === undefined ? {} : { patient }),
      ...(resolve ? { resolve } : {}),
      ...(options.message ? { message: options.message } : {}),
    });
    const value = scanned.value as unknown as Record<string, unknown>;
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
      labels: this.#labelling(value) | this.#carried(type, before, options.message),
      days: daysOf(value),
    };
    const person = prepared.refs.length > 0 ? this.#homes.presented(home) : undefined;
    if (person !== undefined) after.shownAs = { person, refs: prepared.refs };
    const row: Row = { ...after, after, code: typeCode(type)!, ...prepared, body: undefined };
    this.#push(slot, before, after, row, value);
    return after;
  }

  /** The labels that a document or report had of what came with it; a version that its message does not make has them still. */
  #carried(type: string, before: Version | undefined, message: string | undefined): number {
    if (!before || before.deleted || !summing.has(type) || (message !== undefined && message !== before.message))
      return 0;
    const { labels, text } = before;
    return text === undefined ? labels : labels & ~this.#labelling(JSON.parse(text) as Record<string, unknown>);
  }

  /** Deletes a resource, which must have been loaded and exist. */
  remove(type: string, id: string, options: PutOptions = {}): Version {
    const slot = this.#resources.slot(type, ridOf(id));
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
    const slot = this.#resources.slot(type, ridOf(id));
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
    await this.#homes.loadKeys(this.#fresh.map(({ home }) => home));
    const first = this.changes.length - this.#fresh.length;
    const pace = new Pace();
    for (const [i, row] of this.#fresh.entries()) {
      if (pace.isDue) await pace.rest();
      if (row.text === undefined) continue;
      new Settled(row, spool, this.#homes.key(row.home));
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
    this.#homes.enter((rid) => which === 'all' || this.#resources.find('Patient', rid)?.current !== undefined);
  }

  /** The Patients that are made under ids of the hub's making, which nobody knows before the commit. */
  get newPatients(): readonly string[] {
    return this.#homes.entered;
  }

  /** Sends statements that hold the time of the changes, once that is known: with the changes themselves. */
  whenTimed(send: (time: Date) => void): void {
    this.#timed.push(send);
  }

  /**
   * Sends statements about something that is no version of a resource but has a number among them: the last of the
   * transaction, which the clock has when they are sent.
   */
  whenNumbered(send: (time: Date) => void): void {
    this.#beside = 1;
    this.whenTimed(send);
  }

  /**
   * Writes all changes. Their time is the one under which they were prepared, unless other changes were committed
   * meanwhile under a later one: then they get a time after those, so that times are in the order of commits. Whoever
   * asks for what is newer than the newest it saw misses nothing.
   * @param unseen does not wait to be told the numbers, where changes are few; then the transaction may fail, see
   *   `takeNumbersUnseen`
   * @throws ParametersChanged
   */
  async flush(unseen: boolean): Promise<void> {
    const touched = this.#resources.all();
    const written = touched.filter((slot) => slot.rows.length > 0);
    const rows = written.flatMap((slot) => slot.rows);
    await this.#homes.loadKeys(rows.map(({ home }) => home));
    labelDocuments(rows);
    await this.#sealAll(rows);
    const restated = touched.filter(({ rows, loaded, current }) => rows.length === 0 && loaded !== current);
    writeStatementTimes(
      this.transaction,
      restated.map(({ current }) => current!),
    );
    if (rows.length === 0 && this.#timed.length === 0) return;
    const { last, time } = await this.#takeNumbers(rows.length + this.#beside, unseen);
    if (time.getTime() !== this.now.getTime()) await this.#retime(rows, time);
    for (const send of this.#timed) send(time);
    await writeRows(
      this.transaction,
      written.map(({ loaded, rows }) => ({ before: loaded, rows })),
      last - this.#beside,
      this.#index,
    );
  }

  async #takeNumbers(count: number, unseen: boolean): Promise<{ last: number; time: Date }> {
    if (!unseen || count > fewChanges || this.parameters.changed) {
      return takeNumbers(this.transaction, count, this.now, this.parameters);
    }
    takeNumbersUnseen(this.transaction, count, this.now, this.parameters);
    return { last: 0, time: this.now };
  }

  /** Tells the set that its transaction was committed. */
  committed(): void {
    this.#homes.committed();
  }

  #push(slot: Slot, before: Version | undefined, after: Version, row: Row, resource: unknown): void {
    slot.current = after;
    slot.rows.push(row);
    const value = resource as Record<string, unknown> | undefined;
    this.changes.push({ before, after, parsed: () => value, meta: value?.meta, ...(this.#by ? { by: this.#by } : {}) });
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

  async #sealAll(rows: readonly Row[]): Promise<void> {
    const pace = new Pace();
    for (const row of rows) {
      if (pace.isDue) await pace.rest();
      this.#seal(row);
    }
  }

  #seal(row: Row): void {
    if (!row.settled && row.text !== undefined) row.body = seal(row.text, this.#homes.key(row.home), sealIdentity(row));
  }

  /** Gives all versions of the transaction another time. */
  async #retime(rows: readonly Row[], time: Date): Promise<void> {
    this.now = time;
    for (const row of rows) {
      row.updated = time;
      row.after.updated = time;
      if (row.settled || row.text === undefined) continue;
      row.text = withTime(row.text, row.timeAt, time);
      row.after.text = row.text;
    }
    await this.#sealAll(rows);
  }
}

/** Types whose resources have the labels of what came with them. */
export const summing: ReadonlySet<string> = new Set(['Binary', 'Composition', 'DiagnosticReport', 'DocumentReference']);

/** Gives documents and reports the labels of all that the same message states. */
function labelDocuments(rows: readonly Row[]): void {
  const stated = new Map<string, number>();
  for (const { message, labels } of rows) if (message) stated.set(message, (stated.get(message) ?? 0) | labels);
  for (const row of rows) {
    if (!row.message || !summing.has(row.type)) continue;
    row.labels |= stated.get(row.message)!;
    row.after.labels = row.labels;
  }
}
