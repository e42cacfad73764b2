/**
 * CodeableConcepts as words and as keys. Words: what the source wrote first (`text`), then the displays of its codes.
 * Keys: `system|code` of every coding, by which the same fact from several sources is recognised.
 */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import { absentReason } from './absent.ts';

/** What to show for a concept; `fallback` when it says nothing at all. */
export function conceptText(concept: CodeableConcept | undefined | null, fallback = ''): string {
  if (!concept) return fallback;
  const coding = concept.coding?.find((each) => each.display) ?? concept.coding?.find((each) => each.code);
  return concept.text || coding?.display || coding?.code || absentReason(concept) || fallback;
}

/** The first of several concepts that says something. */
export function conceptsText(concepts: CodeableConcept[] | undefined, fallback = ''): string {
  return (
    concepts
      ?.map((concept) => conceptText(concept))
      .filter(Boolean)
      .join(', ') || fallback
  );
}

/** `system|code` of each coding that has both. */
export function conceptKeys(concept: CodeableConcept | undefined | null): string[] {
  return (concept?.coding ?? []).filter((coding) => coding.system && coding.code).map(codingKey);
}

/** Whether a concept has one of these codes, in any of the systems told (or any system at all). */
export function hasCode(concept: CodeableConcept | undefined | null, codes: ReadonlySet<string>, system?: string) {
  return !!concept?.coding?.some(
    (coding) => coding.code !== undefined && codes.has(coding.code) && (!system || coding.system === system),
  );
}

/** The code of a concept that draws on one small code system, such as a clinical status. */
export function firstCode(concept: CodeableConcept | undefined | null): string {
  return concept?.coding?.find((coding) => coding.code)?.code ?? '';
}

/** Codes for the reader who wants to know what exactly was coded: `LOINC 718-7`. */
export function codingLabel(coding: Coding): string {
  const name = SYSTEM_NAMES[coding.system ?? ''] ?? shortSystem(coding.system);
  return [name, coding.code].filter(Boolean).join(' ');
}

/** Text made comparable: case, punctuation at the ends and runs of white space do not matter. */
export function normalText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_]+/g, ' ')
    .replaceAll(/^[\s.,;:]+|[\s.,;:]+$/g, '');
}

const SYSTEM_NAMES: Record<string, string> = {
  'http://loinc.org': 'LOINC',
  'http://snomed.info/sct': 'SNOMED CT',
  'http://www.nlm.nih.gov/research/umls/rxnorm': 'RxNorm',
  'http://hl7.org/fhir/sid/icd-10-cm': 'ICD-10-CM',
  'http://hl7.org/fhir/sid/icd-10': 'ICD-10',
  'http://hl7.org/fhir/sid/icd-9-cm': 'ICD-9-CM',
  'http://hl7.org/fhir/sid/ndc': 'NDC',
  'http://hl7.org/fhir/sid/cvx': 'CVX',
  'http://www.ama-assn.org/go/cpt': 'CPT',
  'http://fdasis.nlm.nih.gov': 'UNII',
};

function codingKey(coding: Coding): string {
  return `${coding.system}|${coding.code}`;
}

function shortSystem(system: string | undefined): string {
  return system?.split(/[/:]/).filter(Boolean).at(-1) ?? '';
}
