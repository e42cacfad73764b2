/** SCH, RGS, AIS, AIG, AIL and AIP: an appointment. */
import { AIS, SCH } from '../../../v2/tables/scheduling.ts';
import { codeFor } from '../../../v2/vocabularies.ts';
import { compileBack } from '../engine.ts';
import type { SegmentFields } from '../fields.ts';
import { childOf, type Element, hasCode, listOf, refersTo, textOf } from '../record.ts';
import { writeConcept } from '../values/coded.ts';
import { writeAddress, writeContactPoint } from '../values/contacts.ts';
import { writeEntityIdentifier } from '../values/identifiers.ts';
import { writeLocation } from '../values/locations.ts';
import { practitionerOf, writePractitioner } from '../values/parties.ts';
import { writeDateTime } from '../values/primitives.ts';
import { writeRemark } from './notes.ts';
import type { Sheet } from './sheet.ts';

const schRows = compileBack(SCH, { single: ['SCH-1', 'SCH-2'] });
const aisRows = compileBack(AIS);

/** What is written before the patient. */
export function writeSchedule(sheet: Sheet, appointment: Element): void {
  sheet.add('SCH', (fields) => {
    schRows(appointment, fields, sheet);
    writeContact(sheet, appointment, fields, 'placer contact', { phone: 13, address: 14, location: 15 });
    writeContact(sheet, appointment, fields, 'filler contact', { phone: 17, address: 18, location: 19 });
    writeContact(sheet, appointment, fields, 'enterer', { phone: 21, location: 22 });
    const minutes = textOf(appointment, 'minutesDuration');
    fields.add(9, minutes);
    fields.add(10, minutes === undefined ? undefined : 'min');
    const [start, end] = [writeDateTime(appointment.start), writeDateTime(appointment.end)];
    fields.add(11, ['', '', '', start, end]);
    fields.add(25, statusCode(textOf(appointment, 'status')));
    const orders = listOf(appointment, 'basedOn').flatMap((reference) => childOf(reference, 'identifier') ?? []);
    for (const [index, order] of orders.slice(0, 2).entries()) fields.add(26 + index, writeEntityIdentifier(order));
  });
  writeRemark(sheet, appointment, 'comment');
}

/** HL7 table 0278. */
function statusCode(status: string | undefined): string | undefined {
  return codeFor('appointmentStatus', status);
}

interface ContactFields {
  phone: number;
  address?: number;
  location: number;
}

/** Phone, address and place of a contact person. */
function writeContact(
  sheet: Sheet,
  appointment: Element,
  fields: SegmentFields,
  kind: string,
  at: ContactFields,
): void {
  const participant = listOf(appointment, 'participant').find((item) => isKind(item, kind));
  const person = practitionerOf(participant?.actor, sheet);
  if (person === undefined) return;
  fields.add(at.phone, ...listOf(person, 'telecom').map((point) => writeContactPoint(point, 'work')));
  if (at.address !== undefined) fields.add(at.address, ...listOf(person, 'address').map(writeAddress));
  const role = sheet.record
    .all('PractitionerRole')
    .find((item) => item.code === undefined && refersTo(item.practitioner, person) && item.location !== undefined);
  const location = listOf(role, 'location')[0];
  if (location !== undefined) fields.add(at.location, writeLocation(location, sheet));
}

function isKind(participant: Element, kind: string): boolean {
  return listOf(participant, 'type').some((type) => textOf(type, 'text') === kind || hasCode(type, kind));
}

/** What is written after the patient: the service, and who and what is needed for it. */
export function writeResources(sheet: Sheet, appointment: Element): void {
  sheet.addNumbered('RGS', (fields) => fields.add(2, 'A'));
  const minutes = textOf(appointment, 'minutesDuration');
  for (const serviceType of listOf(appointment, 'serviceType'))
    sheet.addNumbered('AIS', (fields) => {
      aisRows({ serviceType: [serviceType] }, fields, sheet);
      fields.add(2, 'A');
      fields.add(4, writeDateTime(appointment.start));
      fields.add(7, minutes);
      fields.add(8, minutes === undefined ? undefined : 'min');
      fields.add(10, statusCode(textOf(appointment, 'status')));
    });
  for (const participant of listOf(appointment, 'participant')) {
    if (['placer contact', 'filler contact', 'enterer'].some((kind) => isKind(participant, kind))) continue;
    writeParticipant(sheet, appointment, participant);
  }
}

function writeParticipant(sheet: Sheet, appointment: Element, participant: Element): void {
  const actor = sheet.record.resolve(participant.actor);
  const type = listOf(participant, 'type')[0];
  const segment = actor === undefined && type === undefined ? undefined : SEGMENT[String(actor?.resourceType)];
  if (actor?.resourceType === 'Patient') return;
  const { name, status, start, duration } = segment ?? SEGMENT.Practitioner!;
  const period = textOf(childOf(participant, 'period'), 'start');
  sheet.addNumbered(name, (fields) => {
    if (name === 'AIL') fields.add(3, writeLocation(participant.actor, sheet));
    else if (name === 'AIG') fields.add(3, writeConcept(actor?.type, sheet));
    else if (participant.actor !== undefined) fields.add(3, writePractitioner(participant.actor, sheet));
    if (type !== undefined) fields.add(4, writeConcept(type, sheet));
    if (fields.isEmpty) return;
    fields.add(2, 'A');
    fields.add(start, writeDateTime(period));
    if (period !== undefined) {
      const minutes = textOf(appointment, 'minutesDuration');
      fields.add(duration, minutes);
      fields.add(duration + 1, minutes === undefined ? undefined : 'min');
    }
    fields.add(status, PARTICIPATION[textOf(participant, 'status') ?? '']);
  });
}

const SEGMENT: Record<string, { name: string; status: number; start: number; duration: number } | undefined> = {
  Practitioner: { name: 'AIP', status: 12, start: 6, duration: 9 },
  PractitionerRole: { name: 'AIP', status: 12, start: 6, duration: 9 },
  Location: { name: 'AIL', status: 12, start: 6, duration: 9 },
  Device: { name: 'AIG', status: 14, start: 8, duration: 11 },
};

/** HL7 table 0278 of a participation. */
export const PARTICIPATION: Readonly<Record<string, string | undefined>> = {
  accepted: 'BOOKED',
  declined: 'CANCELLED',
  tentative: 'PENDING',
};
