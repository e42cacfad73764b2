/**
 * Searches over several types at once: on the whole system (`/fhir?_type=…`) and over all of a compartment (`…/*`). The
 * types come one after the other, each in its own order; the cursor says in which type a page goes on.
 */
import { isResourceType, resourceTypes } from '@causeway/fhir';
import { type FhirRecord, type Issue, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { bundle, entry, patientsOf } from './fhir-answers.ts';
import type { AnswerForm } from './fhir-format.ts';
import { checkSummary, shown, warningEntry, withoutForm } from './fhir-search-bundle.ts';

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
): Promise<{ text: string; patients: string[] }> {
  checkSummary(page.form.subset, parameters);
  const { own, kept } = withoutForm(parameters);
  const { types, filters, count, start, isCount, wantsTotal } = readParameters(kept, page);
  const entries: string[] = [];
  const patients = new Set<string>();
  const seen = new Set<string>();
  const warnings = new Map<string, Issue>();
  let total = 0;
  let matched = 0;
  let next: [number, string] | undefined;
  const stored = new Set(await record.storedTypes(who));
  const understood = record.readSearch(types[0]!, filters, page.isLenient, []).understood;
  for (const type of types) {
    const { warnings: found } = record.readSearch(type, filters, page.isLenient, []);
    for (const issue of found) warnings.set(issue.diagnostics, issue);
  }
  for (const [at, type] of types.entries()) {
    if (!stored.has(type) || (at < start.at && !wantsTotal)) continue;
    const rest = count - matched;
    const isPage = at >= start.at && rest > 0 && next === undefined && !isCount;
    if (!isPage && !wantsTotal && next !== undefined) break;
    const asked: [string, string][] = [...filters];
    if (isPage) asked.push(['_count', String(rest)]);
    else asked.push(wantsTotal ? ['_summary', 'count'] : ['_count', '1']);
    if (isPage && wantsTotal) asked.push(['_total', 'accurate']);
    if (isPage && at === start.at && start.cursor) asked.push(['_cursor', start.cursor]);
    const request = record.readSearch(type, asked, page.isLenient, page.within?.(type));
    const found = await record.search(who, request);
    total += found.total ?? 0;
    if (!isPage) {
      if (found.matches.length > 0 && next === undefined && !isCount) next = [at, ''];
      continue;
    }
    matched += found.matches.length;
    for (const [mode, resources] of [
      ['match', found.matches],
      ['include', found.included],
    ] as const) {
      for (const resource of resources) {
        const key = `${resource.type}/${resource.rid}`;
        if (seen.has(key)) continue;
        seen.add(key);
        entries.push(entry(page.base, shown(resource, page.form.subset), mode));
      }
      for (const patient of patientsOf(resources)) patients.add(patient);
    }
    if (found.next !== undefined) next = [at, found.next];
  }
  if (warnings.size > 0) entries.push(warningEntry([...warnings.values()]));
  const query = new URLSearchParams([...withoutControl(kept, understood), ...own]);
  const address = page.path === '' ? page.base : `${page.base}/${page.path}`;
  const links = [['self', `${address}?${query}`]];
  if (next) {
    query.set('_cursor', Buffer.from(JSON.stringify(next)).toString('base64url'));
    links.push(['next', `${address}?${query}`]);
  }
  const isWhole = next === undefined && start.at === 0 && start.cursor === '' && !wantsTotal;
  const shownTotal = wantsTotal ? total : isWhole ? matched : undefined;
  return { text: bundle('searchset', links, entries, shownTotal), patients: [...patients] };
}

interface Read {
  types: string[];
  filters: [string, string][];
  count: number;
  start: { at: number; cursor: string };
  isCount: boolean;
  wantsTotal: boolean;
}

function readParameters(parameters: Iterable<[string, string]>, page: TypesPage): Read {
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
  if (types.length > 1 && last('_sort') !== undefined) {
    throw new RecordError(400, 'not-supported', 'A search over several types cannot be sorted.', '_sort');
  }
  const count = last('_count') ?? String(defaultCount);
  if (!/^\d{1,6}$/.test(count)) {
    throw new RecordError(400, 'invalid', 'The parameter _count must be a whole number.', '_count');
  }
  const isCount = Number(count) === 0 || last('_summary') === 'count';
  return {
    types,
    filters: filters.filter(([name]) => name !== '_summary'),
    count: Math.min(Number(count), 1_000),
    start: readCursor(last('_cursor'), types.length),
    isCount,
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

function readCursor(value: string | undefined, types: number): { at: number; cursor: string } {
  if (value === undefined) return { at: 0, cursor: '' };
  try {
    const [at, cursor] = JSON.parse(Buffer.from(value, 'base64url').toString()) as [unknown, unknown];
    if (Number.isInteger(at) && (at as number) >= 0 && (at as number) < types && typeof cursor === 'string') {
      return { at: at as number, cursor };
    }
  } catch {
    // Falls through to the error below.
  }
  const text = 'The parameter _cursor is not one that this server gave; start the search again without it.';
  throw new RecordError(400, 'invalid', text, '_cursor');
}

/** What was understood, and what decides the page. */
function withoutControl(parameters: Iterable<[string, string]>, understood: [string, string][]): [string, string][] {
  const own = [...parameters].filter(([name]) => ['_type', '_count', '_total', '_summary'].includes(name));
  return [...understood, ...own];
}
