/**
 * Search: a request becomes one statement that is led by its most selective filter, ordered by a key that never
 * changes, so that pages are stateless and stay stable while data change.
 */
import { extract, typeCode } from '@causeway/fhir';
import type { Queryable } from '../database/index.ts';
import { type Access, accessCondition } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import { parameterNumber, ridOf, tokenHash } from './keys.ts';
import { type Reader, type StoredResource, type StoredRow, storedColumns } from './read.ts';
import { type Condition, condition, hashArray, type Parameter, type ResolvePatient } from './search-condition.ts';
import type { Filter, Include, SearchRequest } from './search-request.ts';

/** Puts the merged Patient of a person in place of source patients that are presented as that person. */
export type PresentPersons = (found: StoredResource[], presented: (string | null)[]) => Promise<StoredResource[]>;

export interface SearchResult {
  matches: StoredResource[];
  included: StoredResource[];
  total: number | undefined;
  next: string | undefined;
}

const probeLimit = 500;

export class Searcher {
  readonly #database: Queryable;
  readonly #reader: Reader;
  readonly #resolvePatient: ResolvePatient;
  readonly #present: PresentPersons;

  constructor(database: Queryable, reader: Reader, resolvePatient: ResolvePatient, present: PresentPersons) {
    this.#database = database;
    this.#reader = reader;
    this.#resolvePatient = resolvePatient;
    this.#present = present;
  }

