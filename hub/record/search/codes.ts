/**
 * What `:in`, `:not-in`, `:above` and `:below` of tokens mean (FHIR R4 §3.1.1.4.10), from the ValueSet and CodeSystem
 * resources that are stored: enumerated codes, whole code systems, `is-a`, `descendent-of` and `=` on concepts, value sets
 * within value sets, exclusions, and expansions that came with the value set.
 */
import type {
  CodeSystem,
  CodeSystemConcept,
  ValueSet,
  ValueSetComposeInclude,
  ValueSetExpansionContains,
} from '@medplum/fhirtypes';
import type { Access } from '../../trust/index.ts';
import type { Codes } from './predicate.ts';
import { splitAt, unescaped } from './values.ts';
import { tooCostly, wrong } from './wrong.ts';

/** Finds the stored resource of a canonical URL. */
export type FindCanonical = (access: Access, type: 'ValueSet' | 'CodeSystem', url: string) => Promise<unknown>;

const maximumCodes = 10_000;
const maximumNesting = 8;

export function storedCodes(find: FindCanonical): Codes {
  const codeSystem = async (access: Access, url: string): Promise<CodeSystem> => {
    const found = (await find(access, 'CodeSystem', url)) as CodeSystem | undefined;
    if (!found)
      throw wrong('CodeSystem', `${shown(url)} is not stored on this server; store it to search by its meaning`);
    return found;
  };

  const valueSet = async (access: Access, url: string, depth: number): Promise<Set<string>> => {
    if (depth > maximumNesting) throw wrong('ValueSet', `${shown(url)} is nested too deep, perhaps in itself`);
    const found = (await find(access, 'ValueSet', url)) as ValueSet | undefined;
    if (!found) throw wrong(':in', `names the value set ${shown(url)}, which is not stored on this server`);
    const codes = new Set<string>();
    if (found.expansion?.contains) {
      addContained(found.expansion.contains, codes);
      return limited(codes, url);
    }
    for (const include of found.compose?.include ?? []) {
      for (const code of await included(access, include, depth)) codes.add(code);
      limited(codes, url);
    }
    for (const exclude of found.compose?.exclude ?? []) {
      for (const code of await included(access, exclude, depth)) codes.delete(code);
    }
    return codes;
  };

  const included = async (access: Access, include: ValueSetComposeInclude, depth: number): Promise<Set<string>> => {
    let codes: Set<string> | undefined;
    if (include.system !== undefined) codes = await ofSystem(access, include.system, include);
    for (const url of include.valueSet ?? []) {
      const others = await valueSet(access, url, depth + 1);
      codes = codes ? new Set([...codes].filter((code) => others.has(code))) : others;
    }
    return codes ?? new Set();
  };

  const ofSystem = async (access: Access, system: string, include: ValueSetComposeInclude): Promise<Set<string>> => {
    if (include.concept) return new Set(include.concept.map(({ code }) => `${system}|${code}`));
    const concepts = flattened((await codeSystem(access, system)).concept ?? []);
    let chosen = concepts;
    for (const { property, op, value } of include.filter ?? []) {
      if (property !== 'concept' && property !== 'code')
        throw wrong(':in', `meets a filter by ${shown(property ?? '')}, which is not supported yet`);
      const subtree = new Set(below(concepts, value ?? ''));
      if (op === 'is-a' || op === 'descendent-of') {
        chosen = chosen.filter(({ code }) => subtree.has(code) && (op === 'is-a' || code !== value));
      } else if (op === '=') chosen = chosen.filter(({ code }) => code === value);
      else if (op === 'is-not-a') chosen = chosen.filter(({ code }) => !subtree.has(code));
      else throw wrong(':in', `meets the filter ${shown(op ?? '')}, which is not supported yet`);
    }
    return limited(new Set(chosen.map(({ code }) => `${system}|${code}`)), system);
  };

  return {
    valueSet: async (access, url) => [...(await valueSet(access, url.replace(/^ValueSet\//, ''), 0))],
    async hierarchy(access, direction, token) {
      const [system, code, ...more] = splitAt(token, '|').map(unescaped) as [string, string | undefined];
      if (!system || !code || more.length > 0) throw wrong(`:${direction}`, 'takes system|code');
      const concepts = flattened((await codeSystem(access, system)).concept ?? []);
      if (!concepts.some((concept) => concept.code === code)) {
        throw wrong(`:${direction}`, `names a code that the code system ${shown(system)} does not have`);
      }
      const found = direction === 'below' ? below(concepts, code) : above(concepts, code);
      return [...limited(new Set(found.map((one) => `${system}|${one}`)), system)];
    },
  };
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
