/**
 * Which source patients are one person: run in the transaction that changes Patients or decides about them. Links that
 * stand are kept; what is new is joined when the evidence carries it and nothing contradicts.
 */
import {
  blockingKeys,
  type Comparison,
  cluster,
  compare,
  type Edge,
  edgeOf,
  isOverlay,
  type Pair,
} from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { Transaction } from '../database/index.ts';
import { type HomeKeys, newId, type ResourceChange } from '../record/index.ts';
import { decide, decisionsAmong, openReview } from './decisions.ts';
import { type DemographicsStore, read, type SourcePatient, sourceOf } from './demographics-store.ts';
import { writePerson } from './person-rows.ts';

/** Serialises changes of links over all hubs. */
export const linkLock = 7_240_316;
/** Source patients that share one blocking key beyond this are not all compared: the key says too little. */
const candidatesPerKey = 64;
const candidatesPerPatient = 100;
/** A person with more source patients than this is not extended automatically. */
const largestPerson = 40;

interface Member {
  home: number;
  patient: string;
  source: string;
  person: string;
  presented: string | null;
  grade: 'source' | 'auto' | 'confirmed';
}

/** A change of a person that others have to hear of. */
export interface PersonChange {
  person: string;
  /** Homes that belonged to the person before and after. */
  before: number[];
  after: number[];
}

export class Linking {
  readonly #transaction: Transaction;
  readonly #keys: HomeKeys;
  readonly #store: DemographicsStore;
  readonly #now: Date;
  readonly #members = new Map<number, Member>();
  readonly #known = new Map<number, SourcePatient>();
  readonly #touched = new Set<string>();
  readonly #before = new Map<string, number[]>();

  constructor(transaction: Transaction, keys: HomeKeys, store: DemographicsStore, now: Date) {
    this.#transaction = transaction;
    this.#keys = keys;
    this.#store = store;
    this.#now = now;
  }

  /** Takes the lock under which links change. */
  async lock(): Promise<void> {
    await this.#transaction.query({ name: 'link_lock', text: `SELECT pg_advisory_xact_lock(${linkLock})` });
  }

