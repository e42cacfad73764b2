/**
 * Which source patients are one person: run in the transaction that changes Patients or decides about them. Links that
 * stand are kept; what is new is joined when the evidence carries it and nothing contradicts.
 */
import { blockingKeys, compare, isOverlay, type Prepared } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import { locks, type Transaction } from '../database/index.ts';
import type { HomeKeys, ResourceChange, WriteSet } from '../record/index.ts';
import { findCandidates } from './candidates.ts';
import { decide, lastDecision, openReviews } from './decisions.ts';
import { type DemographicsStore, read, type SourcePatient, sourceOf } from './demographics-store.ts';
import { join } from './joining.ts';
import { Members, type PersonChange, type Statement } from './members.ts';
import { preparePersons } from './person-rows.ts';
import type { Replacement } from './replaced.ts';

/** Who decides, why, and since when it holds: from now on unless told. */
export interface Decision {
  by: string;
  reason: string;
  at?: Date;
}

export class Linking {
  /** The homes of which somebody said, in this transaction, that they are one with another. */
  readonly confirmed = new Set<number>();
  readonly #transaction: Transaction;
  readonly #keys: HomeKeys;
  readonly #store: DemographicsStore;
  readonly #now: Date;
  readonly #members: Members;
  /** What matching looks at, of members that were loaded. */
  readonly #known = new Map<number, Prepared>();
  /** The Patients that the transaction states. */
  readonly #stated = new Map<number, SourcePatient>();

  constructor(transaction: Transaction, keys: HomeKeys, store: DemographicsStore, now: Date) {
    this.#transaction = transaction;
    this.#keys = keys;
    this.#store = store;
    this.#now = now;
    this.#members = new Members(transaction, now);
  }

  /** Takes the lock under which links change. */
  lock(): void {
    this.#transaction.send({ name: 'link_lock', text: `SELECT pg_advisory_xact_lock(${locks.links})` });
  }