  async search(access: Access, request: SearchRequest): Promise<SearchResult> {
    const total = request.summaryCount || request.total === 'accurate' ? await this.#count(access, request) : undefined;
    if (request.summaryCount) return { matches: [], included: [], total, next: undefined };
    const statement = await this.#statement(access, request);
    const values = statement.values;
    const { key, direction } = sortKey(request, statement.rkey, (value) => `$${values.push(value)}`);
    const after = cursorCondition(request, key, direction, (value) => `$${values.push(value)}`);
    const byKey = key === statement.rkey;
    const limit = request.count + 1;
    const { rows } = await this.#database.query({
      text: statement.onePerPerson
        ? `SELECT * FROM (
             SELECT DISTINCT ON (coalesce(l.presented, r.rid)) ${storedColumns}, ${key} AS sort_key
             ${statement.from} ORDER BY coalesce(l.presented, r.rid), r.rkey DESC
           ) r WHERE ${after.replaceAll(key, 'r.sort_key')}
           ORDER BY r.sort_key ${direction}, r.rkey DESC LIMIT ${limit}`
        : `SELECT ${storedColumns}, ${key} AS sort_key ${statement.from} AND ${after}
           ORDER BY ${byKey ? `${key} ${direction}` : `${key} ${direction}, r.rkey DESC`} LIMIT ${limit}`,
      values,
    });
    const page = rows.slice(0, request.count) as (StoredRow & { sort_key: string | number })[];
    const opened = await this.#reader.open(page);
    const matches =
      request.type === 'Patient'
        ? await this.#present(
            opened,
            page.map((row) => row.presented),
          )
        : opened;
    const last = page.at(-1);
    const more = rows.length > request.count && last !== undefined;
    return {
      matches,
      included: await this.#include(access, request, matches),
      total: total ?? (more || request.cursor ? undefined : matches.length),
      next: more ? Buffer.from(JSON.stringify([last.sort_key, last.rkey])).toString('base64url') : undefined,
    };
  }

  /** Ids of what a search finds, at most `limit`; for conditional requests. */
  async matchingIds(access: Access, request: SearchRequest, limit: number): Promise<StoredResource[]> {
    const { matches } = await this.search(access, {
      ...request,
      count: limit,
      total: 'none',
      includes: [],
      revincludes: [],
    });
    return matches;
  }

  async #count(access: Access, request: SearchRequest): Promise<number> {
    const { from, values, onePerPerson } = await this.#statement(access, request);
    const what = onePerPerson ? 'DISTINCT coalesce(l.presented, r.rid)' : '*';
    const { rows } = await this.#database.query({ text: `SELECT count(${what}) AS count ${from}`, values });
    return Number(rows[0]!.count);
  }

  /** The FROM and WHERE of a search. */
  async #statement(
    access: Access,
    request: SearchRequest,
  ): Promise<{ from: string; values: unknown[]; onePerPerson: boolean; rkey: 'r.rkey' | 'lead.rkey' }> {
    const values: unknown[] = [];
    const parameter: Parameter = (value) => `$${values.push(value)}`;
    const conditions: Condition[] = [];
    for (const filter of request.filters)
      conditions.push(await this.#condition(access, request.type, filter, parameter));
    if (request.anyOf.length > 0) conditions.push(await this.#anyOf(access, request, parameter));
    const where = [
      `r.type = ${typeCode(request.type)}`,
      'NOT r.deleted',
      accessCondition(access, 'r.home', parameter),
      ...conditions.map(({ sql }) => sql),
    ];
    const homes = conditions.find((one) => one.homes)?.homes;
    if (homes) where.push(`r.home = ANY(${parameter(homes)}::bigint[])`);
    const lead = homes ? undefined : await this.#lead(conditions, parameter);
    const person = 'LEFT JOIN link l ON l.home = r.home';
    const onePerPerson = request.type === 'Patient';
    if (onePerPerson && conditions.length === 0) {
      where.push('(l.presented IS NULL OR p.home = r.home)');
      const from = `FROM resource r ${person} LEFT JOIN person p ON p.id = l.presented`;
      return { from: `${from} WHERE ${where.join(' AND ')}`, values, onePerPerson: false, rkey: 'r.rkey' };
    }
    // One hash's rows lie in the order of pages: taken one by one, a page costs a page. Left to the planner, which
    // expects next to none, all of them are joined and sorted first. Ranges and texts rule out too many for that.
    const streams = lead?.ordered && !onePerPerson && request.sort.length === 0 && !conditions.some((one) => one.lead);
    const joined = streams
      ? 'CROSS JOIN LATERAL (SELECT * FROM resource c WHERE c.home = lead.home AND c.rkey = lead.rkey LIMIT 1) r'
      : 'JOIN resource r ON r.home = lead.home AND r.rkey = lead.rkey';
    const from = lead ? `FROM (${lead.sql}) lead ${joined} ${person}` : `FROM resource r ${person}`;
    const rkey = streams ? 'lead.rkey' : 'r.rkey';
    return { from: `${from} WHERE ${where.join(' AND ')}`, values, onePerPerson, rkey };
  }

  /** The filter that finds least leads; hashes are probed, since the planner knows nothing of their frequency. */
  async #lead(conditions: Condition[], parameter: Parameter): Promise<Lead | undefined> {
    const hashed = conditions.filter((one) => one.hashes);
    const sql = conditions.find((one) => one.lead)?.lead;
    const other = sql === undefined ? undefined : { sql, ordered: false };
    let best = hashed[0];
    if (hashed.length > 1 || (hashed.length === 1 && other)) {
      const counts = await Promise.all(
        hashed.map(async ({ hashes }) => {
          const { rows } = await this.#database.query({
            name: 'search_probe',
            text: `SELECT count(*) AS count FROM (
                     SELECT 1 FROM index_token WHERE value = ANY($1::bigint[]) LIMIT ${probeLimit}) probe`,
            values: [hashArray(hashes!)],
          });
          return Number(rows[0]!.count);
        }),
      );
      const least = Math.min(...counts);
      if (other && least >= probeLimit) return other;
      best = hashed[counts.indexOf(least)];
    }
    if (!best) return other;
    const [one, ...more] = best.hashes!;
    if (one !== undefined && more.length === 0) {
      return {
        sql: `SELECT home, rkey FROM index_token WHERE value = ${parameter(String(one))}::bigint`,
        ordered: true,
      };
    }
    const any = parameter(hashArray(best.hashes!));
    return { sql: `SELECT DISTINCT home, rkey FROM index_token WHERE value = ANY(${any}::bigint[])`, ordered: false };
  }

  /** Several filters of which one has to hold; together they lead where each of them could. */
  async #anyOf(access: Access, { type, anyOf }: SearchRequest, parameter: Parameter): Promise<Condition> {
    const parts: Condition[] = [];
    for (const filter of anyOf) parts.push(await this.#condition(access, type, filter, parameter));
    const sql = `(${parts.map((part) => part.sql).join(' OR ')})`;
    return parts.every(({ hashes }) => hashes) ? { sql, hashes: parts.flatMap(({ hashes }) => hashes!) } : { sql };
  }

  async #condition(access: Access, type: string, filter: Filter, parameter: Parameter): Promise<Condition> {
    if (!filter.chain) return condition(type, filter, parameter, this.#resolvePatient);
    const hashes: bigint[] = [];
    for (const link of filter.chain) {
      const found = await this.#chained(access, link);
      for (const rid of found) hashes.push(tokenHash(type, filter.parameter.code, `${link.type}/${rid}`));
    }
    return { sql: `r.tokens && ${parameter(hashArray(hashes))}::bigint[]`, hashes };
  }

  /** What the target of a chain finds; every source patient of a person, since references name source patients. */
  async #chained(access: Access, link: { type: string; filter: Filter }): Promise<string[]> {
    const values: unknown[] = [];
    const parameter: Parameter = (value) => `$${values.push(value)}`;
    const found = await this.#condition(access, link.type, link.filter, parameter);
    const lead = await this.#lead([found], parameter);
    const { rows } = await this.#database.query({
      text: `SELECT r.rid, l.person FROM ${lead ? `(${lead.sql}) lead JOIN resource r USING (home, rkey)` : 'resource r'}
             LEFT JOIN link l ON l.home = r.home
             WHERE r.type = ${typeCode(link.type)} AND NOT r.deleted AND ${found.sql}
               AND ${accessCondition(access, 'r.home', parameter)}
             LIMIT ${chainLimit}`,
      values,
    });
    if (link.type !== 'Patient') return rows.map((row) => row.rid);
    const people = await this.#database.query({
      text: 'SELECT patient FROM link WHERE person = ANY($1)',
      values: [rows.map((row) => row.person).filter((person) => person !== null)],
    });
    return [...rows.map((row) => row.rid), ...people.rows.map((row) => row.patient)];
  }

  async #include(access: Access, request: SearchRequest, matches: StoredResource[]): Promise<StoredResource[]> {
    const seen = new Set(matches.map(({ type, rid }) => `${type}/${rid}`));
    const included: StoredResource[] = [];
    const add = (stored: StoredResource | undefined) => {
      if (!stored || stored.deleted || seen.has(`${stored.type}/${stored.rid}`)) return;
      seen.add(`${stored.type}/${stored.rid}`);
      included.push(stored);
    };
    for (const include of request.includes) {
      const references = matches.flatMap((match) => referencesOf(match, include));
      for (const one of await Promise.all(references.map(({ type, id }) => this.#reader.read(access, type, id))))
        add(one);
    }
    for (const revinclude of request.revincludes) {
      for (const one of await this.#revinclude(access, request.type, revinclude, matches)) add(one);
    }
    return included;
  }

  async #revinclude(
    access: Access,
    type: string,
    include: Include,
    matches: StoredResource[],
  ): Promise<StoredResource[]> {
    const hashes: bigint[] = [];
    for (const match of matches) {
      const rids = type === 'Patient' ? (await this.#resolvePatient(match.rid)).rids : [match.rid];
      for (const rid of rids) hashes.push(tokenHash(include.type, include.parameter, `${type}/${rid}`));
    }
    const values: unknown[] = [hashArray(hashes)];
    const { rows } = await this.#database.query({
      text: `SELECT ${storedColumns} FROM (SELECT DISTINCT home, rkey FROM index_token WHERE value = ANY($1::bigint[])) lead
             JOIN resource r USING (home, rkey) LEFT JOIN link l ON l.home = r.home
             WHERE NOT r.deleted AND ${accessCondition(access, 'r.home', (value) => `$${values.push(value)}`)}
             ORDER BY r.rkey DESC LIMIT ${revincludeLimit}`,
      values,
    });
    return this.#reader.open(rows as StoredRow[]);
  }
}

