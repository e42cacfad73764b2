/**
 * Which organisation cares for which person, from what flows: charts, visits, appointments, orders, referrals, care teams and
 * named family doctors, each with its evidence and its time. A relationship that ends stays as it was, so that who was told
 * something is told what becomes of it, and nothing new.
 */
import { type CareRules, firstCareRules, type WrittenPolicy } from '@causeway/access';
import type { Reference, Resource } from '@medplum/fhirtypes';
import type { Transaction } from '../database/index.ts';
import type { HomeKeys, WriteSet } from '../record/index.ts';
import { asks, type Participant, type Participants } from '../trust/index.ts';
import { type CareKind, evidenceTypes, type Shown, shownBy } from './evidence.ts';
import { organizationsMeant } from './organizations.ts';

const caring = new Set(['hospital', 'practice']);

/** A row of `care_relationship`; `site` is undefined for who sent the evidence. */
interface Stated {
  home: number;
  site: string | undefined;
  kind: CareKind;
  evidence: string;
  starts: Date | undefined;
  ends: Date | undefined;
}

/** The rules of a network, with those that it has not decided. */
export function careRulesOf({ care }: Pick<WrittenPolicy, 'care'>): CareRules {
  return { ...firstCareRules, ...care };
}

/**
 * Whether an organisation is told about those for whom it cares: a hospital or practice; another whose routes say of what, of
 * those whom it knows from there on.
 */
export function isTold({ kind, routes }: Pick<Participant, 'kind' | 'routes'>): boolean {
  return caring.has(kind) || asks(routes);
}

/** The SQL condition that a row of `care_relationship` counts. @param now @param chart parameters, as `$2` */
export function counts(alias: string, now: string, chart: string): string {
  return `((${alias}.ends IS NULL OR ${alias}.ends > ${now}) AND (${chart} OR ${alias}.kind <> 'chart'))`;
}

/** By home, the organisations that care for its person now, whatever shows it. */
export async function carersOf(
  transaction: Pick<Transaction, 'query'>,
  homes: readonly number[],
  now: Date,
): Promise<Map<number, string[]>> {
  const { rows } = await transaction.query<{ home: number; sites: string[] }>({
    name: 'carers',
    text: `SELECT l.home, array_agg(DISTINCT c.site) AS sites FROM link l JOIN link o ON o.person = l.person
             JOIN care_relationship c ON c.home = o.home
           WHERE l.home = ANY($1) AND ${counts('c', '$2', 'true')} GROUP BY l.home`,
    values: [homes, now],
  });
  return new Map(rows.map(({ home, sites }) => [home, sites]));
}

export class Relationships {
  readonly #keys: HomeKeys;
  readonly #participants: Participants;
  readonly rules: () => CareRules;
  /** Who is on a list, by the transaction that says so. */
  readonly #listed = new WeakMap<WriteSet, Stated[]>();

  constructor(keys: HomeKeys, participants: Participants, rules: () => CareRules = () => firstCareRules) {
    this.#keys = keys;
    this.#participants = participants;
    this.rules = rules;
  }

  /** The keys of those who are told something. */
  told(): string[] {
    return this.#participants
      .all()
      .filter(isTold)
      .map(({ key }) => key);
  }

