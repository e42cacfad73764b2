/**
 * The four organisations of Ellery Bay, an invented town, and the people who work there. Object identifiers lie under
 * 2.999, the arc kept for examples (ITU-T X.660); NPI-like numbers begin with 199 and belong to nobody.
 */

export type SiteKey = 'harbor-hospital' | 'millbrook-practice' | 'ellery-lab' | 'corner-pharmacy';

export interface Site {
  key: SiteKey;
  name: string;
  kind: 'practice' | 'hospital' | 'lab' | 'pharmacy';
  dialect: 'ccda' | 'hl7v2' | 'fhir';
  /** MSH-3 and MSH-4 of its HL7 v2 messages. */
  sendingApplication?: string;
  sendingFacility?: string;
  /** MSH-12. */
  v2Version?: string;
  /** Root of its record numbers in C-CDA. */
  oid: string;
  /** PID-3.4 namespace, or the system itself at a site that speaks FHIR or C-CDA. */
  identifierAuthority: string;
  /** FHIR system of its record numbers. */
  identifierSystem: string;
  /** The offset from UTC of times it writes without one. */
  utcOffset: string;
  /** The same as an IANA zone. */
  timeZone: string;
  street: string;
  phone: string;
}

export interface Clinician {
  npi: string;
  family: string;
  given: string;
  degree: string;
  specialty: string;
}

export const TOWN = { city: 'Ellery Bay', state: 'ME', country: 'US' } as const;

const ROOT_OID = '2.999.4187';

const SITES: readonly Site[] = [
  {
    key: 'harbor-hospital',
    name: 'Harbor General Hospital',
    kind: 'hospital',
    dialect: 'hl7v2',
    sendingApplication: 'HARBORADT',
    sendingFacility: 'HGH',
    v2Version: '2.5.1',
    oid: `${ROOT_OID}.1.1`,
    identifierAuthority: 'HGHMRN',
    identifierSystem: `urn:oid:${ROOT_OID}.1.1`,
    utcOffset: '-05:00',
    timeZone: 'Etc/GMT+5',
    street: '1 Lighthouse Road',
    phone: '555-0100',
  },
  {
    key: 'millbrook-practice',
    name: 'Millbrook Family Practice',
    kind: 'practice',
    dialect: 'ccda',
    oid: `${ROOT_OID}.2.1`,
    identifierAuthority: `${ROOT_OID}.2.1`,
    identifierSystem: `urn:oid:${ROOT_OID}.2.1`,
    utcOffset: '-05:00',
    timeZone: 'Etc/GMT+5',
    street: '48 Mill Street',
    phone: '555-0120',
  },
  {
    key: 'ellery-lab',
    name: 'Ellery Reference Laboratory',
    kind: 'lab',
    dialect: 'hl7v2',
    sendingApplication: 'ELLERYLIS',
    sendingFacility: 'ERL',
    v2Version: '2.3.1',
    oid: `${ROOT_OID}.3.1`,
    identifierAuthority: 'ERLPID',
    identifierSystem: `urn:oid:${ROOT_OID}.3.1`,
    utcOffset: '-05:00',
    timeZone: 'Etc/GMT+5',
    street: '210 Foundry Street',
    phone: '555-0140',
  },
  {
    key: 'corner-pharmacy',
    name: 'Corner Street Pharmacy',
    kind: 'pharmacy',
    dialect: 'fhir',
    oid: `${ROOT_OID}.4.1`,
    identifierAuthority: 'https://corner-pharmacy.example.org/customers',
    identifierSystem: 'https://corner-pharmacy.example.org/customers',
    utcOffset: '-05:00',
    timeZone: 'Etc/GMT+5',
    street: '3 Monument Square',
    phone: '555-0160',
  },
];

const BY_KEY = new Map(SITES.map((site) => [site.key, site]));

/** The town's sites, always the same four in the same order. */
export function sites(): Site[] {
  return SITES.map((site) => ({ ...site }));
}

/** The site of this key. */
export function siteOf(key: SiteKey): Site {
  return BY_KEY.get(key)!;
}

/** Roots of identifiers that are no record numbers: documents, entries, orders, visits. */
export const OIDS = {
  practiceDocument: `${ROOT_OID}.2.2`,
  practiceEntry: `${ROOT_OID}.2.3`,
  practiceVisit: `${ROOT_OID}.2.4`,
  practice: `${ROOT_OID}.2`,
  npi: '2.16.840.1.113883.4.6',
} as const;

export const FAMILY_DOCTORS: readonly Clinician[] = [
  { npi: '1990000101', family: 'Whitcombe', given: 'Harriet', degree: 'MD', specialty: 'Family medicine' },
  { npi: '1990000119', family: 'Obi', given: 'Chidi', degree: 'MD', specialty: 'Family medicine' },
  { npi: '1990000127', family: 'Salcedo', given: 'Ines', degree: 'DO', specialty: 'Family medicine' },
  { npi: '1990000135', family: 'Lindgren', given: 'Per', degree: 'MD', specialty: 'Family medicine' },
];

/** A doctor of the next town, for people who are not on the practice's list. */
export const OUTSIDE_DOCTORS: readonly Clinician[] = [
  { npi: '1990000903', family: 'Brannigan', given: 'Una', degree: 'MD', specialty: 'Internal medicine' },
  { npi: '1990000911', family: 'Takeda', given: 'Shinji', degree: 'MD', specialty: 'Family medicine' },
];

export const HOSPITAL_DOCTORS: Readonly<Record<string, Clinician>> = {
  medicine: { npi: '1990000200', family: 'Marchetti', given: 'Paola', degree: 'MD', specialty: 'Internal medicine' },
  emergency: { npi: '1990000218', family: 'Okonkwo', given: 'Ada', degree: 'MD', specialty: 'Emergency medicine' },
  surgery: { npi: '1990000226', family: 'Hale', given: 'Rufus', degree: 'MD', specialty: 'General surgery' },
  cardiology: { npi: '1990000234', family: 'Zetterberg', given: 'Ulla', degree: 'MD', specialty: 'Cardiology' },
  orthopaedics: { npi: '1990000242', family: 'Ferreira', given: 'Nuno', degree: 'MD', specialty: 'Orthopaedics' },
  obstetrics: { npi: '1990000259', family: 'Castellan', given: 'Miren', degree: 'MD', specialty: 'Obstetrics' },
  paediatrics: { npi: '1990000267', family: 'Varga', given: 'Judit', degree: 'MD', specialty: 'Paediatrics' },
};
