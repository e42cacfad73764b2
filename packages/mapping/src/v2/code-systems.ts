/** Names of coding systems in v2 messages (HL7 table 0396 and common misspellings) to FHIR systems. */

import { encodePart } from './datatypes/identifier.ts';
import type { Run } from './run.ts';

const SYSTEMS: Record<string, string> = {
  LN: 'http://loinc.org',
  LOINC: 'http://loinc.org',
  SCT: 'http://snomed.info/sct',
  SNM: 'http://snomed.info/sct',
  SNOMED: 'http://snomed.info/sct',
  'SNOMED-CT': 'http://snomed.info/sct',
  SNOMEDCT: 'http://snomed.info/sct',
  I10: 'http://hl7.org/fhir/sid/icd-10-cm',
  I10C: 'http://hl7.org/fhir/sid/icd-10-cm',
  ICD10: 'http://hl7.org/fhir/sid/icd-10-cm',
  'ICD-10': 'http://hl7.org/fhir/sid/icd-10-cm',
  'ICD-10-CM': 'http://hl7.org/fhir/sid/icd-10-cm',
  ICD10CM: 'http://hl7.org/fhir/sid/icd-10-cm',
  I10P: 'http://www.cms.gov/Medicare/Coding/ICD10',
  I9: 'http://hl7.org/fhir/sid/icd-9-cm',
  I9C: 'http://hl7.org/fhir/sid/icd-9-cm',
  I9CDX: 'http://hl7.org/fhir/sid/icd-9-cm',
  ICD9: 'http://hl7.org/fhir/sid/icd-9-cm',
  'ICD-9': 'http://hl7.org/fhir/sid/icd-9-cm',
  CVX: 'http://hl7.org/fhir/sid/cvx',
  MVX: 'http://hl7.org/fhir/sid/mvx',
  NDC: 'http://hl7.org/fhir/sid/ndc',
  RXNORM: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  C4: 'http://www.ama-assn.org/go/cpt',
  CPT: 'http://www.ama-assn.org/go/cpt',
  CPT4: 'http://www.ama-assn.org/go/cpt',
  HCPCS: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
  HPC: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
  UCUM: 'http://unitsofmeasure.org',
  CDCREC: 'urn:oid:2.16.840.1.113883.6.238',
  HL70005: 'urn:oid:2.16.840.1.113883.6.238',
  HL70189: 'urn:oid:2.16.840.1.113883.6.238',
  ISO3166_1: 'urn:iso:std:iso:3166',
  'ISO3166-1': 'urn:iso:std:iso:3166',
  ISO639: 'urn:ietf:bcp:47',
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  UNII: 'http://fdasis.nlm.nih.gov',
  NUBC: 'http://terminology.hl7.org/CodeSystem/nubc',
  NUCC: 'http://nucc.org/provider-taxonomy',
  RXN: 'http://www.nlm.nih.gov/research/umls/rxnorm',
};

/** The FHIR system of a coding system name as a message gives it. */
export function codeSystemOf(run: Pick<Run, 'context'>, name: string): string {
  const own = run.context.codeSystems?.[name];
  if (own !== undefined) return own;
  const upper = name.toUpperCase();
  const known = SYSTEMS[upper];
  if (known !== undefined) return known;
  const table = /^HL7-?(\d{3,4})$/.exec(upper);
  if (table !== null) return `http://terminology.hl7.org/CodeSystem/v2-${table[1]!.padStart(4, '0')}`;
  if (/^[0-2](\.(0|[1-9]\d*)){2,}$/.test(name)) return `urn:oid:${name}`;
  if (/^(https?:|urn:)\S+$/i.test(name)) return name;
  return `urn:causeway:codesystem:${run.context.source}:${encodePart(name)}`;
}

/** The name of table 0396 (or the OID) by which v2 knows a FHIR system; undefined for names of a sender's own. */
export function codeSystemName(system: string): string | undefined {
  const known = NAMES.get(system);
  if (known !== undefined) return known;
  const table = /^http:\/\/terminology\.hl7\.org\/CodeSystem\/v2-(\d{4})$/.exec(system)?.[1];
  if (table !== undefined) return `HL7${table}`;
  if (system.startsWith('urn:oid:')) return system.slice('urn:oid:'.length);
  return undefined;
}

/** The first name of each system. */
const NAMES = new Map(
  Object.entries(SYSTEMS)
    .map(([name, url]): [string, string] => [url, name])
    .toReversed(),
);

/** OIDs of code systems that have a FHIR system of their own. */
const OIDS: Record<string, string> = {
  '2.16.840.1.113883.6.1': 'http://loinc.org',
  '2.16.840.1.113883.6.96': 'http://snomed.info/sct',
  '2.16.840.1.113883.6.90': 'http://hl7.org/fhir/sid/icd-10-cm',
  '2.16.840.1.113883.6.103': 'http://hl7.org/fhir/sid/icd-9-cm',
  '2.16.840.1.113883.12.292': 'http://hl7.org/fhir/sid/cvx',
  '2.16.840.1.113883.12.227': 'http://hl7.org/fhir/sid/mvx',
  '2.16.840.1.113883.6.69': 'http://hl7.org/fhir/sid/ndc',
  '2.16.840.1.113883.6.88': 'http://www.nlm.nih.gov/research/umls/rxnorm',
  '2.16.840.1.113883.6.12': 'http://www.ama-assn.org/go/cpt',
  '2.16.840.1.113883.6.8': 'http://unitsofmeasure.org',
};

/** Whether an OID names a FHIR system: a registered pair, an HL7 table (2.16.840.1.113883.12.N), or the OID itself. */
export function sameSystem(system: string, oid: string): boolean {
  if (system === `urn:oid:${oid}` || OIDS[oid] === system) return true;
  const table = /^2\.16\.840\.1\.113883\.12\.(\d{1,4})$/.exec(oid)?.[1];
  return table !== undefined && system === `http://terminology.hl7.org/CodeSystem/v2-${table.padStart(4, '0')}`;
}
