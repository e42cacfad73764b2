/** The US realm header: whom the document is about, who wrote and keeps it, and the care or stay it tells of. */
import type {
  CodeableConcept,
  Coding,
  Extension,
  Patient,
  PatientContact,
  Reference,
  RelatedPerson,
  Resource,
} from '@medplum/fhirtypes';
import { type CdaElement, type Child, el } from './element.ts';
import { assignedEntity, organizationRole, partyOf } from './participants.ts';
import { address, addresses, patientName, personName, telecoms } from './people.ts';
import { code, fixed, ids, interval, primitiveFlavor, time } from './values.ts';
import type { Writer } from './writer.ts';

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const CORE = 'http://hl7.org/fhir/StructureDefinition/';
const CONFIDENTIALITY = '2.16.840.1.113883.5.25';
const ROLE_CODES = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
/** Relationships of a guardian (of value set Personal And Legal Relationship Role Type, what is in use). */
const KIN = new Set(
  (
    'ADOPTF ADOPTM ADOPTP AUNT BRO BROINLAW CHILD COUSN DAU DOMPART DPOWATT EXCEST FAMMEMB FRND FTH GRFTH GRMTH GRPRN ' +
    'GUARD HPOWATT HUSB MTH NBOR NEPHEW NFTH NIECE NMTH PRN POWATT ROOM SIB SIS SON SPOWATT SPS STPFTH STPMTH STPPRN UNCLE WIFE'
  ).split(' '),
);
const NULLS = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';

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
  const lead = isCategory ? code(name, { coding: [first] }) : el(name, { nullFlavor: 'UNK' });
  return [lead, ...(isCategory ? others : codings).map((coding) => code(`sdtc:${name}`, { coding: [coding] }))];
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

/** The software that wrote the document, for the organization that keeps the record. */
export function documentAuthor(writer: Writer): CdaElement {
  const { custodian, software, time: when } = writer.options;
  return el(
    'author',
    {},
    time('time', when),
    el(
      'assignedAuthor',
      {},
      ids(custodian),
      addresses(custodian.address),
      telecoms(custodian.telecom),
      el(
        'assignedAuthoringDevice',
        {},
        el('manufacturerModelName', {}, software.manufacturer),
        el('softwareName', {}, software.name),
      ),
      organizationRole('representedOrganization', custodian),
    ),
  );
}

export function custodian({ options }: Writer): CdaElement {
  const { custodian: keeper } = options;
  return el(
    'custodian',
    {},
    el(
      'assignedCustodian',
      {},
      el(
        'representedCustodianOrganization',
        {},
        ids(keeper),
        keeper.name === undefined ? el('name', { nullFlavor: 'UNK' }) : el('name', {}, keeper.name),
        telecoms(keeper.telecom).slice(0, 1),
        addresses(keeper.address).slice(0, 1),
      ),
    ),
  );
}

/** Relatives and friends whom the record names. */
export function relatedPersons(writer: Writer): CdaElement[] {
  const persons = writer.chart.all<RelatedPerson>('RelatedPerson');
  return persons
    .filter(({ name }) => name !== undefined)
    .map((one) => {
      const kin = one.relationship?.find((concept) =>
        concept.coding?.some(({ system }) => system?.endsWith('v3-RoleCode')),
      );
      return el(
        'participant',
        { typeCode: 'IND' },
        el(
          'associatedEntity',
          { classCode: classOf(one.relationship) },
          ids(one),
          (kin ?? one.relationship?.[0]) && code('code', kin ?? one.relationship![0]),
          addresses(one.address),
          telecoms(one.telecom),
          el('associatedPerson', {}, (one.name ?? []).map(personName)),
        ),
      );
    });
}

/** The role class of a relative by what FHIR says of the relationship. */
function classOf(relationship: readonly CodeableConcept[] = []): string {
  const codes = relationship.flatMap(({ coding = [] }) => coding.map(({ code: value }) => value));
  if (codes.includes('C')) return 'ECON';
  if (codes.includes('N')) return 'NOK';
  return 'PRS';
}

/** The care that the document tells of: since the first thing that happened, until now. */
export function careProvided(writer: Writer): CdaElement {
  const { patient } = writer.chart;
  const { time: now } = writer.options;
  const { stay } = writer;
  const since = stay?.period?.start ?? earliest(writer.chart.resources) ?? patient.birthDate;
  const practitioners = patient.generalPractitioner ?? [];
  const known = since !== undefined && since.length >= 10;
  return el(
    'documentationOf',
    {},
    el(
      'serviceEvent',
      { classCode: 'PCPR' },
      interval('effectiveTime', { low: known ? since : undefined, high: stay?.period?.end ?? now }),
      practitioners.map((who) => performerOf(writer, who, patient)),
    ),
  );
}

function performerOf(writer: Writer, who: Reference, holder: Resource): CdaElement {
  const primary = fixed('functionCode', 'PCP', '2.16.840.1.113883.5.88', 'Primary Care Provider');
  return el('performer', { typeCode: 'PRF' }, primary, assignedEntity(partyOf(writer, who, holder)));
}

/** The first day on which an encounter began, or a problem, or a measurement was made. */
function earliest(resources: readonly Resource[]): string | undefined {
  let first: string | undefined;
  for (const resource of resources) {
    const { period, effectiveDateTime, performedDateTime, occurrenceDateTime } = resource as {
      period?: { start?: string };
      effectiveDateTime?: string;
      performedDateTime?: string;
      occurrenceDateTime?: string;
    };
    for (const when of [period?.start, effectiveDateTime, performedDateTime, occurrenceDateTime]) {
      if (when !== undefined && when.length >= 10 && (first === undefined || when < first)) first = when;
    }
  }
  return first?.slice(0, 10);
}

/** The stay that a discharge summary is of. */
export function encompassingEncounter(writer: Writer): CdaElement {
  const { stay } = writer;
  const disposition = stay?.hospitalization?.dischargeDisposition;
  const place = writer.chart.find(stay?.location?.[0]?.location, stay);
  const found = place?.resourceType === 'Location' ? place : undefined;
  const attending = stay?.participant?.find(({ individual }) => individual !== undefined)?.individual;
  return el(
    'componentOf',
    {},
    el(
      'encompassingEncounter',
      {},
      stay === undefined ? el('id', { nullFlavor: 'UNK' }) : ids(stay),
      stay && code('code', stay.class?.code === undefined ? stay.type?.[0] : { coding: [stay.class] }),
      interval('effectiveTime', { low: stay?.period?.start, high: stay?.period?.end, highFlavor: 'UNK' }),
      code('dischargeDispositionCode', disposition),
      attending && el('responsibleParty', {}, assignedEntity(partyOf(writer, attending, stay))),
      found !== undefined &&
        el(
          'location',
          {},
          el(
            'healthCareFacility',
            {},
            ids(found),
            found.type?.[0] && code('code', found.type[0]),
            el('location', {}, el('name', {}, found.name ?? 'unknown'), found.address && address(found.address)),
          ),
        ),
    ),
  );
}

export function confidentiality(): CdaElement {
  return fixed('confidentialityCode', 'N', CONFIDENTIALITY, 'normal');
}