  /** The keys of those to whom persons are introduced whom they do not know. */
  #introduced(): string[] {
    const all = this.#participants.all();
    return all.filter(({ routes }) => routes?.some(({ unknown }) => unknown === 'introduce')).map(({ key }) => key);
  }

  /**
   * Says, in a transaction that the caller makes, who is on a list of an organisation. Those who are on one of its lists
   * already stay so as they were.
   * @returns the homes, and how many of them were on none
   */
  async onPanel(
    set: WriteSet,
    site: string,
    panel: string,
    homes: number[],
  ): Promise<{ homes: number[]; begun: number }> {
    const { rows } = await set.transaction.query<{ home: number }>({
      name: 'care_on_panel',
      text: `SELECT DISTINCT home FROM care_relationship c
             WHERE home = ANY($1) AND site = $2 AND kind = 'panel' AND (ends IS NULL OR ends > $3)`,
      values: [homes, site, set.now],
    });
    const on = new Set(rows.map(({ home }) => home));
    const fresh = homes.filter((home) => !on.has(home));
    const evidence = `panel/${panel}`;
    this.#listed.set(
      set,
      fresh.map((home) => ({ home, site, kind: 'panel', evidence, starts: undefined, ends: undefined })),
    );
    return { homes, begun: fresh.length };
  }

  /**
   * Notes, in the transaction of a change, what it shows. Under a record that the site has merged into another
   * (Patient.active false) nobody cares any longer.
   * @param lock called before anything of this is written that begins care for a person who is known to others
   * @returns the homes of persons for whom somebody begins to care who knows them, or is introduced to them
   */
  async note(set: WriteSet, lock: () => Promise<void>): Promise<number[]> {
    if (this.#participants.all().length === 0) return [];
    const { stated: shown, retired, revised } = await this.#read(set);
    const stated = [...shown, ...(this.#listed.get(set) ?? [])];
    if (stated.length === 0 && retired.length === 0 && revised.length === 0) return [];
    const isQuiet = ({ site, kind }: Stated) => site === undefined && (kind === 'chart' || this.rules().chart);
    const quiet = stated.filter(isQuiet);
    const telling = stated.filter((one) => !isQuiet(one));
    if (telling.length > 0) await lock();
    retire(set, retired);
    endOthers(set, revised, stated);
    const sites = this.told();
    if (quiet.length > 0)
      set.transaction.send({ name: 'care_noted', text: insertion, values: values(set, quiet, sites) });
    return telling.length > 0 ? this.#begin(set, telling, sites) : [];
  }

  async #read(set: WriteSet): Promise<{ stated: Stated[]; retired: number[]; revised: Place[] }> {
    const latest = new Map<string, (typeof set.changes)[number]>();
    const first = new Map<string, number | undefined>();
    for (const change of set.changes) {
      const { before, after } = change;
      if (!evidenceTypes.has(after.type) || after.home < 0) continue;
      const evidence = `${after.type}/${after.rid}`;
      if (!first.has(evidence)) first.set(evidence, before?.home);
      latest.set(evidence, change);
    }
    const named: { statement: Stated; party: Reference }[] = [];
    const stated: Stated[] = [];
    const retired: number[] = [];
    const revised: Place[] = [];
    const rules = this.rules();
    for (const [evidence, change] of latest) {
      const { home, deleted } = change.after;
      const resource = deleted ? undefined : (change.parsed() as object as Resource);
      const before = first.get(evidence);
      if (before !== undefined) revised.push({ home: before, evidence });
      if (resource?.resourceType === 'Patient' && resource.active === false) retired.push(home);
      for (const { kind, party, starts, ends } of resource ? shownBy(resource, rules) : ([] as Shown[])) {
        const statement = { home, site: undefined, kind, evidence, starts, ends };
        if (party) named.push({ statement, party });
        else stated.push(statement);
      }
    }
    const parties = named.map(({ party }) => party);
    const meant =
      parties.length === 0 ? [] : await organizationsMeant(set, this.#keys, this.#participants.all(), parties);
    for (const [i, { statement }] of named.entries()) {
      const site = meant[i];
      if (site !== undefined) stated.push({ ...statement, site });
    }
    return { stated: unique(stated), retired: retired.sort((a, b) => a - b), revised };
  }

  async #begin(set: WriteSet, telling: Stated[], sites: string[]): Promise<number[]> {
    const chart = this.rules().chart;
    const { rows } = await set.transaction.query<{ home: number }>({
      name: 'care_begun',
      text: `WITH put AS (${insertion} RETURNING home, site, ends)
             SELECT DISTINCT m.home FROM put p JOIN link l ON l.home = p.home JOIN link m ON m.person = l.person
             WHERE p.site = ANY($7) AND (p.ends IS NULL OR p.ends > $8)
               AND (p.site = ANY($10) OR EXISTS (SELECT FROM link o WHERE o.person = l.person AND o.source = p.site))
               AND NOT EXISTS (SELECT FROM link o JOIN care_relationship b ON b.home = o.home AND b.site = p.site
                 WHERE o.person = l.person AND ${counts('b', '$8', '$9::boolean')})`,
      values: [...values(set, telling, sites), chart, this.#introduced()],
    });
    return rows.map(({ home }) => home);
  }
}

/** Where a resource was that shows who cares, before the transaction. */
interface Place {
  home: number;
  evidence: string;
}

/** Own records count for those who are told something; others for whomever they name. */
const insertion = `INSERT INTO care_relationship AS c (home, site, kind, evidence, starts, ends)
  SELECT DISTINCT ON (l.home, coalesce(v.site, l.source), v.kind, v.evidence) l.home, coalesce(v.site, l.source), v.kind, v.evidence, least(coalesce(v.starts, $8), $8), v.ends
  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    AS v (home, site, kind, evidence, starts, ends) JOIN link l ON l.home = v.home
  WHERE v.site IS NOT NULL OR l.source = ANY($7)
  ORDER BY l.home, coalesce(v.site, l.source), v.kind, v.evidence, v.ends DESC NULLS FIRST
  ON CONFLICT (home, site, kind, evidence) DO UPDATE SET ends = excluded.ends,
    starts = CASE WHEN c.ends <= $8 THEN excluded.starts ELSE least(c.starts, excluded.starts) END
  WHERE c.ends IS DISTINCT FROM excluded.ends`;

function values(set: WriteSet, stated: Stated[], sites: string[]): unknown[] {
  return [
    stated.map(({ home }) => home),
    stated.map(({ site }) => site ?? null),
    stated.map(({ kind }) => kind),
    stated.map(({ evidence }) => evidence),
    stated.map(({ starts }) => starts ?? null),
    stated.map(({ ends }) => ends ?? null),
    sites,
    set.now,
  ];
}

/** Ends all that is known of these homes; their own chart is noted as ended, also where it did not count. */
function retire(set: WriteSet, homes: number[]): void {
  if (homes.length === 0) return;
  set.transaction.send({
    name: 'care_retired',
    text: `WITH ended AS (UPDATE care_relationship SET ends = $2 WHERE home = ANY($1) AND (ends IS NULL OR ends > $2))
           INSERT INTO care_relationship (home, site, kind, evidence, starts, ends)
           SELECT home, source, 'chart', 'Patient/' || patient, $2, $2 FROM link WHERE home = ANY($1) ORDER BY home
           ON CONFLICT DO NOTHING`,
    values: [homes, set.now],
  });
}

/** Ends what changed resources showed before and do not show any more. */
function endOthers(set: WriteSet, revised: Place[], stated: Stated[]): void {
  if (revised.length === 0) return;
  const places = new Set(revised.map(({ evidence }) => evidence));
  const kept = stated.filter(({ evidence }) => places.has(evidence));
  set.transaction.send({
    name: 'care_ended',
    text: `UPDATE care_relationship c SET ends = $7 FROM unnest($1::bigint[], $2::text[]) AS v (home, evidence)
           WHERE c.home = v.home AND c.evidence = v.evidence AND (c.ends IS NULL OR c.ends > $7)
             AND NOT EXISTS (SELECT FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[])
               AS k (home, site, kind, evidence) WHERE k.home = c.home AND k.kind = c.kind AND k.evidence = c.evidence
                 AND c.site = coalesce(k.site, (SELECT source FROM link WHERE home = c.home)))`,
    values: [
      revised.map(({ home }) => home),
      revised.map(({ evidence }) => evidence),
      kept.map(({ home }) => home),
      kept.map(({ site }) => site ?? null),
      kept.map(({ kind }) => kind),
      kept.map(({ evidence }) => evidence),
      set.now,
    ],
  });
}

/** One row of each; of those that a resource names twice in one capacity, what goes on longest. */
function unique(stated: Stated[]): Stated[] {
  const rows = new Map<string, Stated>();
  for (const one of stated) {
    const key = `${one.home} ${one.site ?? ''} ${one.kind} ${one.evidence}`;
    const known = rows.get(key);
    const isLonger = known?.ends !== undefined && (one.ends === undefined || one.ends > known.ends);
    if (!known || isLonger) rows.set(key, one);
  }
  return [...rows.values()];
}