/** A statement that gives `home, rkey` of what a filter finds; `ordered`: its rows lie in the order of `rkey`. */
interface Lead {
  sql: string;
  ordered: boolean;
}

const chainLimit = 10_000;
const revincludeLimit = 5_000;

/** The expression a search is ordered by. */
function sortKey(
  request: SearchRequest,
  rkey: string,
  parameter: Parameter,
): { key: string; direction: 'ASC' | 'DESC' } {
  const sort = request.sort[0];
  if (!sort || sort.parameter === '_id') return { key: rkey, direction: 'DESC' };
  const direction = sort.descending ? 'DESC' : 'ASC';
  if (sort.parameter === '_lastUpdated') return { key: 'r.seq', direction };
  const number = parameter(parameterNumber(request.type, sort.parameter.code));
  const end = sort.descending ? 'max' : 'min';
  const [table, column, none] =
    sort.parameter.type === 'string'
      ? ['index_string', 'value', sort.descending ? `''` : `U&'\\+10FFFF'`]
      : ['index_range', sort.descending ? 'high' : 'low', sort.descending ? `'-Infinity'` : `'Infinity'`];
  return {
    key: `coalesce((SELECT ${end}(i.${column}) FROM ${table} i WHERE i.home = r.home AND i.rkey = r.rkey AND i.param = ${number}), ${none})`,
    direction,
  };
}

