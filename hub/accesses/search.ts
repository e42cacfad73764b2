/** Searches for AuditEvents of the audit log, the latest first; one for each Patient whom an event is about. */
import { dateRange } from '@causeway/fhir';
import type { AuditEvent, Coding } from '@medplum/fhirtypes';
import type { AuditLog } from '../audit/index.ts';
import { RecordError } from '../record/index.ts';
import { auditEventOf, readAuditEventId } from './audit-event.ts';
import { alone, type Meant, type Subjects } from './subjects.ts';
import {
  eventAt,
  type Place,
  placeText,
  type Reader,
  readPlace,
  type Told,
  toldOf,
  type Wanted,
  walk,
} from './walk.ts';

/** What is searched for. */
export interface EventSearch extends Wanted {
  /** Every one of these has to hold. */
  conditions: ((event: AuditEvent) => boolean)[];
  count: number;
  cursor?: Place;
  isCounted: boolean;
  isTotalOnly: boolean;
}

export interface EventPage {
  events: AuditEvent[];
  /** How many there are in all, where that was asked for and can be told. */
  total?: number;
  next?: string;
}

const usualCount = 50;
const mostCount = 500;
/** So many events are looked through for one page; the next page goes on. */
const mostLooked = 5_000;
const mostCounted = 50_000;

/** Parameters that say how to answer, not what to look for. */
const ofAnswer = new Set(['_format', '_pretty', '_elements', '_summary', '_count', '_total', '_cursor', '_sort']);

/** The parameters that a search takes. */
export const auditEventParameters = [
  '_id',
  'action',
  'address',
  'agent',
  'agent-name',
  'agent-role',
  'altid',
  'date',
  'entity',
  'entity-name',
  'entity-role',
  'entity-type',
  'outcome',
  'patient',
  'policy',
  'site',
  'source',
  'subtype',
  'type',
] as const;

/**
 * Reads a search.
 * @param subjectsOf the ids under which the log knows the persons of Patients' ids
 * @throws RecordError 400 for what is not understood, unless that is to be passed over
 */
export async function readEventSearch(
  parameters: URLSearchParams,
  isLenient: boolean,
  reader: Reader,
  subjectsOf: (patients: readonly string[]) => Promise<Subjects>,
): Promise<EventSearch> {
  const search: EventSearch = {
    patients: reader.patients,
    conditions: [],
    count: countIn(parameters),
    isCounted: parameters.get('_total') === 'accurate' || parameters.get('_total') === 'estimate',
    isTotalOnly: parameters.get('_summary') === 'count',
  };
  const cursor = parameters.get('_cursor');
  if (cursor !== null) {
    search.cursor = readPlace(cursor);
    if (!search.cursor) throw new RecordError(400, 'value', 'This is no place of a search.', '_cursor');
  }
  const sort = parameters.get('_sort');
  if (sort !== null && sort !== '-date' && !isLenient) throw notUnderstood('_sort', 'They come by -date alone.');
  for (const [name, value] of parameters) {
    if (ofAnswer.has(name) || value === '') continue;
    const [parameter = '', modifier] = name.split(':');
    if (parameter === 'patient' && (modifier === undefined || modifier === 'Patient')) {
      search.patients = await meant(value, search.patients, subjectsOf);
    } else if (parameter === 'date' && modifier === undefined) between(search, value);
    else if ((parameter === 'agent' || parameter === 'agent-name') && (modifier ?? 'identifier') === 'identifier') {
      const names = value.split(',').map((one) => one.split('|').at(-1)!);
      // What is masked for a reader is not found by it either.
      if (names.length === 1 && reader.patients === undefined) search.who = names[0];
      search.conditions.push(byAgent(names));
    } else {
      const condition = modifier === undefined ? conditions[parameter]?.(value.split(',')) : undefined;
      if (condition) search.conditions.push(condition);
      else if (!isLenient)
        throw notUnderstood(name, `A search for AuditEvents takes ${auditEventParameters.join(', ')}.`);
    }
  }
  return search;
}

/** A page of AuditEvents. */
export async function findEvents(audit: AuditLog, reader: Reader, search: EventSearch): Promise<EventPage> {
  const page: EventPage = { events: [] };
  if (!search.isTotalOnly) {
    for await (const { event, place } of matching(audit, reader, search, search.cursor, mostLooked)) {
      if (event === undefined || page.events.length === search.count) {
        page.next = placeText(place);
        break;
      }
      page.events.push(event);
    }
  }
  if (search.isTotalOnly || search.isCounted) {
    let total = 0;
    for await (const { event } of matching(audit, reader, search, undefined, mostCounted)) {
      if (event === undefined) return page;
      total++;
    }
    page.total = total;
  }
  return page;
}

/** One AuditEvent by its id; undefined where there is none, or the reader may not see it. */
export async function readEvent(audit: AuditLog, reader: Reader, id: string): Promise<AuditEvent | undefined> {
  const place = readAuditEventId(id);
  if (!place) return undefined;
  const audited = await eventAt(audit, place);
  const told = audited ? toldOf(audited, reader, undefined) : [];
  return told.map((one) => auditEventFor(one, reader)).find((event) => event.id === id);
}

