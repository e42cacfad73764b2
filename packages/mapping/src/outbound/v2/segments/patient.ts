/** PID, PD1, ARV, NK1 and MRG: the patient and next of kin. */
import { NK1, PD1, PID } from '../../../v2/tables/patient.ts';
import { PD1_STATEMENTS, PID_STATEMENTS } from '../../../v2/tables/statements.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, codingsOf, type Element, extensionOf, hasCode, listOf, refersTo, textOf } from '../record.ts';
import { writeCodings, writeTableConcept } from '../values/coded.ts';
import { writeAddress, writeContactPoints } from '../values/contacts.ts';
import { isOfKind, writeAuthority, writeExtendedIdentifier } from '../values/identifiers.ts';
import { writeName, writeNames } from '../values/names.ts';
import { organizationOf, writeOrganization } from '../values/parties.ts';
import { writeDateTime, writePeriod } from '../values/primitives.ts';
import type { Sheet } from './sheet.ts';
import { writeStatements } from './statements.ts';

const REASON = 'http://hl7.org/fhir/StructureDefinition/workflow-reason';
const BIRTH_TIME = 'http://hl7.org/fhir/StructureDefinition/patient-birthTime';

const pidRows = compileBack(PID, { skip: ['PID-7'] });
/** PID-2 and PID-4 are retired: in our own messages every identifier stands in PID-3. */
const ownPidRows = compileBack(PID, { skip: ['PID-2', 'PID-4', 'PID-7'] });
const pd1Rows = compileBack(PD1);
const nk1Rows = compileBack(NK1, {
  skip: ['NK1-16'],
  single: ['NK1-3'],
  last: ['NK1-40', 'NK1-41'],
});

export function writePid(sheet: Sheet, patient: Element): void {
  sheet.restart('PID');
  sheet.addNumbered(
    'PID',
    (fields) => {
      if (sheet.relayed) {
        const { names, alias } = namesOf(patient);
        pidRows({ ...withoutDisabled(patient), name: names }, fields, sheet);
        fields.add(9, ...writeNames(alias));
      } else ownPidRows(patient, fields, sheet);
      fields.add(7, birthTime(patient));
      const account = accountOf(sheet);
      if (account !== undefined)
        fields.add(18, ...listOf(account, 'identifier').slice(0, 1).map(writeExtendedIdentifier));
      const mother = sheet.ofPatient('RelatedPerson', 'patient').find(isMother);
      fields.add(21, ...listOf(mother, 'identifier').map(writeExtendedIdentifier));
      writeStatements(sheet, PID_STATEMENTS, fields);
      writeRecordUpdate(sheet, patient, fields);
    },
    true,
  );
}

/** A further name of which no use is told, beside one of which it is, is an alias (PID-9). */
function namesOf(patient: Element): { names: readonly Element[]; alias: Element[] } {
  const [first, ...others] = listOf(patient, 'name');
  if (first?.use === undefined) return { names: listOf(patient, 'name'), alias: [] };
  return {
    names: [first, ...others.filter(({ use }) => use !== undefined)],
    alias: others.filter(({ use }) => use === undefined),
  };
}

/** The number of the disabled person stands in DB1. */
function withoutDisabled(patient: Element): Element {
  return { ...patient, identifier: listOf(patient, 'identifier').filter((item) => !isOfKind(item, 'disabled')) };
}

/** The account that charges and coverage hang on. */
export function accountOf(sheet: Sheet): Element | undefined {
  return sheet.ofPatient('Account')[0];
}

export function writePd1(sheet: Sheet, patient: Element): void {
  sheet.add('PD1', (fields) => {
    pd1Rows(withoutRoles(sheet, patient), fields, sheet);
    for (const { other, type } of listOf(patient, 'link')) {
      const identifier = childOf(other, 'identifier');
      if (type === 'seealso' && identifier !== undefined) fields.add(10, writeExtendedIdentifier(identifier));
    }
    writeStatements(sheet, PD1_STATEMENTS, fields);
  });
}

/** Practitioners who are named with a role stand in segments of their own. */
function withoutRoles(sheet: Sheet, patient: Element): Element {
  const generalPractitioner = listOf(patient, 'generalPractitioner').filter(
    (reference) => sheet.record.resolve(reference)?.resourceType !== 'PractitionerRole',
  );
  return { ...patient, generalPractitioner };
}

