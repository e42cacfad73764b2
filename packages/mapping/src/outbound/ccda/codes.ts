/** Codes as CDA writes them: OIDs of code systems, and FHIR's codes taken back to those of C-CDA. */
import { CODE_SYSTEMS, IDENTIFIER_SYSTEMS } from '../../ccda/code-systems.ts';
import { CONCEPT_MAPS, type ConceptMapName } from '../../ccda/concept-maps.ts';

export const LOINC = '2.16.840.1.113883.6.1';
export const SNOMED = '2.16.840.1.113883.6.96';
export const ACT_CODE = '2.16.840.1.113883.5.4';
export const ACT_CLASS = '2.16.840.1.113883.5.6';
export const ROLE_CODE = '2.16.840.1.113883.5.111';

const SYSTEM_OIDS = new Map<string, string>();
for (const [oid, uri] of Object.entries(CODE_SYSTEMS)) if (!SYSTEM_OIDS.has(uri)) SYSTEM_OIDS.set(uri, oid);
SYSTEM_OIDS.set('http://terminology.hl7.org/CodeSystem/umls', '2.16.840.1.113883.6.86');
SYSTEM_OIDS.set('http://terminology.hl7.org/CodeSystem/condition-category', '2.16.840.1.113883.4.642.3.153');

const IDENTIFIER_OIDS = new Map(Object.entries(IDENTIFIER_SYSTEMS).map(([oid, uri]) => [uri, oid]));

const OID = /^urn:oid:([0-2](?:\.(?:0|[1-9][0-9]*))+)$/;
const UUID = /^(?:urn:uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** The OID of a code system; undefined where none is known. */
export function codeSystemOid(uri: string): string | undefined {
  return SYSTEM_OIDS.get(uri) ?? OID.exec(uri)?.[1];
}

/** The root for an identifier system: its OID or UUID; undefined where it has neither. */
export function identifierRoot(uri: string): string | undefined {
  return IDENTIFIER_OIDS.get(uri) ?? OID.exec(uri)?.[1] ?? UUID.exec(uri)?.[1];
}

export function uuidOf(text: string): string | undefined {
  return UUID.exec(text)?.[1];
}

/** The C-CDA code (not one of digits: those have no order) that a concept map translates so; the first of several. */
export function backwards(map: ConceptMapName, code: string | undefined): string | undefined {
  if (code === undefined) return undefined;
  const table: Record<string, string> = CONCEPT_MAPS[map];
  for (const key in table) if (key !== '*' && table[key] === code) return key;
  return undefined;
}

/** SNOMED CT for clinicalStatus of problems and allergies (value sets Problem Status and Allergy Clinical Status). */
const CLINICAL_STATUSES: Readonly<Record<string, readonly [code: string, display: string]>> = {
  active: ['55561003', 'Active'],
  inactive: ['73425007', 'Inactive'],
  resolved: ['413322009', 'Resolved'],
  recurrence: ['246455001', 'Recurrence'],
  relapse: ['263855007', 'Relapse'],
  remission: ['277022003', 'Remission'],
};

export function clinicalStatusCode(status: string | undefined): readonly [code: string, display: string] | undefined {
  return status === undefined ? undefined : CLINICAL_STATUSES[status];
}

/** SNOMED CT for a reaction's severity. */
export const SEVERITIES: Readonly<Record<string, readonly [code: string, display: string]>> = {
  mild: ['255604002', 'Mild'],
  moderate: ['6736007', 'Moderate'],
  severe: ['24484000', 'Severe'],
};

const NULL_FLAVORS: Readonly<Record<string, string>> = {
  unknown: 'UNK',
  'asked-unknown': 'ASKU',
  'asked-declined': 'ASKU',
  'temp-unknown': 'NAV',
  'not-asked': 'NASK',
  masked: 'MSK',
  'not-permitted': 'MSK',
  'not-applicable': 'NA',
  'not-performed': 'NA',
  unsupported: 'OTH',
  'as-text': 'OTH',
  'negative-infinity': 'NINF',
  'positive-infinity': 'PINF',
};

/** The null flavor for a code of data-absent-reason. */
export function nullFlavor(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : (NULL_FLAVORS[reason] ?? 'NI');
}
