/** Values to sort by, from resources themselves: for what PostgreSQL knows only as hashes, and for several types at once. */
import { extract } from '@causeway/fhir';
import type { StoredResource } from '../read.ts';
import type { SortKey } from './request.ts';

/** The value of one key; null where a resource has none. */
export type SortValue = string | number | null;

/** The values a resource is sorted by: the least, or the greatest where the key descends. */
export function sortValues(stored: StoredResource, sort: readonly SortKey[]): SortValue[] {
  const isPlain = sort.every(({ parameter }) => typeof parameter === 'string');
  const values = isPlain ? [] : extract(JSON.parse(stored.text));
  return sort.map(({ parameter, descending }) => {
    if (parameter === '_lastUpdated') return stored.updated.toISOString();
    if (parameter === '_id') return stored.rid;
    const codes = parameter.unionOf ?? [parameter.code];
    const found = values.flatMap((value): (string | number)[] => {
      if (!codes.includes(value.param)) return [];
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

/** Which of two resources comes first, by their values; without a value last. */
export function compareSortValues(
  a: readonly SortValue[],
  b: readonly SortValue[],
  sort: readonly Pick<SortKey, 'descending'>[],
): number {
  for (const [i, { descending }] of sort.entries()) {
    const [x, y] = [a[i] ?? null, b[i] ?? null];
    if (x === y) continue;
    if (x === null) return 1;
    if (y === null) return -1;
    return (x < y ? -1 : 1) * (descending ? -1 : 1);
  }
  return 0;
}

/** The keys' names, for people. */
export function sortCodes(sort: readonly SortKey[]): string {
  return sort.map(({ parameter }) => (typeof parameter === 'string' ? parameter : parameter.code)).join(', ');
}
