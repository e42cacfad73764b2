/** Harbor General Hospital: its registrations, stays, results, summaries and bookings as HL7 v2.5.1 messages. */

import { DAY_MS, HOUR_MS, MINUTE_MS } from './calendar.ts';
import { CONDITIONS } from './codes/conditions.ts';
import { components, escapeText, message, rawComponents, segment } from './er7.ts';
import { careProvider, careRole, clinician, header, hospitalPatient, hospitalTime, kin } from './er7-patient.ts';
import { type HospitalRecords, hospitalRecords } from './hospital-registrations.ts';
import {
  allergies,
  allergyFacts,
  diagnoses,
  insurance,
  procedures,
  statedConditions,
  summaryLines,
  visit,
} from './hospital-segments.ts';
import { conditionFact, type Fact, type Outgoing, procedureFact, resultFacts } from './outgoing.ts';
import type { Household, Person } from './people.ts';
import { demographicsAt, type Registration } from './registrations.ts';
import { hospitalResults, releasesOf } from './results-er7.ts';
import { HOSPITAL_DOCTORS, siteOf } from './sites.ts';
import type { Appointment, Stay, Story } from './story.ts';

export interface SiteTelling {
  registrations: Registration[];
  outgoing: Outgoing[];
}

/** What the hospital knows of one person and the messages it sends about them. */
export function hospitalTelling(home: Household, story: Story): SiteTelling {
  const desk = deskOf(home, story);
  if (!desk) return { registrations: [], outgoing: [] };
  const { records } = desk;
  const outgoing = [
    ...story.stays.flatMap((stay) => stayMessages(desk, stay)),
    ...story.appointments.map((appointment) => booking(desk, appointment)),
    ...records.registrations.flatMap((registration) => registrationMessages(desk, registration)),
  ];
  return { registrations: records.registrations, outgoing };
}

/** The messages of a stay of somebody who has a record at the hospital. */
export function hospitalStay(home: Household, story: Story, stay: Stay): Outgoing[] {
  const desk = deskOf(home, story);
  return desk ? stayMessages(desk, stay) : [];
}

/** REF^I12: the hospital asks the family practice to go on; none for who has no record at the hospital. */
export function hospitalReferral(home: Household, story: Story, at: number): Outgoing[] {
  const desk = deskOf(home, story);
  const doctor = HOSPITAL_DOCTORS.cardiology!;
  const practice = siteOf('millbrook-practice');
  const { condition } = story.problems.at(-1) ?? { condition: CONDITIONS.hypertension };
  if (!desk) return [];
  const write = (controlId: string) =>
    message([
      header('harbor-hospital', 'REF^I12^REF_I12', at, controlId),
      segment('RF1', {
        1: components('P', 'Pending', 'HL70283'),
        2: components('R', 'Routine', 'HL70280'),
        3: components('MED', 'Medical', 'HL70281'),
        6: components(`HR${story.person.ordinal}`, 'HARBORADT'),
        7: hospitalTime(at),
        9: hospitalTime(at),
        10: components(condition.icd10, condition.text, 'I10'),
        19: rawComponents(escapeText(practice.name), '', practice.oid, '', '', '', 'ISO'),
      }),
      segment('PRD', {
        1: components('RP', 'Referring provider', 'HL70286'),
        2: components(doctor.family, doctor.given),
      }),
      ...who(desk, undefined, at).slice(0, 1),
      segment('DG1', { 1: '1', 3: components(condition.icd10, condition.text, 'I10'), 6: 'W' }),
    ]);
  return [outgoing('REF^I12^REF_I12', at, [], write)];
}

function deskOf(home: Household, story: Story): Desk | undefined {
  const records = hospitalRecords(home, story.person, story);
  return records && { home, story, person: story.person, records };
}

interface Desk {
  home: Household;
  story: Story;
  person: Person;
  records: HospitalRecords;
}