/** The AuditEvents that a search finds, and where each is; one without event where so many were looked through. */
async function* matching(
  audit: AuditLog,
  reader: Reader,
  search: EventSearch,
  start: Place | undefined,
  most: number,
): AsyncGenerator<{ event?: AuditEvent; place: Place }> {
  for await (const { told, place } of walk(audit, reader, search, start, most)) {
    const event = told && auditEventFor(told, reader);
    if (event === undefined || search.conditions.every((holds) => holds(event))) yield { event, place };
  }
}

function auditEventFor({ audited, patient, isWhole }: Told, { base, patients }: Reader): AuditEvent {
  return auditEventOf(audited, patient, { base, isWhole, seesOrigin: patients === undefined });
}

/** Whom a search means, of those that may be. */
async function meant(
  value: string,
  allowed: Subjects | undefined,
  subjectsOf: (patients: readonly string[]) => Promise<Subjects>,
): Promise<Subjects> {
  const asked = value.split(',').map((one) => one.replace(/^.*\bPatient\//, ''));
  const subjects = new Map([...(await subjectsOf(asked)), ...asked.map((id): [string, Meant] => [id, alone])]);
  return new Map([...subjects].filter(([id]) => allowed?.has(id) ?? true));
}

/** @throws RecordError 400 */
function between(search: EventSearch, value: string): void {
  const [, prefix = 'eq', date = ''] = /^(eq|ge|gt|le|lt|sa|eb)?(\d.*)$/.exec(value) ?? [];
  const range = dateRange(date);
  if (!range)
    throw new RecordError(400, 'value', 'date is a FHIR date after one of eq, ge, gt, le, lt, sa, eb.', 'date');
  const later = (time: number) => {
    if (search.from === undefined || search.from.getTime() < time) search.from = new Date(time);
  };
  const sooner = (time: number) => {
    if (search.to === undefined || search.to.getTime() > time) search.to = new Date(time);
  };
  const { low, high } = range;
  if (prefix === 'eq' || prefix === 'ge') later(low);
  if (prefix === 'gt' || prefix === 'sa') later(high);
  if (prefix === 'eq' || prefix === 'le') sooner(high - 1);
  if (prefix === 'lt' || prefix === 'eb') sooner(low - 1);
}

const conditions: { [name: string]: (values: string[]) => (event: AuditEvent) => boolean } = {
  _id: (values) => (event) => values.includes(event.id!),
  action: (values) => (event) => values.includes(event.action!) || values.includes(event.subtype!.at(-1)!.code!),
  outcome: (values) => (event) => values.some((value) => value.split('|').at(-1) === event.outcome),
  type: (values) => (event) => values.some((value) => isCoding(event.type!, value)),
  subtype: (values) => (event) => event.subtype!.some((coding) => values.some((value) => isCoding(coding, value))),
  'agent-role': (values) => (event) =>
    event.agent!.some(({ role }) =>
      role?.some(({ coding }) => coding!.some((one) => values.some((value) => isCoding(one, value)))),
    ),
  address: (values) => (event) =>
    event.agent!.some(({ network }) => values.some((value) => network?.address?.startsWith(value))),
  'entity-name': (values) => (event) =>
    event.entity!.some(({ name = '' }) => values.some((value) => name.toLowerCase().startsWith(value.toLowerCase()))),
  'entity-role': (values) => (event) =>
    event.entity!.some(({ role }) => role && values.some((value) => isCoding(role, value))),
  source: (values) => (event) => values.includes(event.source?.observer.identifier?.value ?? ''),
  policy: (values) => (event) =>
    event.agent!.some(({ policy }) => policy?.some((one) => values.some((value) => one.startsWith(value)))),
  // What the log does not keep is found by nothing.
  altid: () => () => false,
  site: () => () => false,
  'entity-type': (values) => (event) =>
    event.entity!.some(({ type }) => type && values.some((value) => isCoding(type, value))),
  entity: (values) => (event) =>
    event.entity!.some(({ what }) =>
      values.some((value) => what?.reference !== undefined && value.endsWith(what.reference)),
    ),
};

function byAgent(names: readonly string[]): (event: AuditEvent) => boolean {
  return ({ agent }) =>
    agent!.some(({ name, who }) => names.includes(name ?? '') || names.includes(who?.identifier?.value ?? ''));
}

/** `system|code`, `|code`, `system|` or `code`. */
function isCoding({ system = '', code = '' }: Coding, value: string): boolean {
  const bar = value.indexOf('|');
  if (bar < 0) return code === value;
  const [wantedSystem, wantedCode] = [value.slice(0, bar), value.slice(bar + 1)];
  return (wantedCode === '' || wantedCode === code) && wantedSystem === system;
}

function countIn(parameters: URLSearchParams): number {
  const asked = parameters.get('_count');
  if (asked === null) return usualCount;
  if (!/^\d{1,9}$/.test(asked)) throw new RecordError(400, 'value', '_count is a whole number.', '_count');
  return Math.min(Number(asked), mostCount);
}

function notUnderstood(name: string, text: string): RecordError {
  return new RecordError(
    400,
    'not-supported',
    `The parameter ${name.slice(0, 50)} is not understood. ${text}`,
    name.slice(0, 50),
  );
}
