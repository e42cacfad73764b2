/**
 * Filters held against one resource in memory, by the entries it is found by: for whoever looks at each change as it
 * comes. What only the database can say (chains, `_has`, value sets, combinations, words) is left to a search.
 */
import { normalizeString } from '@causeway/fhir';
import {
  canonicalBounds,
  canonicalNumber,
  codedHash,
  type IndexEntries,
  indexedCharacters,
  logicalHash,
  logicalSystemHash,
  presenceHash,
  systemHash,
  systemNumber,
  unitHash,
} from '../index-entries.ts';
import { parameterNumber, referenceHash, ridOf, tokenHash } from '../keys.ts';
import { isWithin, ucum } from './range.ts';
import { namesHome, targetOf } from './reference.ts';
import type { Filter } from './request.ts';
import { type AskedRange, readDate, readNumber, readQuantity, splitAt, unescaped } from './values.ts';

/** A resource as filters see it. */
export interface Facts {
  /** Its id as a UUID. */
  rid: string;
  updated: Date;
  /** Its tokens and markers; keyed, where the filters' are. */
  hashes: ReadonlySet<bigint>;
  /** Its other entries, made when they are asked for. */
  entries(): Pick<IndexEntries, 'ranges' | 'strings'>;
  /** The ids, as UUIDs, of the Patients that stand for the person in whose record it is. */
  persons: ReadonlySet<string>;
}

/** Filters as they can be held against one resource. */
export interface Held {
  /** One of these it must have, if the filters are to hold; undefined where nothing so plain can be said. */
  key: { hashes: bigint[] } | { persons: string[] } | undefined;
  /** Whether the filters hold, as far as can be said here. */
  holds(facts: Facts): boolean;
  /** Whether a search has to say the rest. */
  isPartial: boolean;
}

type Keyed = (hashes: readonly bigint[]) => bigint[];
const asTheyAre: Keyed = (hashes) => [...hashes];

type Test = (facts: Facts) => boolean;
type ValueFilter = Extract<Filter, { kind: 'value' }>;
/** What one filter says: a test, perhaps with a key; undefined where it needs a search. */
type One = { test: Test; key?: Held['key'] } | undefined;

/**
 * @param keyed hashes as the facts have them: keyed, where those come from the database
 * @throws RecordError 400 for values that are not understood
 */
export function heldInMemory(type: string, filters: readonly Filter[], keyed: Keyed = asTheyAre): Held {
  const all = filters.map((filter) => one(keyed, type, filter));
  const tests = all.flatMap((found) => found?.test ?? []);
  const keys = all.flatMap((found) => found?.key ?? []);
  return {
    // A person is the most selective key there is.
    key: keys.find((key) => 'persons' in key) ?? keys[0],
    holds: (facts) => tests.every((test) => test(facts)),
    isPartial: all.includes(undefined),
  };
}

function one(keyed: Keyed, type: string, filter: Filter): One {
  if (filter.kind === 'all' || filter.kind === 'any') return several(keyed, type, filter.kind, filter.filters);
  if (filter.kind === 'not') {
    const inner = one(keyed, type, filter.filter);
    return inner && { test: (facts) => !inner.test(facts) };
  }
  if (filter.kind !== 'value') return undefined;
  const { parameter, modifier, values } = filter;
  const { code, unionOf } = parameter;
  // A system is what the value set of such elements says.
  if (unionOf || (parameter.valueSets && values.some((value) => value.includes('|')))) return undefined;
  if (code === '_id') {
    const rids = values.map((id) => ridOf(id.startsWith(`${type}/`) ? id.slice(type.length + 1) : id));
    return type === 'Patient'
      ? { test: ({ persons }) => rids.some((rid) => persons.has(rid)), key: { persons: rids } }
      : { test: ({ rid }) => rids.includes(rid) };
  }
  if (code === '_lastUpdated') {
    const asked = values.map((value) => readDate(parameter, unescaped(value)));
    return { test: ({ updated }) => asked.some((range) => isWithin(range, +updated, +updated + 1, true)) };
  }
  if (modifier === 'missing') {
    if (values.length !== 1 || !['true', 'false'].includes(values[0]!)) return undefined;
    const [hash] = keyed([presenceHash(type, code)]) as [bigint];
    const wanted = values[0] === 'false';
    return { test: ({ hashes }) => hashes.has(hash) === wanted };
  }
  switch (parameter.type) {
    case 'token':
      return token(keyed, type, filter);
    case 'uri':
      return modifier === undefined
        ? ofHashes(keyed(values.map((value) => tokenHash(type, code, unescaped(value)))))
        : undefined;
    case 'reference':
      return reference(keyed, type, filter);
    case 'string':
      return modifier === 'exact' ? undefined : string(type, filter);
    case 'date':
      return dates(type, filter);
    case 'number':
    case 'quantity':
      return numbers(type, filter);
    default:
      return undefined;
  }
}

function several(keyed: Keyed, type: string, kind: 'all' | 'any', filters: readonly Filter[]): One {
  const parts = filters.map((filter) => one(keyed, type, filter));
  if (parts.includes(undefined)) return undefined;
  const tests = parts.map((part) => part!.test);
  return { test: (facts) => (kind === 'all' ? tests.every((t) => t(facts)) : tests.some((t) => t(facts))) };
}

