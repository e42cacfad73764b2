/** Two states of a resource, element by element. */

export interface Difference {
  /** FHIRPath-like: `name[0].family`. */
  path: string;
  before?: unknown;
  after?: unknown;
}

/** What the hub itself notes about a version. */
const own = new Set(['id', 'meta.versionId', 'meta.lastUpdated', 'meta.source']);

/**
 * The elements whose value differs; an element that holds others is told by those. Items of a list are compared by
 * place. @param most how many are told at most
 */
export function differencesOf(before: object | undefined, after: object | undefined, most: number): Difference[] {
  const known = leaves(before);
  const stated = leaves(after);
  const found: Difference[] = [];
  for (const path of new Set([...known.keys(), ...stated.keys()])) {
    if (own.has(path) || known.get(path) === stated.get(path)) continue;
    if (found.length === most) break;
    found.push({
      path,
      ...(known.has(path) ? { before: known.get(path) } : {}),
      ...(stated.has(path) ? { after: stated.get(path) } : {}),
    });
  }
  return found;
}

function leaves(resource: object | undefined): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string) => {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) walk(item, `${path}[${i}]`);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) walk(member, path === '' ? name : `${path}.${name}`);
    } else found.set(path, value);
  };
  if (resource !== undefined) walk(resource, '');
  return found;
}
