/** The elements of a profile's snapshot as a tree, with what each demands read from it once. */
import type { ElementDefinition, Guide, Profile } from './package.ts';
import type { KnownSet } from './value-sets.ts';

export interface Element {
  id: string;
  path: string;
  /** The last part of the id: the name of the member, or of the choice (`value[x]`). */
  name: string;
  min: number;
  most: number;
  /** Codes of the types, in small letters. */
  types: readonly string[];
  fixed: { kind: 'fixed' | 'pattern'; wanted: unknown } | undefined;
  binding: { strength: string; url: string; set: KnownSet } | undefined;
  invariants: readonly { key: string; expression: string }[];
  /** Profiles of which what a reference leads to has to meet one. */
  targets: readonly string[];
  /** Profiles of data types by the type. */
  typeProfiles: readonly { code: string; urls: readonly string[] }[];
  children: readonly Element[];
  slices: readonly Slice[];
  /** Whether there may be nothing beside the slices. */
  isClosed: boolean;
}

export interface Slice {
  element: Element;
  tests: readonly Discriminator[];
}

/** What tells a slice: the element that holds the value, or the slice itself. */
export interface Discriminator {
  type: string;
  /** The member of the value; undefined for the value itself. */
  member: string | undefined;
  isResolved: boolean;
  element: Element;
  profiles: readonly string[];
}

export interface Compiled {
  profile: Profile;
  root: Element;
}

/** Invariants that every element has; `validate` holds elements against them. */
const EVERYWHERE = new Set(['ele-1', 'ext-1']);
const UNBOUND = new Set(['example', undefined]);

export async function compiled(profile: Profile, guide: Guide): Promise<Compiled> {
  const sets = new Map<string, KnownSet>();
  for (const { binding } of profile.elements.values()) {
    const url = binding?.valueSet;
    if (url !== undefined && !UNBOUND.has(binding?.strength)) sets.set(url, await guide.valueSet(url));
  }
  return { profile, root: elementOf(profile, profile.type, sets) };
}

function elementOf(profile: Profile, id: string, sets: ReadonlyMap<string, KnownSet>): Element {
  const definition = profile.elements.get(id)!;
  const { path, min, max, binding, type = [], slicing } = definition;
  const set = binding === undefined || UNBOUND.has(binding.strength) ? undefined : sets.get(binding.valueSet ?? '');
  return {
    id,
    path,
    name: id.slice(id.lastIndexOf('.') + 1),
    min,
    most: max === '*' ? Number.POSITIVE_INFINITY : Number(max),
    types: type.map(({ code }) => code.toLowerCase()),
    fixed: fixedOf(definition),
    binding: set && { strength: binding!.strength, url: binding!.valueSet!, set },
    invariants: invariantsOf(profile, definition),
    targets: type.flatMap(({ targetProfile = [] }) => targetProfile),
    typeProfiles: type.flatMap(({ code, profile: urls = [] }) => (urls.length > 0 ? [{ code, urls }] : [])),
    children: (profile.children.get(id) ?? []).map((child) => elementOf(profile, child, sets)),
    slices: slicing === undefined ? [] : slicesOf(profile, id, slicing.discriminator, sets),
    isClosed: slicing?.rules === 'closed',
  };
}

function fixedOf(definition: ElementDefinition): Element['fixed'] {
  const [name, wanted] = Object.entries(definition).find(([key]) => /^(?:fixed|pattern)[A-Z]/.test(key)) ?? [];
  if (name === undefined) return undefined;
  return { kind: name.startsWith('fixed') ? 'fixed' : 'pattern', wanted };
}

/** Those of a slice that the sliced element has as well hold where that one is looked at. */
function invariantsOf(profile: Profile, { id, constraint = [] }: ElementDefinition): Element['invariants'] {
  const sliced = id.replace(/:[^.]+/g, '');
  const held = id === sliced ? [] : (profile.elements.get(sliced)?.constraint ?? []);
  return constraint
    .filter(
      ({ key, severity, expression }) =>
        severity === 'error' &&
        expression !== undefined &&
        !EVERYWHERE.has(key) &&
        !held.some((other) => other.key === key && other.expression === expression),
    )
    .map(({ key, expression }) => ({ key, expression: expression! }));
}

function slicesOf(
  profile: Profile,
  id: string,
  discriminators: readonly { type: string; path: string }[],
  sets: ReadonlyMap<string, KnownSet>,
): Slice[] {
  return (profile.slices.get(id) ?? []).map((slice) => {
    const element = elementOf(profile, slice, sets);
    const tests = discriminators.flatMap(({ type, path }): Discriminator[] => {
      const isResolved = path.endsWith('resolve()');
      const isOwn = isResolved || path === '$this';
      const at = isOwn ? slice : [`${slice}.${path}`, `${slice}.${path}[x]`].find((one) => profile.elements.has(one));
      // Where the slice says nothing of the element, everything fits.
      if (at === undefined) return [];
      const held = isOwn ? element : elementOf(profile, at, sets);
      const member = isOwn ? undefined : at.slice(slice.length + 1);
      const profiles = isResolved ? held.targets : held.typeProfiles.flatMap(({ urls }) => urls);
      return [{ type, member, isResolved, element: held, profiles }];
    });
    return { element, tests };
  });
}
