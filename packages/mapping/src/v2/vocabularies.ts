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

/** The v2 code for a FHIR code, the first the vocabulary names; undefined when none means it. */
export function codeFor(vocabulary: string, fhirCode: string | undefined): string | undefined {
  return fhirCode === undefined ? undefined : backwards(codesBack, vocabulary, CODES[vocabulary] ?? {}).get(fhirCode);
}

/** The v2 code for a FHIR coding of the vocabulary's system; undefined when none means it. */
export function codeForConcept(vocabulary: string, coding: Element): string | undefined {
  const found = CONCEPTS[vocabulary];
  if (found === undefined || coding.system !== found.system) return undefined;
  return backwards(conceptsBack, vocabulary, found.codes, (code, entry) =>
    typeof entry === 'string' ? code : entry[0],
  ).get(coding.code);
}

/** By vocabulary. */
type Backwards = Map<string, Map<unknown, string>>;
const codesBack: Backwards = new Map();
const conceptsBack: Backwards = new Map();

/** By what a vocabulary says of each v2 code the first v2 code of which it says that. */
function backwards<E>(
  known: Backwards,
  vocabulary: string,
  codes: Readonly<Record<string, E>>,
  said: (code: string, entry: E) => unknown = (_, entry) => entry,
): Map<unknown, string> {
  let back = known.get(vocabulary);
  if (!back) {
    back = new Map(
      Object.entries(codes)
        .map(([code, entry]) => [said(code, entry), code] as const)
        .reverse(),
    );
    known.set(vocabulary, back);
  }
  return back;
}

/** The code system of a vocabulary of concepts. */
export function systemOfConcepts(vocabulary: string): string | undefined {
  return CONCEPTS[vocabulary]?.system;
}

/** The v2 code for a coding of any vocabulary whose codes stand for v2 codes in another form. */
export function codeForCoding(coding: Element): string | undefined {
  for (const [vocabulary, { system }] of Object.entries(CONCEPTS)) {
    const code = system === coding.system ? codeForConcept(vocabulary, coding) : undefined;
    if (code !== undefined) return code;
  }
  return undefined;
}

/** Whether codes of a system stand for v2 codes in another form (a FHIR or v3 code system, not a v2 table). */
export function isConceptSystem(system: string | undefined): boolean {
  return Object.values(CONCEPTS).some((concepts) => concepts.system === system && !concepts.system.includes('/v2-'));
}

export function isVocabulary(name: string): boolean {
  return CODES[name] !== undefined || CONCEPTS[name] !== undefined;
}
