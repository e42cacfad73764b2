/**
 * FHIR resources as an HL7 v2.5.1 message, by the tables that v2 → FHIR is done by. Pure: the same resources and
 * envelope give the same bytes.
 */
import type { HeaderValues } from '@causeway/hl7v2';
import type { Resource } from '@medplum/fhirtypes';
import { type Envelope, recordNumber } from '../envelope.ts';
import { looseObservations, writeAdt, writePatientRoles, writeRest, writeVisitRoles } from './adt.ts';
import { structureOf } from './messages.ts';
import { childOf, type Element, listOf, OutboundRecord, textOf } from './record.ts';
import { writeCharges } from './segments/charges.ts';
import { writeAllergies, writeDiagnoses } from './segments/clinical.ts';
import { writeConsents } from './segments/consent.ts';
import { writeDocument } from './segments/document.ts';
import { writeGuarantors, writeInsurance } from './segments/finance.ts';
import { ownHeader, relayedHeader, writeEvent, writeSoftware } from './segments/header.ts';
import { orderGroups, writeOrder } from './segments/orders.ts';
import { isRetired, writeNextOfKin, writePd1, writePid } from './segments/patient.ts';
import { isAskedByAnother, writeImmunization, writeMedicationOrder } from './segments/pharmacy.ts';
import { isReferral, writeReferral } from './segments/referral.ts';
import { writeObservation } from './segments/results.ts';
import { writeResources, writeSchedule } from './segments/schedule.ts';
import { Sheet } from './segments/sheet.ts';
import { encounterOf, writeNoVisit, writeVisit } from './segments/visit.ts';
import { told } from './told.ts';
import { inVersion } from './versions.ts';

/** What a message is to say: its type, and the resources it says it of. */
export interface OutboundMessage {
  /** MSH-9.1, e.g. `ADT`. */
  code: string;
  /** MSH-9.2, e.g. `A08`. */
  event: string;
  /** Everything the message speaks of, with what it refers to (practitioners, locations, organizations). */
  resources: readonly Resource[];
}

const VERSION = '2.5.1';
const CONTROL_ID_LENGTH = 20;

/**
 * Writes a message.
 * @param shortened takes a sentence for each value that did not fit its field
 * @returns a sentence where it cannot be written: a type that is not known, a recipient without a record number
 */
export function writeV2(
  { code, event, resources }: OutboundMessage,
  envelope: Envelope,
  shortened: string[] = [],
): Uint8Array | string {
  const structure = structureOf(code, event);
  if (structure === undefined) return `Messages of type ${code}^${event} are not written.`;
  if (envelope.controlId.length > CONTROL_ID_LENGTH) return 'The control id is longer than 20 characters.';
  const relayed = envelope.relayed === true;
  if (!relayed && !envelope.introduced && recordNumber(envelope) === undefined)
    return 'The recipient is known by no record number of the destination.';
  const record = new OutboundRecord(relayed ? resources : told(resources, envelope));
  const subject = record.all('Patient').find((item) => !isRetired(item)) ?? record.all('Patient')[0];
  const { kind, version } = envelope;
  const writing = { record, origin: envelope.origin.key, relayed, ...(relayed ? {} : { kind }) };
  const sheet = new Sheet(writing, code, event, subject);
  const patient = relayed ? (subject ?? { resourceType: 'Patient' }) : recipientOf(envelope);
  const type = [code, event, relayed ? (structureSaid(sheet) ?? structure) : structure];
  const header: HeaderValues = relayed
    ? relayedHeader(sheet, envelope, type, VERSION)
    : ownHeader(envelope, type, VERSION);
  if (relayed) writeSoftware(sheet);
  BODIES[code]!(sheet, structure, patient, envelope);
  if (relayed && code !== 'ADT') writeRest(sheet);
  shortened.push(...sheet.shortened);
  const message = sheet.build(header);
  return version === undefined || version === VERSION ? message.toBytes() : inVersion(message.toString(), version);
}

/** MSH-9.3 as the sender wrote it. */
function structureSaid({ code, event, provenance }: Sheet): string | undefined {
  const said = textOf(childOf(listOf(provenance, 'contained')[0], 'eventCoding'), 'display')?.split('^');
  return said?.[0] === code && said[1] === event ? said[2] : undefined;
}

type Body = (sheet: Sheet, structure: string, patient: Element, envelope: Envelope) => void;

