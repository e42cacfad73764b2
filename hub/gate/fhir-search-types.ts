/**
 * Searches over several types at once: on the whole system (`/fhir?_type=…`) and over all of a compartment (`…/*`). Without
 * `_sort` the types come one after the other, each in its own order; the cursor says in which type a page goes on.
 */
import { isResourceType, resourceTypes } from '@causeway/fhir';
import { type FhirRecord, type Issue, RecordError, type SearchRequest, type StoredResource } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, type EntryParts, entry, patientsOf, type TextParts } from './fhir-answers.ts';
import type { AnswerForm } from './fhir-format.ts';
import { checkSummary, shown, warningEntry, withoutForm } from './fhir-search-bundle.ts';
import { type Place, sortedPage } from './fhir-search-sorted.ts';

export interface TypesPage {
  base: string;
  /** Path of the search below the base. */
  path: string;
  isLenient: boolean;
  form: AnswerForm;
  /** The types that may be searched; all where it is left out. */
  types?: readonly string[];
  /** Filters one of which has to hold for resources of a type. */
  within?(type: string): readonly [string, string][];
}

const defaultCount = 50;

/** The answer as text, and whose records it gives out. @throws RecordError 400 for parameters that not all types have */
export async function searchTypes(
  record: FhirRecord,
  who: Caller,
  parameters: URLSearchParams,
  page: TypesPage,
): Promise<{ text: TextParts; patients: string[] }> {
  checkSummary(page.form.subset, parameters);
  const { own, kept } = withoutForm(parameters);
  const asked = readParameters(kept, page);
  const { understood, warnings } = understand(record, asked, page);
  const found = await collect(record, who, asked, page);
  const entries: (string | EntryParts)[] = found.resources.map(({ resource, mode }) =>
    entry(page.base, shown(resource, page.form.subset), mode),
  );
  if (warnings.length > 0) entries.push(warningEntry(warnings));
  const query = new URLSearchParams([...understood, ...asked.control, ...own]);
  const address = page.path === '' ? page.base : `${page.base}/${page.path}`;
  const links = [['self', `${address}?${query}`]];
  if (found.next.length > 0) {
    query.set('_cursor', Buffer.from(JSON.stringify(found.next)).toString('base64url'));
    links.push(['next', `${address}?${query}`]);
  }
  const patients = patientsOf(found.resources.map(({ resource }) => resource));
  return { text: bundle('searchset', links, entries, found.total), patients };
}

/** What is asked for: of which types, and from where on. */
interface Asked {
  types: string[];
  filters: [string, string][];
  /** The parameters that decide the page, for the links. */
  control: [string, string][];
  count: number;
  /** Where the page begins; empty for the first. */
  start: Place[];
  isCount: boolean;
  isSorted: boolean;
  wantsTotal: boolean;
}

/** What the types make of the parameters, all of them. @throws RecordError 400 where one does not have a parameter */
function understand(
  record: FhirRecord,
  { types, filters }: Asked,
  { isLenient }: TypesPage,
): { understood: [string, string][]; warnings: Issue[] } {
  const warnings = new Map<string, Issue>();
  let understood: [string, string][] = [];
  for (const type of types) {
    const request = record.readSearch(type, filters, isLenient);
    for (const issue of request.warnings) warnings.set(issue.diagnostics, issue);
    understood = request.understood;
  }
  return { understood, warnings: [...warnings.values()] };
}

interface Collected {
  resources: { resource: StoredResource; mode: 'match' | 'include' }[];
  total: number | undefined;
  next: Place[];
}

async function collect(record: FhirRecord, who: Caller, asked: Asked, page: TypesPage): Promise<Collected> {
  const search = (type: string, ...control: [string, string][]) =>
    record.search(who, record.readSearch(type, [...asked.filters, ...control], page.isLenient, page.within?.(type)));
  const stored = new Set(await record.storedTypes(who));
  if (asked.isSorted && !asked.isCount) return collectSorted(record, who, asked, page, stored);
  const [first, cursor] = asked.start[0] ?? [0, ''];
  const resources: Collected['resources'] = [];
  const seen = new Set<string>();
  let rest = asked.isCount ? 0 : asked.count;
  let total = 0;
  let next: Place[] = [];
  for (const [at, type] of asked.types.entries()) {
    if (!stored.has(type)) continue;
    if (asked.wantsTotal) total += (await search(type, ['_summary', 'count'])).total ?? 0;
    if (asked.isCount || at < first || next.length > 0) continue;
    if (rest === 0) {
      if ((await search(type, ['_count', '1'])).matches.length > 0) next = [[at, '']];
      continue;
    }
    const within: [string, string][] = at === first && cursor !== '' ? [['_cursor', cursor]] : [];
    const found = await search(type, ['_count', String(rest)], ...within);
    rest = Math.max(0, rest - found.matches.length);
    if (found.next !== undefined) next = [[at, found.next]];
    for (const [mode, list] of [['match', found.matches] as const, ['include', found.included] as const]) {
      for (const resource of list) {
        const key = `${resource.type}/${resource.rid}`;
        if (!seen.has(key)) resources.push({ resource, mode });
        seen.add(key);
      }
    }
  }
  const isWhole = next.length === 0 && asked.start.length === 0;
  const matched = resources.filter(({ mode }) => mode === 'match').length;
  return { resources, total: asked.wantsTotal ? total : isWhole ? matched : undefined, next };
}

