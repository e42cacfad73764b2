/**
 * recordTarget → Patient, with US Core race, ethnicity and birth sex, languages, guardians and former names.
 */
import type { XmlElement } from '@causeway/ccda';
import { absentReason, codeableConcept, coding, dateTime, identifierSystem } from './data-types.ts';
import type { Draft } from './draft.ts';
import { applyRows } from './engine.ts';
import type { Json } from './fhir-path.ts';
import { organization } from './participants.ts';
import type { Run } from './run.ts';
import type { Row } from './table.ts';

const US_CORE = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const PROFICIENCY = 'http://hl7.org/fhir/StructureDefinition/patient-proficiency';
const OMB_RACES = new Set(['1002-5', '2028-9', '2054-5', '2076-8', '2106-3']);
const OMB_ETHNICITIES = new Set(['2135-2', '2186-5']);
/** Identifiers that a state gives; an organisation's own number is the better key among its own records. */
const NATIONAL = new Set(['2.16.840.1.113883.4.1', '2.16.840.1.113883.4.572', '2.16.840.1.113883.4.927']);

const PATIENT: readonly Row[] = [
  ['id', 'identifier[]', 'identifier'],
  ['patient/name', 'name[]', 'name'],
  ['telecom', 'telecom[]', 'telecom'],
  ['addr', 'address[]', 'address'],
  ['patient/administrativeGenderCode', 'gender', 'code', 'gender'],
  ['patient/birthTime', 'birthDate', 'date'],
  ['patient/sdtc:deceasedTime', 'deceased[x]', 'start'],
  ['patient/sdtc:deceasedInd', 'deceasedBoolean', 'boolean'],
  ['patient/maritalStatusCode', 'maritalStatus', 'concept'],
  ['patient/sdtc:multipleBirthOrderNumber', 'multipleBirthInteger', 'integer'],
  ['patient/sdtc:multipleBirthInd', 'multipleBirthBoolean', 'boolean'],
  [
    'patient/languageCommunication',
    'communication[]',
    'group',
    [
      ['languageCode', 'language', 'concept'],
      ['preferenceInd', 'preferred', 'boolean'],
      ['proficiencyLevelCode', `extension(${PROFICIENCY}).extension(level).valueCoding`, 'coding'],
      ['modeCode', `extension(${PROFICIENCY}).extension(type).valueCoding`, 'coding'],
    ],
  ],
  [
    'patient/guardian',
    'contact[]',
    'group',
    [
      ['code', 'relationship[]', 'concept'],
      ['guardianPerson/name', 'name', 'name'],
      ['telecom', 'telecom[]', 'telecom'],
      ['addr', 'address', 'address'],
      ['guardianOrganization', 'organization', 'organization'],
    ],
  ],
];

/** The first record target; a document about several people is not a C-CDA, and says so. */
export function convertPatient(run: Run): Draft {
  const [target, ...others] = run.document.header?.recordTargets ?? [];
  for (const other of others) run.issue('error', 'not-supported', other, 'only the first recordTarget is converted');
  const role = target?.child('patientRole');
  for (const id of role?.all('id') ?? []) {
    const root = id.attr('root');
    const extension = id.attr('extension');
    if (root !== undefined && extension !== undefined) run.patientIds.add(`${root}|${extension}`);
  }
  const identity = identityOf(run, role);
  run.patientIdentity = identity.join('|');
  const draft = run.draft('Patient', identity, role === undefined ? 'reference' : 'merge');
  run.patient = draft;
  run.admit(draft, run.document.xml.root);
  if (role === undefined) {
    run.issue('error', 'required', run.document.xml.root, 'a document needs recordTarget/patientRole');
    return draft;
  }
  applyRows(run, role, draft, PATIENT, 'Patient');
  const person = role.child('patient');
  if (person !== undefined) completePerson(run, person, draft);
  const provider = role.child('providerOrganization');
  const managing = provider && organization(run, provider);
  if (managing !== undefined) draft.resource.managingOrganization = run.referenceTo(managing);
  run.owners.set(role, draft);
  return draft;
}

