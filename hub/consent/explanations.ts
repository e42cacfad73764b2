/**
 * Why somebody would see, or does not see, what the record holds of a person: the decision's own facts (the rows of
 * `resource` and `consent_provision` that `hub/trust/decision.ts` holds against each other), explained in memory.
 */
import { type Asker, type Explanation, explain, type HeldProvision, type RowFacts } from '@causeway/access';
import { typeCode, typeName } from '@causeway/fhir';
import type { Database, Row } from '../database/index.ts';
import { ridOf } from '../record/index.ts';
import { type Access, accessCondition } from '../trust/index.ts';

/** Resources that have one explanation. */
export interface Explained {
  type: string;
  count: number;
  explanation: Explanation;
}

/** What is looked at: what one access sees of some homes; of that, one resource, where it is named. */
export interface Scope {
  homes: readonly number[];
  seenBy: Access;
  resource?: { type: string; id: string };
}

/** What an asker would see of a scope and why. @param admitted the homes that it is admitted to; undefined: all */
export async function explanationsOf(
  database: Database,
  { homes, seenBy, resource }: Scope,
  asker: Asker,
  admitted?: readonly number[],
): Promise<Explained[]> {
  const provisions = await provisionsOf(database, homes);
  const isOneByOne = [...provisions.values()].flat().some(({ codes, instances }) => codes ?? instances);
  const values: unknown[] = [homes];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const named = resource
    ? `r.type = ${parameter(typeCode(resource.type))} AND r.rid = ${parameter(ridOf(resource.id))}`
    : `r.type <> ${typeCode('Consent')}`;
  const one = isOneByOne ? 'r.rid, r.tokens::text[] AS tokens' : 'NULL AS rid, NULL AS tokens';
  const { rows } = await database.query(
    `SELECT r.type, r.home, r.labels, r.first_day::text AS first, r.last_day::text AS last, ${one},
       (SELECT l.source FROM link l WHERE l.home = r.home) AS source, count(*)::integer AS count
     FROM resource r WHERE r.home = ANY($1) AND NOT r.deleted AND ${named}
       AND ${accessCondition(seenBy, 'r', parameter)} GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1`,
    values,
  );
  const now = Date.now();
  return rows.map((row) => {
    const isElsewhere = admitted !== undefined && !admitted.includes(row.home);
    const held = provisions.get(row.home) ?? [];
    return {
      type: typeName(row.type)!,
      count: row.count,
      explanation: explain({ ...asker, isElsewhere }, factsOf(row), held, now),
    };
  });
}

function factsOf({ type, home, labels, first, last, rid, tokens, source }: Row): RowFacts {
  return {
    type: typeName(type)!,
    reference: `${type}/${rid}`,
    ...(home < 0 ? {} : { patient: { source: source ?? '' } }),
    labels,
    ...(first === null ? {} : { days: { from: first, to: last } }),
    codes: new Set(tokens ?? []),
  };
}

/** The provisions that hold for homes; codes and instances as their rows have them. */
async function provisionsOf(database: Database, homes: readonly number[]): Promise<Map<number, HeldProvision[]>> {
  const { rows } = await database.query(
    `SELECT home, consent, node, path, effect, permits, actors, purposes, labels, types, codes::text[] AS codes,
       nullif(first_day, '-infinity')::text AS first, nullif(last_day, 'infinity')::text AS last,
       first_day IS NOT NULL AS has_days, instances,
       ARRAY(SELECT extract(epoch FROM coalesce(lower(t), '-infinity'))::float8 FROM unnest(times) t) AS begins,
       ARRAY(SELECT extract(epoch FROM coalesce(upper(t), 'infinity'))::float8 FROM unnest(times) t) AS ends
     FROM consent_provision WHERE home = ANY($1) ORDER BY home, consent, node`,
    [homes],
  );
  const found = new Map<number, HeldProvision[]>();
  for (const row of rows) found.set(row.home, [...(found.get(row.home) ?? []), provisionOf(row)]);
  return found;
}

const effects = ['none', 'permit', 'deny'] as const;

function provisionOf(row: Row): HeldProvision {
  const times = (row.begins as number[]).map((from, i) => ({ from: from * 1000, to: row.ends[i] * 1000 }));
  const given = <T>(name: string, value: T | null) => (value === null ? {} : { [name]: value });
  return {
    consent: row.consent,
    node: row.node,
    path: row.path,
    effect: effects[row.effect as 0 | 1 | 2],
    permits: row.permits,
    times,
    valid: { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY },
    ...given('actors', row.actors),
    ...given('purposes', row.purposes),
    ...given('labels', row.labels),
    ...given('types', row.types?.map((type: number) => typeName(type)!) ?? null),
    ...given('codes', row.codes),
    ...given('instances', row.instances),
    ...(row.has_days ? { days: { ...given('from', row.first), ...given('to', row.last) } } : {}),
  };
}
