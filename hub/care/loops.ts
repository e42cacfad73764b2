/**
 * Opens, accepts and closes loops in the transactions of the changes that do so: critical results, discharges, referrals; and
 * recalls, for what the outbox takes back.
 */
import type { CareRules } from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import type { DiagnosticReport, Observation, Reference, Resource, ServiceRequest } from '@medplum/fhirtypes';
import { type FhirRecord, newId, ridOf, type WriteSet } from '../record/index.ts';
import { notify, type Participants } from '../trust/index.ts';
import { answeringTypes, type LoopKind, ofReferrals, openingTypes, type Said, saidBy } from './loop-evidence.ts';
import { organizationsMeant } from './organizations.ts';
import { carersOf } from './relationships.ts';

const caring = new Set(['hospital', 'practice']);
const requestType = typeCode('ServiceRequest')!;

/** Something that was told and does not hold as it was told. */
export interface Recalled {
  type: string;
  rid: string;
  version: number;
  home: number;
  source: string;
  why: RecallReason;
}

export type RecallReason = 'corrected' | 'withdrawn' | 'wrong-person';

interface OpenedRow {
  id: string;
  kind: LoopKind;
  site: string | null;
  home: number;
  made: boolean;
}

interface Opening {
  kind: LoopKind;
  why: string;
  due: Date;
  type: string;
  rid: string;
  version: number;
  home: number;
  party: Reference | undefined;
  isCertain: boolean;
}

export class Loops {
  readonly #record: FhirRecord;
  readonly #participants: Participants;
  readonly #rules: () => CareRules;

  /** Adds itself to every transaction of the record, after the person index. */
  constructor(record: FhirRecord, participants: Participants, rules: () => CareRules) {
    this.#record = record;
    this.#participants = participants;
    this.#rules = rules;
    record.writer.beforeCommit((set) => this.#note(set));
  }

  async #note(set: WriteSet): Promise<void> {
    // Without organisations there is nobody who could close anything.
    if (this.#participants.all().length === 0) return;
    const openings: Opening[] = [];
    const over: { said: Extract<Said, { is: 'over' }>; type: string; rid: string }[] = [];
    const answers: Answer[] = [];
    const context = { now: set.now, rules: this.#rules() };
    const requesters = requestersIn(set);
    for (const change of latestOf(set)) {
      const { type, rid, version, home, deleted } = change.after;
      if (home < 0) continue;
      const resource = deleted ? undefined : (change.parsed() as object as Resource);
      const referrals = resource && ofReferrals(resource);
      if (referrals) answers.push({ ...referrals, evidence: `${type}/${rid}`, home });
      if (!openingTypes.has(type)) continue;
      const isKnown = version > 1;
      const requester = requesters.get(rid);
      const said = resource && saidBy(resource, { ...context, isKnown, ...(requester ? { requester } : {}) });
      if (!resource)
        for (const kind of kindsOf(type)) over.push({ said: { is: 'over', kind, outcome: 'deleted' }, type, rid });
      else if (said?.is === 'over') over.push({ said, type, rid });
      else if (said) openings.push({ ...said, type, rid, version, home });
    }
    for (const one of await heeded(set, answers)) answer(set, one);
    close(set, over);
    await this.#open(set, openings);
  }

  async #open(set: WriteSet, openings: Opening[]): Promise<void> {
    if (openings.length === 0) return;
    const named = openings.flatMap(({ party }) => party ?? []);
    const participants = this.#participants.all();
    const meant = await organizationsMeant(set, this.#record.keys, participants, named);
    const sites = openings.map(({ party }) => (party ? meant[named.indexOf(party)] : undefined));
    const isCaring = (key: string | undefined) => participants.some((one) => one.key === key && caring.has(one.kind));
    const kept = openings.flatMap((one, i) => (one.isCertain || isCaring(sites[i]) ? { ...one, site: sites[i] } : []));
    if (kept.length === 0) return;
    const { rows } = await set.transaction.query<OpenedRow>({
      name: 'loops_opened',
      text: `INSERT INTO care_loop (id, kind, state, why, opened, due, home, source, site, focus_type, focus_rid, focus_version)
             SELECT v.id, v.kind, 'open', v.why, $1, v.due, v.home, l.source, v.site, v.type, v.rid, v.version
             FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[], $8::smallint[],
                         $9::uuid[], $10::integer[], $11::boolean[])
               AS v (id, kind, why, due, home, site, type, rid, version, certain) JOIN link l ON l.home = v.home
             WHERE (v.certain OR v.site IS DISTINCT FROM l.source)
               AND (v.kind = 'critical-result' OR NOT EXISTS (SELECT FROM care_loop k
                 WHERE k.focus_rid = v.rid AND k.focus_type = v.type AND k.kind = v.kind AND k.outcome <> 'cancelled'))
             ON CONFLICT (focus_rid, focus_type, kind) WHERE state <> 'closed' AND kind <> 'recall'
             DO UPDATE SET focus_version = excluded.focus_version, site = coalesce(excluded.site, care_loop.site)
             RETURNING id, kind, site, home, (xmax = 0) AS made`,
      values: [
        set.now,
        kept.map(() => newId()),
        kept.map(({ kind }) => kind),
        kept.map(({ why }) => why),
        kept.map(({ due }) => due),
        kept.map(({ home }) => home),
        kept.map(({ site }) => site ?? null),
        kept.map(({ type }) => typeCode(type)),
        kept.map(({ rid }) => rid),
        kept.map(({ version }) => version),
        kept.map(({ isCertain }) => isCertain),
      ],
    });
    await this.#tell(
      set,
      rows.filter(({ kind, made }) => kind === 'critical-result' && made),
    );
  }

  /** A critical result is told at once, to who ordered it, else to all who care; of other loops only what is late. */
  async #tell(set: WriteSet, rows: OpenedRow[]): Promise<void> {
    if (rows.length === 0) return;
    const homes = rows.filter(({ site }) => site === null).map(({ home }) => home);
    const carers = homes.length === 0 ? new Map<number, string[]>() : await carersOf(set.transaction, homes, set.now);
    for (const { id, kind, site, home } of rows) {
      for (const one of site === null ? (carers.get(home) ?? []) : [site])
        notify(set.transaction, `organization:${one}`, 'loop', { kind, loop: id });
    }
  }
}

