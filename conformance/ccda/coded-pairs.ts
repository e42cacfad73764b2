/** Pairs of code and code system in entries, and in resources, in one form: as FHIR names the systems. */
import type { Resource } from '@medplum/fhirtypes';
import { entryCodes } from './atoms.ts';
import { decoded, readMarkup } from './markup.ts';

/** `code|system`; the system is empty where it is not an OID. */
export type CodedPair = string;

const OID = /^[0-2](\.\d+)+$/;

/** Distinct pairs in the entries of a document. */
export function sourcePairs(bytes: Uint8Array): CodedPair[] {
  return pairsIn(decoded(bytes));
}

export function writtenPairs(xml: string): CodedPair[] {
  return pairsIn(xml);
}

function pairsIn(text: string): CodedPair[] {
  const root = readMarkup(text);
  if (root === undefined) return [];
  return [...new Set(entryCodes(root).map(({ code, codeSystem }) => pair(code, codeSystem)))];
}

/** Systems that HL7 gave a second OID, or of which the parts have OIDs of their own. */
const SAME: Readonly<Record<string, string>> = {
  '2.16.840.1.113883.6.59': '2.16.840.1.113883.12.292',
  '2.16.840.1.113883.6.104': '2.16.840.1.113883.6.103',
  '2.16.840.1.113883.6.2': '2.16.840.1.113883.6.103',
  '2.16.840.1.113883.6.42': '2.16.840.1.113883.6.103',
  '2.16.840.1.113883.6.14': '2.16.840.1.113883.6.285',
  '2.16.840.1.113883.6.316': '2.16.840.1.113883.6.121',
  '2.16.840.1.113883.6.209': '2.16.840.1.113883.3.26.1.5',
};

function pair(code: string, system: string): CodedPair {
  const oid = OID.test(system) ? (SAME[system] ?? system) : '';
  return `${code.replace(/\s+/g, ' ').trim()}|${oid}`;
}

/**
 * How many of the source's pairs are written, and those that are not though the resources have the code. A code whose
 * system is no OID in the source counts where the code is found.
 */
export function codesLost(
  source: readonly CodedPair[],
  written: readonly CodedPair[],
  resources: readonly Resource[],
): { found: number; lost: CodedPair[] } {
  const pairs = new Set(written);
  const codes = new Set(written.map((one) => one.slice(0, one.lastIndexOf('|'))));
  const kept = new Set<string>();
  for (const resource of resources) if (resource.resourceType !== 'Composition') collectCodes(resource, kept);
  let found = 0;
  const lost: CodedPair[] = [];
  for (const one of source) {
    const code = one.slice(0, one.lastIndexOf('|'));
    if (pairs.has(one) || (one.endsWith('|') && codes.has(code))) found++;
    else if (kept.has(code)) lost.push(one);
  }
  return { found, lost };
}

/** Code systems of clinical content. */
const CLINICAL: Readonly<Record<string, string>> = {
  'http://snomed.info/sct': '2.16.840.1.113883.6.96',
  'http://loinc.org': '2.16.840.1.113883.6.1',
  'http://www.nlm.nih.gov/research/umls/rxnorm': '2.16.840.1.113883.6.88',
  'http://hl7.org/fhir/sid/icd-10-cm': '2.16.840.1.113883.6.90',
  'http://hl7.org/fhir/sid/cvx': '2.16.840.1.113883.12.292',
  'http://hl7.org/fhir/sid/ndc': '2.16.840.1.113883.6.69',
};
/** Types of which the codes are not of the person's care. */
const ELSEWHERE = new Set([
  'Composition',
  'DocumentReference',
  'Location',
  'Medication',
  'Organization',
  'Patient',
  'Practitioner',
]);

/** Distinct pairs of clinical codes that resources state. */
export function clinicalPairs(resources: readonly Resource[]): CodedPair[] {
  const found = new Set<CodedPair>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      const { code, system } = value as { code?: unknown; system?: unknown };
      const oid = typeof system === 'string' ? CLINICAL[system] : undefined;
      if (typeof code === 'string' && oid !== undefined && !('value' in value)) found.add(`${code}|${oid}`);
      Object.values(value).forEach(walk);
    }
  };
  for (const resource of resources) if (!ELSEWHERE.has(resource.resourceType)) walk(resource);
  return [...found];
}

/** Every `code` of a Coding. */
function collectCodes(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const one of value) collectCodes(one, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { code, system } = value as { code?: unknown; system?: unknown };
  if (typeof code === 'string' && typeof system === 'string' && !('value' in value)) into.add(code);
  for (const member of Object.values(value)) collectCodes(member, into);
}
