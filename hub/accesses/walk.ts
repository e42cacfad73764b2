/** Goes through the audit log, the latest first, by whom its events are about, and gives what a reader may be told. */
import type { AuditedEvent, AuditLog, OpenedPatient } from '../audit/index.ts';
import { isMeant, type Subjects } from './subjects.ts';

/** Who reads, and whose events it may be told. */
export interface Reader {
  /** Those whom the reader may see, by the ids under which the log knows them; undefined: everybody. */
  patients: Subjects | undefined;
  /** The base of the server's FHIR addresses. */
  base: string;
  /** What is kept from the reader, as if it were not there. */
  isHeld?(audited: AuditedEvent): boolean;
}

/** An event about one Patient, or about none. */
export interface Told {
  audited: AuditedEvent;
  patient: OpenedPatient | undefined;
  /** Whether the reader may see what was asked for, and everybody whom it is about. */
  isWhole: boolean;
}

/** Where an event about a Patient is in the log. */
export interface Place {
  row: number;
  place: number;
  /** Of an event whose patients are on two pages: the first that comes. */
  patient?: number;
}

/** Which events are wanted. */
export interface Wanted {
  /** Of whom one has to be meant; undefined: anybody. */
  patients: Subjects | undefined;
  from?: Date;
  to?: Date;
  /** By an account; only for readers of everything, since what is masked must not be found either. */
  who?: string;
}

const eventsAtOnce = 200;
/** No row has so many events. */
const mostPlaces = 9_999;
/** Accesses to the log itself. */
const ofLog = ['list-accesses', 'open-receipt', 'list-disclosures'];

/** What a reader may be told of an event. @param meant those of whom one has to be meant */
export function toldOf(audited: AuditedEvent, reader: Reader, meant: Subjects | undefined): Told[] {
  if (reader.isHeld?.(audited)) return [];
  const named = audited.event.patients?.length ?? 0;
  if (named === 0) {
    return reader.patients || meant ? [] : [{ audited, patient: undefined, isWhole: true }];
  }
  const { patients } = audited.opened;
  const at = Date.parse(audited.event.at);
  const is = (subjects: Subjects | undefined, id: string) => subjects === undefined || isMeant(subjects, id, at);
  const isOfOthers =
    patients.length < named ||
    patients.some(({ id }) => !is(reader.patients, id) || reader.patients?.get(id)?.isShared);
  const isWhole = reader.patients === undefined || !(isOfOthers || isOversight(audited.event));
  return patients
    .filter(({ id }) => is(reader.patients, id) && is(meant, id))
    .map((patient) => ({ audited, patient, isWhole }));
}

/** Whether somebody else than a person looked into the log: what was looked for there may be kept from the person. */
function isOversight({ action, type, role }: AuditedEvent['event']): boolean {
  return (type === 'AuditEvent' || ofLog.includes(action)) && role !== 'patient' && role !== 'proxy';
}

/**
 * What is told of the events that are wanted, and where each is. One without events says that so many were looked through,
 * and where to go on.
 * @param most events that are looked through
 */
export async function* walk(
  audit: AuditLog,
  reader: Reader,
  { patients, from, to, who }: Wanted,
  start: Place | undefined,
  most: number,
): AsyncGenerator<{ told?: Told; place: Place }> {
  if (patients?.size === 0) return;
  let looked = 0;
  // What is not told must not show in where a walk pauses either.
  let last: Place | undefined;
  // An event of which only some was told comes once more.
  let after = start && `${start.row}.${start.place + (start.patient === undefined ? 0 : 1)}`;
  for (;;) {
    const asked = { from, to, who, after, limit: eventsAtOnce };
    const { events, next } = await audit.eventsOf({
      ...asked,
      ...(patients ? { patients: [...patients.keys()] } : {}),
    });
    for (const audited of events) {
      const { row, place } = audited;
      const begun = start?.row === row && start.place === place ? (start.patient ?? 0) : 0;
      const told = toldOf(audited, reader, patients);
      if (told.length === 0) continue;
      looked++;
      last = { row, place };
      for (const one of told) {
        const patient = one.patient?.index ?? 0;
        if (patient >= begun) yield { told: one, place: { row, place, patient } };
      }
    }
    if (next === undefined) return;
    after = next;
    if (looked >= most) {
      yield { place: last! };
      return;
    }
  }
}

/** The event at a place of the log; undefined where there is none. */
export async function eventAt(
  audit: AuditLog,
  { row, place }: { row: number; place: number },
): Promise<AuditedEvent | undefined> {
  if (place >= mostPlaces) return undefined;
  const { events } = await audit.eventsOf({ after: `${row}.${place + 1}`, limit: 1 });
  const [audited] = events;
  return audited?.row === row && audited.place === place ? audited : undefined;
}

/** A place as text. */
export function placeText({ row, place, patient }: Place): string {
  return `${row}.${place}${patient === undefined ? '' : `.${patient}`}`;
}

/** The place of a text; undefined where it is none. */
export function readPlace(text: string): Place | undefined {
  const [, row, place, patient] = /^(\d{1,15})\.(\d{1,4})(?:\.(\d{1,3}))?$/.exec(text) ?? [];
  if (row === undefined) return undefined;
  return { row: Number(row), place: Number(place), ...(patient === undefined ? {} : { patient: Number(patient) }) };
}