function identityOf(run: Run, role: XmlElement | undefined): string[] {
  const ids = (role?.all('id') ?? []).filter((id) => id.attr('root') !== undefined);
  const own = ids.find((id) => id.attr('extension') !== undefined && !NATIONAL.has(id.attr('root')!));
  const id = own ?? ids.find((one) => one.attr('extension') !== undefined) ?? ids[0];
  if (id !== undefined) {
    return [identifierSystem(run, id.attr('root')!) ?? id.attr('root')!, id.attr('extension') ?? ''];
  }
  const name = role?.find('patient', 'name')?.allText ?? '';
  const birth = role?.find('patient', 'birthTime')?.attr('value') ?? '';
  const document = run.document.header?.id;
  const fallback = `${document?.root ?? ''}|${document?.extension ?? ''}`;
  return name === '' ? ['unidentified', fallback] : ['demographics', name, birth];
}

function completePerson(run: Run, person: XmlElement, draft: Draft): void {
  const { resource } = draft;
  run.account.rule = 'Patient';
  preferPrecise(run, person, draft, 'deceasedDateTime', 'deceasedBoolean', 'sdtc:deceasedInd');
  preferPrecise(run, person, draft, 'multipleBirthInteger', 'multipleBirthBoolean', 'sdtc:multipleBirthInd');
  for (const one of (resource.communication as { language?: { coding?: Json[] } }[] | undefined) ?? []) {
    for (const language of one.language?.coding ?? []) language.system ??= 'urn:ietf:bcp:47';
  }
  const languages = (resource.communication as Json[] | undefined)?.filter((one) => one.language !== undefined) ?? [];
  if (languages.length > 0) resource.communication = languages;
  else delete resource.communication;
  const gender = person.child('administrativeGenderCode');
  if (gender?.attr('nullFlavor') !== undefined) {
    resource.gender ??= 'unknown';
    run.account.consumed(gender, 'nullFlavor', 'gender unknown');
  }
  const birth = person.child('birthTime');
  if (resource.birthDate === undefined && birth?.attr('nullFlavor') !== undefined) {
    resource._birthDate = { extension: [absentReason(birth.attr('nullFlavor')!)] };
    run.account.consumed(birth, 'nullFlavor');
  }
  const time = birth?.attr('value');
  if (birth !== undefined && time !== undefined && time.length > 8 && typeof resource.birthDate === 'string') {
    const value = dateTime(run, birth, { draft, path: '_birthDate.extension[0].valueDateTime' });
    resource._birthDate = {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/patient-birthTime', valueDateTime: value }],
    };
  }
  addGroups(run, person, draft, 'raceCode', 'us-core-race', OMB_RACES, 5);
  addGroups(run, person, draft, 'ethnicGroupCode', 'us-core-ethnicity', OMB_ETHNICITIES, 1);
  addConcept(
    run,
    person.child('religiousAffiliationCode'),
    draft,
    'http://hl7.org/fhir/StructureDefinition/patient-religion',
  );
  addBirthPlace(run, person, draft);
}

/** Of two forms of one choice element only one may stand: the one that says more. */
function preferPrecise(run: Run, person: XmlElement, draft: Draft, precise: string, vague: string, from: string): void {
  if (draft.resource[precise] === undefined || draft.resource[vague] === undefined) return;
  delete draft.resource[vague];
  const element = person.child(from);
  if (element === undefined) return;
  run.account.reopen(element);
  run.account.consumed(element, 'value', `${precise} says it`);
}

