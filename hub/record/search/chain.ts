/**
 * Chains (`subject.name`) and reverse chains (`_has`), FHIR R4 §3.1.1.4.1–2. The far side is looked up first; where it
 * finds few, they become the values of the near side, where it finds many, each candidate of the near side is followed.
 */
import { typeCode } from '@causeway/fhir';
import { accessCondition } from '../../trust/index.ts';
import { referenceHash, referenceMask } from '../keys.ts';
import { compile } from './compile.ts';
import { eachResource } from './lead.ts';
import {
  anyOf,
  hashArray,
  hashed,
  lazily,
  leadRows,
  type Predicate,
  patientOf,
  type SearchContext,
  sqlOf,
} from './predicate.ts';
import { namesHome } from './reference.ts';
import type { Filter } from './request.ts';
import { wrong } from './wrong.ts';

/** So many resources of the far side become values. */
const fewest = 1_000;

export async function chain(
  context: SearchContext,
  type: string,
  filter: Extract<Filter, { kind: 'chain' }>,
): Promise<Predicate> {
  const { code } = filter.parameter;
  const alternatives: Predicate[] = [];
  const hashes: bigint[] = [];
  for (const target of filter.targets) {
    const far = await reached(context, target.type, target.filter);
    if (far) hashes.push(...far.map((rid) => referenceHash(type, code, target.type, rid)));
    else alternatives.push(await followed(context, type, code, target));
  }
  return anyOf(context, [
    ...(hashes.length > 0 || alternatives.length === 0 ? [hashed(context, hashes)] : []),
    ...alternatives,
  ]);
}

export async function has(
  context: SearchContext,
  base: string,
  filter: Extract<Filter, { kind: 'has' }>,
): Promise<Predicate> {
  const mask = lazily(
    () => `${context.parameter(String(referenceMask(filter.type, filter.parameter.code, base)))}::bigint`,
  );
  const inner = positive(await compile(context, filter.type, filter.filter));
  const alias = aliasOf(filter);
  const seen = () => visible(context, alias, filter.type, inner);
  const isOfHome = base === 'Patient' && namesHome(filter.parameter);
  if (isOfHome && inner.lead && 'hashes' in inner.lead) {
    return hasInHome(
      context,
      inner.lead.hashes,
      (near) => `${seen()} AND ${alias}.tokens @> ARRAY[${near}.self # ${mask()}]`,
      alias,
    );
  }
  return {
    // The hash to look for is made in a subquery of its own: row security keeps an index from conditions that compute.
    sql: (near) => `EXISTS (
      SELECT 1 FROM (SELECT ${near}.self # ${mask()} AS value OFFSET 0) sought
      CROSS JOIN LATERAL (SELECT it.home, it.rkey FROM index_token it WHERE it.value = sought.value OFFSET 0) it
      ${eachResource('it', alias)} WHERE ${seen()} OFFSET 0)`,
    ...((await hasFew(context, inner))
      ? {
          lead: {
            rows: () =>
              isOfHome
                ? `
        SELECT near.home, near.rkey FROM ${rowsFrom(context, filter.type, inner, alias)} ${patientOf(alias, 'near')}
        WHERE ${seen()} AND ${alias}.tokens @> ARRAY[near.self # ${mask()}]`
                : `
        SELECT near.home, near.rkey FROM (
          SELECT token # ${mask()} AS self FROM ${rowsFrom(context, filter.type, inner, alias)}
          CROSS JOIN LATERAL unnest(${alias}.tokens) AS token WHERE ${seen()} OFFSET 0) named
        CROSS JOIN LATERAL (SELECT * FROM resource c WHERE c.self = named.self OFFSET 0) near
        WHERE near.type = ${typeCode(base)}`,
          },
        }
      : {}),
  };
}

/**
 * `_has` of Patients by what lies in their own homes: the rows of its hashes lead from home to home, and are looked at in
 * the home of each candidate alone.
 */
function hasInHome(
  context: SearchContext,
  hashes: bigint[],
  refers: (near: string) => string,
  alias: string,
): Predicate {
  const list = lazily(() => `${context.parameter(hashArray(hashes))}::bigint[]`);
  return {
    sql: (near) => `EXISTS (
      SELECT 1 FROM (
        SELECT it.home, it.rkey FROM index_token it WHERE it.value = ANY(${list()}) AND it.home = ${near}.home OFFSET 0) it
      ${eachResource('it', alias)} WHERE ${refers(near)} OFFSET 0)`,
    lead: { hashes, patients: true },
    partial: true,
  };
}

