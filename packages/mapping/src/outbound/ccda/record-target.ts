/** Whom the document is about, as the US realm header has it. */
import type { Coding, Extension, Patient, PatientContact, RelatedPerson } from '@medplum/fhirtypes';
import { type CdaElement, type Child, el } from './element.ts';
import { organizationRole } from './participants.ts';
import { address, addresses, patientName, personName, telecoms } from './people.ts';
import { asTranslations, code, fixed, ids, primitiveFlavor, time } from './values.ts';
import type { Writer } from './writer.ts';

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const CORE = 'http://hl7.org/fhir/StructureDefinition/';
const ROLE_CODES = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
const NULLS = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';
/** Relationships of a guardian (of value set Personal And Legal Relationship Role Type, what is in use). */
const KIN = new Set(
  (
    'ADOPTF ADOPTM ADOPTP AUNT BRO BROINLAW CHILD COUSN DAU DOMPART DPOWATT EXCEST FAMMEMB FRND FTH GRFTH GRMTH GRPRN ' +
    'GUARD HPOWATT HUSB MTH NBOR NEPHEW NFTH NIECE NMTH PRN POWATT ROOM SIB SIS SON SPOWATT SPS STPFTH STPMTH STPPRN UNCLE WIFE'
  ).split(' '),
);

export function recordTarget(writer: Writer): CdaElement {
  const { patient } = writer.chart;
  const provider = writer.chart.find(patient.managingOrganization, patient);
  return el(
    'recordTarget',
    {},
    el(
      'patientRole',
      {},
      ids(patient),
      addresses(patient.address),
      telecoms(patient.telecom),
      person(writer, patient),
      provider?.resourceType === 'Organization' ? organizationRole('providerOrganization', provider) : undefined,
    ),
  );
}

function person(writer: Writer, patient: Patient): CdaElement {
  const deceased = patient.deceasedDateTime ?? patient.deceasedBoolean;
  const religion = extensionOf(patient, `${CORE}patient-religion`)?.valueCodeableConcept;
  const birthTime = (patient as { _birthDate?: { extension?: Extension[] } })._birthDate?.extension?.find(
    ({ url }) => url === `${CORE}patient-birthTime`,
  )?.valueDateTime;
  return el(
    'patient',
    {},
    patient.name === undefined || patient.name.length === 0
      ? el('name', { nullFlavor: 'UNK' })
      : patient.name.map(patientName),
    gender(patient.gender),
    time('birthTime', birthTime ?? patient.birthDate, primitiveFlavor(patient, 'birthDate') ?? 'UNK'),
    deceased !== undefined && el('sdtc:deceasedInd', { value: String(deceased !== false) }),
    deceased !== undefined && deceased !== false && time('sdtc:deceasedTime', patient.deceasedDateTime),
    patient.maritalStatus && code('maritalStatusCode', patient.maritalStatus),
    religion && code('religiousAffiliationCode', religion),
    groups(patient, 'us-core-race', 'raceCode'),
    groups(patient, 'us-core-ethnicity', 'ethnicGroupCode'),
    guardians(writer, patient),
    birthplace(patient),
    (patient.communication ?? []).map(({ language, preferred }) =>
      el(
        'languageCommunication',
        {},
        el('languageCode', { code: language.coding?.[0]?.code ?? language.text }),
        preferred !== undefined && el('preferenceInd', { value: String(preferred) }),
      ),
    ),
  );
}

export function gender(value: Patient['gender']): CdaElement {
  const known = { male: 'M', female: 'F', other: 'UN', unknown: undefined }[value ?? 'unknown'];
  if (known === undefined) return el('administrativeGenderCode', { nullFlavor: 'UNK' });
  return fixed('administrativeGenderCode', known, '2.16.840.1.113883.5.1', value);
}

/** Categories of the Office of Management and Budget. */
const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  raceCode: ['1002-5', '2028-9', '2054-5', '2076-8', '2106-3'],
  ethnicGroupCode: ['2135-2', '2186-5'],
};

/** One code in the element itself, the others in its `sdtc` extension. */
function groups(patient: Patient, profile: string, name: string): CdaElement[] {
  const parts = extensionOf(patient, US_CORE + profile)?.extension ?? [];
  const codings = parts
    .filter(({ url, valueCoding }) => (url === 'ombCategory' || url === 'detailed') && valueCoding !== undefined)
    .sort((a, b) => (a.url === b.url ? 0 : a.url === 'ombCategory' ? -1 : 1))
    .map(({ valueCoding }) => valueCoding!);
  const [first, ...others] = codings;
  if (first === undefined) return [el(name, { nullFlavor: 'UNK' })];
  if (first.system === NULLS) return [el(name, { nullFlavor: first.code })];
  const isCategory = parts.some(({ url, valueCoding }) => url === 'ombCategory' && valueCoding === first);
  const leads = isCategory && CATEGORIES[name]!.includes(first.code ?? '');
  const rest = leads ? others : codings;
  // What is a code of the other kind (some write an ethnicity as a race) stands as a translation of none.
  const misplaced = rest.filter((coding) => isOther(name, coding));
  const lead = leads
    ? code(name, { coding: [first] })
    : el(name, { nullFlavor: isCategory ? 'OTH' : 'UNK' }, asTranslations({ coding: misplaced }));
  const detailed = rest.filter((coding) => !misplaced.includes(coding));
  return [lead, ...detailed.map((coding) => code(`sdtc:${name}`, { coding: [coding] }))];
}

/** Codes of the CDC's race and ethnicity system from 2133-7 on are ethnicities. */
function isOther(name: string, { code: value = '' }: Coding): boolean {
  const ethnicity = Number.parseInt(value, 10) >= 2133;
  return (name === 'raceCode') === ethnicity;
}

function guardians(writer: Writer, patient: Patient): Child {
  const related = writer.chart
    .all<RelatedPerson>('RelatedPerson')
    .filter(({ relationship }) => relationship?.some((one) => one.coding?.some(({ code: value }) => value === 'GUARD')))
    .map(({ relationship, name, telecom, address: where }) => ({
      relationship,
      name: name?.[0],
      telecom,
      address: where?.[0],
    }));
  const contacts: PatientContact[] = [...(patient.contact ?? []), ...related];
  return contacts
    .filter(({ name }) => name !== undefined)
    .map(({ relationship, name, telecom, address: where }) =>
      el(
        'guardian',
        {},
        relationship?.[0] && code('code', relationship[0], { allowed: isKin }),
        where && address(where),
        telecom && telecoms(telecom),
        el('guardianPerson', {}, personName(name)),
      ),
    );
}

function isKin({ system, code: value = '' }: Coding): boolean {
  return system === ROLE_CODES && KIN.has(value);
}

function birthplace(patient: Patient): CdaElement | undefined {
  const where = extensionOf(patient, `${CORE}patient-birthPlace`)?.valueAddress;
  return where && el('birthplace', {}, el('place', {}, address(where)));
}

function extensionOf({ extension }: { extension?: Extension[] }, url: string): Extension | undefined {
  return extension?.find((one) => one.url === url);
}
