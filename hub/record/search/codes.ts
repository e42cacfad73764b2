/**
 * What `:in`, `:not-in`, `:above` and `:below` of tokens mean (FHIR R4 §3.1.1.4.10), from the published value sets and
 * code systems and from those that are stored: enumerated codes, whole code systems, `is-a`, `descendent-of` and `=` on
 * concepts, value sets within value sets, exclusions, and expansions that came with the value set. What is published
 * whole is not replaced by what is stored under its URL.
 */
import { publishedTerminology } from '@causeway/fhir';
import type {
  CodeSystem,
  CodeSystemConcept,
  ValueSet,
  ValueSetComposeInclude,
  ValueSetExpansionContains,
} from '@medplum/fhirtypes';
import type { Access } from '../../trust/index.ts';
import { RecordError } from '../errors.ts';
import type { Codes } from './predicate.ts';
import { splitAt, unescaped } from './values.ts';
import { tooCostly, wrong } from './wrong.ts';

/** Finds stored resources, as text: by canonical URL, in a version or any, or by id. */
export interface StoredTerminology {
  byUrl(access: Access, type: 'ValueSet' | 'CodeSystem', url: string, version?: string): Promise<string | undefined>;
  byId(access: Access, type: 'ValueSet', id: string): Promise<string | undefined>;
}

const maximumCodes = 10_000;
const maximumNesting = 8;
/** The filters of value sets that are understood. */
const hierarchical: ReadonlySet<string> = new Set(['is-a', 'descendent-of', 'is-not-a', '=']);

/** The meaning of codes, by what is published and what is stored. */
export function codesBy(stored: StoredTerminology): Codes {
  return {
    async valueSet(access, url) {
      return [...(await new Meaning(stored, access).valueSet(url))];
    },
    async hierarchy(access, direction, token) {
      const [system, code, ...more] = splitAt(token, '|').map(unescaped) as [string, string | undefined];
      if (!system || !code || more.length > 0) throw wrong(`:${direction}`, 'takes system|code');
      const concepts = await new Meaning(stored, access).concepts(system);
      if (!concepts.some((concept) => concept.code === code)) {
        throw unknown(`:${direction}`, `names a code that the code system ${shown(system)} does not have`);
      }
      const found = direction === 'below' ? below(concepts, code) : above(concepts, code);
      return [...limited(new Set(found.map((one) => `${system}|${one}`)), system)];
    },
  };
}

/** What is looked up for one question. */
class Meaning {
  readonly #stored: StoredTerminology;
  readonly #access: Access;
  readonly #concepts = new Map<string, Promise<Flat[]>>();

  constructor(stored: StoredTerminology, access: Access) {
    this.#stored = stored;
    this.#access = access;
  }

  /** All concepts of a code system. @throws RecordError 400 */
  concepts(url: string): Promise<Flat[]> {
    let found = this.#concepts.get(url);
    if (!found) {
      found = this.#codeSystem(url).then(({ concept }) => flattened(concept ?? []));
      this.#concepts.set(url, found);
    }
    return found;
  }

  /** The codes of a value set, as `system|code`. @throws RecordError 400 */
  async valueSet(canonical: string, depth = 0): Promise<Set<string>> {
    if (depth > maximumNesting) throw wrong('ValueSet', `${shown(canonical)} is nested too deep, perhaps in itself`);
    const { expansion, compose } = await this.#valueSet(canonical);
    const codes = new Set<string>();
    if (expansion?.contains) {
      addContained(expansion.contains, codes);
      return limited(codes, canonical);
    }
    for (const include of compose?.include ?? []) {
      for (const code of await this.#included(include, depth)) codes.add(code);
      limited(codes, canonical);
    }
    for (const exclude of compose?.exclude ?? []) {
      for (const code of await this.#included(exclude, depth)) codes.delete(code);
    }
    return codes;
  }

  async #included(include: ValueSetComposeInclude, depth: number): Promise<Set<string>> {
    let codes: Set<string> | undefined;
    if (include.system !== undefined) codes = await this.#ofSystem(include.system, include);
    for (const url of include.valueSet ?? []) {
      const others = await this.valueSet(url, depth + 1);
      codes = codes ? new Set([...codes].filter((code) => others.has(code))) : others;
    }
    return codes ?? new Set();
  }

  async #ofSystem(system: string, include: ValueSetComposeInclude): Promise<Set<string>> {
    if (include.concept) return new Set(include.concept.map(({ code }) => `${system}|${code}`));
    const concepts = await this.concepts(system);
    let chosen = concepts;
    for (const { property, op, value } of include.filter ?? []) {
      if (property !== 'concept' && property !== 'code')
        throw unsupported(`has a filter by ${shown(property ?? '')}, which is not understood`);
      if (!hierarchical.has(op ?? '')) throw unsupported(`has the filter ${shown(op ?? '')}, which is not understood`);
      if (!concepts.some(({ code }) => code === value))
        throw unknown(
          'ValueSet',
          `has a filter by the code ${shown(value ?? '')}, which ${shown(system)} does not have`,
        );
      const subtree = new Set(below(concepts, value!));
      chosen = chosen.filter(({ code }) => {
        if (op === '=') return code === value;
        if (op === 'is-not-a') return !subtree.has(code);
        return subtree.has(code) && (op === 'is-a' || code !== value);
      });
    }
    return limited(new Set(chosen.map(({ code }) => `${system}|${code}`)), system);
  }