function stayMessages(desk: Desk, stay: Stay): Outgoing[] {
  const admission = stay.kind === 'emergency' ? 'ADT^A04^ADT_A01' : 'ADT^A01^ADT_A01';
  const list: Outgoing[] = [];
  if (stay.slip === 'admission cancelled') {
    list.push(adt(desk, stay, admission, stay.from - 40 * MINUTE_MS, { visit: `${stay.id}X` }));
    list.push(adt(desk, stay, 'ADT^A11^ADT_A09', stay.from - 10 * MINUTE_MS, { visit: `${stay.id}X` }));
  }
  list.push(adt(desk, stay, admission, stay.from, {}));
  if (stay.slip === 'transfer cancelled') {
    list.push(adt(desk, stay, 'ADT^A02^ADT_A02', stay.from + HOUR_MS, { ward: '4W' }));
    list.push(adt(desk, stay, 'ADT^A12^ADT_A12', stay.from + 90 * MINUTE_MS, {}));
  }
  if (stay.kind === 'inpatient')
    list.push(adt(desk, stay, 'ADT^A08^ADT_A01', stay.from + 6 * HOUR_MS, { withDetails: true }));
  for (const order of stay.orders) list.push(...results(desk, stay, order));
  list.push(adt(desk, stay, 'ADT^A03^ADT_A03', stay.to, { discharged: true, withDetails: true }));
  if (stay.slip === 'discharge cancelled') {
    list.push(adt(desk, stay, 'ADT^A13^ADT_A01', stay.to + 30 * MINUTE_MS, {}));
    list.push(adt(desk, stay, 'ADT^A03^ADT_A03', stay.to + 5 * HOUR_MS, { discharged: true, withDetails: true }));
  }
  if (stay.kind === 'inpatient') list.push(summary(desk, stay));
  return list;
}

interface AdtDetails {
  visit?: string;
  ward?: string;
  discharged?: boolean;
  withDetails?: boolean;
}

function adt(desk: Desk, stay: Stay, type: string, at: number, details: AdtDetails): Outgoing {
  const { story, home, person } = desk;
  const trigger = type.slice(4, 7);
  const isOpening = trigger === 'A01' || trigger === 'A04' || trigger === 'A08';
  const said = isOpening || details.withDetails === true;
  const identified = filing(desk, stay, at).identified;
  const conditions = identified ? statedConditions(story, stay, at) : [stay.condition];
  const states: Fact[] = said ? conditions.map(conditionFact) : [];
  if (said && identified) states.push(...allergyFacts(story, at));
  if (details.withDetails) states.push(...stay.procedures.map(procedureFact));
  return outgoing(type, at, states, (controlId) =>
    message([
      header('harbor-hospital', type, at, controlId),
      event(trigger, at),
      ...who(desk, stay, at),
      ...(isOpening && identified ? [careRole(story.familyDoctor), ...kinOf(home, person)] : []),
      visit(identified ? story.familyDoctor : undefined, stay, {
        visitId: details.visit ?? stay.id,
        ward: details.ward,
        discharged: details.discharged,
      }),
      ...(said && identified ? allergies(story, at) : []),
      ...(said ? diagnoses(conditions, stay) : []),
      ...(details.withDetails ? procedures(stay) : []),
      ...(isOpening && identified ? insurance(person) : []),
    ]),
  );
}

function results(desk: Desk, stay: Stay, order: Stay['orders'][number]): Outgoing[] {
  const doctor = HOSPITAL_DOCTORS[stay.specialty]!;
  const facts =
    order.amendment === 'retracted' || order.amendment === 'deleted' ? resultFacts(order).slice(1) : resultFacts(order);
  return releasesOf(order).map((release) => {
    const at = order.at + (release.at - order.at) / 4;
    return outgoing('ORU^R01^ORU_R01', at, facts, (controlId) =>
      message([
        header('harbor-hospital', 'ORU^R01^ORU_R01', at, controlId),
        ...who(desk, stay, at),
        visit(filing(desk, stay, at).identified ? desk.story.familyDoctor : undefined, stay, { visitId: stay.id }),
        ...hospitalResults(order, { ...release, at }, clinician(doctor)),
      ]),
    );
  });
}

