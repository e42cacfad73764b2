/**
 * Holds resources against profiles, as the snapshots of their StructureDefinitions say
 * (https://hl7.org/fhir/R4/profiling.html): cardinality, types, fixed values and patterns, bindings, slices, invariants,
 * and what references lead to. What R4 itself demands is `validate`'s.
 */
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { type Judged, judged } from './bindings.ts';
import { type Compiled, compiled, type Discriminator, type Element } from './elements.ts';
import type { Guide } from './package.ts';
import { type Fields, fieldsOf, hasPattern, isAbsent, isObject, isSame, type Value, valuesOf } from './values.ts';

export interface Fault {
  kind: 'cardinality' | 'type' | 'fixed' | 'pattern' | 'binding' | 'slice' | 'invariant' | 'reference';
  path: string;
  says: string;
}

/** What a coded value is to the value set that it is loosely bound to. */
export interface Note extends Judged {
  path: string;
  value: unknown;
  valueSet: string;
  strength: string;
}

export interface Finding {
  faults: Fault[];
  notes: Note[];
}

/** Finds what a reference leads to. */
export type Resolve = (reference: string) => Fields | undefined;

/** The profiles of a guide, compiled once. */
export class Checker {
  readonly #profiles = new Map<string, Compiled>();
  readonly #expressions = new Map<string, (node: unknown, resource: unknown) => boolean>();
  /** What invariants say of nodes: profiles of one type, and slices, look at the same nodes again and again. */
  readonly #said = new WeakMap<Fields, Map<string, { resource: unknown; holds: boolean }>>();
  /** What was looked at. */
  readonly counts = { elements: 0, invariants: 0, bindings: 0, slices: 0, references: 0 };

  static async of(guide: Guide): Promise<Checker> {
    const checker = new Checker();
    for (const [url, profile] of guide.profiles) checker.#profiles.set(url, await compiled(profile, guide));
    return checker;
  }

  profile(url: string): Compiled | undefined {
    return this.#profiles.get(url) ?? this.#profiles.get(url.split('|')[0]!);
  }

  holds(base: string, expression: string, node: Fields, resource: unknown): boolean {
    this.counts.invariants++;
    const key = `${base} ${expression}`;
    const said = this.#said.get(node) ?? new Map<string, { resource: unknown; holds: boolean }>();
    this.#said.set(node, said);
    const before = said.get(key);
    if (before !== undefined && before.resource === resource) return before.holds;
    const holds = this.#test(key, base, expression)(node, resource);
    said.set(key, { resource, holds });
    return holds;
  }

  #test(key: string, base: string, expression: string): (node: unknown, resource: unknown) => boolean {
    let test = this.#expressions.get(key);
    if (test === undefined) {
      const evaluate = fhirpath.compile({ base, expression }, r4, { traceFn: () => {} });
      test = (one, of) => {
        const [answer, ...more] = evaluate(one, { resource: of, rootResource: of }) as unknown[];
        return more.length === 0 && answer === true;
      };
      this.#expressions.set(key, test);
    }
    return test;
  }
}

/** The resources of one document on their way through profiles; each is held against each profile once. */
export class Inspection {
  readonly checker: Checker;
  readonly resolve: Resolve;
  readonly #known = new Map<Fields, Map<string, Finding>>();
  readonly #underWay = new Set<Finding>();
  /** Inspection under way that others were built on. */
  readonly #leantOn = new Set<Finding>();

  constructor(checker: Checker, resolve: Resolve) {
    this.checker = checker;
    this.resolve = resolve;
  }

