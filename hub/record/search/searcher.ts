/**
 * Search: a request becomes one statement led by its most selective filter, in an order that never changes, so that pages
 * are stateless and stay stable while data change. What no index answers is asked of each resource that the rest finds.
 */
import { extract, typeCode } from '@causeway/fhir';
import type { Queryable, Row } from '../../database/index.ts';
import { type Access, accessCondition, scopeOf } from '../../trust/index.ts';
import type { Issue } from '../errors.ts';
import { hash64 } from '../keys.ts';
import { type Reader, type StoredResource, type StoredRow, storedColumns } from '../read.ts';
import { codesBy } from './codes.ts';
import { type Cursor, writeCursor } from './cursor.ts';
import { Frequencies } from './frequencies.ts';
import { includeAll } from './include.ts';
import { eachResource } from './lead.ts';
import { cursorKey, isOrderedBySql } from './order.ts';
import { type Codes, hashArray, type ResolvePatient, type SearchContext } from './predicate.ts';
import { readSearchRequest, type SearchRequest, type SortKey } from './request.ts';
import { type Compiled, compileSearch, countStatement, pageStatement, withoutKeyStatement } from './statement.ts';
import { escaped } from './values.ts';
import { tooCostly } from './wrong.ts';

/** Puts the merged Patient of a person in place of source patients that are presented as that person. */
export type PresentPersons = (found: StoredResource[], presented: (string | null)[]) => Promise<StoredResource[]>;

export interface SearchResult {
  matches: StoredResource[];
  included: StoredResource[];
  total: number | undefined;
  next: string | undefined;
  /** What the answer does not hold, though it was asked for. */
  warnings: Issue[];
}

/** Which index served a search and what it cost. */
export interface Explanation {
  lead: string;
  rows: number;
  milliseconds: number;
  statement: string;
  /** PostgreSQL's plan with its measurements, as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) gives it. */
  plan: unknown;
}

/** So many resources are opened for one page where each has to be looked at. */
const lookedAt = 10_000;
const chunk = 500;
/** So many are opened to sort or to count what no index sorts or counts. */
const sortable = 10_000;
/** Up to here an estimate is exact. */
const estimatedFrom = 10_000;
const rememberedStatements = 400;

type PageRow = StoredRow & Record<string, unknown> & { bound: number };

export class Searcher {
  readonly #database: Queryable;
  readonly #reader: Reader;
  readonly #resolvePatient: ResolvePatient;
  readonly #present: PresentPersons;
  readonly #codes: Codes;
  readonly #frequencies: Frequencies;