async function collectSorted(
  record: FhirRecord,
  who: Caller,
  { types, filters, start, count, wantsTotal }: Asked,
  { isLenient, within }: TypesPage,
  stored: ReadonlySet<string>,
): Promise<Collected> {
  const read = (type: string, control: [string, string][]): SearchRequest =>
    record.readSearch(type, [...filters, ...control], isLenient, within?.(type));
  const places = start.length > 0 ? start : types.map((_, at): Place => [at, '']);
  const { matches, included, next } = await sortedPage({
    types,
    places: places.filter(([at]) => stored.has(types[at]!)),
    count,
    request: (type, most, cursor, includes) => {
      const request = read(type, [
        ['_count', String(most)],
        ...(cursor === '' ? [] : [['_cursor', cursor] as [string, string]]),
      ]);
      return includes ? request : { ...request, includes: [], revincludes: [] };
    },
    search: (request) => record.search(who, request),
  });
  const found = new Map<string, Collected['resources'][number]>();
  for (const [mode, list] of [['match', matches] as const, ['include', included] as const]) {
    for (const resource of list) {
      const key = `${resource.type}/${resource.rid}`;
      if (!found.has(key)) found.set(key, { resource, mode });
    }
  }
  let total: number | undefined;
  if (wantsTotal) {
    const counted = types
      .filter((type) => stored.has(type))
      .map((type) => record.search(who, read(type, [['_summary', 'count']])));
    total = (await Promise.all(counted)).reduce((sum, one) => sum + (one.total ?? 0), 0);
  } else if (next.length === 0 && start.length === 0) total = matches.length;
  return { resources: [...found.values()], total, next };
}

function readParameters(parameters: Iterable<[string, string]>, page: TypesPage): Asked {
  const all = [...parameters];
  const last = (name: string) => all.findLast(([one]) => one === name)?.[1];
  const listed = last('_type')?.split(',');
  const types = typesOf(listed, page.types);
  const filters = all.filter(([name]) => !['_type', '_count', '_cursor', '_total'].includes(name));
  for (const [name] of filters) {
    if (listed !== undefined || page.types !== undefined || name.startsWith('_')) continue;
    const text = `The parameter ${name.slice(0, 50)} is not one of all types; say which types are searched with _type.`;
    throw new RecordError(400, 'invalid', text, name.slice(0, 50));
  }
  const count = last('_count') ?? String(defaultCount);
  if (!/^\d{1,6}$/.test(count)) {
    throw new RecordError(400, 'invalid', 'The parameter _count must be a whole number.', '_count');
  }
  const isCount = Number(count) === 0 || last('_summary') === 'count';
  return {
    types,
    filters: filters.filter(([name]) => name !== '_summary'),
    control: all.filter(([name]) => ['_type', '_count', '_total', '_summary'].includes(name)),
    count: Math.min(Number(count), 1_000),
    start: readCursor(last('_cursor'), types.length),
    isCount,
    isSorted: last('_sort') !== undefined,
    wantsTotal: isCount || last('_total') === 'accurate',
  };
}

function typesOf(listed: string[] | undefined, allowed: readonly string[] | undefined): string[] {
  const wrong = listed?.find((type) => !isResourceType(type) || (allowed && !allowed.includes(type)));
  if (wrong !== undefined) {
    const text = allowed
      ? 'The parameter _type names a type that is never in this compartment.'
      : 'The parameter _type names what is no FHIR R4 resource type.';
    throw new RecordError(400, 'value', text, '_type');
  }
  return [...new Set(listed ?? allowed ?? resourceTypes())];
}

function readCursor(value: string | undefined, types: number): Place[] {
  if (value === undefined) return [];
  const isPlace = (place: unknown): place is Place => {
    const [at, cursor, ...more] = Array.isArray(place) ? (place as unknown[]) : [];
    return (
      Number.isInteger(at) && Number(at) >= 0 && Number(at) < types && typeof cursor === 'string' && more.length === 0
    );
  };
  try {
    const places = JSON.parse(Buffer.from(value, 'base64url').toString()) as unknown;
    if (Array.isArray(places) && places.length > 0 && places.length <= types && places.every(isPlace)) return places;
  } catch {
    // Falls through to the error below.
  }
  const text = 'The parameter _cursor is not one that this server gave; start the search again without it.';
  throw new RecordError(400, 'invalid', text, '_cursor');
}
