/**
 * Search: a request becomes one statement led by its most selective filter, in an order that never changes, so that pages
 * are stateless and stay stable while data change. What no index answers is asked of each resource that the rest finds.
 */
import type { Queryable } from '../../database/index.ts';
import { type Access, accessCondition } from '../../trust/index.ts';
import type { Issue } from '../errors.ts';
import type { IndexKey } from '../index-key.ts';
import { type Reader, type StoredResource, storedColumns } from '../read.ts';
import { codesBy } from './codes.ts';
import { writeCursor } from './cursor.ts';
import { type Explanation, explainSearch } from './explain.ts';
import { Frequencies } from './frequencies.ts';
import { refuseHiddenElements } from './hidden-elements.ts';
import { includeAll } from './include.ts';
import { Assumptions, KnownPatients } from './known-patients.ts';
import { eachResource } from './lead.ts';
import { listMembers } from './lookups.ts';
import { isOrderedBySql } from './order.ts';
import { searchPage } from './page.ts';
import { type Codes, hashArray, type ResolvePatient } from './predicate.ts';
import { readSearchRequest, type SearchRequest } from './request.ts';
import { type PageRow, SearchRun } from './run.ts';
import { searchTotal } from './total.ts';
import { escaped } from './values.ts';

/**
 * Puts the merged Patient of a person in place of source patients that are presented as that person: of what those of its
 * sources say that the caller may see.
 */
export type PresentPersons = <Found extends { rid: string }>(
  access: Access,
  found: Found[],
  presented: (string | null)[],
) => Promise<(Found | StoredResource)[]>;

export interface SearchResult {
  matches: StoredResource[];
  included: StoredResource[];
  total: number | undefined;
  next: string | undefined;
  /** What the answer does not hold, though it was asked for. */
  warnings: Issue[];
}

/** Whether a search is one page that PostgreSQL finds and sorts, so that what it assumed is told with the rows. */
function mayAssume({ total, summaryCount, sort }: SearchRequest): boolean {
  return total === 'none' && !summaryCount && isOrderedBySql(sort);
}

export class Searcher {
  readonly #database: Queryable;
  readonly #reader: Reader;
  readonly #index: IndexKey;
  readonly #resolvePatient: ResolvePatient;
  readonly #patients: KnownPatients;
  readonly #present: PresentPersons;
  readonly #codes: Codes;
  readonly #frequencies = new Frequencies();

  constructor(
    database: Queryable,
    reader: Reader,
    index: IndexKey,
    resolvePatient: ResolvePatient,
    present: PresentPersons,
  ) {
    this.#database = database;
    this.#reader = reader;
    this.#index = index;
    this.#resolvePatient = resolvePatient;
    this.#patients = new KnownPatients(resolvePatient);
    this.#present = present;
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

  /** The codes of a value set, as `system|code`. @throws RecordError for one that is not known or too large */
  valueSet(access: Access, url: string): Promise<string[]> {
    return this.#codes.valueSet(access, url);
  }

  async search(access: Access, request: SearchRequest): Promise<SearchResult> {
    refuseHiddenElements(access, request);
    const assumed = mayAssume(request) ? new Assumptions(this.#patients) : undefined;
    const run = this.#run(access, assumed);
    const total = await searchTotal(run, request);
    if (request.summaryCount) return { matches: [], included: [], total, next: undefined, warnings: [] };
    let page = await searchPage(run, request);
    if (assumed && !(await assumed.hold())) page = await searchPage(this.#run(access), request);
    const { rows, opened, next } = page;
    const matches =
      request.type === 'Patient'
        ? await this.#present(
            access,
            opened,
            rows.map((row) => row.presented),
          )
        : opened;
    const { included, warning } = await this.#include(run, request, matches);
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
  explain(access: Access, request: SearchRequest): Promise<Explanation> {
    return explainSearch(this.#run(access), request);
  }

  #run(access: Access, assumed?: Assumptions): SearchRun {
    const lookups = {
      access,
      index: this.#index,
      resolvePatient: assumed?.resolve ?? this.#patients.ask,
      codes: this.#codes,
      members: (ids: readonly string[]) => listMembers(this.#reader, access, ids),
    };
    return new SearchRun(this.#database, this.#reader, lookups, this.#frequencies, (rows) => assumed?.note(rows));
  }

  #include(run: SearchRun, request: SearchRequest, matches: StoredResource[]) {
    const { access } = run.lookups;
    return includeAll(
      {
        read: (who, type, id) => this.#reader.read(who, type, id),
        referring: async (who, hashes, limit) => {
          const values: unknown[] = [hashArray(hashes)];
          const rows = await run.query<PageRow>(
            `SELECT ${storedColumns} FROM (SELECT DISTINCT home, rkey FROM index_token WHERE value = ANY($1::bigint[])) lead
             ${eachResource('lead', 'r')} LEFT JOIN link l ON l.home = r.home
             WHERE NOT r.deleted AND ${accessCondition(who, 'r', (value) => `$${values.push(value)}`)}
             ORDER BY r.home, r.rkey DESC LIMIT ${limit}`,
            values,
          );
          return this.#reader.open(who, rows);
        },
        sourcesOf: async (id) => (await this.#resolvePatient(id)).rids,
      },
      access,
      request,
      matches,
    );
  }
}