  /** Takes in new and changed Patients, and joins them to persons where the evidence carries it. */
  async changed(changes: ResourceChange[]): Promise<void> {
    const latest = new Map<number, ResourceChange>();
    for (const change of changes) latest.set(change.after.home, change);
    const gone = [...latest.values()].filter(({ after }) => after.deleted).map(({ after }) => after.home);
    const stated = [...latest.values()].filter(({ after }) => !after.deleted);
    const previous = await this.#store.load(
      this.#transaction,
      stated.filter(({ after }) => after.version > 1).map(({ after }) => after.home),
    );
    for (const { after, resource } of stated) {
      this.#known.set(after.home, read(after.home, after.version, resource as unknown as Patient));
    }
    await this.#loadMembers([...latest.keys()]);
    await this.#enter(stated);
    for (const home of gone) await this.#leave(home);
    await this.#writeKeys(
      stated.map(({ after }) => after.home),
      gone,
    );
    const candidates = await this.#candidates(stated.map(({ after }) => after.home));
    await this.#join(candidates);
    for (const [home, before] of previous) await this.#checkOverlay(home, before);
  }

  /** Joins two source patients because a person or the source itself says that they are one. */
  async confirm(a: number, b: number, by: string, reason: string, grade: 'source' | 'confirmed'): Promise<void> {
    await this.#loadMembers([a, b]);
    await decide(this.#transaction, [a, b], { same: true, by, reason, at: this.#now });
    const [first, second] = [this.#members.get(a), this.#members.get(b)];
    if (!first || !second) return;
    if (first.person !== second.person) await this.#merge(first.person, second.person, by, reason, undefined);
    await this.#grade([a, b], grade);
  }

  /** Takes a source patient out of its person, for good, because a person or the source says that it is another. */
  async separate(home: number, from: number[] | undefined, by: string, reason: string): Promise<void> {
    await this.#loadMembers([home, ...(from ?? [])]);
    const member = this.#members.get(home);
    if (!member) return;
    const others = [...this.#members.values()].filter((other) => other.person === member.person && other.home !== home);
    for (const other of from ?? others.map(({ home: one }) => one))
      await decide(this.#transaction, [home, other], { same: false, by, reason, at: this.#now });
    if (others.length > 0 && (!from || from.some((one) => others.some((other) => other.home === one)))) {
      await this.#split(member, by, reason);
    }
  }

  /** Writes the persons that changed, and tells which. */
  async finish(): Promise<PersonChange[]> {
    const changes: PersonChange[] = [];
    for (const person of this.#touched) {
      const members = [...this.#members.values()].filter((member) => member.person === person);
      const before = this.#before.get(person) ?? [];
      const after = members.map(({ home }) => home);
      await this.#present(person, members);
      if (before.length !== after.length || before.some((home) => !after.includes(home))) {
        changes.push({ person, before, after });
      }
    }
    return changes;
  }

  /** Loads these source patients and everybody in their persons. */
  async #loadMembers(homes: number[]): Promise<void> {
    const wanted = homes.filter((home) => !this.#members.has(home));
    if (wanted.length === 0) return;
    const { rows } = await this.#transaction.query({
      name: 'link_members',
      text: `SELECT home, patient, source, person, presented, grade FROM link
             WHERE person IN (SELECT person FROM link WHERE home = ANY($1))`,
      values: [wanted],
    });
    for (const row of rows as Member[]) {
      if (this.#members.has(row.home)) continue;
      this.#members.set(row.home, row);
      const before = this.#before.get(row.person) ?? [];
      if (!before.includes(row.home)) this.#before.set(row.person, [...before, row.home]);
    }
  }

  /** Gives each new source patient a person of its own, to begin with. */
  async #enter(stated: ResourceChange[]): Promise<void> {
    const fresh: Member[] = [];
    for (const { after } of stated) {
      const member = this.#members.get(after.home);
      if (member) {
        if (member.presented) this.#touched.add(member.person);
        continue;
      }
      const entered: Member = {
        home: after.home,
        patient: after.rid,
        source: sourceOf(this.#known.get(after.home)!.patient),
        person: newId(),
        presented: null,
        grade: 'source',
      };
      this.#members.set(after.home, entered);
      fresh.push(entered);
    }
    if (fresh.length === 0) return;
    await this.#transaction.query({
      name: 'link_enter',
      text: `INSERT INTO link (home, patient, source, person, grade, placeholder, since)
             SELECT home, patient, source, person, 'source', placeholder, $6
             FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::text[])
               AS v (home, patient, source, person, placeholder)`,
      values: [
        fresh.map(({ home }) => home),
        fresh.map(({ patient }) => patient),
        fresh.map(({ source }) => source),
        fresh.map(({ person }) => person),
        fresh.map(({ home }) => this.#known.get(home)!.prepared.placeholder ?? null),
        this.#now,
      ],
    });
  }

  async #leave(home: number): Promise<void> {
    const member = this.#members.get(home);
    if (!member) return;
    this.#touched.add(member.person);
    this.#members.delete(home);
    await this.#transaction.query({ name: 'link_leave', text: 'DELETE FROM link WHERE home = $1', values: [home] });
  }

  async #writeKeys(homes: number[], gone: number[]): Promise<void> {
    const keys: string[] = [];
    const owners: number[] = [];
    for (const home of homes) {
      for (const key of blockingKeys(this.#known.get(home)!.prepared)) {
        keys.push(String(key));
        owners.push(home);
      }
    }
    await this.#transaction.query({
      name: 'blocking_key_delete',
      text: 'DELETE FROM blocking_key WHERE home = ANY($1)',
      values: [[...homes, ...gone]],
    });
    await this.#transaction.query({
      name: 'blocking_key_insert',
      text: `INSERT INTO blocking_key (key, home) SELECT * FROM unnest($1::bigint[], $2::bigint[]) ON CONFLICT DO NOTHING`,
      values: [keys, owners],
    });
  }

  /** For each source patient, those that share a blocking key with it. */
  async #candidates(homes: number[]): Promise<Map<number, number[]>> {
    if (homes.length === 0) return new Map();
    const { rows } = await this.#transaction.query({
      name: 'candidates',
      text: `SELECT own.home, array_agg(DISTINCT other.home) AS others
             FROM blocking_key own
             CROSS JOIN LATERAL (SELECT home FROM blocking_key WHERE key = own.key LIMIT ${candidatesPerKey}) other
             WHERE own.home = ANY($1) AND other.home <> own.home GROUP BY own.home`,
      values: [homes],
    });
    const candidates = new Map<number, number[]>();
    for (const row of rows) candidates.set(row.home, row.others.slice(0, candidatesPerPatient));
    const all = [...new Set([...candidates.values()].flat())];
    await this.#loadMembers(all);
    const unknown = [...this.#members.keys()].filter((home) => !this.#known.has(home));
    for (const [home, source] of await this.#store.load(this.#transaction, unknown)) this.#known.set(home, source);
    return candidates;
  }

  async #join(candidates: Map<number, number[]>): Promise<void> {
    const compared = new Map<string, { a: number; b: number; comparison: Comparison }>();
    const score = (a: number, b: number) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const [one, other] = [this.#known.get(low), this.#known.get(high)];
      if (low === high || !one || !other || compared.has(`${low} ${high}`)) return;
      compared.set(`${low} ${high}`, { a: low, b: high, comparison: compare(one.prepared, other.prepared) });
    };
    const involved = new Set<number>();
    for (const [home, others] of candidates) {
      for (const other of others) {
        score(home, other);
        involved.add(home);
        involved.add(other);
      }
    }
    const links = [...compared.values()].filter(({ comparison }) => comparison.outcome !== 'different');
    if (links.length === 0) return;
    const persons = new Set(links.flatMap(({ a, b }) => [this.#members.get(a)?.person, this.#members.get(b)?.person]));
    const component = [...this.#members.values()].filter(({ person }) => persons.has(person));
    const sizes = new Map<string, number>();
    for (const { person } of component) sizes.set(person, (sizes.get(person) ?? 0) + 1);
    const considered = component.filter(({ person }) => sizes.get(person)! <= largestPerson);
    for (const { a, b } of links) {
      const [one, other] = [this.#members.get(a)!, this.#members.get(b)!];
      if (one.person === other.person || !considered.includes(one) || !considered.includes(other)) continue;
      for (const x of considered.filter(({ person }) => person === one.person)) {
        for (const y of considered.filter(({ person }) => person === other.person)) score(x.home, y.home);
      }
    }
    const homes = considered.map(({ home }) => home);
    const { same, different } = await decisionsAmong(this.#transaction, homes);
    const edges: Edge[] = [];
    for (const { a, b, comparison } of compared.values()) {
      if (!homes.includes(a) || !homes.includes(b)) continue;
      edges.push(edgeOf(String(a), String(b), comparison));
    }
    const standing: Pair[] = [];
    for (const person of persons) {
      const [head, ...rest] = considered.filter((member) => member.person === person);
      for (const member of rest) standing.push([String(head!.home), String(member.home)]);
    }
    const apart = different.map(([a, b]) => [String(a), String(b)] as const);
    const together = same.map(([a, b]) => [String(a), String(b)] as const);
    const { clusters } = cluster(edges, [...standing, ...together], apart, { records: homes.map(String) });
    for (const names of clusters) {
      const [head, ...rest] = names.map(Number);
      for (const home of rest) {
        const [one, other] = [this.#members.get(head!)!, this.#members.get(home)!];
        if (one.person === other.person) continue;
        const best = bestBetween(compared, this.#homesOf(one.person), this.#homesOf(other.person));
        await this.#merge(one.person, other.person, 'matching', reasonOf(best), best?.probability);
      }
    }
    for (const { a, b, comparison } of links) {
      if (this.#members.get(a)!.person === this.#members.get(b)!.person) continue;
      if (different.some(([x, y]) => x === a && y === b)) continue;
      await openReview(this.#transaction, [a, b], 'duplicate', comparison, this.#now);
    }
  }

  #homesOf(person: string): number[] {
    return [...this.#members.values()].filter((member) => member.person === person).map(({ home }) => home);
  }

  async #checkOverlay(home: number, before: SourcePatient): Promise<void> {
    const after = this.#known.get(home)!;
    if (before.prepared.placeholder !== undefined) return;
    if (!isOverlay(before.prepared, after.prepared).overlay) return;
    const mate = [...this.#members.values()].find(
      (member) => member.home !== home && member.person === this.#members.get(home)!.person,
    );
    if (mate && this.#known.has(mate.home)) {
      const comparison = compare(after.prepared, this.#known.get(mate.home)!.prepared);
      const pair: [number, number] = [Math.min(home, mate.home), Math.max(home, mate.home)];
      await openReview(this.#transaction, pair, 'overlay', comparison, this.#now);
    }
  }

  async #merge(one: string, other: string, by: string, reason: string, probability: number | undefined): Promise<void> {
    const [mine, theirs] = [this.#homesOf(one), this.#homesOf(other)];
    const [kept, retired] = mine.length >= theirs.length ? [one, other] : [other, one];
    const moved = kept === one ? theirs : mine;
    this.#touched.add(kept);
    this.#touched.add(retired);
    for (const home of moved) {
      const member = this.#members.get(home)!;
      member.person = kept;
      await this.#remember('linked', member, kept, retired, by, reason, probability);
    }
    await this.#transaction.query({
      name: 'link_move',
      text: `UPDATE link SET person = $2, grade = CASE WHEN grade = 'source' THEN 'auto' ELSE grade END, since = $3
             WHERE home = ANY($1)`,
      values: [moved, kept, this.#now],
    });
    if (by === 'matching') {
      await this.#transaction.query({
        name: 'link_grade_auto',
        text: `UPDATE link SET grade = 'auto' WHERE person = $1 AND grade = 'source'`,
        values: [kept],
      });
    }
  }

  async #split(member: Member, by: string, reason: string): Promise<void> {
    const previous = member.person;
    member.person = newId();
    member.grade = 'source';
    this.#touched.add(previous);
    this.#touched.add(member.person);
    await this.#transaction.query({
      name: 'link_split',
      text: `UPDATE link SET person = $2, grade = 'source', since = $3 WHERE home = $1`,
      values: [member.home, member.person, this.#now],
    });
    await this.#remember('unlinked', member, member.person, previous, by, reason, undefined);
  }

  async #grade(homes: number[], grade: 'source' | 'confirmed'): Promise<void> {
    await this.#transaction.query({
      name: 'link_grade',
      text: `UPDATE link SET grade = $2 WHERE home = ANY($1) AND grade <> 'confirmed'`,
      values: [homes, grade],
    });
  }

  async #remember(
    event: 'linked' | 'unlinked',
    member: Member,
    person: string,
    previous: string,
    by: string,
    reason: string,
    probability: number | undefined,
  ): Promise<void> {
    await this.#transaction.query({
      name: 'link_history',
      text: `INSERT INTO link_history (at, by_whom, event, patient, person, previous, probability, reason)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      values: [this.#now, by, event, member.patient, person, previous, probability ?? null, reason],
    });
  }

  /** Brings a person's merged Patient and what its members are presented as in line with its members. */
  async #present(person: string, members: Member[]): Promise<void> {
    if (members.length === 0) return;
    const presented = members.length > 1 ? person : null;
    await this.#transaction.query({
      name: 'link_present',
      text: 'UPDATE link SET presented = $2 WHERE home = ANY($1) AND presented IS DISTINCT FROM $2',
      values: [members.map(({ home }) => home), presented],
    });
    if (presented === null) return;
    const unknown = members.filter(({ home }) => !this.#known.has(home)).map(({ home }) => home);
    for (const [home, source] of await this.#store.load(this.#transaction, unknown)) this.#known.set(home, source);
    const sources = members.map(({ home }) => this.#known.get(home)).filter((source) => source !== undefined);
    await writePerson(this.#transaction, this.#keys, person, sources, this.#now);
  }
}

function bestBetween(
  compared: Map<string, { a: number; b: number; comparison: Comparison }>,
  mine: number[],
  theirs: number[],
): Comparison | undefined {
  let best: Comparison | undefined;
  for (const a of mine) {
    for (const b of theirs) {
      const comparison = compared.get(a < b ? `${a} ${b}` : `${b} ${a}`)?.comparison;
      if (comparison && (!best || comparison.posterior > best.posterior)) best = comparison;
    }
  }
  return best;
}

/** The evidence in short: which fields agreed how, without their values. */
function reasonOf(comparison: Comparison | undefined): string {
  if (!comparison) return 'agreed with the same person';
  return comparison.explanation
    .filter(({ weight }) => weight > 0)
    .map(({ label, level }) => `${label}: ${level}`)
    .join(', ');
}
