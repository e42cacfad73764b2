/** A search compiled for one statement: what its filters mean, and which of them leads. */
import type { SearchParameter } from '@causeway/fhir';
import { parameterNumber } from '../keys.ts';
import { compile, joined } from './compile.ts';
import { type Frequencies, frequent } from './frequencies.ts';
import type { Check, Lead, Predicate, SearchContext } from './predicate.ts';
import type { Filter, SearchRequest, SortKey } from './request.ts';

/** A search compiled for one statement. */
export interface Compiled {
  context: SearchContext;
  values: unknown[];
  request: SearchRequest;
  /** Those of the request, joined where they are about one value. */
  filters: Filter[];
  /** What each of them means. */
  predicates: Predicate[];
  checks: Check[];
  lead: Predicate | undefined;
  /** The index whose order is the one asked for leads; of it what `lead` finds, where that is by the same date. */
  byOrder: SortKey | undefined;
  homes: number[] | undefined;
}

/** Compiles the filters and decides what leads. */
export async function compileSearch(
  context: SearchContext,
  values: unknown[],
  request: SearchRequest,
  frequencies: Frequencies,
): Promise<Compiled> {
  const filters = joined(request.type, request.filters);
  const predicates = await Promise.all(filters.map((filter) => compile(context, request.type, filter)));
  const homes = predicates.find((one) => one.homes)?.homes;
  const checks = predicates.flatMap(({ check }) => check ?? []);
  const base = { context, values, request, filters, predicates, checks, homes };
  if (homes) return { ...base, lead: withinHomes(predicates), byOrder: undefined };
  const { lead, isFrequent } = await mostSelective(context, base, frequencies);
  const [key, ...more] = request.sort;
  if (!isIndexed(key) || more.length > 0) return { ...base, lead, byOrder: undefined };
  const ofKey = predicates.find((one) => isOfKey(request, key, one));
  if (isFrequent || (lead && lead === ofKey)) return { ...base, lead: ofKey, byOrder: key };
  return { ...base, lead, byOrder: undefined };
}

/** In a chart any index will do; that of the patient itself finds the most. */
function withinHomes(predicates: readonly Predicate[]): Predicate {
  const hashed = predicates.filter((one) => one.lead && 'hashes' in one.lead && !one.negative);
  return hashed.find((one) => !one.homes) ?? hashed[0]!;
}

/** The filter that finds least; `isFrequent`: even that finds a lot. */
async function mostSelective(
  context: SearchContext,
  { request, filters, predicates }: Pick<Compiled, 'request' | 'filters' | 'predicates'>,
  frequencies: Frequencies,
): Promise<{ lead: Predicate | undefined; isFrequent: boolean }> {
  const leading = predicates.map((one, i) => ({ one, i })).filter(({ one }) => one.lead && !one.negative);
  const few = leading.find(({ one }) => 'few' in one.lead! && one.lead.few);
  if (few) return { lead: few.one, isFrequent: false };
  const sorts = request.sort.length > 0;
  if (leading.length === 0) return { lead: undefined, isFrequent: true };
  if (leading.length === 1 && !sorts && isHashed(leading[0]!.one.lead!)) {
    return { lead: leading[0]!.one, isFrequent: false };
  }
  const counts = await Promise.all(
    leading.map(({ one, i }) => frequencies.of(context, request.type, one, filters[i]!)),
  );
  const least = Math.min(...counts);
  const chosen = leading[counts.indexOf(least)]!.one;
  if (least < frequent) return { lead: chosen, isFrequent: false };
  // Rows of one hash lie in the order of pages; those of ranges and texts would all have to be sorted first.
  return { lead: leading.find(({ one }) => isHashed(one.lead!))?.one, isFrequent: true };
}

function isHashed(lead: Lead): boolean {
  return 'hashes' in lead;
}

/** Whether a filter is on the date that is sorted by. Of persons another source patient may have another date. */
function isOfKey({ type }: SearchRequest, { parameter }: IndexedKey, { times }: Predicate): boolean {
  return times !== undefined && type !== 'Patient' && times.param === parameterNumber(type, parameter.code);
}

type IndexedKey = SortKey & { parameter: SearchParameter };

function isIndexed(key: SortKey | undefined): key is IndexedKey {
  if (typeof key?.parameter !== 'object' || key.parameter.unionOf) return false;
  return ['date', 'number', 'quantity', 'string'].includes(key.parameter.type);
}