/** Race and ethnicity: the categories of the Office of Management and Budget, the detailed codes, and a text. */
function addGroups(
  run: Run,
  person: XmlElement,
  draft: Draft,
  name: string,
  profile: string,
  categories: ReadonlySet<string>,
  most: number,
): void {
  const parts: Json[] = [];
  const texts: string[] = [];
  const base = ((draft.resource.extension as unknown[] | undefined) ?? []).length;
  const stated = [...person.all(name), ...person.all(`sdtc:${name}`)];
  for (const element of stated.flatMap((one) => [one, ...one.all('translation')])) {
    const isCategory = categories.has(element.attr('code') ?? '');
    const full = parts.filter((part) => part.url === 'ombCategory').length >= most;
    const path = `extension[${base}].extension[${parts.length}]`;
    const value = coding(run, element, { draft, path: `${path}.valueCoding` });
    const flavor = element.attr('nullFlavor');
    if (value !== undefined) {
      parts.push({ url: isCategory && !full ? 'ombCategory' : 'detailed', valueCoding: value });
      texts.push(String(value.display ?? value.code));
    } else if (flavor === 'ASKU' || flavor === 'UNK') {
      const unknown = { system: 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor', code: flavor };
      parts.push({ url: 'ombCategory', valueCoding: unknown });
      texts.push(flavor === 'ASKU' ? 'Asked but no answer' : 'Unknown');
      run.account.mapped(element, 'nullFlavor', draft, `${path}.valueCoding.code`);
    }
  }
  if (parts.length === 0) return;
  parts.push({ url: 'text', valueString: [...new Set(texts)].join(', ') });
  draft.put('extension[]', { url: `${US_CORE}${profile}`, extension: parts });
}

function addConcept(run: Run, element: XmlElement | undefined, draft: Draft, url: string): void {
  if (element === undefined) return;
  const base = ((draft.resource.extension as unknown[] | undefined) ?? []).length;
  const value = codeableConcept(run, element, { draft, path: `extension[${base}].valueCodeableConcept` });
  if (value !== undefined) draft.put('extension[]', { url, valueCodeableConcept: value });
}

function addBirthPlace(run: Run, person: XmlElement, draft: Draft): void {
  const place = person.find('birthplace', 'place', 'addr');
  if (place === undefined) return;
  const holder = run.draft('Patient', ['birthplace']);
  const index = ((draft.resource.extension as unknown[] | undefined) ?? []).length;
  applyRows(run, person, holder, [['birthplace/place/addr', 'address[]', 'address']], 'Patient');
  const [value] = (holder.resource.address as Json[] | undefined) ?? [];
  if (value === undefined) return;
  holder.id = draft.id;
  holder.move('address[0]', `extension[${index}].valueAddress`);
  draft.put('extension[]', { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: value });
}

const BIRTH_SEX = '76689-9';

/** Birth sex (LOINC 76689-9) is told in the social history and belongs to the patient. */
export function adoptBirthSex(run: Run): void {
  for (const draft of run.all()) {
    if (draft.type !== 'Observation' || !draft.mayHold(BIRTH_SEX)) continue;
    const code = (draft.resource.code as { coding?: Json[] } | undefined)?.coding?.[0]?.code;
    const value = (draft.resource.valueCodeableConcept as { coding?: Json[] } | undefined)?.coding?.[0]?.code;
    if (code !== BIRTH_SEX || typeof value !== 'string' || !['M', 'F', 'UNK', 'OTH'].includes(value)) continue;
    run.patient.put('extension[]', { url: `${US_CORE}us-core-birthsex`, valueCode: value });
    return;
  }
}

const DEAD = '419099009';

/**
 * A death that an entry tells of by its template; what the header says stands. A relative's death has another template
 * and is never the patient's.
 */
export function adoptDeath(run: Run): void {
  const { resource } = run.patient;
  if (resource.deceasedDateTime !== undefined || resource.deceasedBoolean !== undefined) return;
  for (const draft of run.deaths) {
    const value = draft.resource.valueCodeableConcept as { coding?: Json[] } | undefined;
    if (value?.coding?.[0]?.code !== DEAD || draft.resource.status === 'entered-in-error') continue;
    const during = draft.resource.effectivePeriod as Json | undefined;
    const at = draft.resource.effectiveDateTime ?? during?.start;
    if (at === undefined) resource.deceasedBoolean = true;
    else resource.deceasedDateTime = at;
    return;
  }
}
