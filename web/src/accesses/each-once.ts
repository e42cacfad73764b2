/** An access is told once for each id under which the log knows a person (`row.place.patient`); people read it once. */

/** Those that are the same access, by the first. */
export function eachOnce<T extends { id: string }>(accesses: readonly T[]): T[] {
  const seen = new Set<string>();
  return accesses.filter(({ id }) => {
    const place = id.split('.').slice(0, 2).join('.');
    return !seen.has(place) && seen.add(place);
  });
}
