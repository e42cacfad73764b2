/**
 * Paths into a FHIR resource as the tables write them: `dosage[0].route`, `identifier[]` (one more), `onset[x]`,
 * `extension(URL).valueCode` (the one extension of that URL).
 */

export type Json = Record<string, unknown>;

/** A deep copy of plain JSON: a fraction of what `structuredClone` takes. */
export function copyOf<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const copy: Json = {};
  for (const [name, member] of Object.entries(value)) copy[name] = copyOf(member);
  return copy as T;
}

export interface Step {
  name: string;
  /** Absent: not a list. */
  index?: number | 'append';
  /** Of an extension: the item of this URL, made where there is none. */
  url?: string;
}

/** @example compileFhirPath('reaction[].manifestation[]') */
export function compileFhirPath(path: string): Step[] {
  if (path === '') return [];
  return path.split(/\.(?![^(]*\))/).map((part) => {
    const extension = /^(extension|modifierExtension)\((.+)\)$/.exec(part);
    if (extension !== null) return { name: extension[1]!, index: 'append', url: extension[2]! };
    const match = /^([A-Za-z_]+)(?:\[(\d*|x)\])?$/.exec(part);
    if (match === null) throw new Error(`not a FHIR path: ${path}`);
    const [, name, index] = match;
    if (index === undefined) return { name: name! };
    if (index === 'x') return { name: `${name}[x]` };
    return { name: name!, index: index === '' ? 'append' : Number(index) };
  });
}

/** The path with every "one more" replaced by the place it would be in now. */
export function resolveSteps(resource: Json, steps: readonly Step[]): Step[] {
  let at: unknown = resource;
  return steps.map((step) => {
    const list = at === undefined ? undefined : (at as Json)[step.name];
    if (step.index === undefined) {
      at = list;
      return step;
    }
    const index = step.index === 'append' ? placeOf(list, step.url) : step.index;
    at = Array.isArray(list) ? list[index] : undefined;
    return step.url === undefined ? { name: step.name, index } : { name: step.name, index, url: step.url };
  });
}

/** Behind the last item, or at the extension of that URL. */
function placeOf(list: unknown, url: string | undefined): number {
  if (!Array.isArray(list)) return 0;
  const known = url === undefined ? -1 : list.findIndex((item) => (item as Json).url === url);
  return known === -1 ? list.length : known;
}

export function writeSteps(steps: readonly Step[]): string {
  return steps.map((step) => (step.index === undefined ? step.name : `${step.name}[${step.index}]`)).join('.');
}

/** What stands at a path. */
export function valueAt(resource: Json, steps: readonly Step[]): unknown {
  let at: unknown = resource;
  for (const step of steps) {
    if (at === undefined || at === null || typeof at !== 'object') return undefined;
    at = (at as Json)[step.name];
    if (step.index !== undefined) at = Array.isArray(at) ? at[Number(step.index)] : undefined;
  }
  return at;
}

/** Puts a value at a resolved path, making what lies between. */
export function assign(resource: Json, steps: readonly Step[], value: unknown): void {
  let at: Json = resource;
  for (let n = 0; n < steps.length; n++) {
    const { name, index, url } = steps[n]!;
    const last = n === steps.length - 1;
    if (index === undefined) {
      if (last) at[name] = value;
      else {
        at[name] ??= {};
        at = at[name] as Json;
      }
      continue;
    }
    at[name] ??= [];
    const list = at[name] as unknown[];
    const place = Math.min(Number(index), list.length);
    if (last) list[place] = value;
    else {
      list[place] ??= url === undefined ? {} : { url };
      at = list[place] as Json;
    }
  }
}
