/**
 * A page of a search: by PostgreSQL alone, by looking at resource after resource where no index answers a filter, or
 * sorted here by what PostgreSQL knows only as hashes.
 */
import { extract } from '@causeway/fhir';
import type { StoredResource } from '../read.ts';
import type { Compiled } from './compiled.ts';
import type { Cursor } from './cursor.ts';
import { cursorKey, isOrderedBySql } from './order.ts';
import type { SearchRequest } from './request.ts';
import type { PageRow, SearchRun } from './run.ts';
import { compareSortValues, type SortValue, sortCodes, sortValues } from './sort-values.ts';
import { tooCostly } from './wrong.ts';

/** The resources of a page, the rows they come from, and after which the next page begins. */
export interface Page {
  rows: PageRow[];
  opened: StoredResource[];
  next: Cursor | undefined;
}

/** So many resources are opened for one page where each has to be looked at. */
const lookedAt = 10_000;
const chunk = 500;
/** So many are opened to sort or to count what no index sorts or counts. */
export const sortable = 10_000;

export async function searchPage(run: SearchRun, request: SearchRequest): Promise<Page> {
  if (!isOrderedBySql(request.sort)) return sortedPage(run, request);
  const compiled = await run.compile(request);
  if (compiled.checks.length > 0) return checkedPage(run, request, compiled);
  const found = await run.rows(compiled, request.cursor, request.count + 1);
  const rows = found.slice(0, request.count);
  const next = found.length > request.count ? cursorAt(rows.at(-1)!, request) : undefined;
  return { rows, opened: await run.reader.open(run.lookups.access, rows, true), next };
}

/** Whether a resource passes what no index answers. */
export function holds(compiled: Compiled, stored: StoredResource): boolean {
  if (compiled.checks.length === 0) return true;
  const resource = JSON.parse(stored.text) as Record<string, unknown>;
  const values = extract(resource as never);
  return compiled.checks.every((check) => check(resource, values));
}

/** Looks at resource after resource until the page is full, or enough were looked at; the next page goes on there. */
async function checkedPage(run: SearchRun, request: SearchRequest, first: Compiled): Promise<Page> {
  const rows: PageRow[] = [];
  const opened: StoredResource[] = [];
  let { cursor } = request;
  let looked = 0;
  for (let compiled = first; ; compiled = await run.compile(request)) {
    const found = await run.rows(compiled, cursor, chunk);
    const resources = await run.reader.open(run.lookups.access, found);
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

/** The resources are opened and their values compared. */
async function sortedPage(run: SearchRun, request: SearchRequest): Promise<Page> {
  const compiled = await run.compile({ ...request, sort: [], cursor: undefined });
  const found = await run.rows(compiled, undefined, sortable + 1);
  if (found.length > sortable) {
    throw tooCostly(
      '_sort',
      `would have to sort more than ${sortable} resources by ${sortCodes(request.sort)}; add filters`,
    );
  }
  const resources = await run.reader.open(run.lookups.access, found);
  const items = resources.flatMap((stored, i) =>
    holds(compiled, stored) ? [{ row: found[i]!, stored, keys: sortValues(stored, request.sort) }] : [],
  );
  const before = (a: { keys: SortValue[]; row: PageRow }, b: { keys: SortValue[]; row: PageRow }) =>
    compareSortValues(a.keys, b.keys, request.sort) || a.row.home - b.row.home || b.row.rkey - a.row.rkey;
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

function cursorAt(row: PageRow, request: SearchRequest): Cursor {
  const keys = request.sort.map((_, i) => cursorKey(row[`k${i}`]));
  return { keys, home: row.home, rkey: row.rkey, bound: request.cursor?.bound ?? row.bound };
}