/** The ids of what the far side of a chain finds, all source patients of a person; undefined where there are many. */
async function reached(context: SearchContext, type: string, filter: Filter): Promise<string[] | undefined> {
  const values: unknown[] = [];
  const own: SearchContext = { ...context, parameter: (value) => `$${values.push(value)}` };
  const inner = positive(await compile(own, type, filter));
  const alias = 'far';
  const from = rowsFrom(own, type, inner, alias);
  const found = await context.query(
    `SELECT DISTINCT ${alias}.rid, l.person FROM ${from} LEFT JOIN link l ON l.home = ${alias}.home
     WHERE ${visible(own, alias, type, inner)} LIMIT ${fewest + 1}`,
    values,
  );
  if (found.length > fewest) return undefined;
  if (type !== 'Patient') return found.map((row) => row.rid);
  const persons = found.flatMap((row) => row.person ?? []);
  const all = await context.query('SELECT patient FROM link WHERE person = ANY($1)', [persons]);
  return [...new Set([...found.map((row) => row.rid), ...all.map((row) => row.patient)])];
}

/** Follows the references of each candidate to the far side. */
async function followed(
  context: SearchContext,
  type: string,
  code: string,
  target: { type: string; filter: Filter },
): Promise<Predicate> {
  const inner = positive(await compile(context, target.type, target.filter));
  const mask = lazily(() => `${context.parameter(String(referenceMask(type, code, target.type)))}::bigint`);
  const alias = aliasOf(target.filter);
  const isPatient = target.type === 'Patient';
  const named = isPatient ? 'named' : alias;
  // A person is found by what any of its source patients says, though the reference names only one of them.
  const person = `CROSS JOIN LATERAL (
        SELECT c.* FROM link ln JOIN link lf ON lf.person = ln.person JOIN resource c ON c.home = lf.home
        WHERE ln.home = named.home AND c.type = ${typeCode('Patient')} OFFSET 0) ${alias}`;
  return {
    sql: (near) => `EXISTS (
      SELECT 1 FROM (SELECT token # ${mask()} AS self FROM unnest(${near}.tokens) AS token OFFSET 0) sought
      CROSS JOIN LATERAL (SELECT * FROM resource c WHERE c.self = sought.self OFFSET 0) ${named} ${isPatient ? person : ''}
      WHERE ${named}.type = ${typeCode(target.type)} AND ${visible(context, alias, target.type, inner)} OFFSET 0)`,
  };
}

/** Whether what a filter finds is few enough to begin with. */
async function hasFew(context: SearchContext, inner: Predicate): Promise<boolean> {
  if (!inner.lead) return false;
  const { lead } = inner;
  if ('rows' in lead) return true;
  const rows = await context.query(
    `SELECT count(*) AS count FROM (SELECT 1 FROM index_token WHERE value = ANY($1::bigint[]) LIMIT ${fewest + 1}) probe`,
    [hashArray(lead.hashes)],
  );
  return Number(rows[0]!.count) <= fewest;
}

/** The rows of a type among which a filter finds, by its index where it has one. */
function rowsFrom(context: SearchContext, type: string, inner: Predicate, alias: string): string {
  if (!inner.lead) return `(SELECT * FROM resource WHERE type = ${typeCode(type)}) ${alias}`;
  return `(SELECT DISTINCT home, rkey FROM (${leadRows(context, inner.lead)}) rows) lead
    ${eachResource('lead', alias)}`;
}

/** That a row of the far side is of the type, is there, may be seen and is found by the filter. */
function visible(context: SearchContext, alias: string, type: string, inner: Predicate): string {
  const access = accessCondition(context.access, alias, context.parameter);
  return `${alias}.type = ${typeCode(type)} AND NOT ${alias}.deleted AND ${access} AND ${sqlOf(inner, alias)}`;
}

/** Refuses what has to be checked resource by resource: inside a chain nobody would know how many there are. */
function positive(predicate: Predicate): Predicate {
  if (predicate.check) throw wrong('_has or chain', 'cannot end in :text, :exact, :below of a URI, _text or _content');
  return predicate;
}

/** An alias for each depth of a statement. */
function aliasOf(filter: Filter): string {
  return `far${depthOf(filter)}`;
}

function depthOf(filter: Filter): number {
  switch (filter.kind) {
    case 'chain':
      return 1 + Math.max(...filter.targets.map((target) => depthOf(target.filter)));
    case 'has':
    case 'not':
      return 1 + depthOf(filter.filter);
    case 'any':
    case 'all':
      return 1 + Math.max(0, ...filter.filters.map(depthOf));
    default:
      return 0;
  }
}