/** MDM^T02: the discharge summary as text, one OBX of formatted text a paragraph. */
function summary(desk: Desk, stay: Stay): Outgoing {
  const at = stay.to + DAY_MS;
  const doctor = HOSPITAL_DOCTORS[stay.specialty]!;
  return outgoing('MDM^T02^MDM_T02', at, [], (controlId) =>
    message([
      header('harbor-hospital', 'MDM^T02^MDM_T02', at, controlId),
      event('T02', at),
      ...who(desk, stay, at).slice(0, 1),
      visit(desk.story.familyDoctor, stay, { visitId: stay.id, discharged: true }),
      segment('TXA', {
        1: '1',
        2: components('DS', 'Discharge summary', 'HL70270', '18842-5', 'Discharge summary', 'LN'),
        3: 'TX',
        4: hospitalTime(stay.to),
        5: clinician(doctor),
        6: hospitalTime(at),
        9: clinician(doctor),
        12: components(`HD${stay.id}`, 'HARBORADT'),
        17: 'AU',
        19: 'AV',
      }),
      ...summaryLines(desk.story, stay).map((text, index) =>
        segment('OBX', {
          1: String(index + 1),
          2: 'FT',
          3: components('18842-5', 'Discharge summary', 'LN'),
          4: '1',
          5: escapeText(text),
          11: 'F',
        }),
      ),
    ]),
  );
}

function booking(desk: Desk, appointment: Appointment): Outgoing {
  const { story } = desk;
  const doctor = HOSPITAL_DOCTORS[appointment.specialty]!;
  const { bookedAt, at } = appointment;
  return outgoing('SIU^S12^SIU_S12', bookedAt, [], (controlId) =>
    message([
      header('harbor-hospital', 'SIU^S12^SIU_S12', bookedAt, controlId),
      segment('SCH', {
        1: components(`HA${appointment.id}`, 'HARBORADT'),
        2: components(`HA${appointment.id}`, 'HARBORADT'),
        6: components('FOLLOWUP', 'Outpatient appointment', 'HGHAPPT'),
        7: components(appointment.reason.icd10, appointment.reason.text, 'I10'),
        8: components('ROUTINE', 'Routine', 'HL70276'),
        9: '30',
        10: components('min', 'minute', 'UCUM'),
        11: components('1', '', '', hospitalTime(at), hospitalTime(at + 30 * MINUTE_MS)),
        16: clinician(doctor),
        20: clinician(doctor),
        25: components('Booked', 'Booked', 'HL70278'),
      }),
      ...who(desk, undefined, bookedAt),
      segment('PV1', {
        1: '1',
        2: 'O',
        3: components('OPD', '', '', 'HGH'),
        7: clinician(doctor),
        8: clinician(story.familyDoctor),
      }),
      segment('RGS', { 1: '1', 2: 'A' }),
      segment('AIS', {
        1: '1',
        2: 'A',
        3: components('CONS', 'Consultation', 'HGHAPPT'),
        4: hospitalTime(at),
        7: '30',
        8: 'min',
      }),
      segment('AIP', {
        1: '1',
        2: 'A',
        3: clinician(doctor),
        4: components('ATTENDING', 'Doctor seen', 'HGHROLE'),
        6: hospitalTime(at),
        9: '30',
        10: 'min',
      }),
      segment('AIL', {
        1: '1',
        2: 'A',
        3: components('OPD', '2', '', 'HGH'),
        4: components('CLINIC', 'Clinic', 'HGHLOC'),
      }),
    ]),
  );
}

