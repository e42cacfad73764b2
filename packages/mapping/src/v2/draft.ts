/** A fact while it is being built, and setting values in it by the paths of the tables. */
import type { Resource } from '@medplum/fhirtypes';
import type { Fact } from '../conversion.ts';
import type { Place, SourceSegment } from './source.ts';

/** A JSON object on its way to becoming a FHIR element. */
export type Element = { [name: string]: unknown };

/** One resource being built. */
export class Draft {
  readonly type: string;
  readonly id: string;
  readonly key: string;
  readonly resource: Element;
  asOf: string;
  mode: Fact['mode'];
  clears: string[] = [];
  adds: string[] = [];
  defaults: string[] = [];
  /** Counts among what a message's Provenance speaks of. */
  clinical = true;
  /** Items of appended lists by their text, so that long lists stay cheap. */
  #indexes: Map<string, Map<string, number>> | undefined;
  /** What filled each single element, so that a value which replaces another takes its place in the account too. */
  singles: Map<string, { place: Place; value: unknown }> | undefined;
  /** By whom each element was set that `state` sets. */
  #stated: Map<string, Place[]> | undefined;
  /** Tables that were carried out into it. */
  maps: unknown[] | undefined;
  /** Elements that several rows fill together, by `path[slot]`. */
  slots: Map<string, { element: Element; base: string }> | undefined;

  constructor(type: string, id: string, key: string, asOf: string, mode: Fact['mode'], messageUri: string) {
    this.type = type;
    this.id = id;
    this.key = key;
    this.asOf = asOf;
    this.mode = mode;
    this.resource = { resourceType: type, id, meta: { source: messageUri } };
  }

  get reference(): { reference: string } {
    return { reference: `${this.type}/${this.id}` };
  }

  toFact(): Fact {
    const fact: Fact = {
      resource: this.resource as unknown as Resource,
      key: this.key,
      asOf: this.asOf,
      mode: this.mode,
    };
    if (this.mode === 'merge' && this.clears.length > 0) fact.clears = [...new Set(this.clears)];
    if (this.mode === 'merge' && this.adds.length > 0) fact.adds = [...new Set(this.adds)];
    if (this.mode === 'merge' && this.defaults.length > 0) fact.defaults = [...new Set(this.defaults)];
    return fact;
  }

  /** Sets an element that FHIR requires and the source does not give. */
  require(name: string, value: unknown): void {
    if (this.resource[name] !== undefined) return;
    this.resource[name] = value;
    this.defaults.push(name);
  }

  /** Notes what filled an element; what filled it before is no longer in the resource, unless it said the same. */
  placed(base: string, place: Place, value: unknown): void {
    if (base.endsWith(']')) return;
    this.singles ??= new Map();
    const before = this.singles.get(base);
    if (before !== undefined && JSON.stringify(before.value) !== JSON.stringify(value)) before.place.draft = undefined;
    this.singles.set(base, { place, value });
  }

  /**
   * Sets a single element that several parts of the message may state. The last holds: what said otherwise before is
   * taken out of the account of what is mapped.
   */
  state(name: string, value: unknown, place: Place): void {
    this.#stated ??= new Map();
    const before = this.#stated.get(name) ?? [];
    const isSame = JSON.stringify(this.resource[name]) === JSON.stringify(value);
    if (!isSame) for (const one of before) one.draft = undefined;
    this.#stated.set(name, isSame ? [...before, place] : [place]);
    this.resource[name] = value;
  }

  /** Takes a single element out again, and what filled it out of the account of what is mapped. */
  withdraw(name: string): void {
    delete this.resource[name];
    const single = this.singles?.get(name);
    if (single !== undefined) single.place.draft = undefined;
    this.singles?.delete(name);
  }

  /** Appends an item to a list element unless an equal one is there; answers its index. */
  append(name: string, item: unknown): number {
    this.resource[name] ??= [];
    const list = this.resource[name] as unknown[];
    if (list.length < SHORT_LIST) return appendShort(list, item);
    this.#indexes ??= new Map();
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = new Map(list.map((known, at) => [JSON.stringify(known), at]));
      this.#indexes.set(name, index);
    }
    const text = JSON.stringify(item);
    const known = index.get(text);
    if (known !== undefined) return known;
    const at = list.push(item) - 1;
    index.set(text, at);
    return at;
  }
}

/**
 * Drops items of a list that equal an earlier one; the atoms of the segment that said so stand with that.
 * @param from items from here on are the segment's
 */
