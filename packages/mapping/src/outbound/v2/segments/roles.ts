/** ROL, PRT and CTD: people, organizations and locations that take part in what precedes them. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { ROLE_FIELDS, type RoleFields } from '../../../v2/tables/roles.ts';
import type { SegmentFields } from '../fields.ts';
import { codingsOf, type Element, listOf, textOf } from '../record.ts';
import { writeConcept, writeVocabularyConcept } from '../values/coded.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { universalOf, writeEntityIdentifier } from '../values/identifiers.ts';
import { writeLocation } from '../values/locations.ts';
import { practitionerOf, writeNamedPractitioner, writeOrganization, writePractitioner } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import type { Sheet } from './sheet.ts';

/** Writes a segment for each role among the references. */
export function writeRoles(sheet: Sheet, name: 'ROL' | 'PRT', references: readonly unknown[]): void {
  for (const reference of references) {
    const role = sheet.record.resolve(reference);
    if (role?.resourceType === 'PractitionerRole') writeRole(sheet, name, role);
  }
}

/** Roles with a code that nothing refers to: they take part in the patient's care. */
export function unattachedRoles(sheet: Sheet): Element[] {
  const text = JSON.stringify(
    ['Patient', 'Encounter', 'Procedure', 'ServiceRequest', 'Observation', 'DiagnosticReport', 'MedicationRequest'].map(
      (type) => sheet.record.all(type),
    ),
  );
  const attached = new Set(Array.from(text.matchAll(/"PractitionerRole\/([^"]*)"/g), ([, id]) => id));
  return sheet.record.all('PractitionerRole').filter(({ code, id }) => code !== undefined && !attached.has(String(id)));
}

/** A role of HL7 table 0131 is that of a contact, whom CTD names. */
export function writeRole(sheet: Sheet, segment: 'ROL' | 'PRT', role: Element): void {
  const [code, ...kinds] = listOf(role, 'code');
  const isContact = codingsOf(code).some(({ system }) => system === CONTACT_ROLE);
  const name = isContact ? 'CTD' : segment;
  const at: RoleFields = ROLE_FIELDS[name];
  const location = listOf(role, 'location')[0];
  sheet.add(name, (fields) => {
    const put = (field: number | undefined, ...values: RepetitionValue[]) => {
      if (field !== undefined) fields.add(field, ...values);
    };
    put(at.role, code === undefined ? undefined : writeVocabularyConcept('providerRole', code, sheet));
    if (role.practitioner !== undefined)
      put(at.person, (isContact ? writeNamedPractitioner : writePractitioner)(role.practitioner, sheet));
    const period = role.period;
    put(at.start, writeDateTime(textOf(period, 'start')));
    put(at.end, writeDateTime(textOf(period, 'end')));
    put(at.specialty, ...listOf(role, 'specialty').map((item) => writeConcept(item, sheet)));
    put(at.kind, ...kinds.map((item) => writeConcept(item, sheet)));
    put(at.phone, ...listOf(role, 'telecom').map((item): RepetitionValue => writeContactPoint(item)));
    if (location !== undefined) put(at.location, writeLocation(location, sheet));
    if (role.organization !== undefined) put(at.organization, writeOrganization(role.organization, sheet));
    if (name === 'PRT') writeDevice(deviceAt(sheet, location), fields);
    put(at.address, ...addressesOf(sheet, role, location).map((item): RepetitionValue => writeAddress(item)));
    if (!fields.isEmpty) put(at.action, 'UC');
  });
}

/** PRT-10 and PRT-16 to -21: the device of the patient that is where the role is carried out. */
function writeDevice(device: Element | undefined, fields: SegmentFields): void {
  if (device === undefined) return;
  const [own, distinct] = listOf(device, 'identifier');
  if (own !== undefined) fields.add(10, writeEntityIdentifier(own));
  const carrier = listOf(device, 'udiCarrier')[0];
  if (carrier !== undefined)
    fields.add(16, [textOf(carrier, 'carrierHRF'), '', ...universalOf(textOf(carrier, 'issuer'))]);
  fields.add(17, writeDateTime(device.manufactureDate));
  fields.add(18, writeDateTime(device.expirationDate));
  fields.add(19, textOf(device, 'lotNumber'));
  fields.add(20, textOf(device, 'serialNumber'));
  if (distinct !== undefined) fields.add(21, writeEntityIdentifier(distinct));
}

function deviceAt(sheet: Sheet, location: Element | undefined): Element | undefined {
  const place = sheet.record.resolve(location);
  return place === undefined
    ? undefined
    : sheet.record.referring('Device', 'location', place).find(({ patient }) => patient !== undefined);
}

const CONTACT_ROLE = 'http://terminology.hl7.org/CodeSystem/v2-0131';

/** A role has no address: it stands with the person, else the organization, else the location. */
function addressesOf(sheet: Sheet, role: Element, location: Element | undefined): readonly Element[] {
  const person = practitionerOf(role.practitioner, sheet);
  const holder = person ?? sheet.record.resolve(role.organization) ?? sheet.record.resolve(location);
  if (holder?.resourceType !== 'Location') return listOf(holder, 'address');
  return holder.address === undefined ? [] : [holder.address as Element];
}