  /** What a profile says of a resource. */
  finding(resource: Fields, url: string): Finding {
    const found = this.checker.profile(url);
    if (found === undefined) throw new Error(`there is no profile ${url}`);
    const { profile, root } = found;
    if (resource.resourceType !== profile.type)
      return { faults: [{ kind: 'type', path: profile.type, says: `is ${resource.resourceType}` }], notes: [] };
    const known = this.#known.get(resource) ?? new Map<string, Finding>();
    this.#known.set(resource, known);
    const before = known.get(url);
    if (before !== undefined) {
      // A circle of references holds where all else does.
      if (this.#underWay.has(before)) this.#leantOn.add(before);
      return before;
    }
    const finding: Finding = { faults: [], notes: [] };
    known.set(url, finding);
    this.#underWay.add(finding);
    new Run(this, resource, found).node(root, { value: resource, beside: undefined, type: undefined }, finding);
    this.#underWay.delete(finding);
    this.#leantOn.delete(finding);
    // What leans on a finding that is still under way is good for that one alone.
    if (this.#leantOn.size > 0) known.delete(url);
    return finding;
  }

  conforms(resource: Fields, url: string): boolean {
    const type = /^http:\/\/hl7\.org\/fhir\/StructureDefinition\/(\w+)$/.exec(url)?.[1];
    if (this.checker.profile(url) === undefined)
      return type === undefined || !/^[A-Z]/.test(type) || type === 'Resource' || type === resource.resourceType;
    return this.finding(resource, url).faults.length === 0;
  }
}

/** One resource against one profile. */
class Run {
  readonly #inspection: Inspection;
  readonly #checker: Checker;
  readonly #resource: Fields;
  readonly #by: Compiled;

  constructor(inspection: Inspection, resource: Fields, by: Compiled) {
    this.#inspection = inspection;
    this.#checker = inspection.checker;
    this.#resource = resource;
    this.#by = by;
  }

  /** A value by its definition, and what is below it. */
  node(element: Element, value: Value, into: Finding): void {
    this.#checker.counts.elements++;
    addFixedFault(element, value, into);
    this.#addBindingFault(element, value, into);
    this.#addReferenceFault(element, value, into);
    this.#addTypeFaults(element, value, into);
    this.#addInvariantFaults(element, value, into);
    if (element.children.length === 0) return;
    const holder = fieldsOf(value);
    for (const child of element.children) this.#child(child, holder, into);
  }

  #child(element: Element, holder: Fields, into: Finding): void {
    // A slice of a choice may be named by its type: `valueQuantity` below a slice is `value[x]` of it.
    const values = valuesOf(holder, element.name);
    addCardinalityFault(element, values.length, into);
    for (const value of values) {
      if (value.type !== undefined && !isOfType(element, value))
        into.faults.push({ kind: 'type', path: element.id, says: `may not be ${value.type}` });
      this.node(element, value, into);
    }
    if (element.slices.length > 0) this.#addSliceFaults(element, values, into);
  }

  #addSliceFaults({ id, slices, isClosed }: Element, values: readonly Value[], into: Finding): void {
    const left = new Set(values);
    for (const { element, tests } of slices) {
      let count = 0;
      for (const value of values) {
        if (!tests.every((test) => this.#fits(test, value))) continue;
        count++;
        left.delete(value);
        this.node(element, value, into);
      }
      this.#checker.counts.slices += count;
      addCardinalityFault(element, count, into);
    }
    if (isClosed && left.size > 0)
      into.faults.push({ kind: 'slice', path: id, says: `${left.size} of no slice, and there may be no others` });
  }

  #fits({ type, member, isResolved, element, profiles }: Discriminator, value: Value): boolean {
    const target = isResolved ? this.#target(value) : undefined;
    if (isResolved && target === undefined) return false;
    const found = member === undefined ? [value] : valuesOf(fieldsOf(value), member);
    switch (type) {
      case 'pattern':
      case 'value':
        return found.some((one) => hasFixed(element, one));
      case 'type':
        return isResolved
          ? profiles.some((url) => nameOf(url).split('-')[0] === target!.resourceType)
          : found.some((one) => isOfType(element, one));
      case 'profile':
        return isResolved
          ? profiles.some((url) => this.#inspection.conforms(target!, url))
          : found.some((one) => profiles.every((url) => this.#inspection.conforms(fieldsOf(one), url)));
      default:
        throw new Error(`slices are not told apart by ${type} here`);
    }
  }

  #target({ value }: Value): Fields | undefined {
    const reference = isObject(value) ? value.reference : undefined;
    if (typeof reference !== 'string') return undefined;
    this.#checker.counts.references++;
    if (!reference.startsWith('#')) return this.#inspection.resolve(reference);
    const contained = (this.#resource.contained ?? []) as Fields[];
    return contained.find(({ id }) => id === reference.slice(1));
  }

  #addReferenceFault({ id, targets }: Element, value: Value, into: Finding): void {
    if (targets.length === 0) return;
    const target = this.#target(value);
    if (target === undefined || targets.some((url) => this.#inspection.conforms(target, url))) return;
    const says = `leads to a ${target.resourceType} that is none of ${targets.map(nameOf).join(', ')}`;
    into.faults.push({ kind: 'reference', path: id, says });
  }

  #addTypeFaults({ id, typeProfiles }: Element, value: Value, into: Finding): void {
    if (typeProfiles.length === 0 || isAbsent(value)) return;
    for (const { code, urls } of typeProfiles) {
      const known = urls
        .flatMap((url) => this.#checker.profile(url) ?? [])
        .filter(({ profile }) => !profile.isResource);
      if (known.length === 0 || (value.type !== undefined && value.type !== code)) continue;
      const found = known.map((by) => {
        const own: Finding = { faults: [], notes: [] };
        new Run(this.#inspection, this.#resource, by).node(by.root, value, own);
        return own;
      });
      const [first] = found;
      const met = found.find(({ faults }) => faults.length === 0);
      if (met !== undefined) into.notes.push(...met.notes);
      else for (const one of first!.faults) into.faults.push({ ...one, path: `${id} / ${one.path}` });
    }
  }

  #addBindingFault({ id, binding }: Element, given: Value, into: Finding): void {
    if (binding === undefined || isAbsent(given)) return;
    this.#checker.counts.bindings++;
    const found = judged(binding.set, given.value);
    const { strength, url } = binding;
    if (found.is === 'not' && (strength === 'required' || (strength === 'extensible' && found.applies)))
      into.faults.push({ kind: 'binding', path: id, says: `has no code of ${nameOf(url)}: ${found.reason}` });
    else {
      const path = id.replace(/:[^.]+/g, '');
      into.notes.push({ ...found, path, value: given.value, valueSet: nameOf(url), strength });
    }
  }

  #addInvariantFaults({ id, path, invariants }: Element, { value }: Value, into: Finding): void {
    if (!isObject(value)) return;
    const { profile } = this.#by;
    for (const { key, expression } of invariants)
      if (!this.#checker.holds(profile.isResource ? path : profile.type, expression, value, this.#resource))
        into.faults.push({ kind: 'invariant', path: id, says: `breaks ${key}` });
  }
}

function addCardinalityFault({ id, min, most }: Element, count: number, into: Finding): void {
  if (count >= min && count <= most) return;
  const says = `is there ${count} times, not ${min}..${Number.isFinite(most) ? most : '*'}`;
  into.faults.push({ kind: 'cardinality', path: id, says });
}

function isOfType({ types }: Element, value: Value): boolean {
  const given = value.type ?? (isObject(value.value) ? value.value.resourceType : undefined);
  return given === undefined || types.includes(String(given).toLowerCase());
}

function hasFixed({ fixed }: Element, { value }: Value): boolean {
  if (fixed === undefined) return true;
  return fixed.kind === 'fixed' ? isSame(value, fixed.wanted) : hasPattern(value, fixed.wanted);
}

function addFixedFault(element: Element, value: Value, into: Finding): void {
  if (hasFixed(element, value)) return;
  const { id, fixed } = element;
  into.faults.push(
    fixed!.kind === 'fixed'
      ? { kind: 'fixed', path: id, says: 'has another value than the fixed one' }
      : { kind: 'pattern', path: id, says: 'does not have what the pattern has' },
  );
}

function nameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
