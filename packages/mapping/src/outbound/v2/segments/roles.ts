/** ROL and PRT: people, organizations and locations that take part in what precedes them. */
import type { RepetitionValue } from '@causeway/hl7v2';
import { type Element, listOf, textOf } from '../record.ts';
import { writeConcept, writeVocabularyConcept } from '../values/coded.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { practitionerOf, writeLocation, writeOrganization, writePractitioner } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import type { Sheet } from './sheet.ts';

/** Field numbers as in `v2/segments/parties.ts`. */
const FIELDS = {
  ROL: {
    role: 3,
    person: 4,
    start: 5,
    end: 6,
    specialty: 9,
    kind: 10,
    address: 11,
    phone: 12,
    location: 13,
    organization: 14,
  },
  PRT: {
    role: 4,
    person: 5,
    start: 11,
    end: 12,
    specialty: 6,
    kind: 7,
    address: 14,
    phone: 15,
    location: 9,
    organization: 8,
  },
} as const;

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
  return sheet.record
    .all('PractitionerRole')
    .filter((role) => role.code !== undefined && !text.includes(`"PractitionerRole/${String(role.id)}"`));
}

export function writeRole(sheet: Sheet, name: 'ROL' | 'PRT', role: Element): void {
  const at = FIELDS[name];
  const [code, ...kinds] = listOf(role, 'code');
  const location = listOf(role, 'location')[0];
  sheet.add(name, (fields) => {
    fields.add(at.role, code === undefined ? undefined : writeVocabularyConcept('providerRole', code, sheet));
    if (role.practitioner !== undefined) fields.add(at.person, writePractitioner(role.practitioner, sheet));
    const period = role.period;
    fields.add(at.start, writeDateTime(textOf(period, 'start')));
    fields.add(at.end, writeDateTime(textOf(period, 'end')));
    fields.add(at.specialty, ...listOf(role, 'specialty').map((item) => writeConcept(item, sheet)));
    fields.add(at.kind, ...kinds.map((item) => writeConcept(item, sheet)));
    fields.add(at.phone, ...listOf(role, 'telecom').map((item): RepetitionValue => writeContactPoint(item)));
    if (location !== undefined) fields.add(at.location, writeLocation(location, sheet));
    if (role.organization !== undefined) fields.add(at.organization, writeOrganization(role.organization, sheet));
    fields.add(at.address, ...addressesOf(sheet, role, location).map((item): RepetitionValue => writeAddress(item)));
    if (fields.isEmpty) return;
    fields.add(2, 'UC');
  });
}

/** A role has no address: it stands with the person, else the organization, else the location. */
function addressesOf(sheet: Sheet, role: Element, location: Element | undefined): Element[] {
  const person = practitionerOf(role.practitioner, sheet);
  const holder = person ?? sheet.record.resolve(role.organization) ?? sheet.record.resolve(location);
  if (holder?.resourceType !== 'Location') return listOf(holder, 'address');
  return holder.address === undefined ? [] : [holder.address as Element];
}