function ofHashes(wanted: bigint[]): One {
  return { test: ({ hashes }) => wanted.some((hash) => hashes.has(hash)), key: { hashes: wanted } };
}

/** `code`, `system|code`, `|code`, `system|`; `:not` of them. */
function token(keyed: Keyed, type: string, { parameter: { code }, modifier, values }: ValueFilter): One {
  if (modifier !== undefined && modifier !== 'not') return undefined;
  const asked: bigint[] = [];
  for (const value of values) {
    const [system, wanted, ...more] = splitAt(value, '|').map(unescaped) as [string, string | undefined];
    if (more.length > 0 || (wanted === '' && system === '')) return undefined;
    if (wanted === undefined) asked.push(tokenHash(type, code, system));
    else asked.push(wanted === '' ? systemHash(type, code, system) : codedHash(type, code, system, wanted));
  }
  const hashes = keyed(asked);
  if (modifier === undefined) return ofHashes(hashes);
  return { test: (facts) => !hashes.some((hash) => facts.hashes.has(hash)) };
}

function reference(keyed: Keyed, type: string, filter: ValueFilter): One {
  const { parameter, modifier, values } = filter;
  const { code } = parameter;
  if (modifier === 'identifier') {
    const asked = values.map((value) => {
      const [first, ...rest] = splitAt(value, '|').map(unescaped) as [string, ...string[]];
      return rest.length === 0 ? logicalHash(type, code, first) : logicalSystemHash(type, code, first, rest.join('|'));
    });
    return ofHashes(keyed(asked));
  }
  const persons: string[] = [];
  const asked: bigint[] = [];
  for (const value of values.map(unescaped)) {
    const target = targetOf(filter, value);
    if ('url' in target) asked.push(tokenHash(type, code, target.url));
    else
      for (const targetType of target.types) {
        if (targetType === 'Patient') persons.push(ridOf(target.id));
        else asked.push(referenceHash(type, code, targetType, ridOf(target.id)));
      }
  }
  const hashes = keyed(asked);
  if (persons.length === 0) return ofHashes(hashes);
  // Who else a reference to a Patient that is not the home's own stands for is not known here.
  if (!namesHome(parameter)) return undefined;
  const test: Test = (facts) =>
    persons.some((rid) => facts.persons.has(rid)) || hashes.some((hash) => facts.hashes.has(hash));
  return hashes.length === 0 ? { test, key: { persons } } : { test };
}

function string(type: string, { parameter: { code }, modifier, values }: ValueFilter): One {
  const param = parameterNumber(type, code);
  const asked = values.map((value) => normalizeString(unescaped(value)).slice(0, indexedCharacters));
  const fits = (stored: string) =>
    asked.some((wanted) => (modifier === 'contains' ? stored.includes(wanted) : stored.startsWith(wanted)));
  return { test: (facts) => facts.entries().strings.some((entry) => entry.param === param && fits(entry.value)) };
}

function dates(type: string, { parameter, values, also = [] }: ValueFilter): One {
  const param = parameterNumber(type, parameter.code);
  const lists = [values, ...also].map((list) => list.map((value) => readDate(parameter, value)));
  return {
    test: (facts) =>
      facts
        .entries()
        .ranges.some(
          ({ param: own, low, high }) =>
            own === param && lists.every((list) => list.some((asked) => isWithin(asked, low, high, true))),
        ),
  };
}

function numbers(type: string, { parameter, values }: ValueFilter): One {
  const { code } = parameter;
  const wanted = values.flatMap((value) =>
    parameter.type === 'number'
      ? [{ param: parameterNumber(type, code), asked: readNumber(parameter, value), unit: undefined }]
      : quantities(type, code, readQuantity(parameter, value)),
  );
  return {
    test: (facts) =>
      facts
        .entries()
        .ranges.some((entry) =>
          wanted.some(
            ({ param, asked, unit }) =>
              entry.param === param &&
              (unit === undefined || entry.unit === unit) &&
              isWithin(asked, entry.low, entry.high, false),
          ),
        ),
  };
}

/** Where a quantity that is asked for may lie, as `quantity` of range.ts says it in SQL. */
function quantities(type: string, named: string, asked: ReturnType<typeof readQuantity>) {
  const { system, code, prefix } = asked;
  const find = (param: bigint, what: AskedRange, unit: string | undefined) => ({
    param,
    asked: what,
    unit: unit === undefined ? undefined : unitHash(unit),
  });
  if (code === undefined) return [find(parameterNumber(type, named), asked, undefined)];
  const bounds = system === undefined || system === ucum ? canonicalBounds(asked.low, asked.high, code) : undefined;
  const canonical = bounds
    ? [find(canonicalNumber(type, named), { prefix, low: bounds.low, high: bounds.high }, bounds.unit)]
    : [];
  if (system === undefined) return [...canonical, find(parameterNumber(type, named), asked, code)];
  return bounds ? canonical : [find(systemNumber(type, named), asked, `${system}|${code}`)];
}