/** Changes of the registration itself: a name given, a slip corrected, a move, a marriage (A08, A31), a merge (A40). */
function registrationMessages(desk: Desk, registration: Registration): Outgoing[] {
  const { person, home } = desk;
  const list: Outgoing[] = [];
  const named = registration.placeholder?.namedAt;
  if (named !== undefined && named < home.until) list.push(update(desk, registration, 'ADT^A08^ADT_A01', named));
  const changes = [
    registration.correctedAt,
    ...(registration.followsChanges ? [person.movedAt, person.marriedAt] : []),
  ];
  for (const at of changes) {
    const told = at !== undefined && at > Math.max(registration.since, named ?? 0) && at < home.until;
    if (told && (registration.mergedAt === undefined || at < registration.mergedAt) && !isUnnamed(registration)) {
      list.push(update(desk, registration, 'ADT^A31^ADT_A05', at));
    }
  }
  if (registration.mergedAt !== undefined) list.push(merge(desk, registration, registration.mergedAt));
  return list;
}

function isUnnamed(registration: Registration): boolean {
  return registration.placeholder !== undefined && registration.placeholder.namedAt === undefined;
}

function update(desk: Desk, registration: Registration, type: string, at: number): Outgoing {
  const { person, story } = desk;
  return outgoing(type, at, allergyFacts(story, at), (controlId) =>
    message([
      header('harbor-hospital', type, at, controlId),
      event(type.slice(4, 7), at),
      hospitalPatient(person, demographicsAt(person, registration, at), registration.number, undefined, true),
      careProvider(story.familyDoctor),
      careRole(story.familyDoctor),
      segment('PV1', { 1: '1', 2: 'N' }),
      ...allergies(story, at),
    ]),
  );
}

function merge(desk: Desk, gone: Registration, at: number): Outgoing {
  const { person, records, story } = desk;
  const kept = records.registrations[0]!;
  const site = siteOf('harbor-hospital');
  const known = demographicsAt(person, gone, at - 1);
  return outgoing('ADT^A40^ADT_A39', at, [], (controlId) =>
    message([
      header('harbor-hospital', 'ADT^A40^ADT_A39', at, controlId),
      event('A40', at),
      hospitalPatient(person, demographicsAt(person, kept, at), kept.number),
      careProvider(story.familyDoctor),
      segment('MRG', {
        1: rawComponents(gone.number, '', '', `${site.identifierAuthority}&${site.oid}&ISO`, 'MR'),
        7: components(known.family.toUpperCase(), known.given.toUpperCase()),
      }),
    ]),
  );
}

/** The registration a message at this time is filed under: the stay's own, or its heir after a merge. */
function filing(desk: Desk, stay: Stay | undefined, at: number) {
  const filed = desk.records.of(stay);
  const registration = filed.mergedAt !== undefined && at >= filed.mergedAt ? desk.records.registrations[0]! : filed;
  const known = demographicsAt(desk.person, registration, at);
  return { registration, known, identified: known.birthDate !== undefined };
}

/** PID, and PD1 once the desk knows who lies there. */
function who(desk: Desk, stay: Stay | undefined, at: number): string[] {
  const { known, registration, identified } = filing(desk, stay, at);
  return [
    hospitalPatient(desk.person, known, registration.number, stay && `HV${stay.id}`),
    ...(identified ? [careProvider(desk.story.familyDoctor)] : []),
  ];
}

function kinOf(home: Household, person: Person): string[] {
  const relatives = person.relations.filter(
    (relation) => relation.kind === 'spouse of' || relation.kind.endsWith('child of'),
  );
  return relatives.flatMap((relation, index) => {
    const relative = home.people.find((other) => other.key === relation.person);
    return relative ? [kin(person, relative, index + 1)] : [];
  });
}

function event(trigger: string, at: number): string {
  return segment('EVN', {
    1: trigger,
    2: hospitalTime(at),
    5: components('DESK4', 'Registration desk'),
    6: hospitalTime(at),
  });
}

function outgoing(type: string, at: number, states: Fact[], write: Outgoing['write']): Outgoing {
  const [code, trigger] = type.split('^');
  return { site: 'harbor-hospital', dialect: 'hl7v2', type: `${code}^${trigger}`, at, states, write };
}