const BODIES: Readonly<Record<string, Body>> = {
  ADT: (sheet, structure, patient, envelope) => {
    writeEvent(sheet, envelope);
    writeAdt(sheet, structure, patient);
    if (sheet.relayed) writeOrders(sheet);
  },
  ORU: (sheet, _structure, patient) => {
    writeSubject(sheet, patient);
    for (const observation of looseObservations(sheet)) writeObservation(sheet, observation);
    writeOrders(sheet);
  },
  ORM: writeOrderMessage,
  OMG: writeOrderMessage,
  OML: writeOrderMessage,
  RDE: writeOrderMessage,
  VXU: (sheet, _structure, patient) => {
    writeSubject(sheet, patient);
    writeGuarantors(sheet);
    writeInsurance(sheet);
    for (const [index, item] of sheet.ofPatient('Immunization', 'patient').entries())
      writeImmunization(sheet, item, index === 0);
    if (!sheet.relayed) return;
    writeConsents(sheet);
    for (const observation of looseObservations(sheet)) writeObservation(sheet, observation);
  },
  MDM: (sheet, _structure, patient, envelope) => {
    writeEvent(sheet, envelope);
    writeSubject(sheet, patient);
    if (!sheet.relayed && encounterOf(sheet) === undefined) writeNoVisit(sheet);
    writeOrders(sheet);
    for (const document of sheet.ofPatient('DocumentReference')) writeDocument(sheet, document);
  },
  SIU: (sheet, _structure, patient) => {
    const [appointment] = sheet.record.all('Appointment');
    if (appointment !== undefined) writeSchedule(sheet, appointment);
    writeSubject(sheet, patient);
    for (const observation of looseObservations(sheet)) writeObservation(sheet, observation);
    writeDiagnoses(sheet, encounterOf(sheet));
    if (appointment !== undefined) writeResources(sheet, appointment);
    if (sheet.relayed) writeOrders(sheet);
  },
};

function writeOrderMessage(sheet: Sheet, _structure: string, patient: Element): void {
  writeSubject(sheet, patient);
  writeInsurance(sheet);
  writeGuarantors(sheet);
  writeAllergies(sheet);
  writeDiagnoses(sheet, encounterOf(sheet));
  const loose = looseObservations(sheet);
  // After an order they would be read as its own; our own messages have no other place for them.
  if (sheet.relayed) for (const observation of loose) writeObservation(sheet, observation);
  writeOrders(sheet);
  if (!sheet.relayed) for (const observation of loose) writeObservation(sheet, observation);
}

/** The patient, next of kin and the visit. */
function writeSubject(sheet: Sheet, patient: Element): void {
  writePid(sheet, patient);
  writePd1(sheet, patient);
  if (sheet.relayed) writePatientRoles(sheet, patient);
  writeNextOfKin(sheet);
  const encounter = encounterOf(sheet);
  if (encounter === undefined) return;
  writeVisit(sheet, encounter);
  if (sheet.relayed) writeVisitRoles(sheet, encounter);
}

/** Orders for services, with their reports, and for medicines. */
function writeOrders(sheet: Sheet): void {
  const groups = orderGroups(sheet);
  for (const [index, group] of groups.entries()) writeOrder(sheet, group, index === 0);
  const requests = sheet.record.all('MedicationRequest').filter((item) => !isAskedByAnother(sheet, item));
  for (const [index, request] of requests.entries()) {
    const encoded = sheet.code === 'RDE' || (sheet.code !== 'ORM' && request.intent === 'order');
    writeMedicationOrder(sheet, request, encoded, index === 0 && groups.length === 0);
  }
  if (!sheet.relayed) return;
  writeConsents(sheet);
  writeCharges(sheet);
  for (const request of sheet.record.all('ServiceRequest').filter(isReferral)) writeReferral(sheet, request);
}

/** The destination's own Patient, its record number first and under the name of the destination's authority. */
function recipientOf(envelope: Envelope): Element {
  const { patient, identifierSystem, authority } = envelope.recipient;
  if (envelope.introduced) return patient as object as Element;
  const all = listOf(patient, 'identifier');
  const own = all.find(({ system, value }) => system === identifierSystem && value !== undefined)!;
  const number = {
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] },
    ...own,
    ...(authority !== undefined && { assigner: { ...childOf(own, 'assigner'), display: authority } }),
  };
  return { ...(patient as object as Element), identifier: [number, ...all.filter((item) => item !== own)] };
}
