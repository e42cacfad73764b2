/** Token and URI parameters (FHIR R4 §3.1.1.4.10, §3.1.1.4.13). */
import type { IndexValue } from '@causeway/fhir';
import { normalizeString } from '@causeway/fhir';
import { codedHash, systemHash, typedHash } from '../index-entries.ts';
import { tokenHash } from '../keys.ts';
import { type Check, hashed, lazily, type Predicate, type SearchContext } from './predicate.ts';
import type { Filter } from './request.ts';
import { escaped, splitAt, unescaped } from './values.ts';
import { wrong } from './wrong.ts';

type ValueFilter = Extract<Filter, { kind: 'value' }>;

/** A token filter; `code` names the parameter in hashes, which for a composite is longer than its own. */
export async function token(context: SearchContext, type: string, filter: ValueFilter): Promise<Predicate> {
  const { code } = filter.parameter;
  const one = () => {
    if (filter.values.length > 1) throw wrong(code, `takes one value with :${filter.modifier}`);
    return unescaped(filter.values[0]!);
  };
  const spelt = async (codes: string[]) =>
    ofSystems(
      context,
      type,
      code,
      (await withoutSystem(context, filter, codes)).map((spelling) => [
        spelling.slice(0, spelling.indexOf('|')),
        codeIn(spelling),
      ]),
    );
  switch (filter.modifier) {
    case 'not':
      return { sql: choice(context, type, code, await asStored(context, filter)).sql, negative: true };
    case 'in':
    case 'not-in': {
      const codes = await context.codes.valueSet(context.access, one());
      const found = await spelt(codes);
      return filter.modifier === 'in' ? found : { sql: found.sql, negative: true };
    }
    case 'above':
    case 'below':
      return spelt(await context.codes.hierarchy(context.access, filter.modifier, filter.values[0]!));
    case 'of-type': {
      const typed = filter.values.map((value) => typedParts(code, value));
      return hashed(
        context,
        typed.map(({ spelling, value }) => typedHash(type, code, spelling, value)),
        typed.map(({ value }) => tokenHash(type, code, value)),
      );
    }
    case 'text':
      return { sql: () => 'true', check: displayed(filter.parameter.unionOf ?? [code], filter.values.map(unescaped)) };
    default:
      return choice(context, type, code, await asStored(context, filter));
  }
}

/**
 * The values of a filter as resources have them: elements of type `code` say no system, theirs is that of the value set
 * they are bound to. A system alone stands for all of its codes there.
 */
async function asStored(context: SearchContext, { parameter, values }: ValueFilter): Promise<string[]> {
  if (!parameter.valueSets || !values.some((value) => value.indexOf('|') > 0)) return values;
  const bound = await boundCodes(context, parameter.valueSets);
  return values.flatMap((value) => {
    const [system, code] = splitAt(value, '|').map(unescaped) as [string, string | undefined];
    if (!system || code === undefined) return [value];
    const meant = bound.filter(
      (spelling) => spelling === `${system}|${code}` || (code === '' && spelling.startsWith(`${system}|`)),
    );
    return meant.length === 0 ? [value] : meant.map((spelling) => escaped(codeIn(spelling)));
  });
}

/** Codes as resources have them, each as `|code` where the parameter's elements say no system. */
async function withoutSystem(context: SearchContext, { parameter }: ValueFilter, codes: string[]): Promise<string[]> {
  if (!parameter.valueSets) return codes;
  const bound = new Set(await boundCodes(context, parameter.valueSets));
  return codes.map((spelling) => (bound.has(spelling) ? `|${codeIn(spelling)}` : spelling));
}

async function boundCodes(context: SearchContext, valueSets: readonly string[]): Promise<string[]> {
  return (await Promise.all(valueSets.map((url) => context.codes.valueSet(context.access, url)))).flat();
}

function codeIn(spelling: string): string {
  return spelling.slice(spelling.indexOf('|') + 1);
}

