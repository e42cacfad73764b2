/** String parameters (FHIR R4 §3.1.1.4.9): by their beginning, `:contains`, `:exact`. */
import { normalizeString } from '@causeway/fhir';
import { indexedCharacters } from '../index-entries.ts';
import { parameterNumber } from '../keys.ts';
import { indexed, type Predicate, type SearchContext } from './predicate.ts';
import { unescaped } from './values.ts';

/** @param code what names the parameter in the index, which for a composite is longer than its own */
export function string(
  context: SearchContext,
  type: string,
  code: string,
  modifier: string | undefined,
  values: readonly string[],
): Predicate {
  const { parameter } = context;
  const asked = values.map(unescaped);
  const found = indexed(context, 'index_string', parameterNumber(type, code), ({ value: column }) => {
    const tests = asked.map((value) => {
      const wanted = normalizeString(value).slice(0, indexedCharacters);
      if (modifier === 'contains') return `${column} LIKE ${parameter(`%${wanted.replace(/[\\%_]/g, '\\$&')}%`)}`;
      if (modifier === 'exact') return `${column} = ${parameter(wanted)}`;
      return `(${column} >= ${parameter(wanted)} AND ${column} < ${parameter(`${wanted}\u{10ffff}`)})`;
    });
    return `(${tests.join(' OR ')})`;
  });
  if (modifier !== 'exact') return found;
  // The index holds strings without case and accents; whether one is exactly so, the resource says.
  const exact = new Set(asked);
  return {
    ...found,
    check: (_, stored) => stored.some((one) => one.param === code && one.kind === 'string' && exact.has(one.value)),
  };
}