  async #codeSystem(url: string): Promise<CodeSystem> {
    const found = await this.#find('CodeSystem', url, (one) => one.content === 'complete' && hasCodes(one));
    if (!found) throw unknown('CodeSystem', `${shown(url)} is not known here; store it to search by its meaning`);
    if (!hasCodes(found))
      throw unknown('CodeSystem', `${shown(url)} is known here without its codes; store them to search by its meaning`);
    return found;
  }

  async #valueSet(canonical: string): Promise<ValueSet> {
    const id = /^ValueSet\/([A-Za-z0-9\-.]{1,64})$/.exec(canonical)?.[1];
    const text = id === undefined ? undefined : await this.#stored.byId(this.#access, 'ValueSet', id);
    const found =
      text === undefined ? await this.#find('ValueSet', canonical, () => true) : (JSON.parse(text) as ValueSet);
    if (!found) throw unknown('ValueSet', `${shown(canonical)} is not known here; store it to search by it`);
    return found;
  }

  /** @param isWhole whether what is published says all, so that nothing stored stands in for it */
  async #find<T extends 'CodeSystem' | 'ValueSet', R extends Extract<CodeSystem | ValueSet, { resourceType: T }>>(
    type: T,
    canonical: string,
    isWhole: (published: R) => boolean,
  ): Promise<R | undefined> {
    const [url, version] = canonical.split('|') as [string, string | undefined];
    const published = (await publishedTerminology(type, url, version)) as R | undefined;
    if (published && isWhole(published)) return published;
    const text = await this.#stored.byUrl(this.#access, type, url, version);
    return text === undefined ? published : (JSON.parse(text) as R);
  }
}

/** Whether a code system has codes that are more than examples; some are published as complete without one. */
function hasCodes({ content, concept }: CodeSystem): boolean {
  return (content === 'complete' || content === 'fragment') && concept !== undefined && concept.length > 0;
}

function unknown(name: string, what: string): RecordError {
  return new RecordError(400, 'not-found', `The ${name} ${what}.`, name);
}

function unsupported(what: string): RecordError {
  return new RecordError(400, 'not-supported', `The ValueSet ${what}.`, 'ValueSet');
}

interface Flat {
  code: string;
  parents: string[];
}

/** All concepts with those directly above them, by nesting and by the properties `parent` and `child`. */
function flattened(concepts: readonly CodeSystemConcept[]): Flat[] {
  const found = new Map<string, Flat>();
  const at = (code: string) => {
    let flat = found.get(code);
    if (!flat) {
      flat = { code, parents: [] };
      found.set(code, flat);
    }
    return flat;
  };
  const walk = (list: readonly CodeSystemConcept[], parent: string | undefined) => {
    for (const { code, concept, property } of list) {
      if (code === undefined) continue;
      const flat = at(code);
      if (parent !== undefined) flat.parents.push(parent);
      for (const { code: name, valueCode } of property ?? []) {
        if (name === 'parent' && valueCode) flat.parents.push(valueCode);
        if (name === 'child' && valueCode) at(valueCode).parents.push(code);
      }
      walk(concept ?? [], code);
    }
  };
  walk(concepts, undefined);
  return [...found.values()];
}

function below(concepts: readonly Flat[], code: string): string[] {
  const children = new Map<string, string[]>();
  for (const concept of concepts) {
    for (const parent of concept.parents) {
      const known = children.get(parent);
      if (known) known.push(concept.code);
      else children.set(parent, [concept.code]);
    }
  }
  return reach(code, (one) => children.get(one) ?? []);
}

function above(concepts: readonly Flat[], code: string): string[] {
  const parents = new Map(concepts.map((concept) => [concept.code, concept.parents]));
  return reach(code, (one) => parents.get(one) ?? []);
}

function reach(from: string, next: (code: string) => readonly string[]): string[] {
  const found = new Set([from]);
  for (const code of found) for (const other of next(code)) found.add(other);
  return [...found];
}

function addContained(contains: readonly ValueSetExpansionContains[], codes: Set<string>): void {
  for (const { system, code, contains: inner } of contains) {
    if (code !== undefined) codes.add(`${system ?? ''}|${code}`);
    addContained(inner ?? [], codes);
  }
}

function limited(codes: Set<string>, url: string): Set<string> {
  if (codes.size > maximumCodes)
    throw tooCostly(':in', `names ${shown(url)}, which has more than ${maximumCodes} codes`);
  return codes;
}

function shown(text: string): string {
  return text.slice(0, 200);
}
