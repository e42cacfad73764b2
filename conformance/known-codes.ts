/**
 * Forms that a value may take in FHIR without looking like itself: codes that FHIR requires in place of the source's,
 * by the end of the target path, and the URIs of code systems. Written down here a second time, from the
 * specifications (HL7 tables, FHIR R4 required bindings, terminology.hl7.org) and not from the mapping tables, so that
 * a wrong table shows.
 */

/** Per end of a path: `FHIR code: codes of the source`, in upper case. */
const REQUIRED: readonly (readonly [path: RegExp, codes: Readonly<Record<string, string>>])[] = [
  [/gender$/, { male: 'M', female: 'F', other: 'O A N C UN', unknown: 'U UNK' }],
  [/(Boolean|preferred|active|asNeeded|doNotPerform)$/, { true: 'Y YES 1 TRUE', false: 'N NO 0 FALSE' }],
  [
    /class\.code$/,
    { IMP: 'I', AMB: 'O R', EMER: 'E', PRENC: 'P', ACUTE: 'B', HH: 'C', OBSENC: 'OBS', SS: 'S', VR: 'V', NONAC: 'N' },
  ],
  [
    /telecom\[\d+\]\.system$|ContactPoint\.system$/,
    {
      phone: 'PH CP SAT',
      fax: 'FX',
      email: 'INTERNET X.400 MAILTO NET',
      pager: 'BP',
      url: 'HTTP URL',
      sms: 'SMS',
      other: 'TDD TTY MD',
    },
  ],
  [
    /telecom\[\d+\]\.use$|ContactPoint\.use$/,
    { home: 'PRN ORN VHN H HP HV', work: 'WPN ASN BPN WP', mobile: 'PRS MC', temp: 'EMR VHN', old: '' },
  ],
  [
    /name(\[\d+\])?\.use$/,
    {
      official: 'L B C R I M ADOPT K',
      usual: 'D',
      nickname: 'N A P',
      anonymous: 'A S MSK U NOUSE ASGN PSEUDONYM',
      maiden: 'M BR',
      temp: 'NAV TEMP V',
      old: 'BAD OLD OR',
    },
  ],
  [
    /address(\[\d+\])?\.use$/,
    { home: 'H HP P HV PHYS L', work: 'B O WP DIR PUB', temp: 'C TMP', billing: 'BI', old: 'BA BAD OLD' },
  ],
  [/address(\[\d+\])?\.type$/, { postal: 'M PST SH', physical: 'P PHYS', both: 'BI' }],
  [
    /^status$/,
    {
      final: 'F COMPLETED',
      preliminary: 'P S R ACTIVE',
      registered: 'O I S HELD NEW',
      corrected: 'C',
      amended: 'A',
      cancelled: 'X D DC CANCELLED CANCELED ABORTED CA CR',
      'entered-in-error': 'W D NULLIFIED WD OD',
      unknown: 'U N Z Y UNKNOWN',
      completed: 'CP PA CM COMPLETED',
      'not-done': 'RE NA ABORTED CANCELLED TRUE',
      active: 'SC IP A NW ACTIVE',
      'on-hold': 'HD SUSPENDED HELD',
      revoked: 'CA DC CANCELLED ABORTED',
      stopped: 'DC ABORTED',
      current: 'AV COMPLETED ACTIVE',
      superseded: 'OB',
      available: 'Y',
      unavailable: 'N',
      unsatisfactory: 'N',
      pending: 'PENDING',
      booked: 'BOOKED',
      fulfilled: 'COMPLETE',
      noshow: 'NOSHOW',
      proposed: 'WAITLIST',
      arrived: 'STARTED',
      'in-progress': 'ACTIVE',
      finished: 'COMPLETED',
      planned: 'ACTIVE NEW',
      draft: 'NEW HELD',
      intended: 'ACTIVE',
      inactive: '',
    },
  ],
  [/docStatus$/, { final: 'AU LA', preliminary: 'IP PA DI DO', amended: 'UC', 'entered-in-error': 'CA' }],
  [
    /participant\[\d+\]\.status$/,
    { accepted: 'BOOKED CONFIRMED', tentative: 'PENDING', declined: 'DELETED CANCELLED DC' },
  ],
  [/priority$/, { stat: 'S ST', asap: 'A ASAP', routine: 'R P T C PRN', urgent: 'UR U UD EM' }],
  [/verificationStatus$/, { confirmed: 'C', unconfirmed: 'U', refuted: 'D', 'entered-in-error': 'E' }],
  [/criticality$/, { low: 'MI MO CRITL L', high: 'SV CRITH H', 'unable-to-assess': 'U CRITU' }],
  [/severity$/, { mild: 'MI 255604002', moderate: 'MO 6736007', severe: 'SV 24484000 399166001' }],
  [/category\[\d+\]$/, { food: 'FA', medication: 'DA', environment: 'EA AA PA LA', biologic: '' }],
  [
    /(durationUnit|periodUnit|unit|code)$/,
    {
      s: 'S SEC',
      min: 'M MIN',
      h: 'H HR HOUR',
      d: 'D DAY',
      wk: 'W WK WEEK',
      mo: 'MO MON L',
      a: 'A ANN YR YEAR',
    },
  ],
  [/diagnosis\[\d+\]\.use\.coding\[\d+\]\.code$/, { AD: 'A', DD: 'F', CM: 'W' }],
  [/name(\[\d+\])?\.extension/, { ABC: 'A', IDE: 'I', SYL: 'P' }],
  [/extension/, { '2135-2': 'H', '2186-5': 'N NH', UNK: 'U' }],
];

