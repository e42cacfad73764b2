/** Looking up HL7 table codes in the vocabularies of `tables/codes.ts` and `tables/concepts.ts`. */
import type { Element } from './draft.ts';
import { CODES } from './tables/codes.ts';
import { CONCEPTS } from './tables/concepts.ts';

/** A FHIR code for a v2 code; undefined when the vocabulary lacks it. */
export function lookup(vocabulary: string, code: string | undefined): string | undefined {
  return code === undefined ? undefined : CODES[vocabulary]?.[code.toUpperCase()];
}

/** A FHIR coding for a v2 code. */
export function conceptOf(vocabulary: string, code: string | undefined): Element | undefined {
  const found = CONCEPTS[vocabulary];
  const entry = code === undefined ? undefined : found?.codes[code.toUpperCase()];
  if (found === undefined || entry === undefined) return undefined;
  return typeof entry === 'string'
    ? { system: found.system, code: code!.toUpperCase(), display: entry }
    : { system: found.system, code: entry[0], display: entry[1] };
}

export function isVocabulary(name: string): boolean {
  return CODES[name] !== undefined || CONCEPTS[name] !== undefined;
}
