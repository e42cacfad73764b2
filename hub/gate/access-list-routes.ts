/**
 * Who looked at my record: the accesses to a person's record, for the person, those who act for it, privacy officers and
 * auditors; each with its proof. Reading them is an access too.
 */
import { consistencyFolds, proofFrom, readCheckpoint, readNote, submissionText, widthOf } from '@causeway/tlog';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  confinedReader,
  eventAt,
  type Place,
  placeText,
  type Reader,
  readPlace,
  type SeenParts,
  type Subjects,
  seenAccesses,
  toldOf,
} from '../accesses/index.ts';
import type { FhirRecord } from '../record/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { baseUrl } from './fhir-exchange.ts';

export interface AccessListParts extends SeenParts {
  record: FhirRecord;
  accessLog: AccessLog;
  authenticator: Authenticator;
}

type Id = { Params: { id: string } };
type One = { Params: { id: string; access: string } };

const persons = ['patient', 'proxy'];
const overseers = ['privacy-officer', 'auditor', 'administrator'];
const mostAtOnce = 200;

export function accessListRoutes(app: FastifyInstance, parts: AccessListParts): void {
  const { accessLog, audit } = parts;

  app.get<Id>('/api/patients/:id/accesses', async (request) => {
    const { who, reader, patients, id } = await looking(parts, request, request.params.id, 'list-accesses');
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const found = await seenAccesses(parts, reader, {
      patients,
      from: dateIn(query, 'from'),
      to: dateIn(query, 'to'),
      words: (query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean).slice(0, 10),
      isWithoutOwn: query.get('own') === 'false',
      isEmergencyOnly: query.get('emergency') === 'true',
      after: placeIn(query.get('after')),
      limit: limitOf(query.get('limit')),
    });
    await accessLog.record(who, {
      action: 'list-accesses',
      what: request.url.slice(0, 500),
      status: 200,
      patients: [id],
    });
    return found;
  });

  app.get<One>('/api/patients/:id/accesses/:access/receipt', async (request, reply) => {
    const { who, reader, patients, id } = await looking(parts, request, request.params.id, 'open-receipt');
    const place = placeIn(request.params.access);
    const audited = place && (await eventAt(audit, place));
    const told = audited ? toldOf(audited, reader, patients) : [];
    const one = told.find(({ patient }) => patient?.index === (place?.patient ?? 0));
    if (!one?.patient) throw new RecordError(404, 'not-found', 'There is no such access to this record.');
    const { index } = one.audited;
    const receipt = index === undefined ? undefined : await audit.receipt(index, one.patient.id);
    if (!receipt) {
      const text = 'This access waits for its place in the log, which takes a second. Ask again.';
      throw new RecordError(409, 'conflict', text).with('retry-after', '1');
    }
    const what = `access ${placeText(place!)}`;
    await accessLog.record(who, { action: 'open-receipt', what, status: 200, patients: [id] });
    reply.header('content-disposition', `attachment; filename="receipt-${index}.json"`);
    if (one.isWhole) return receipt;
    const { private: _, ...opened } = receipt.opened;
    return { ...receipt, opened };
  });

  app.get<{ Querystring: { from?: string } }>('/api/audit/growth', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'log-growth');
    const text = await growthOf(audit, request.query.from);
    await accessLog.record(who, { action: 'log-growth', what: request.url.slice(0, 500), status: 200 });
    return reply.type('text/plain; charset=utf-8').send(text);
  });

  app.get('/api/audit/keys', async (request) => {
    const who = await parts.authenticator.caller(request, 'list-log-keys');
    const keys = await audit.verifiers();
    await accessLog.record(who, { action: 'list-log-keys', what: '/api/audit/keys', status: 200 });
    return { keys, witnesses: await audit.witnesses() };
  });
}

/**
 * That the log of its first entries only grew since, as text (C2SP tlog-witness): hashes alone. @throws RecordError 400, 404
 */
async function growthOf(audit: AccessListParts['audit'], asked: string | undefined): Promise<string> {
  const note = await audit.checkpoint();
  if (note === undefined) throw new RecordError(404, 'not-found', 'The log has no checkpoint yet.');
  const { size } = readCheckpoint(readNote(note).text);
  const from = Number(asked);
  if (!/^\d{1,15}$/.test(asked ?? '') || from > size) {
    throw new RecordError(400, 'value', `from is the size of an earlier tree, at most ${size}.`, 'from');
  }
  const path = await proofFrom(consistencyFolds(from, size), async (place) => {
    const tile = await audit.tile({ ...place, width: widthOf(place, size) });
    if (!tile) throw new RecordError(503, 'transient', 'The log is being written; ask again.');
    return tile;
  });
  return submissionText({ from, path, checkpoint: note });
}

/**
 * Who looks at the accesses to the record of a person, and the ids under which the log knows it.
 * @throws RecordError 403, or 404 where the caller may not know of the person
 */
export async function looking(
  parts: AccessListParts,
  request: FastifyRequest,
  id: string,
  action: string,
): Promise<{ who: Caller; reader: Reader; patients: Subjects; id: string }> {
  const who = await parts.authenticator.inPerson(request, [...persons, ...overseers], action);
  const all = (await parts.record.homesOf([id])).get(id) ?? [];
  const homes = who.homes === 'all' ? all : all.filter((home) => (who.homes as number[]).includes(home));
  if (homes.length === 0) throw new RecordError(404, 'not-found', 'There is no such person.');
  const base = baseUrl(request);
  const confined = await confinedReader(parts, homes, base);
  const { patients } = confined;
  const reader = persons.includes(who.role) ? confined : { patients: undefined, base };
  return { who, reader, patients: patients!, id };
}

/** @throws RecordError 400 */
function dateIn(query: URLSearchParams, name: string): Date | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new RecordError(400, 'value', `${name} is no time.`, name);
  return date;
}

/** @throws RecordError 400 */
function placeIn(text: string | null): Place | undefined {
  if (text === null) return undefined;
  const place = readPlace(text);
  if (!place) throw new RecordError(400, 'value', 'This is no place in the log.', 'after');
  return place;
}

function limitOf(text: string | null): number {
  return text !== null && /^\d{1,3}$/.test(text) ? Math.min(Math.max(Number(text), 1), mostAtOnce) : 50;
}