const SYSTEMS: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org',
  LOINC: 'http://loinc.org',
  'SNOMED CT': 'http://snomed.info/sct',
  SCT: 'http://snomed.info/sct',
  SNM: 'http://snomed.info/sct',
  I9: 'http://hl7.org/fhir/sid/icd-9-cm',
  I9C: 'http://hl7.org/fhir/sid/icd-9-cm',
  I9CDX: 'http://hl7.org/fhir/sid/icd-9-cm',
  I10: 'http://hl7.org/fhir/sid/icd-10-cm',
  I10C: 'http://hl7.org/fhir/sid/icd-10-cm',
  C4: 'http://www.ama-assn.org/go/cpt',
  CPT: 'http://www.ama-assn.org/go/cpt',
  RXN: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  RXNORM: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  NDC: 'http://hl7.org/fhir/sid/ndc',
  CVX: 'http://hl7.org/fhir/sid/cvx',
  MVX: 'http://hl7.org/fhir/sid/mvx',
  UCUM: 'http://unitsofmeasure.org',
  ISO3166_1: 'urn:iso:std:iso:3166',
  CDCREC: 'urn:oid:2.16.840.1.113883.6.238',
  '2.16.840.1.113883.6.96': 'http://snomed.info/sct',
  '2.16.840.1.113883.6.1': 'http://loinc.org',
  '2.16.840.1.113883.6.88': 'http://www.nlm.nih.gov/research/umls/rxnorm',
  '2.16.840.1.113883.6.90': 'http://hl7.org/fhir/sid/icd-10-cm',
  '2.16.840.1.113883.6.3': 'http://hl7.org/fhir/sid/icd-10',
  '2.16.840.1.113883.6.4': 'http://www.cms.gov/Medicare/Coding/ICD10',
  '2.16.840.1.113883.6.42': 'http://hl7.org/fhir/sid/icd-9-cm',
  '2.16.840.1.113883.6.2': 'http://hl7.org/fhir/sid/icd-9-cm',
  '2.16.840.1.113883.6.103': 'http://hl7.org/fhir/sid/icd-9-cm',
  '2.16.840.1.113883.6.104': 'http://hl7.org/fhir/sid/icd-9-cm',
  '2.16.840.1.113883.6.12': 'http://www.ama-assn.org/go/cpt',
  '2.16.840.1.113883.6.13': 'http://www.ada.org/cdt',
  '2.16.840.1.113883.6.69': 'http://hl7.org/fhir/sid/ndc',
  '2.16.840.1.113883.6.8': 'http://unitsofmeasure.org',
  '2.16.840.1.113883.6.101': 'http://nucc.org/provider-taxonomy',
  '2.16.840.1.113883.6.209': 'http://hl7.org/fhir/ndfrt',
  '2.16.840.1.113883.3.26.1.5': 'http://hl7.org/fhir/ndfrt',
  '2.16.840.1.113883.3.26.1.1': 'http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl',
  '2.16.840.1.113883.6.345': 'http://www.nlm.nih.gov/research/umls/medrt',
  '2.16.840.1.113883.6.121': 'urn:ietf:bcp:47',
  '2.16.840.1.113883.3.221.5': 'https://nahdo.org/sopt',
  '2.16.840.1.113883.12.292': 'http://hl7.org/fhir/sid/cvx',
  '2.16.840.1.113883.6.59': 'http://hl7.org/fhir/sid/cvx',
  '2.16.840.1.113883.12.227': 'http://hl7.org/fhir/sid/mvx',
  '2.16.840.1.113883.4.1': 'http://hl7.org/fhir/sid/us-ssn',
  '2.16.840.1.113883.4.6': 'http://hl7.org/fhir/sid/us-npi',
  '2.16.840.1.113883.4.9': 'http://fdasis.nlm.nih.gov',
  '2.16.840.1.113883.4.572': 'http://hl7.org/fhir/sid/us-medicare',
  '2.16.840.1.113883.6.259': 'https://www.cdc.gov/nhsn/cdaportal/terminology/codesystem/hsloc.html',
  '2.16.840.1.113883.6.285': 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets',
  '2.16.840.1.113883.6.301.5': 'https://www.nubc.org/CodeSystem/RevenueCodes',
  '2.16.840.1.113883.6.254': 'http://hl7.org/fhir/sid/icf',
  '2.16.840.1.113883.6.24': 'urn:iso:std:iso:11073:10101',
  '1.2.840.10008.2.16.4': 'http://dicom.nema.org/resources/ontology/DCM',
};