  constructor(
    database: Queryable,
    reader: Reader,
    resolvePatient: ResolvePatient,
    present: PresentPersons,
    frequencies = new Frequencies(),
  ) {
    this.#database = database;
    this.#reader = reader;
    this.#resolvePatient = resolvePatient;
    this.#present = present;
    this.#frequencies = frequencies;
    this.#codes = codesBy({
      byUrl: async (access, type, url, version) => {
        const asked: [string, string][] = [['url', escaped(url)]];
        if (version !== undefined) asked.push(['version', escaped(version)]);
        const { matches } = await this.search(access, { ...readSearchRequest(type, asked, false), count: 1 });
        return matches[0]?.text;
      },
      byId: async (access, type, id) => {
        const found = await this.#reader.read(access, type, id);
        return found?.deleted ? undefined : found?.text;
      },
    });
  }

  async search(access: Access, request: SearchRequest): Promise<SearchResult> {
    const total = await this.#total(access, request);
    if (request.summaryCount) return { matches: [], included: [], total, next: undefined, warnings: [] };
    const { rows, opened, next } = await this.#page(access, request);
    const matches =
      request.type === 'Patient'
        ? await this.#present(
            opened,
            rows.map((row) => row.presented),
          )
        : opened;
    const { included, warning } = await this.#include(access, request, matches);
    return {
      matches,
      included,
      total: total ?? (next || request.cursor ? undefined : matches.length),
      next: next && writeCursor(next),
      warnings: warning ? [warning] : [],
    };
  }

  /** What a search finds, at most `limit`; for conditional requests. */
  async matchingIds(access: Access, request: SearchRequest, limit: number): Promise<StoredResource[]> {
    const plain = { count: limit, total: 'none', includes: [], revincludes: [] } as const;
    const { matches } = await this.search(access, { ...request, ...plain, includes: [], revincludes: [] });
    return matches;
  }

  /** Carries out the statement of a search's first page and tells how. */
  async explain(access: Access, request: SearchRequest): Promise<Explanation> {
    const compiled = await this.#compile(access, request);
    const statement = pageStatement(compiled, request.cursor, request.count + 1);
    const begun = performance.now();
    const { rows } = await this.#database
      .as(scopeOf(access))
      .query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement}`, compiled.values);
    const plan = rows[0]!['QUERY PLAN'];
    return {
      lead: leadOf(compiled),
      rows: plan[0].Plan['Actual Rows'],
      milliseconds: Math.round((performance.now() - begun) * 100) / 100,
      statement: statement.replace(/\s+/g, ' '),
      plan,
    };
  }

  async #page(
    access: Access,
    request: SearchRequest,
  ): Promise<{ rows: PageRow[]; opened: StoredResource[]; next: Cursor | undefined }> {
    const compiled = await this.#compile(access, request);
    if (!isOrderedBySql(request.sort)) return this.#sortedHere(access, request);
    if (compiled.checks.length > 0) return this.#checkedPage(access, request);
    const found = await this.#rows(compiled, request.cursor, request.count + 1);
    const rows = found.slice(0, request.count);
    const next = found.length > request.count ? cursorAt(rows.at(-1)!, request) : undefined;
    return { rows, opened: await this.#reader.open(rows), next };
  }

  async #rows(compiled: Compiled, cursor: Cursor | undefined, limit: number): Promise<PageRow[]> {
    const rows = await this.#run(compiled.context.access, pageStatement(compiled, cursor, limit), compiled.values);
    const { byOrder, request } = compiled;
    if (!byOrder || rows.length >= limit || cursor?.keys[0] === null) return rows;
    // The index of the order is at its end: what has no value of the key comes last.
    const rest = await this.#compile(compiled.context.access, request);
    const statement = withoutKeyStatement(
      rest,
      byOrder,
      cursor && { ...cursor, keys: [null], ...beginning(byOrder) },
      limit - rows.length,
    );
    return [...rows, ...(await this.#run(rest.context.access, statement, rest.values))];
  }

  /** Looks at resource after resource until the page is full, or enough were looked at; the next page goes on there. */
  async #checkedPage(access: Access, request: SearchRequest) {
    const rows: PageRow[] = [];
    const opened: StoredResource[] = [];
    let { cursor } = request;
    for (let looked = 0; ; ) {
      const compiled = await this.#compile(access, request);
      const found = await this.#rows(compiled, cursor, chunk);
      const resources = await this.#reader.open(found);
      for (const [i, stored] of resources.entries()) {
        if (!holds(compiled, stored)) continue;
        if (opened.length === request.count) return { rows, opened, next: cursorAt(rows.at(-1)!, request) };
        rows.push(found[i]!);
        opened.push(stored);
      }
      looked += found.length;
      if (found.length < chunk) return { rows, opened, next: undefined };
      cursor = cursorAt(found.at(-1)!, request);
      if (looked >= lookedAt) return { rows, opened, next: cursor };
    }
  }

  /** Sorts by what PostgreSQL knows only as hashes: the resources are opened and their values compared. */
  async #sortedHere(access: Access, request: SearchRequest) {
    const compiled = await this.#compile(access, { ...request, sort: [], cursor: undefined });
    const found = await this.#rows(compiled, undefined, sortable + 1);
    if (found.length > sortable) {
      throw tooCostly(
        '_sort',
        `would have to sort more than ${sortable} resources by ${codesOf(request.sort)}; add filters`,
      );
    }
    const resources = await this.#reader.open(found);
    const items = resources.flatMap((stored, i) =>
      holds(compiled, stored) ? [{ row: found[i]!, stored, keys: keysOf(stored, request.sort) }] : [],
    );
    const before = (a: { keys: SortValue[]; row: PageRow }, b: { keys: SortValue[]; row: PageRow }) =>
      compareKeys(a.keys, b.keys, request.sort) || a.row.home - b.row.home || b.row.rkey - a.row.rkey;
    items.sort(before);
    const { cursor } = request;
    const at = cursor && { keys: cursor.keys, row: { home: cursor.home, rkey: cursor.rkey } as PageRow };
    const left = at ? items.filter((item) => before(item, at) > 0 && item.row.rkey <= cursor.bound) : items;
    const page = left.slice(0, request.count);
    const last = page.at(-1);
    return {
      rows: page.map(({ row }) => row),
      opened: page.map(({ stored }) => stored),
      next:
        last && left.length > page.length
          ? { keys: last.keys, home: last.row.home, rkey: last.row.rkey, bound: cursor?.bound ?? last.row.bound }
          : undefined,
    };
  }

  async #total(access: Access, request: SearchRequest): Promise<number | undefined> {
    if (!request.summaryCount && request.total === 'none') return undefined;
    if (isWholeType(access, request)) return this.#stored(request.type);
    const whole = { ...request, sort: [], cursor: undefined };
    const compiled = await this.#compile(access, whole);
    if (compiled.checks.length > 0) return this.#checkedTotal(access, whole);
    const isEstimate = request.total === 'estimate' && !request.summaryCount;
    const most = isEstimate ? estimatedFrom + 1 : undefined;
    const rows = await this.#run(access, countStatement(compiled, most), compiled.values);
    const count = Number((rows[0] as Row).count);
    if (!isEstimate || count <= estimatedFrom) return count;
    const again = await this.#compile(access, whole);
    const { rows: plans } = await this.#database
      .as(scopeOf(access))
      .query(
        `EXPLAIN (FORMAT JSON) SELECT * FROM (${countStatement(again).replace('SELECT count(*) AS count FROM', 'SELECT * FROM')}) counted`,
        again.values,
      );
    return Math.max(count, Math.round(plans[0]!['QUERY PLAN'][0].Plan['Plan Rows']));
  }

  /** How many resources of a type are stored, which the writers keep count of. */
  async #stored(type: string): Promise<number> {
    const { rows } = await this.#database.query({
      name: 'resource_count',
      text: 'SELECT count FROM resource_count WHERE type = $1',
      values: [typeCode(type)],
    });
    return rows[0]!.count;
  }

  async #checkedTotal(access: Access, request: SearchRequest): Promise<number> {
    const compiled = await this.#compile(access, request);
    const rows = await this.#rows(compiled, undefined, sortable + 1);
    if (rows.length > sortable) {
      throw tooCostly('_total', `would have to look at more than ${sortable} resources; add filters or leave it out`);
    }
    return (await this.#reader.open(rows)).filter((stored) => holds(compiled, stored)).length;
  }

  #include(access: Access, request: SearchRequest, matches: StoredResource[]) {
    return includeAll(
      {
        read: (who, type, id) => this.#reader.read(who, type, id),
        referring: async (who, hashes, limit) => {
          const values: unknown[] = [hashArray(hashes)];
          const rows = await this.#run(
            who,
            `SELECT ${storedColumns} FROM (SELECT DISTINCT home, rkey FROM index_token WHERE value = ANY($1::bigint[])) lead
             ${eachResource('lead', 'r')} LEFT JOIN link l ON l.home = r.home
             WHERE NOT r.deleted AND ${accessCondition(who, 'r.home', (value) => `$${values.push(value)}`)}
             ORDER BY r.home, r.rkey DESC LIMIT ${limit}`,
            values,
          );
          return this.#reader.open(rows);
        },
        sourcesOf: async (id) => (await this.#resolvePatient(id)).rids,
      },
      access,
      request,
      matches,
    );
  }

  async #compile(access: Access, request: SearchRequest): Promise<Compiled> {
    const values: unknown[] = [];
    const context: SearchContext = {
      access,
      parameter: (value) => `$${values.push(value)}`,
      query: async (text, own) => this.#run(access, text, own),
      resolvePatient: this.#resolvePatient,
      codes: this.#codes,
      members: (ids) => this.#members(access, ids),
    };
    return compileSearch(context, values, request, this.#frequencies);
  }

  async #members(access: Access, ids: readonly string[]): Promise<{ type: string; id: string }[]> {
    const lists = await Promise.all(ids.map((id) => this.#reader.read(access, 'List', id)));
    return lists.flatMap((stored) => {
      if (!stored || stored.deleted) return [];
      const { entry = [] } = JSON.parse(stored.text) as {
        entry?: { deleted?: boolean; item?: { reference?: string } }[];
      };
      return entry.flatMap(({ deleted, item }) => {
        const named = deleted ? null : /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})/.exec(item?.reference ?? '');
        return named ? [{ type: named[1]!, id: named[2]! }] : [];
      });
    });
  }

  /** Statements of one shape are prepared once a connection; there is an end to how many shapes are. */
  async #run(access: Access, text: string, values: unknown[]): Promise<PageRow[]> {
    const name = statementName(text);
    const { rows } = await this.#database
      .as(scopeOf(access))
      .query<PageRow>(name ? { name, text, values } : { text, values });
    return rows;
  }
}

/** Whether a search finds all of a type; of Patients it finds persons, which are fewer. */
function isWholeType(access: Access, { type, filters }: SearchRequest): boolean {
  return access.homes === 'all' && filters.length === 0 && type !== 'Patient';
}

const names = new Map<string, string>();

function statementName(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < rememberedStatements) {
    name = `search_${BigInt.asUintN(64, hash64(text)).toString(36)}`;
    names.set(text, name);
  }
  return name;
}

function holds(compiled: Compiled, stored: StoredResource): boolean {
  if (compiled.checks.length === 0) return true;
  const resource = JSON.parse(stored.text) as Record<string, unknown>;
  const values = extract(resource as never);
  return compiled.checks.every((check) => check(resource, values));
}

function cursorAt(row: PageRow, request: SearchRequest): Cursor {
  const keys = request.sort.map((_, i) => cursorKey(row[`k${i}`]));
  return { keys, home: row.home, rkey: row.rkey, bound: request.cursor?.bound ?? row.bound };
}

/** Where resources without a value of the key begin, in the order of the index's direction. */
function beginning(key: SortKey): { home: number; rkey: number } {
  const far = Number.MAX_SAFE_INTEGER;
  return key.descending ? { home: far, rkey: -far } : { home: -far, rkey: far };
}

type SortValue = string | number | null;

/** The values a resource is sorted by: the least, or the greatest where the key descends. */
function keysOf(stored: StoredResource, sort: readonly SortKey[]): SortValue[] {
  const values = extract(JSON.parse(stored.text));
  return sort.map(({ parameter, descending }) => {
    if (parameter === '_lastUpdated') return stored.updated.toISOString();
    if (parameter === '_id') return stored.rid;
    const found = values.flatMap((value): (string | number)[] => {
      if (value.param !== parameter.code) return [];
      switch (value.kind) {
        case 'token':
          return value.code === undefined ? [] : [value.code];
        case 'uri':
          return [value.value];
        case 'reference':
          return [value.type && value.id ? `${value.type}/${value.id}` : (value.url ?? value.identifier?.value ?? '')];
        case 'string':
          return [value.normalized];
        case 'date':
        case 'number':
        case 'quantity':
          return [value.low];
        default:
          return [];
      }
    });
    if (found.length === 0) return null;
    return found.reduce((best, value) => ((descending ? value > best : value < best) ? value : best));
  });
}

function compareKeys(a: readonly SortValue[], b: readonly SortValue[], sort: readonly SortKey[]): number {
  for (const [i, { descending }] of sort.entries()) {
    const [x, y] = [a[i] ?? null, b[i] ?? null];
    if (x === y) continue;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * (descending ? -1 : 1);
  }
  return 0;
}

function codesOf(sort: readonly SortKey[]): string {
  return sort.map(({ parameter }) => (typeof parameter === 'string' ? parameter : parameter.code)).join(', ');
}

/** What leads a search, for people. */
function leadOf({ byOrder, lead, predicates, request, homes }: Compiled): string {
  if (byOrder) return `the index of ${codesOf([byOrder])}, in its order`;
  const index = lead ? predicates.indexOf(lead) : -1;
  const filter = request.filters[index];
  const within = homes ? ` within the records of ${homes.length} source patient${homes.length === 1 ? '' : 's'}` : '';
  if (!filter) return `all resources of type ${request.type} (${typeCode(request.type)})${within}`;
  return `${'parameter' in filter ? filter.parameter.code : filter.kind}${within}`;
}
