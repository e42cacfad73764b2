/** Plan of treatment: orders and proposals that have yet to be carried out. */
import type { Appointment, DeviceRequest, Encounter, MedicationRequest, ServiceRequest } from '@medplum/fhirtypes';
import { choice, dayWords, wordsOf } from '../any-value.ts';
import { amounts, effectiveTimes, instructions } from '../dosage.ts';
import { type CdaElement, el } from '../element.ts';
import { externalDocuments } from '../external-documents.ts';
import { notes } from '../notes-within.ts';
import { nested } from '../observation.ts';
import { authors, performer, place, product, withOneAuthor } from '../participants.ts';
import { putBack } from '../put-back.ts';
import { emptyBody, type SectionBody, type SectionKind } from '../section.ts';
import { statement, statusCode, textReference } from '../statement.ts';
import { template } from '../templates.ts';
import { code, fixed, ids, interval, nameOf, period, time } from '../values.ts';
import type { Writer } from '../writer.ts';
import { addCarePlans } from './care-plans.ts';
import { isPlannedEncounter } from './encounters.ts';
import { conceptOf, isPlanned, manufactured, medicineCells, reasons } from './medications.ts';

export const PLAN: SectionKind = {
  template: ['.2.10', '2014-06-09'],
  code: '18776-5',
  display: 'Plan of care note',
  title: 'Plan of Treatment',
  none: 'There is no information about plans.',
};

export function writePlan(writer: Writer): SectionBody {
  const { chart } = writer;
  const body = emptyBody(['Planned', 'When', 'Status']);
  const add = (element: (row: string) => CdaElement, ...cells: (string | undefined)[]): void => {
    const row = writer.nextId('plan');
    body.rows.push({ id: row, cells });
    body.entries.push(element(row));
  };
  for (const request of chart.all<ServiceRequest>('ServiceRequest')) {
    if (request.status === 'entered-in-error' || writer.take(request)) continue;
    const when = choice(request, 'occurrence');
    const refused = request.doNotPerform ? ' (not to be done)' : '';
    add(
      (row) => plannedProcedure(writer, request, row),
      `${nameOf(request.code) ?? 'not stated'}${refused}`,
      when === undefined ? dayWords(request.authoredOn) : wordsOf(when),
      request.status,
    );
  }
  for (const request of chart.all<MedicationRequest>('MedicationRequest')) {
    if (request.status === 'entered-in-error' || !isPlanned(writer, request) || writer.take(request)) continue;
    const [name, , when, status] = medicineCells(writer, request);
    add((row) => plannedMedication(writer, request, row), name, when, status);
  }
  for (const encounter of chart.all<Encounter>('Encounter')) {
    if (!isPlannedEncounter(encounter) || writer.take(encounter)) continue;
    add(
      (row) => plannedEncounter(writer, encounter, row),
      nameOf(encounter.type?.[0]) ?? 'Visit',
      dayWords(encounter.period?.start),
      encounter.status,
    );
  }
  for (const appointment of chart.all<Appointment>('Appointment')) {
    if (!OPEN_APPOINTMENTS.has(appointment.status) || writer.take(appointment)) continue;
    const kind = appointment.serviceType?.[0] ?? appointment.appointmentType;
    add(
      (row) => plannedVisit(writer, appointment, row),
      nameOf(kind) ?? 'Appointment',
      dayWords(appointment.start),
      appointment.status,
    );
  }
  for (const request of chart.all<DeviceRequest>('DeviceRequest')) {
    if (request.status === 'entered-in-error' || writer.take(request)) continue;
    const when = choice(request, 'occurrence');
    add(
      (row) => plannedSupply(writer, request, row),
      nameOf(request.codeCodeableConcept) ?? 'Device',
      when && wordsOf(when),
      request.status,
    );
  }
  addCarePlans(writer, body);
  return body;
}

const OPEN_APPOINTMENTS = new Set<Appointment['status']>(['proposed', 'pending', 'booked', 'waitlist']);

/** What is still to be done is active in C-CDA, whatever its state in FHIR; the narrative tells that. */
const STATUS = 'active';

function moodOf(intent: string): string {
  return intent === 'proposal' ? 'PRP' : intent === 'plan' ? 'INT' : 'RQO';
}

/** ActPriority. */
const PRIORITIES = { routine: 'R', urgent: 'UR', asap: 'A', stat: 'S' };

