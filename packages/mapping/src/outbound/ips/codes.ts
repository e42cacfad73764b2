/** Systems, profiles and codes of the International Patient Summary 1.1.0 (http://hl7.org/fhir/uv/ips/STU1.1). */
import type { CodeableConcept } from '@medplum/fhirtypes';

export const LOINC = 'http://loinc.org';
export const SNOMED = 'http://snomed.info/sct';
export const UCUM = 'http://unitsofmeasure.org';
export const OBSERVATION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category';
export const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
export const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
export const ABSENT_UNKNOWN = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';

/** The address of a profile of the guide: `Patient-uv-ips`. */
export function ipsProfile(name: string): string {
  return `http://hl7.org/fhir/uv/ips/StructureDefinition/${name}`;
}

export const TOBACCO = '72166-2';
export const ALCOHOL = '74013-4';
export const PREGNANCY_STATUS = '82810-3';
export const PREGNANCY_STATUSES = ['LA15173-0', 'LA26683-5', 'LA4489-6'];
/** Estimated dates of delivery (value set `edd-method-uv-ips`). */
export const DELIVERY_DATES = ['11778-8', '11779-6', '11780-4'];
/** Numbers of births and losses (value set `pregnancies-summary-uv-ips`). */
export const PREGNANCY_OUTCOMES = [
  '11636-8',
  '11637-6',
  '11638-4',
  '11639-2',
  '11640-0',
  '11612-9',
  '11613-7',
  '11614-5',
  '33065-4',
];

/** Codes of SNOMED CT, and of the guide, by which a record says that somebody has none of something. */
export const NONE_KNOWN = {
  allergies: ['716186003', '409137002', '428607008', '429625007', 'no-known-allergies'],
  problems: ['160245001', '396782006', 'no-known-problems'],
  medications: ['787481004', '182904002', 'no-known-medications'],
} as const;

/** Whether a concept has one of these codes, in any system. */
export function hasCode(concept: CodeableConcept | undefined, ...codes: readonly string[]): boolean {
  return concept?.coding?.some(({ code }) => code !== undefined && codes.includes(code)) ?? false;
}

/** Whether a concept has one of these codes of LOINC. */
export function hasLoinc(concept: CodeableConcept | undefined, ...codes: readonly string[]): boolean {
  return concept?.coding?.some(({ system, code }) => system === LOINC && codes.includes(code ?? '')) ?? false;
}

/** The codes of a resource's categories, of any system. */
export function categoryCodes({ category }: { category?: CodeableConcept[] }): string[] {
  return (category ?? []).flatMap(({ coding = [] }) => coding.flatMap(({ code }) => code ?? []));
}