  /** Takes in new and changed Patients, and joins them to persons where the evidence carries it. */
  async changed(changes: readonly ResourceChange[]): Promise<void> {
    const latest = new Map<number, ResourceChange>();
    for (const change of changes) latest.set(change.after.home, change);
    const stated = [...latest.values()].filter(({ after }) => !after.deleted);
    const gone = [...latest.values()].filter(({ after }) => after.deleted).map(({ after }) => after.home);
    const fresh: Statement[] = [];
    const again: Statement[] = [];
    for (const change of stated) {
      const { after } = change;
      const source = read(after.home, after.version, after.updated, {
        ...(change.parsed() as object),
        id: after.id,
      } as Patient);
      const demographics = this.#store.remember(after.home, source.prepared);
      this.#stated.set(after.home, source);
      this.#known.set(after.home, source.prepared);
      (after.version === 1 ? fresh : again).push(statementOf(source, after.rid, demographics, this.#keys));
    }
    const digests = new Map([...fresh, ...again].map(({ home, demographics }) => [home, demographics]));
    const [candidates] = await Promise.all([
      findCandidates(this.#transaction, this.#members, fresh, digests),
      this.#members.load([...again.map(({ home }) => home), ...gone]),
    ]);
    this.#members.leave(gone);
    const entered = again.filter(({ home }) => !this.#members.get(home));
    this.#members.enter([...fresh, ...entered]);
    for (const { home } of again) {
      const { presented, person } = this.#members.get(home)!;
      if (presented) this.#members.touch(person);
    }
    const moved = again.filter(({ home, demographics }) => this.#members.get(home)!.demographics !== demographics);
    const before = await this.#prepared(moved.map(({ home }) => home));
    const others = await findCandidates(this.#transaction, this.#members, [...moved, ...entered], digests);
    this.#members.restate(moved);
    const homes = this.#members.homes().filter((home) => !this.#known.has(home));
    for (const [home, prepared] of await this.#prepared(homes)) this.#known.set(home, prepared);
    await join(this.#transaction, this.#members, this.#known, new Map([...candidates, ...others]), this.#now);
    for (const [home, prepared] of before) this.#checkOverlay(home, prepared);
  }

  /** Whether people or a source decided about the pair later than a source said something of it. */
  async isDecidedSince(a: number, b: number, at: Date): Promise<boolean> {
    const last = await lastDecision(this.#transaction, a, b);
    return last !== undefined && last > at;
  }

  /** Joins two source patients because a person or the source itself says that they are one. */
  async confirm(a: number, b: number, decision: Decision, grade: 'source' | 'confirmed'): Promise<void> {
    const { by, reason, at = this.#now } = decision;
    await this.#members.load([a, b]);
    decide(this.#transaction, [a, b], { same: true, by, reason, at });
    this.confirmed.add(a).add(b);
    const [first, second] = [this.#members.get(a), this.#members.get(b)];
    if (!first || !second) return;
    if (first.person !== second.person) this.#members.merge(first.person, second.person, { by, reason });
    this.#members.grade([a, b], grade);
  }

  /**
   * Joins two records of one organisation of which a client says that one replaces the other. What anybody decided about the
   * two stands: the same Patient is sent again and again.
   */
  async replace({ replaced, survivor, by, isCustodian }: Replacement): Promise<void> {
    await this.#members.load([replaced, survivor]);
    const [one, other] = [this.#members.get(replaced), this.#members.get(survivor)];
    if (!one || !other || (one.source !== other.source && !isCustodian)) return;
    if ((await lastDecision(this.#transaction, replaced, survivor)) !== undefined) return;
    await this.confirm(replaced, survivor, { by, reason: 'the source said merge' }, 'source');
  }

  /** Takes a source patient out of its person, for good, because a person or the source says that it is another. */
  async separate(home: number, from: number[] | undefined, decision: Decision): Promise<void> {
    const { by, reason, at = this.#now } = decision;
    await this.#members.load([home, ...(from ?? [])]);
    const member = this.#members.get(home);
    const others = member ? this.#members.of(member.person).filter((other) => other !== member) : [];
    for (const other of from ?? others.map(({ home: one }) => one))
      decide(this.#transaction, [home, other], { same: false, by, reason, at });
    if (!member) return;
    if (others.length > 0 && (!from || from.some((one) => others.some((other) => other.home === one)))) {
      this.#members.split(member, { by, reason });
    }
  }

  /**
   * Tells which persons changed.
   * @param set is given what writes their merged Patients, once the time of the changes is known, and what came to whom,
   *   once it has a number
   */
  async finish(set: Pick<WriteSet, 'whenTimed' | 'whenNumbered'>): Promise<PersonChange[]> {
    const several = this.#members.touched().filter(({ members }) => members.length > 1);
    const homes = several.flatMap(({ members }) => members.map(({ home }) => home));
    const sources = await this.#store.load(
      this.#transaction,
      homes.filter((home) => !this.#stated.has(home)),
    );
    for (const [home, source] of this.#stated) sources.set(home, source);
    this.#members.present();
    const write = await preparePersons(
      this.#transaction,
      this.#keys,
      several.map(({ person, members }) => ({
        person,
        sources: members.flatMap(({ home }) => sources.get(home) ?? []),
      })),
    );
    if (write) set.whenTimed(write);
    if (this.#members.hasMoved) set.whenNumbered(() => this.#members.remember());
    return this.#members.changes();
  }

  /** What matching looks at, of members as they stood before this transaction. */
  #prepared(homes: number[]): Promise<Map<number, Prepared>> {
    const members = homes.map((home) => this.#members.get(home)!);
    return this.#store.prepared(this.#transaction, members);
  }

  #checkOverlay(home: number, before: Prepared): void {
    const after = this.#known.get(home)!;
    if (before.placeholder !== undefined) return;
    if (!isOverlay(before, after).overlay) return;
    const mate = this.#members.of(this.#members.get(home)!.person).find((member) => member.home !== home);
    const other = mate && this.#known.get(mate.home);
    if (!mate || !other) return;
    const [a, b] = [Math.min(home, mate.home), Math.max(home, mate.home)];
    openReviews(this.#transaction, 'overlay', [{ a, b, comparison: compare(after, other) }], this.#now);
  }
}

function statementOf(
  { home, patient, prepared }: SourcePatient,
  rid: string,
  demographics: string,
  { index }: HomeKeys,
): Statement {
  return {
    home,
    patient: rid,
    source: sourceOf(patient),
    placeholder: prepared.placeholder,
    demographics,
    keys: index.keyedBlocking(blockingKeys(prepared)),
  };
}
