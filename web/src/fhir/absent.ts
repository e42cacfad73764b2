/**
 * Why a value is not there (extension `data-absent-reason`, FHIR R4). A missing value that the source explained is not
 * the same as one it said nothing of.
 */
import type { Extension } from '@medplum/fhirtypes';

const REASON_URL = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';

const WORDS: Record<string, string> = {
  unknown: 'not known',
  'asked-unknown': 'asked, not known',
  'temp-unknown': 'not known yet',
  'not-asked': 'not asked',
  'asked-declined': 'asked, declined to say',
  masked: 'withheld',
  'not-applicable': 'not applicable',
  unsupported: 'not supported by the source',
  'as-text': 'given as text',
  error: 'error in the source',
  'not-a-number': 'not a number',
  'not-performed': 'not performed',
  'not-permitted': 'not permitted',
};

/** The reason as words, `''` when the source gives none. `holder` is the element, or the `_element` of a primitive. */
export function absentReason(holder: { extension?: Extension[] } | undefined | null): string {
  const code = holder?.extension?.find((extension) => extension.url === REASON_URL)?.valueCode;
  return code ? absentWords(code) : '';
}

/** The words for a code of http://terminology.hl7.org/CodeSystem/data-absent-reason. */
export function absentWords(code: string): string {
  return WORDS[code] ?? code.replaceAll('-', ' ');
}

/** The `_name` sibling in which FHIR JSON keeps a primitive's extensions. */
export function primitiveExtension(resource: object, name: string): { extension?: Extension[] } | undefined {
  return (resource as Record<string, { extension?: Extension[] } | undefined>)[`_${name}`];
}