export function dropDoubles(draft: Draft, name: string, from: number, segment: SourceSegment): void {
  const list = draft.resource[name] as unknown[] | undefined;
  if (list === undefined || from === 0 || from === list.length) return;
  const seen = new Map<string, number>();
  const kept: unknown[] = [];
  const moved = list.map((item, index) => {
    const text = JSON.stringify(item);
    const known = index < from ? undefined : seen.get(text);
    const at = known ?? kept.push(item) - 1;
    if (!seen.has(text)) seen.set(text, at);
    return at;
  });
  if (kept.length === list.length) return;
  draft.resource[name] = kept;
  const holders = new Set<{ base: string }>(draft.slots?.values());
  const indexIn = ({ base }: { base: string }): number => {
    const index = /^(\w+)\[(\d+)\]/.exec(base);
    return index?.[1] === name ? Number(index[2]) : -1;
  };
  for (const atom of segment.atoms) {
    if (atom.place?.draft !== draft) continue;
    holders.add(atom.place);
    const at = indexIn(atom.place);
    if (at < 0) continue;
    atom.path = atom.path.replace(/^\+(\d+)/, (_, by: string) => `+${moved[at + Number(by)]! - moved[at]!}`);
  }
  for (const holder of holders) {
    const at = indexIn(holder);
    if (at >= 0) holder.base = holder.base.replace(/\[\d+\]/, `[${moved[at]}]`);
  }
}

interface Step {
  name: string;
  kind: 'one' | 'new' | 'slot' | 'extension' | 'shared';
  key: string;
}

/** A compiled target path: puts a value into a draft and answers the path it took, e.g. `name[1]`. */
export type Setter = (draft: Draft, value: unknown, constants?: Element) => string;

/**
 * Compiles a target path. Steps are separated by dots:
 * `a` one element; `a[]` an element of its own for each value; `a[slot]` an element that rows with the same slot
 * share; `extension(url)` an extension of its own; `extension{url}` the one extension of that url.
 * Throws when the path is not of that grammar, so that a wrong table does not load.
 */
export function compilePath(path: string): Setter {
  const steps = parsePath(path);
  return (draft, value, constants) => put(draft, steps, value, constants);
}

function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  const grammar = /([A-Za-z][A-Za-z0-9]*)(?:\[([a-z0-9-]*)\]|\(([^)]+)\)|\{([^}]+)\})?(?:\.|$)/y;
  while (grammar.lastIndex < path.length) {
    const found = grammar.exec(path);
    if (found === null) throw new Error(`Target path '${path}' does not compile`);
    const [, name, slot, url, shared] = found;
    if (shared !== undefined) steps.push({ name: name!, kind: 'shared', key: shared });
    else if (url !== undefined) steps.push({ name: name!, kind: 'extension', key: url });
    else if (slot === undefined) steps.push({ name: name!, kind: 'one', key: '' });
    else steps.push({ name: name!, kind: slot === '' ? 'new' : 'slot', key: slot });
    if (grammar.lastIndex === 0) break;
  }
  if (steps.length === 0) throw new Error('Target path is empty');
  return steps;
}

function put(draft: Draft, steps: Step[], value: unknown, constants: Element | undefined): string {
  let node = draft.resource;
  let base = '';
  let holder = node;
  const last = steps.length - 1;
  for (let i = 0; i <= last; i++) {
    const step = steps[i]!;
    base = base === '' ? step.name : `${base}.${step.name}`;
    if (step.kind === 'one') {
      if (i === last) {
        if (constants !== undefined) addConstants(holder === draft.resource ? (value as Element) : holder, constants);
        node[step.name] = value;
        return base;
      }
      node[step.name] ??= {};
      node = node[step.name] as Element;
      continue;
    }
    node[step.name] ??= [];
    const list = node[step.name] as unknown[];
    if (i === last && step.kind === 'new') {
      const items = Array.isArray(value) ? value : [value];
      const first = list.length;
      for (const item of items) list.push(item);
      if (constants !== undefined) for (const item of items) addConstants(item as Element, constants);
      return `${base}[${first}]`;
    }
    if (step.kind === 'shared') {
      let index = list.findIndex((item) => (item as Element).url === step.key);
      if (index < 0) index = list.push({ url: step.key }) - 1;
      base = `${base}[${index}]`;
      node = list[index] as Element;
      holder = node;
      continue;
    }
    if (step.kind === 'slot') {
      draft.slots ??= new Map();
      const slots = draft.slots;
      const key = `${base}[${step.key}]`;
      let slot = slots.get(key);
      if (slot === undefined) {
        slot = { element: {}, base: `${base}[${list.length}]` };
        list.push(slot.element);
        slots.set(key, slot);
      }
      node = slot.element;
      base = slot.base;
    } else {
      base = `${base}[${list.length}]`;
      node = step.kind === 'extension' ? { url: step.key } : {};
      list.push(node);
    }
    holder = node;
  }
  return base;
}

function addConstants(element: Element, constants: Element): void {
  for (const name of Object.keys(constants)) {
    if (element[name] === undefined) element[name] = structuredCopy(constants[name]);
  }
}

function structuredCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCopy);
  if (value === null || typeof value !== 'object') return value;
  const copy: Element = {};
  for (const [name, item] of Object.entries(value)) copy[name] = structuredCopy(item);
  return copy;
}

/** Below this length comparing every item is cheaper than keeping an index. */
const SHORT_LIST = 12;

function appendShort(list: unknown[], item: unknown): number {
  if (list.length === 0) return list.push(item) - 1;
  const text = JSON.stringify(item);
  for (let at = 0; at < list.length; at++) if (JSON.stringify(list[at]) === text) return at;
  return list.push(item) - 1;
}
