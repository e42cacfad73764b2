/**
 * Searches over several types with `_sort`: each type is searched in that order, and the types are merged. A page's cursor
 * says for each type that is not at its end how far it came.
 */
import {
  compareSortValues,
  RecordError,
  type SearchRequest,
  type SearchResult,
  type StoredResource,
  sortValues,
} from '../record/index.ts';

/** A place in the list of types, and the cursor within the type. */
export type Place = [at: number, cursor: string];

/** What is searched, one type at a time, the parameters of all being known. */
export interface SortedSearch {
  types: readonly string[];
  places: readonly Place[];
  count: number;
  /** The search of a type: a page from a cursor, with what it includes or without. */
  request(type: string, count: number, cursor: string, includes: boolean): SearchRequest;
  search(request: SearchRequest): Promise<SearchResult>;
}

/** One type's part in a page. */
interface Part {
  place: Place;
  type: string;
  result: SearchResult;
  request: SearchRequest;
  /** How many of its matches the page takes. */
  taken: number;
}

/** So many resources are read for one page. */
const maximumRead = 10_000;

/** A page of the merged types. @throws RecordError 400 where it would read too much */
export async function sortedPage(
  asked: SortedSearch,
): Promise<{ matches: StoredResource[]; included: StoredResource[]; next: Place[] }> {
  const { types, places, count } = asked;
  if (places.length * count > maximumRead) {
    const text = `Sorting ${places.length} types reads up to ${count} resources of each; ask for fewer by _count, or name the types with _type.`;
    throw new RecordError(400, 'too-costly', text, '_sort');
  }
  const parts = await Promise.all(
    places.map(async (place): Promise<Part> => {
      const type = types[place[0]]!;
      const request = asked.request(type, count, place[1], false);
      return { place, type, request, result: await asked.search(request), taken: 0 };
    }),
  );
  const matches = merged(parts, count);
  const ended = await Promise.all(parts.filter(({ taken }) => taken > 0).map((part) => withEnd(asked, part)));
  return {
    matches,
    included: ended.flatMap(({ included }) => included),
    next: [
      ...parts.filter(({ taken, result }) => taken === 0 && result.matches.length > 0).map(({ place }) => place),
      ...ended.flatMap(({ next }) => next),
    ].sort(([a], [b]) => a - b),
  };
}

/** The first matches of all parts in their order; each part is in that order itself, and notes how many it gave. */
function merged(parts: readonly Part[], count: number): StoredResource[] {
  const heads = parts.map((part) => ({ part, keys: keysAt(part) }));
  const matches: StoredResource[] = [];
  while (matches.length < count) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.keys === undefined) continue;
      if (first === undefined || compareSortValues(head.keys, first.keys!, head.part.request.sort) < 0) first = head;
    }
    if (first === undefined) break;
    matches.push(first.part.result.matches[first.part.taken]!);
    first.part.taken++;
    first.keys = keysAt(first.part);
  }
  return matches;
}

function keysAt({ result, taken, request }: Part) {
  const stored = result.matches[taken];
  return stored && sortValues(stored, request.sort);
}

/** Where a part that gave matches goes on, and what those include: the search of just as many tells. */
async function withEnd(asked: SortedSearch, part: Part): Promise<{ included: StoredResource[]; next: Place[] }> {
  const { place, type, taken, result } = part;
  const request = asked.request(type, taken, place[1], true);
  const isWhole = taken === result.matches.length && request.includes.length + request.revincludes.length === 0;
  const { included, next } = isWhole ? result : await asked.search(request);
  return { included, next: next === undefined ? [] : [[place[0], next]] };
}