/**
 * Opens the recalls of what the outbox takes back, in its transaction.
 * @returns by `type/rid` the recall that deliveries about it are part of
 */
export async function openRecalls(
  set: WriteSet,
  recalled: readonly Recalled[],
  { recallHours }: CareRules,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const once = [...new Map(recalled.map((one) => [`${one.type}/${one.rid}`, one])).entries()];
  if (once.length === 0) return ids;
  for (const [focus] of once) ids.set(focus, newId());
  const rows = once.map(([, one]) => one);
  await set.transaction.query({
    name: 'recalls_opened',
    text: `INSERT INTO care_loop (id, kind, state, why, opened, due, home, source, focus_type, focus_rid, focus_version)
           SELECT id, 'recall', 'open', why, $1, $1::timestamptz + $2 * interval '1 hour', home, source, type, rid, version
           FROM unnest($3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::smallint[], $8::uuid[], $9::integer[])
             AS v (id, why, home, source, type, rid, version)`,
    values: [
      set.now,
      recallHours,
      once.map(([focus]) => ids.get(focus)),
      rows.map(({ why }) => why),
      rows.map(({ home }) => home),
      rows.map(({ source }) => source),
      rows.map(({ type }) => typeCode(type)),
      rows.map(({ rid }) => rid),
      rows.map(({ version }) => version),
    ],
  });
  return ids;
}

function latestOf(set: WriteSet): WriteSet['changes'] {
  const latest = new Map<string, WriteSet['changes'][number]>();
  for (const change of set.changes) {
    const { type, rid } = change.after;
    if (openingTypes.has(type) || answeringTypes.has(type)) latest.set(`${type}/${rid}`, change);
  }
  return [...latest.values()];
}

function kindsOf(type: string): Exclude<LoopKind, 'recall'>[] {
  if (type === 'Observation') return ['critical-result'];
  return type === 'Encounter' ? ['transition'] : ['referral'];
}

