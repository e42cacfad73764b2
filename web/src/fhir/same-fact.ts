/**
 * Gathers statements of the same fact: items that share any key belong together, also through a third item (A shares a
 * code with B, B another one with C).
 */

/**
 * Groups in order of first appearance, each group's items in their original order. An item without keys stands alone.
 * @param keysOf keys such as `http://loinc.org|718-7`; two items with one key in common are one fact
 */
export function gatherSame<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): T[][] {
  const parent = items.map((_, index) => index);
  const root = (index: number): number => {
    let at = index;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  const firstWith = new Map<string, number>();
  items.forEach((item, index) => {
    for (const key of keysOf(item)) {
      const known = firstWith.get(key);
      if (known === undefined) firstWith.set(key, index);
      else parent[Math.max(root(known), root(index))] = Math.min(root(known), root(index));
    }
  });
  const groups = new Map<number, T[]>();
  items.forEach((item, index) => {
    const at = root(index);
    const group = groups.get(at);
    if (group) group.push(item);
    else groups.set(at, [item]);
  });
  return [...groups.values()];
}