function plannedProcedure(writer: Writer, request: ServiceRequest, row: string): CdaElement {
  const { occurrencePeriod, occurrenceDateTime, occurrenceTiming } = request;
  const moment = occurrenceDateTime ?? occurrenceTiming?.event?.[0];
  const element = statement(
    'procedure',
    { classCode: 'PROC', moodCode: moodOf(request.intent), negationInd: request.doNotPerform || undefined },
    template('plannedProcedure'),
    ids(request),
    code('code', request.code),
    textReference(row),
    statusCode(STATUS),
    occurrencePeriod === undefined ? time('effectiveTime', moment) : period('effectiveTime', occurrencePeriod),
    request.priority && fixed('priorityCode', PRIORITIES[request.priority], '2.16.840.1.113883.5.7'),
    (request.orderDetail ?? []).map((detail) => code('methodCode', detail)),
    (request.bodySite ?? []).map((site) => code('targetSiteCode', site)),
    (request.performer ?? []).map((who) => performer(writer, who, request)),
    withOneAuthor(writer, request, { who: request.requester, time: request.authoredOn }),
    (request.locationReference ?? []).map((where) => place(writer.chart.find(where, request), where.display)),
    reasons(writer, request),
    notes(request.note, writer),
    externalDocuments(writer, request),
    nested(writer, request),
  );
  return putBack(element, request);
}

function plannedMedication(writer: Writer, request: MedicationRequest, row: string): CdaElement {
  const dosages = request.dosageInstruction ?? [];
  const moodCode = moodOf(request.intent);
  const element = statement(
    'substanceAdministration',
    { classCode: 'SBADM', moodCode, negationInd: request.doNotPerform || undefined },
    template('plannedMedication'),
    ids(request),
    textReference(row),
    statusCode(STATUS),
    effectiveTimes(dosages, {}),
    amounts(dosages[0]),
    el('consumable', {}, manufactured(conceptOf(writer, request))),
    performer(writer, request.performer, request),
    withOneAuthor(writer, request, { who: request.requester, time: request.authoredOn }),
    reasons(writer, request),
    instructions(dosages, writer, 'INT'),
    notes(request.note, writer),
    externalDocuments(writer, request),
    nested(writer, request),
  );
  return putBack(element, request);
}

function plannedEncounter(writer: Writer, encounter: Encounter, row: string): CdaElement {
  const element = statement(
    'encounter',
    { classCode: 'ENC', moodCode: 'INT' },
    template('plannedEncounter'),
    ids(encounter),
    code('code', encounter.type?.[0] ?? { coding: [encounter.class] }),
    textReference(row),
    statusCode(STATUS),
    period('effectiveTime', encounter.period),
    (encounter.participant ?? []).map(({ individual }) => performer(writer, individual, encounter)),
    authors(writer, encounter),
    (encounter.location ?? []).map(({ location }) => place(writer.chart.find(location, encounter), location.display)),
    reasons(writer, encounter),
    nested(writer, encounter),
  );
  return putBack(element, encounter);
}

function plannedVisit(writer: Writer, appointment: Appointment, row: string): CdaElement {
  return statement(
    'encounter',
    { classCode: 'ENC', moodCode: 'APT' },
    template('plannedEncounter'),
    ids(appointment),
    code('code', appointment.serviceType?.[0] ?? appointment.appointmentType),
    textReference(row),
    statusCode(STATUS),
    interval('effectiveTime', { low: appointment.start, high: appointment.end }),
    appointment.participant.map(({ actor }) =>
      actor?.reference?.startsWith('Practitioner') ? performer(writer, actor, appointment) : undefined,
    ),
    reasons(writer, appointment as Appointment & { reasonReference?: undefined }),
  );
}

function plannedSupply(writer: Writer, request: DeviceRequest, row: string): CdaElement {
  const { occurrencePeriod, occurrenceDateTime } = request;
  const device = writer.chart.find(request.codeReference, request);
  const found = device?.resourceType === 'Device' ? device : undefined;
  if (found !== undefined) writer.take(found);
  const type = request.codeCodeableConcept;
  const element = statement(
    'supply',
    { classCode: 'SPLY', moodCode: moodOf(request.intent) },
    template('plannedSupply'),
    ids(request),
    textReference(row),
    statusCode(STATUS),
    occurrencePeriod === undefined
      ? time('effectiveTime', occurrenceDateTime)
      : period('effectiveTime', occurrencePeriod, { 'xsi:type': 'IVL_TS' }),
    performer(writer, request.performer, request),
    withOneAuthor(writer, request, { who: request.requester, time: request.authoredOn }),
    el(
      'participant',
      { typeCode: 'DEV' },
      product(writer, found ?? { resourceType: 'Device', id: request.id, type }, nameOf(type)),
    ),
    reasons(writer, request),
  );
  return putBack(element, request);
}
