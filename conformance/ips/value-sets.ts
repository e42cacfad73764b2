/** The codes of value sets, as far as they are known here: those that the guide lists, and those that R4 publishes. */
import { publishedTerminology } from '@causeway/fhir';

export interface KnownSet {
  /** `system|code` of all that is known. */
  codes: Set<string>;
  /** The same without systems, for elements that say none. */
  bare: Set<string>;
  /** Codes by their display in small letters. */
  byDisplay: Map<string, string>;
  /** Systems that are in the set with all their codes, and those of which codes are chosen one by one. */
  whole: Set<string>;
  chosen: Set<string>;
  /** Systems, or `*` for any, of which codes may be in the set that are not known here, with the reason. */
  open: Map<string, string>;
}

export interface ValueSet {
  compose?: { include: Include[]; exclude?: Include[] };
}

interface Include {
  system?: string;
  concept?: Concept[];
  filter?: object[];
  valueSet?: string[];
}

interface Concept {
  code: string;
  display?: string;
  concept?: Concept[];
}

/** @param own the value sets of the guide by their URLs */
export async function knownSet(url: string, own: ReadonlyMap<string, ValueSet>): Promise<KnownSet> {
  const set: KnownSet = {
    codes: new Set(),
    bare: new Set(),
    byDisplay: new Map(),
    whole: new Set(),
    chosen: new Set(),
    open: new Map(),
  };
  await addSet(set, url, own);
  for (const code of set.codes) set.bare.add(code.slice(code.indexOf('|') + 1));
  return set;
}

async function addSet(set: KnownSet, url: string, own: ReadonlyMap<string, ValueSet>): Promise<void> {
  const [address, version] = url.split('|') as [string, string | undefined];
  const valueSet = own.get(address) ?? ((await publishedTerminology('ValueSet', address, version)) as ValueSet);
  if (valueSet?.compose === undefined) {
    set.open.set('*', 'the value set is not at hand');
    return;
  }
  const { include, exclude } = valueSet.compose;
  for (const { system, concept, filter, valueSet: others } of include) {
    if (others?.length === 1 && system === undefined) await addSet(set, others[0]!, own);
    else if (others !== undefined || system === undefined)
      set.open.set('*', 'the value set is an intersection of others');
    else if (filter !== undefined) set.open.set(system, 'the value set chooses by what its terminology says of a code');
    else await addSystem(set, system, concept);
  }
  for (const { system = '*' } of exclude ?? []) leaveOpen(set, system);
}

/** Codes of a system are left out by a rule. */
function leaveOpen(set: KnownSet, system: string): void {
  set.open.set(system, 'the value set leaves codes out by a rule');
  set.whole.delete(system);
  const isOf = (code: string) => system === '*' || code.startsWith(`${system}|`);
  for (const code of set.codes) if (isOf(code)) set.codes.delete(code);
  for (const [display, code] of set.byDisplay) if (isOf(code)) set.byDisplay.delete(display);
}

async function addSystem(set: KnownSet, system: string, chosen: Concept[] | undefined): Promise<void> {
  const concepts = chosen ?? (await conceptsOf(system));
  if (concepts === undefined) {
    set.open.set(system, 'the code system is not at hand');
    return;
  }
  (chosen === undefined ? set.whole : set.chosen).add(system);
  for (const { code, display } of concepts) {
    set.codes.add(`${system}|${code}`);
    if (display !== undefined) set.byDisplay.set(display.toLowerCase(), `${system}|${code}`);
  }
}

async function conceptsOf(system: string): Promise<Concept[] | undefined> {
  const found = (await publishedTerminology('CodeSystem', system)) as
    | { content: string; concept?: Concept[] }
    | undefined;
  if (found?.content !== 'complete') return undefined;
  const flat = (all: Concept[]): Concept[] => all.flatMap((one) => [one, ...flat(one.concept ?? [])]);
  return flat(found.concept ?? []);
}