/** Code systems of HL7 V3, by the last number of 2.16.840.1.113883.5.N. */
const V3_SYSTEMS: Readonly<Record<string, string>> = {
  '1': 'AdministrativeGender',
  '2': 'MaritalStatus',
  '4': 'ActCode',
  '6': 'ActClass',
  '7': 'ActPriority',
  '8': 'ActReason',
  '14': 'ActStatus',
  '25': 'Confidentiality',
  '43': 'EntityNamePartQualifier',
  '45': 'EntityNameUse',
  '60': 'LanguageAbilityMode',
  '61': 'LanguageAbilityProficiency',
  '83': 'ObservationInterpretation',
  '84': 'ObservationMethod',
  '88': 'ParticipationFunction',
  '90': 'ParticipationType',
  '110': 'RoleClass',
  '111': 'RoleCode',
  '112': 'RouteOfAdministration',
  '139': 'TimingEvent',
  '1001': 'ActMood',
  '1002': 'ActRelationshipType',
  '1008': 'NullFlavor',
  '1063': 'ObservationValue',
  '1070': 'SubstanceAdminSubstitution',
  '1076': 'ReligiousAffiliation',
  '1119': 'AddressUse',
};

/** Seconds, hours and days as minutes. */
const MINUTES = [1 / 60, 60, 1440];

const SETS = REQUIRED.map(
  ([path, codes]) =>
    [path, new Map(Object.entries(codes).map(([code, sources]) => [code, new Set(sources.split(' '))]))] as const,
);

/** Whether `leaf` is a listed form of `value` for an element at `path`. */
export function isKnownForm(value: string, leaf: string, path: string): boolean {
  const sought = value.trim();
  if (leaf.includes(':') && systemOf(sought) === leaf) return true;
  if (/minutesDuration$/.test(path)) return MINUTES.some((minutes) => Number(sought) * minutes === Number(leaf));
  const code = sought.toUpperCase();
  return SETS.some(([place, codes]) => place.test(path) && codes.get(leaf)?.has(code) === true);
}

function systemOf(written: string): string | undefined {
  const table = /^HL7(\d{4})$/.exec(written)?.[1];
  if (table !== undefined) return `http://terminology.hl7.org/CodeSystem/v2-${table}`;
  const v2 = /^2\.16\.840\.1\.113883\.12\.(\d+)$/.exec(written)?.[1];
  if (v2 !== undefined && SYSTEMS[written] === undefined)
    return `http://terminology.hl7.org/CodeSystem/v2-${v2.padStart(4, '0')}`;
  const v3 = /^2\.16\.840\.1\.113883\.5\.(\d+)$/.exec(written)?.[1];
  if (v3 !== undefined && V3_SYSTEMS[v3] !== undefined)
    return `http://terminology.hl7.org/CodeSystem/v3-${V3_SYSTEMS[v3]}`;
  return SYSTEMS[written] ?? SYSTEMS[written.toUpperCase()];
}
