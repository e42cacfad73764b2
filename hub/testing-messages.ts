/** HL7 v2 messages for tests, built from what a test cares about; the rest is filled in. */
import { type FieldValues, type HeaderValues, MessageBuilder, repetitions } from '@causeway/hl7v2';

export interface Person {
  id: string;
  family?: string;
  given?: string;
  birth?: string;
  sex?: string;
  street?: string;
  city?: string;
  postalCode?: string;
  /** null writes `""`, which deletes. */
  phone?: string | null;
  workPhone?: string | null;
  ssn?: string;
}

export interface Stamp {
  facility?: string;
  /** When it was sent, `YYYYMMDDHHMMSS`. */
  time?: string;
  controlId?: string;
  header?: FieldValues;
}

let made = 0;

/** An ADT message of an event such as `A04`; `more` adds segments after PV1. */
export function adt(
  event: string,
  person: Person,
  stamp: Stamp = {},
  more: [string, FieldValues][] = [['PV1', { 1: '1', 2: 'O' }]],
): string {
  const facility = stamp.facility ?? 'CLINIC';
  const builder = start(['ADT', event, `ADT_${event}`], stamp)
    .segment('EVN', { 1: event, 2: stamp.time ?? defaultTime })
    .segment('PID', pid(person, facility));
  for (const [name, values] of more) builder.segment(name, values);
  return builder.toString();
}

export interface Result {
  order: string;
  /** OBX-3. */
  code: string;
  value: string;
  unit?: string;
  /** OBX-11. */
  status?: string;
  /** OBR-25. */
  orderStatus?: string;
  observed?: string;
}

/** An ORU^R01 with one result. */
export function oru(person: Person, result: Result, stamp: Stamp = {}): string {
  const facility = stamp.facility ?? 'CLINIC';
  const observed = result.observed ?? '20240301080000';
  return start(['ORU', 'R01', 'ORU_R01'], stamp)
    .segment('PID', pid(person, facility))
    .segment('OBR', {
      1: '1',
      3: [result.order, facility],
      4: ['24331-1', 'Lipid panel', 'LN'],
      7: observed,
      22: stamp.time ?? defaultTime,
      25: result.orderStatus ?? 'F',
    })
    .segment('OBX', {
      1: '1',
      2: 'NM',
      3: [result.code, 'Test', 'LN'],
      5: result.value,
      6: [result.unit ?? 'mg/dL', '', 'UCUM'],
      11: result.status ?? 'F',
      14: observed,
    })
    .toString();
}

function start(type: string[], { facility = 'CLINIC', time = defaultTime, controlId, header }: Stamp): MessageBuilder {
  const values: HeaderValues = {
    sendingApplication: 'EHR',
    sendingFacility: facility,
    time,
    type,
    controlId: controlId ?? `T${++made}`,
    version: '2.5.1',
    fields: header ?? {},
  };
  return new MessageBuilder(values);
}

const defaultTime = '20240301090000';

function pid(person: Person, facility: string): FieldValues {
  const identifiers = [[person.id, '', '', facility, 'MR'], ...(person.ssn ? [[person.ssn, '', '', 'SSA', 'SS']] : [])];
  return {
    1: '1',
    3: repetitions(...identifiers),
    5: person.family === undefined ? undefined : [person.family, person.given ?? ''],
    7: person.birth,
    8: person.sex,
    11: person.street ? [person.street, '', person.city ?? '', '', person.postalCode ?? ''] : undefined,
    13: phone(person.phone, 'PRN'),
    14: phone(person.workPhone, 'WPN'),
  };
}

function phone(number: string | null | undefined, use: string): string[] | null | undefined {
  return typeof number === 'string' ? [number, use, 'PH'] : number;
}

/**
 * A batch of refused messages whose answers together have some 200 KiB, as much as an acknowledgement repeats of a header:
 * for senders that read no answers.
 */
export function longAnswered(controlId: string): string {
  const name = 'N'.repeat(500);
  const message = (n: number) =>
    `MSH|^~\\&|${name}|${name}|${name}|${name}|20240301||ADT^A08|${controlId}-${n}|P|9.9\rPID|1\r`;
  return `BHS|^~\\&\r${Array.from({ length: 100 }, (_, n) => message(n)).join('')}BTS|100\r`;
}
