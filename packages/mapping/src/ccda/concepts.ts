/**
 * Small concepts that the rules make and look into.
 */
import type { Json } from './fhir-path.ts';

export const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem/';
/** The International Patient Summary's codes for "there is no information". */
const ABSENT_UNKNOWN = 'http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips';

export function status(system: string, code: string): Json {
  return { coding: [{ system: `${TERMINOLOGY}${system}`, code }] };
}

const DISPLAYS: Record<string, string> = {
  '716186003': 'No known allergy',
  '409137002': 'No known drug allergy',
  '429625007': 'No known food allergy',
  '428607008': 'No known environmental allergy',
  '1003774007': 'No known Hevea brasiliensis latex allergy',
  '160245001': 'No current problems or disability',
  '787481004': 'No known medications',
  '2667000': 'Absent',
};

export function snomed(code: string): Json {
  return { coding: [{ system: 'http://snomed.info/sct', code, display: DISPLAYS[code] }] };
}

export function firstCode(concept: unknown): string | undefined {
  const codings = (concept as { coding?: { code?: string }[] } | undefined)?.coding;
  return codings?.[0]?.code;
}

export function hasText(concept: unknown): boolean {
  return typeof (concept as Json | undefined)?.text === 'string';
}

export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { text, coding, value: number, unit } = value as Json & { coding?: Json[] };
  return String(text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? [number, unit].filter(Boolean).join(' '));
}

/** `no-allergy-info` and its like. */
export function noInformation(
  code: 'no-allergy-info' | 'no-problem-info' | 'no-medication-info',
  display: string,
): Json {
  return { coding: [{ system: ABSENT_UNKNOWN, code, display }] };
}
