/**
 * Accountings of disclosures for a person, who acts for it, privacy officers and auditors: as JSON, CSV, PDF and FHIR. Privacy
 * officers also suspend what a person is told of disclosures to an agency, of which nobody else hears.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type AccountingQuery,
  accountedYears,
  accountingCsv,
  accountingEvents,
  accountingOf,
  accountingPdf,
  endHold,
  heldBy,
  holdsOf,
  makeHold,
  oralDays,
  type Reader,
} from '../accesses/index.ts';
import { newId, RecordError } from '../record/index.ts';
import { type AccessListParts, looking } from './access-list-routes.ts';
import { jsonBody, text } from './body.ts';

type Id = { Params: { id: string } };

const overseers = ['privacy-officer', 'administrator'];
const day = 86_400_000;
const longestHoldDays = 3_660;
const mediaTypes: { [format: string]: string } = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  pdf: 'application/pdf',
  fhir: 'application/fhir+json; charset=utf-8',
};

export function accountingRoutes(app: FastifyInstance, parts: AccessListParts): void {
  const { accessLog, authenticator, database, record } = parts;

  app.get<Id>('/api/patients/:id/disclosures', async (request, reply) => {
    const { who, reader, patients, id } = await looking(parts, request, request.params.id, 'list-disclosures');
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const format = query.get('format') ?? 'json';
    const mediaType = mediaTypes[format];
    if (!mediaType) throw new RecordError(400, 'value', 'format is json, csv, pdf or fhir.', 'format');
    const isHeld = heldBy(await holdsOf(database, [...patients.keys()]), new Date());
    const isOverseer = reader.patients === undefined;
    // What leaves as a file may reach the person: what is held is in none.
    const asShown: Reader = isOverseer && format === 'json' ? reader : { ...reader, ...(isHeld ? { isHeld } : {}) };
    const asked = { patients, ...periodIn(query) };
    const body = await bodyOf(format, asShown, asked, isOverseer ? isHeld : undefined);
    const what = request.url.slice(0, 500);
    await accessLog.record(who, { action: 'list-disclosures', what, status: 200, patients: [id] });
    if (format !== 'json') attached(reply, format);
    return reply.type(mediaType).send(body);

    async function bodyOf(kind: string, shown: Reader, about: AccountingQuery, held: Reader['isHeld']) {
      if (kind === 'fhir') return bundleOf(await accountingEvents(parts, shown, about));
      const accounting = await accountingOf(parts, shown, about, held);
      const proofOf = (line: string) => `${origin(request)}/api/patients/${id}/accesses/${line}/receipt`;
      if (kind === 'csv') return accountingCsv(accounting, proofOf);
      if (kind === 'pdf') return accountingPdf(accounting, await personOf(id), proofOf);
      return JSON.stringify(accounting);
    }

    async function personOf(patient: string): Promise<string> {
      // An auditor reads no Patient.
      if (who.role === 'auditor') return `Patient/${patient}`;
      const { text: stored } = await record.read(who, 'Patient', patient);
      const { name: [name] = [], birthDate } = JSON.parse(stored) as Person;
      const called = name?.text ?? [...(name?.given ?? []), name?.family].filter(Boolean).join(' ');
      return `${called || 'Name not known'}${birthDate ? `, born ${birthDate}` : ''}`;
    }
  });

  // No Patient is named in what is recorded of holds: the person would read it.
  app.get<Id>('/api/patients/:id/accounting-holds', async (request) => {
    const { who, patients, id } = await overseeing(request, request.params.id, 'list-accounting-holds');
    const holds = await holdsOf(database, [...patients.keys()]);
    await accessLog.record(who, { action: 'list-accounting-holds', what: `of Patient/${id}`, status: 200 });
    return { holds };
  });

  app.post<Id>('/api/patients/:id/accounting-holds', async (request, reply) => {
    const { who, id: patient } = await overseeing(request, request.params.id, 'hold-accounting');
    const body = jsonBody(request);
    const statement = text(body, 'statement', 10);
    if (statement !== 'written' && statement !== 'oral') {
      throw new RecordError(400, 'value', 'statement is written or oral.', 'statement');
    }
    const until = untilIn(text(body, 'until', 40), statement);
    const hold = { id: newId(), patient, recipient: text(body, 'recipient', 200), statement, until } as const;
    const evidence = text(body, 'evidence', 1_000);
    await accessLog.change(async (transaction) => {
      await makeHold(transaction, { ...hold, evidence, by: who.who });
      const what = `of Patient/${patient}: ${hold.recipient} until ${until.toISOString()}`;
      return {
        made: undefined,
        note: { access: who, entry: { action: 'hold-accounting', what, status: 201, reason: evidence } },
      };
    });
    return reply.code(201).send({ ...hold, evidence });
  });

  app.delete<Id>('/api/accounting-holds/:id', async (request, reply) => {
    const who = await authenticator.inPerson(request, overseers, 'end-accounting-hold');
    const { id } = request.params;
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw noHold();
    await accessLog.change(async (transaction) => {
      if (!(await endHold(transaction, id, who.who))) throw noHold();
      return {
        made: undefined,
        note: { access: who, entry: { action: 'end-accounting-hold', what: id, status: 204 } },
      };
    });
    return reply.code(204).send();
  });

  async function overseeing(request: FastifyRequest, id: string, action: string) {
    const looked = await looking(parts, request, id, action);
    if (!overseers.includes(looked.who.role)) {
      throw new RecordError(403, 'forbidden', `The role ${looked.who.role} may not do this.`);
    }
    return looked;
  }
}

interface Person {
  name?: { text?: string; given?: string[]; family?: string }[];
  birthDate?: string;
}

/** The six years before now, or what is asked for. @throws RecordError 400 */
function periodIn(query: URLSearchParams): { from: Date; to: Date } {
  const to = dateOr(query, 'to', new Date());
  const earliest = new Date();
  earliest.setUTCFullYear(earliest.getUTCFullYear() - accountedYears);
  return { from: dateOr(query, 'from', earliest), to };
}

/** @throws RecordError 400 */
function dateOr(query: URLSearchParams, name: string, otherwise: Date): Date {
  const asked = query.get(name);
  if (asked === null || asked === '') return otherwise;
  const date = new Date(asked);
  if (Number.isNaN(date.getTime())) throw new RecordError(400, 'value', `${name} is no time.`, name);
  return date;
}

/** @throws RecordError 400 */
function untilIn(asked: string, statement: 'written' | 'oral'): Date {
  const until = new Date(asked);
  const days = (until.getTime() - Date.now()) / day;
  if (Number.isNaN(days) || days <= 0 || days > longestHoldDays) {
    throw new RecordError(400, 'value', 'until is a time to come, within ten years.', 'until');
  }
  if (statement === 'oral' && days > oralDays) {
    throw new RecordError(400, 'value', `An oral statement holds for ${oralDays} days at most.`, 'until');
  }
  return until;
}

function bundleOf(events: readonly object[]): string {
  return JSON.stringify({
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: new Date().toISOString(),
    ...(events.length > 0 ? { entry: events.map((resource) => ({ resource })) } : {}),
  });
}

function attached(reply: FastifyReply, format: string): void {
  const extension = format === 'fhir' ? 'json' : format;
  reply.header('content-disposition', `attachment; filename="disclosures.${extension}"`);
}

function origin(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}`;
}

function noHold(): RecordError {
  return new RecordError(404, 'not-found', 'There is no such suspension, or it has ended.');
}