/** ARV: restrictions of access to the patient's record. */
export function writeRestrictions(sheet: Sheet): void {
  for (const flag of sheet.ofPatient('Flag')) {
    if (textOf(listOf(flag, 'category')[0], 'text') !== 'Access restriction') continue;
    sheet.addNumbered('ARV', (fields) => {
      fields.add(2, flag.status === 'inactive' ? 'D' : 'A');
      for (const { system, ...coding } of codingsOf(flag.code)) {
        const own = system === 'http://terminology.hl7.org/CodeSystem/v2-0717';
        fields.add(3, writeCodings([own ? coding : { system, ...coding }], undefined, sheet));
      }
      for (const item of listOf(flag, 'extension'))
        if (item.url === REASON)
          fields.add(4, writeTableConcept('0719', listOf(item, 'extension')[0]?.valueCodeableConcept, sheet));
      fields.add(5, textOf(flag.code, 'text'));
      fields.add(6, writePeriod(flag.period));
    });
  }
}

/** NK1 of those related to the patient who are no guarantor and hold no insurance. */
export function writeNextOfKin(sheet: Sheet): void {
  const insured = new Set(
    sheet.ofPatient('Coverage', 'beneficiary').map((item) => textOf(item.subscriber, 'reference')),
  );
  const contacts = [...listOf(sheet.patient, 'contact')];
  for (const person of sheet.ofPatient('RelatedPerson', 'patient')) {
    const isSubscriber = insured.has(`RelatedPerson/${String(person.id)}`) && person.relationship === undefined;
    if (isMother(person) || isGuarantor(person) || isSelf(person) || isSubscriber) continue;
    if (sheet.relayed && sheet.record.referring('Consent', 'performer', person).length > 0) continue;
    sheet.addNumbered('NK1', (fields) => {
      nk1Rows(person, fields, sheet);
      fields.add(16, birthTime(person));
      const text = textOf(listOf(person, 'name')[0], 'text');
      if (text !== undefined) fields.add(13, text);
      const same = contacts.findIndex(
        ({ relationship }) => JSON.stringify(relationship) === JSON.stringify(person.relationship),
      );
      if (same >= 0) writeContact(sheet, contacts.splice(same, 1)[0]!, fields);
    });
  }
}

/** NK1-13 and -30 to -32: on whose behalf, and whom there, one contacts. */
function writeContact(sheet: Sheet, contact: Element, fields: SegmentFields): void {
  if (contact.organization !== undefined) fields.add(13, writeOrganization(contact.organization, sheet));
  if (contact.name !== undefined) fields.add(30, writeName(contact.name));
  fields.add(31, ...writeContactPoints(listOf(contact, 'telecom')));
  if (contact.address !== undefined) fields.add(32, writeAddress(contact.address));
}

/** MRG after the PID that stays: the identifiers that go away. */
export function writeMerged(sheet: Sheet, retired: Element): void {
  sheet.add('MRG', (fields) => {
    fields.add(1, ...listOf(retired, 'identifier').map(writeExtendedIdentifier));
    fields.add(7, ...listOf(retired, 'name').map(writeName));
  });
}

/** Patients that the patient has taken the place of. */
export function replacedBy(sheet: Sheet, patient: Element): Element[] {
  return sheet.record
    .all('Patient')
    .filter((item) =>
      listOf(item, 'link').some(({ other, type }) => type === 'replaced-by' && refersTo(other, patient)),
    );
}

/** Whether another patient took the patient's place. */
export function isRetired(patient: Element): boolean {
  return listOf(patient, 'link').some(({ type }) => type === 'replaced-by');
}

export function isGuarantor(person: Element): boolean {
  return listOf(person, 'relationship').some((item) => hasCode(item, 'GUAR'));
}

/** What an insurance knows of the patient. */
export function isSelf(person: Element): boolean {
  return listOf(person, 'relationship').some((item) => hasCode(item, 'ONESELF'));
}

/** The mother known by number alone (PID-21). */
function isMother(person: Element): boolean {
  const role = 'http://terminology.hl7.org/CodeSystem/v3-RoleCode';
  return person.name === undefined && listOf(person, 'relationship').some((item) => hasCode(item, 'MTH', role));
}

/** The day of birth, with the time of day when it is known. */
export function birthTime(person: Element): string {
  const time = extensionOf(person._birthDate, BIRTH_TIME);
  return writeDateTime(typeof time === 'string' ? time : person.birthDate);
}

/** PID-33 and PID-34: when and where the patient's record was last changed. */
function writeRecordUpdate(sheet: Sheet, patient: Element, fields: SegmentFields): void {
  const update = sheet.record
    .all('Provenance')
    .find((item) => item !== sheet.provenance && listOf(item, 'target').some((target) => refersTo(target, patient)));
  if (update === undefined) return;
  fields.add(33, writeDateTime(update.recorded));
  const who = childOf(listOf(update, 'agent')[0], 'who');
  fields.add(34, writeAuthority(organizationOf(who, sheet)));
}
