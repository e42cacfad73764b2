/**
 * Holds resources against profiles, as the snapshots of their StructureDefinitions say
 * (https://hl7.org/fhir/R4/profiling.html): cardinality, types, fixed values and patterns, bindings, slices, invariants,
 * and what references lead to. What R4 itself demands is `validate`'s.
 */
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { ElementDefinition, Guide, Profile } from './package.ts';
import { type Fields, fieldsOf, hasPattern, isAbsent, isObject, isSame, type Value, valuesOf } from './values.ts';

export interface Fault {
  kind: 'cardinality' | 'type' | 'fixed' | 'pattern' | 'binding' | 'slice' | 'invariant' | 'reference';
  path: string;
  says: string;
}

/** Invariants that every element has; `validate` holds elements against them. */
const EVERYWHERE = new Set(['ele-1', 'ext-1']);

export class Checker {
  readonly #guide: Guide;
  readonly #known = new Map<string, ReadonlySet<string> | undefined>();
  readonly #expressions = new Map<string, (node: unknown, resource: unknown) => boolean>();
  /** Values that were compared, and invariants that were evaluated. */
  readonly counts = { elements: 0, invariants: 0, bindings: 0, slices: 0, references: 0 };

  private constructor(guide: Guide) {
    this.#guide = guide;
  }

  static async of(guide: Guide): Promise<Checker> {
    const checker = new Checker(guide);
    for (const { elements } of guide.profiles.values()) {
      for (const { binding } of elements.values()) {
        const url = binding?.valueSet;
        if (url !== undefined && binding?.strength === 'required' && !checker.#known.has(url))
          checker.#known.set(url, await guide.codesOf(url));
      }
    }
    return checker;
  }

  /** The faults of a resource by a profile; `resolve` finds what a reference leads to. */
  faults(resource: Fields, profileUrl: string, resolve: (reference: string) => Fields | undefined): Fault[] {
    return new Run(this, resource, resolve).faultsBy(profileUrl);
  }

  profile(url: string): Profile | undefined {
    return this.#guide.profiles.get(url.split('|')[0]!);
  }

  codes(valueSet: string): ReadonlySet<string> | undefined {
    return this.#known.get(valueSet);
  }

  holds(base: string, expression: string, node: unknown, resource: unknown): boolean {
    const key = `${base} ${expression}`;
    let test = this.#expressions.get(key);
    if (test === undefined) {
      const compiled = fhirpath.compile({ base, expression }, r4, { traceFn: () => {} });
      test = (one, of) => {
        const [answer, ...more] = compiled(one, { resource: of, rootResource: of }) as unknown[];
        return more.length === 0 && answer === true;
      };
      this.#expressions.set(key, test);
    }
    this.counts.invariants++;
    return test(node, resource);
  }
}

/** One resource on its way through profiles; what references lead to is followed once. */
class Run {
  readonly #checker: Checker;
  readonly #resource: Fields;
  readonly #resolve: (reference: string) => Fields | undefined;
  readonly #verdicts: Map<string, Fault[]>;

  constructor(
    checker: Checker,
    resource: Fields,
    resolve: (reference: string) => Fields | undefined,
    verdicts = new Map<string, Fault[]>(),
  ) {
    this.#checker = checker;
    this.#resource = resource;
    this.#resolve = resolve;
    this.#verdicts = verdicts;
  }