function cursorCondition(request: SearchRequest, key: string, direction: string, parameter: Parameter): string {
  if (!request.cursor) return 'true';
  const [value, rkey] = request.cursor;
  const at = parameter(rkey);
  if (key.endsWith('.rkey')) return `${key} ${direction === 'DESC' ? '<' : '>'} ${at}`;
  const cast = key === 'r.seq' ? '::bigint' : key.includes('index_range') ? '::float8' : '::text';
  const from = `${parameter(cursorValue(key, direction, value))}${cast}`;
  return `(${key} ${direction === 'DESC' ? '<' : '>'} ${from} OR (${key} = ${from} AND r.rkey < ${at}))`;
}

/** The sort value of a cursor, as SQL may take it. JSON has no infinity: null stands for resources without a value. */
function cursorValue(key: string, direction: string, value: unknown): string | number {
  if (key === 'r.seq' && Number.isSafeInteger(value)) return value as number;
  if (key.includes('index_range') && typeof value === 'number') return value;
  if (key.includes('index_range') && value === null) return direction === 'DESC' ? '-Infinity' : 'Infinity';
  if (key.includes('index_string') && typeof value === 'string') return value;
  throw new RecordError(400, 'invalid', 'The parameter _cursor is not one that this server gave.', '_cursor');
}

/** What a match refers to by a parameter. */
function referencesOf(match: StoredResource, include: Include): { type: string; id: string }[] {
  if (match.type !== include.type) return [];
  const found: { type: string; id: string }[] = [];
  for (const value of extract(JSON.parse(match.text))) {
    if (value.kind !== 'reference' || !value.type || !value.id) continue;
    if (include.parameter !== '*' && value.param !== include.parameter) continue;
    if (include.target && value.type !== include.target) continue;
    found.push({ type: value.type, id: value.id });
  }
  return found;
}

/** The hash under which references to a resource are found. */
export function referenceHash(type: string, code: string, targetType: string, targetId: string): bigint {
  return tokenHash(type, code, `${targetType}/${ridOf(targetId)}`);
}