/** Tokens as they are asked for: `code`, `system|code`, `|code`, `system|`. */
export function choice(context: SearchContext, type: string, code: string, values: readonly string[]): Predicate {
  const plain: string[] = [];
  const coded: [string, string][] = [];
  const systems: string[] = [];
  for (const value of values) {
    const [system, wanted, ...more] = splitAt(value, '|').map(unescaped) as [string, string | undefined];
    if (more.length > 0) throw wrong(code, 'takes code, system|code, |code or system|');
    if (wanted === undefined) plain.push(system);
    else if (wanted !== '') coded.push([system, wanted]);
    else if (system !== '') systems.push(system);
    else throw wrong(code, 'takes code, system|code, |code or system|');
  }
  if (coded.length === 0 && systems.length === 0) {
    return hashed(
      context,
      plain.map((value) => tokenHash(type, code, value)),
    );
  }
  const found = ofSystems(context, type, code, coded, plain, systems);
  return systems.length === 0 ? found : { sql: found.sql };
}

/** What has a code of a system (the empty one: of none), or one of the codes whatever their systems, or of the systems. */
function ofSystems(
  context: SearchContext,
  type: string,
  code: string,
  coded: readonly [string, string][],
  plain: readonly string[] = [],
  systems: readonly string[] = [],
): Predicate {
  const anySystem = plain.map((value) => tokenHash(type, code, value));
  return hashed(
    context,
    [
      ...anySystem,
      ...coded.map(([system, value]) => codedHash(type, code, system, value)),
      ...systems.map((system) => systemHash(type, code, system)),
    ],
    [...anySystem, ...coded.map(([, value]) => tokenHash(type, code, value))],
  );
}

/** URIs: equal, above (the address itself and those it lies below) or below. */
export function uri(context: SearchContext, type: string, filter: ValueFilter): Predicate {
  const { code } = filter.parameter;
  const values = filter.values.map(unescaped);
  if (filter.modifier === 'below') {
    const isBelow = (value: string) => values.some((wanted) => value === wanted || value.startsWith(withSlash(wanted)));
    return {
      sql: () => 'true',
      check: (_, found) => found.some((value) => value.param === code && value.kind === 'uri' && isBelow(value.value)),
    };
  }
  const asked = filter.modifier === 'above' ? values.flatMap(addressesAbove) : values;
  return hashed(
    context,
    asked.map((value) => tokenHash(type, code, value)),
  );
}

function typedParts(code: string, asked: string): { spelling: string; value: string } {
  const parts = splitAt(asked, '|').map(unescaped);
  if (parts.length !== 3 || parts[1] === '' || parts[2] === '') {
    throw wrong(code, 'takes system|code|value with :of-type, the first two of the identifier’s type');
  }
  const [system, kind, value] = parts as [string, string, string];
  return { spelling: system === '' ? kind : `${system}|${kind}`, value };
}

/** Whether a text shown with the code has words that begin with those asked for. */
function displayed(codes: readonly string[], texts: readonly string[]): Check {
  const asked = texts.map(wordsIn);
  return (_, values) => {
    const shown = values.flatMap((value) => shownText(value, codes));
    return asked.some((words) => shown.some((text) => hasWords(text, words)));
  };
}

function shownText(value: IndexValue, codes: readonly string[]): string[] {
  return codes.includes(value.param) && value.kind === 'token' && value.text !== undefined ? [value.text] : [];
}

/** The words of a text, as they are compared. */
export function wordsIn(text: string): string[] {
  return normalizeString(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Whether each of the words begins a word of the text. */
export function hasWords(text: string, words: readonly string[]): boolean {
  const found = lazily(() => wordsIn(text));
  return words.length > 0 && words.every((word) => found().some((other) => other.startsWith(word)));
}

function withSlash(url: string): string {
  return url.endsWith('/') || url.startsWith('urn:') ? url : `${url}/`;
}

const maximumAbove = 50;

function addressesAbove(url: string): string[] {
  const found = [url];
  for (let at = url.lastIndexOf('/'); at > url.indexOf('://') + 2 && found.length < maximumAbove; ) {
    found.push(url.slice(0, at), url.slice(0, at + 1));
    at = url.lastIndexOf('/', at - 1);
  }
  return found;
}