  faultsBy(url: string): Fault[] {
    const key = `${url} ${this.#resource.resourceType}/${this.#resource.id}`;
    const known = this.#verdicts.get(key);
    if (known !== undefined) return known;
    const profile = this.#checker.profile(url);
    if (profile === undefined) throw new Error(`there is no profile ${url}`);
    if (this.#resource.resourceType !== profile.type)
      return [{ kind: 'type', path: profile.type, says: `is ${this.#resource.resourceType}` }];
    // A circle of references holds where all else does.
    this.#verdicts.set(key, []);
    const faults = this.#node(profile, profile.type, { value: this.#resource, beside: undefined, type: undefined });
    this.#verdicts.set(key, faults);
    return faults;
  }

  /** A value by its definition, and what is below it. */
  #node(profile: Profile, id: string, value: Value): Fault[] {
    const definition = profile.elements.get(id)!;
    this.#checker.counts.elements++;
    return [
      ...fixedFaults(definition, value),
      ...this.#bindingFaults(definition, value),
      ...this.#typeFaults(definition, value),
      ...this.#invariantFaults(profile, definition, value),
      ...(profile.children.get(id) ?? []).flatMap((child) => this.#child(profile, child, fieldsOf(value))),
    ];
  }

  #child(profile: Profile, id: string, holder: Fields): Fault[] {
    const definition = profile.elements.get(id)!;
    const name = id.slice(id.lastIndexOf('.') + 1);
    // A slice of a choice may be named by its type: `valueQuantity` below a slice is `value[x]` of it.
    const values = valuesOf(holder, name);
    return [
      ...cardinality(definition, values.length),
      ...wrongTypes(definition, values),
      ...values.flatMap((value) => this.#node(profile, id, value)),
      ...this.#sliceFaults(profile, id, values),
    ];
  }

  #sliceFaults(profile: Profile, id: string, values: readonly Value[]): Fault[] {
    const slices = profile.slices.get(id) ?? [];
    const { slicing } = profile.elements.get(id)!;
    if (slices.length === 0 || slicing === undefined) return [];
    const faults: Fault[] = [];
    const left = new Set(values);
    for (const slice of slices) {
      const members = values.filter((value) => this.#isInSlice(profile, slice, slicing.discriminator, value));
      this.#checker.counts.slices += members.length;
      faults.push(...cardinality(profile.elements.get(slice)!, members.length));
      for (const member of members) {
        left.delete(member);
        faults.push(...this.#node(profile, slice, member));
      }
    }
    if (slicing.rules === 'closed' && left.size > 0)
      faults.push({ kind: 'slice', path: id, says: `${left.size} of no slice, and there may be no others` });
    return faults;
  }

  #isInSlice(
    profile: Profile,
    slice: string,
    discriminators: readonly { type: string; path: string }[],
    value: Value,
  ): boolean {
    return discriminators.every(({ type, path }) => {
      const resolved = path.endsWith('resolve()');
      const below = path === '$this' || resolved ? slice : `${slice}.${path}`;
      const definition = profile.elements.get(below) ?? profile.elements.get(`${below}[x]`);
      if (definition === undefined) return true;
      const found = below === slice ? [value] : valuesOf(fieldsOf(value), definition.id.slice(slice.length + 1));
      const target = resolved ? this.#target(value) : undefined;
      if (resolved && target === undefined) return false;
      switch (type) {
        case 'pattern':
        case 'value':
          return found.some((one) => fixedFaults(definition, one).length === 0);
        case 'type':
          return resolved
            ? targetTypes(definition).includes(String(target!.resourceType))
            : found.some((one) => isOfType(definition, one));
        case 'profile':
          return resolved
            ? profilesOf(definition, 'targetProfile').some((url) => this.#conforms(target!, url))
            : found.some((one) => profilesOf(definition, 'profile').every((url) => this.#conforms(fieldsOf(one), url)));
        default:
          throw new Error(`slices are not told apart by ${type} here`);
      }
    });
  }

  #target({ value }: Value): Fields | undefined {
    const reference = isObject(value) ? value.reference : undefined;
    if (typeof reference !== 'string') return undefined;
    this.#checker.counts.references++;
    if (!reference.startsWith('#')) return this.#resolve(reference);
    const contained = (this.#resource.contained ?? []) as Fields[];
    return contained.find(({ id }) => id === reference.slice(1));
  }

  #conforms(resource: Fields, url: string): boolean {
    const type = /^http:\/\/hl7\.org\/fhir\/StructureDefinition\/(\w+)$/.exec(url)?.[1];
    if (this.#checker.profile(url) === undefined)
      return type === undefined || !/^[A-Z]/.test(type) || type === 'Resource' || type === resource.resourceType;
    return new Run(this.#checker, resource, this.#resolve, this.#verdicts).faultsBy(url).length === 0;
  }

  #typeFaults(definition: ElementDefinition, value: Value): Fault[] {
    const faults: Fault[] = [];
    const targets = profilesOf(definition, 'targetProfile');
    if (targets.length > 0) {
      const target = this.#target(value);
      if (target !== undefined && !targets.some((url) => this.#conforms(target, url)))
        faults.push({
          kind: 'reference',
          path: definition.id,
          says: `leads to a ${target.resourceType} that is none of ${targets.map(nameOf).join(', ')}`,
        });
    }
    if (isAbsent(value)) return faults;
    for (const { code, profile = [] } of definition.type ?? []) {
      const known = profile.flatMap((url) => this.#checker.profile(url) ?? []).filter(({ isResource }) => !isResource);
      if (known.length === 0 || (value.type !== undefined && value.type !== code)) continue;
      const found = known.map((one) => this.#node(one, one.type, value));
      if (found.every((some) => some.length > 0)) faults.push(...found[0]!.map((one) => below(definition.id, one)));
    }
    return faults;
  }

  #bindingFaults({ id, binding }: ElementDefinition, value: Value): Fault[] {
    const codes = binding?.strength === 'required' ? this.#checker.codes(binding.valueSet ?? '') : undefined;
    if (codes === undefined || isAbsent(value)) return [];
    this.#checker.counts.bindings++;
    const given = isObject(value.value) ? value.value : { code: value.value };
    const codings = (given.coding ?? [given]) as Fields[];
    const isBound = codings.some(({ system, code }) =>
      system === undefined && typeof value.value === 'string'
        ? [...codes].some((one) => one.endsWith(`|${code}`))
        : codes.has(`${system}|${code}`),
    );
    return isBound ? [] : [{ kind: 'binding', path: id, says: `has no code of ${nameOf(binding!.valueSet!)}` }];
  }

  #invariantFaults(profile: Profile, definition: ElementDefinition, value: Value): Fault[] {
    const wanted = (definition.constraint ?? []).filter(
      ({ key, severity, expression }) => severity === 'error' && expression !== undefined && !EVERYWHERE.has(key),
    );
    if (!isObject(value.value)) return [];
    return wanted.flatMap(({ key, expression }): Fault[] =>
      this.#checker.holds(profile.isResource ? definition.path : profile.type, expression!, value.value, this.#resource)
        ? []
        : [{ kind: 'invariant', path: definition.id, says: `breaks ${key}` }],
    );
  }
}

function cardinality({ id, min, max }: ElementDefinition, count: number): Fault[] {
  const most = max === '*' ? Number.POSITIVE_INFINITY : Number(max);
  if (count >= min && count <= most) return [];
  return [{ kind: 'cardinality', path: id, says: `is there ${count} times, not ${min}..${max}` }];
}

/** Types of a choice that the profile does not know. */
function wrongTypes(definition: ElementDefinition, values: readonly Value[]): Fault[] {
  return values
    .filter((value) => value.type !== undefined && !isOfType(definition, value))
    .map(({ type }): Fault => ({ kind: 'type', path: definition.id, says: `may not be ${type}` }));
}

function isOfType({ type = [] }: ElementDefinition, value: Value): boolean {
  const given = value.type ?? (isObject(value.value) ? value.value.resourceType : undefined);
  return type.some(({ code }) => given === undefined || code.toLowerCase() === String(given).toLowerCase());
}

function fixedFaults(definition: ElementDefinition, { value }: Value): Fault[] {
  const { id } = definition;
  const [name, wanted] = Object.entries(definition).find(([key]) => /^(?:fixed|pattern)[A-Z]/.test(key)) ?? [];
  if (name === undefined) return [];
  if (name.startsWith('fixed'))
    return isSame(value, wanted) ? [] : [{ kind: 'fixed', path: id, says: 'has another value than the fixed one' }];
  return hasPattern(value, wanted) ? [] : [{ kind: 'pattern', path: id, says: 'does not have what the pattern has' }];
}

function profilesOf({ type = [] }: ElementDefinition, name: 'profile' | 'targetProfile'): string[] {
  return type.flatMap((one) => one[name] ?? []);
}

function targetTypes(definition: ElementDefinition): string[] {
  return profilesOf(definition, 'targetProfile').map((url) => nameOf(url).split('-')[0]!);
}

function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function below(id: string, fault: Fault): Fault {
  return { ...fault, path: `${id} / ${fault.path}` };
}