/** By the rid of an Observation, who ordered the report that it is part of, as far as the transaction says so. */
function requestersIn(set: WriteSet): Map<string, Reference> {
  const found = new Map<string, Reference>();
  const requests = new Map<string, Reference>();
  for (const change of set.changes) {
    const { after } = change;
    const requester =
      after.type === 'ServiceRequest'
        ? (change.parsed() as object as ServiceRequest | undefined)?.requester
        : undefined;
    if (requester) requests.set(after.rid, requester);
  }
  if (requests.size === 0) return found;
  const requesterOf = (basedOn: Reference[] | undefined) =>
    (basedOn ?? [])
      .map(({ reference }) => requests.get(ridOf(/\/(.+)$/.exec(reference ?? '')?.[1] ?? '')))
      .find(Boolean);
  for (const change of set.changes) {
    const { after } = change;
    if (after.type !== 'DiagnosticReport' && after.type !== 'Observation') continue;
    const resource = change.parsed();
    if (!resource) continue;
    const requester = requesterOf((resource as object as DiagnosticReport | Observation).basedOn as Reference[]);
    if (!requester) continue;
    if (after.type === 'Observation') found.set(after.rid, requester);
    for (const { reference } of (resource as object as DiagnosticReport).result ?? []) {
      const id = /^Observation\/(.+)$/.exec(reference ?? '')?.[1];
      if (id !== undefined && !found.has(ridOf(id))) found.set(ridOf(id), requester);
    }
  }
  return found;
}

function close(set: WriteSet, over: { said: Extract<Said, { is: 'over' }>; type: string; rid: string }[]): void {
  if (over.length === 0) return;
  set.transaction.send({
    name: 'loops_over',
    text: `WITH closed AS (
             UPDATE care_loop c SET state = 'closed', closed = $1, closed_by = 'hub', outcome = v.outcome
             FROM unnest($2::text[], $3::smallint[], $4::uuid[], $5::text[]) AS v (kind, type, rid, outcome)
             WHERE c.kind = v.kind AND c.focus_type = v.type AND c.focus_rid = v.rid AND c.state <> 'closed'
               AND c.kind <> 'recall'
             RETURNING c.id, c.outcome)
           INSERT INTO care_loop_event (loop, by_whom, event, note) SELECT id, 'hub', 'closed', outcome FROM closed`,
    values: [
      set.now,
      over.map(({ said }) => said.kind),
      over.map(({ type }) => typeCode(type)),
      over.map(({ rid }) => rid),
      over.map(({ said }) => said.outcome),
    ],
  });
}

/** What a resource says of referrals: accepted, refused, answered. */
type Answer = NonNullable<ReturnType<typeof ofReferrals>> & { evidence: string; home: number };

/** Those of some answers that may be about a referral that is open: most results answer an order that is none. */
async function heeded(set: WriteSet, answers: readonly Answer[]): Promise<readonly Answer[]> {
  const ridsOf = ({ requests }: Answer) => (requests === 'of-the-person' ? [] : requests.map(ridOf));
  const named = answers.flatMap(ridsOf);
  if (named.length < 2) return answers;
  const { rows } = await set.transaction.query<{ rid: string }>({
    name: 'referrals_open',
    text: `SELECT focus_rid AS rid FROM care_loop
           WHERE kind = 'referral' AND state <> 'closed' AND focus_type = ${requestType} AND focus_rid = ANY($1)`,
    values: [named],
  });
  const open = new Set(rows.map(({ rid }) => rid));
  return answers.filter((one) => one.requests === 'of-the-person' || ridsOf(one).some((rid) => open.has(rid)));
}

function answer(set: WriteSet, { is, requests, evidence, home }: Answer): void {
  const isNote = requests === 'of-the-person';
  const which = isNote
    ? `c.site = (SELECT source FROM link WHERE home = $4)`
    : `c.focus_type = ${requestType} AND c.focus_rid = ANY($5::uuid[])`;
  const change =
    is === 'answered'
      ? `state = 'closed', closed = $1, closed_by = 'hub', outcome = 'answered'`
      : is === 'accepted'
        ? `state = 'accepted'`
        : 'due = least(c.due, $1)';
  set.transaction.send({
    name: `referral_${is}_${isNote ? 'note' : 'named'}`,
    text: `WITH changed AS (
             UPDATE care_loop c SET ${change}
             WHERE c.kind = 'referral' AND c.opened <= $1 AND ${which}
               AND c.home IN (SELECT m.home FROM link l JOIN link m USING (person) WHERE l.home = $4) AND c.state ${is === 'accepted' ? "= 'open'" : "<> 'closed'"}
             RETURNING c.id)
           INSERT INTO care_loop_event (loop, by_whom, event, note) SELECT id, 'hub', $2, $3 FROM changed`,
    values: [set.now, is, evidence, home, ...(isNote ? [] : [requests.map(ridOf)])],
  });
}
