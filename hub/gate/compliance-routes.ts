/**
 * For privacy officers, and for auditors to read: the register of refusals (45 CFR 171), requests that came by letter with their clocks, and the
 * safeguards of HIPAA as they stand (docs/compliance.md).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  attestedStates,
  type ExceptionCode,
  exceptions,
  type FiledRequest,
  type ObservedKind,
  type Refusals,
  type Requests,
  registerCsv,
  requesterKinds,
  requestSteps,
  type Safeguards,
} from '../compliance/index.ts';
import type { Transaction } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { type Body, jsonBody, object, only, text, wrong } from './body.ts';

export interface ComplianceParts {
  refusals: Refusals;
  requests: Requests;
  safeguards: Safeguards;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

type Id = { Params: { id: string } };
type Query = { Querystring: { [name: string]: string | undefined } };

const officers = ['privacy-officer', 'administrator'];
const readers = [...officers, 'auditor'];
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const states = ['open', 'fulfilled', 'refused', 'withdrawn'] as const;
const mostListed = 1_000;
const mostExported = 100_000;
const defaultDays = 30;
const longestAttestedDays = 400;
const dayMs = 86_400_000;

export function complianceRoutes(app: FastifyInstance, parts: ComplianceParts): void {
  const { refusals, requests, safeguards, authenticator, accessLog } = parts;
  const officer = (request: FastifyRequest, action: string) => authenticator.inPerson(request, officers, action);
  const reader = (request: FastifyRequest, action: string) => authenticator.inPerson(request, readers, action);
  const looked = (who: Caller, action: string, what: string) => accessLog.record(who, { action, what, status: 200 });
  const noted =
    (who: Caller, action: string, what: string, status = 200) =>
    (transaction: Transaction) =>
      accessLog.recordWith(transaction, [{ access: who, entry: { action, what, status } }]);

  app.get<Query>('/api/refusals', async (request) => {
    const who = await reader(request, 'list-refusals');
    const days = daysOf(request.query);
    await refusals.flush();
    const found = await refusals.list({ ...days, limit: mostListed });
    await looked(who, 'list-refusals', `${days.from} ${days.to}`);
    const covering = Object.entries(exceptions).map(([code, { citation, name }]) => ({ code, citation, name }));
    return { ...days, refusals: found, exceptions: covering };
  });

  app.post('/api/refusals/decision', async (request, reply) => {
    const who = await officer(request, 'decide-refusal');
    const body = jsonBody(request);
    only(body, ['day', 'kind', 'organization', 'requester', 'action', 'exception', 'note'], '');
    const day = dayIn(body, 'day');
    const [kind, organization] = [text(body, 'kind', 20) as ObservedKind, text(body, 'organization', 500)];
    const [requester, action] = [text(body, 'requester', 500), text(body, 'action', 500)];
    const exception: ExceptionCode | 'none' = body.exception === 'none' ? 'none' : exceptionIn(body);
    const key = { day, kind, organization, requester, action };
    const decision = { exception, by: who.who, note: text(body, 'note', 2_000).trim() };
    const what = `${kind} ${day} ${exception}`.slice(0, 500);
    if (!(await refusals.decide(key, decision, noted(who, 'decide-refusal', what, 204)))) {
      throw new RecordError(404, 'not-found', 'There is no refusal of this kind on that day.');
    }
    return reply.code(204).send();
  });

  app.get<Query>('/api/refusals.csv', async (request, reply) => {
    const who = await reader(request, 'export-refusals');
    const days = daysOf(request.query);
    await refusals.flush();
    const [observed, filed] = await Promise.all([
      refusals.list({ ...days, limit: mostExported }),
      requests.list(undefined, today(), mostExported),
    ]);
    await looked(who, 'export-refusals', `${days.from} ${days.to}`);
    const within = filed.filter(({ received }) => received >= days.from && received <= days.to);
    reply.header('content-disposition', `attachment; filename="refusals-${days.from}-${days.to}.csv"`);
    return reply.type('text/csv; charset=utf-8').send(registerCsv(observed, within));
  });

  app.get<Query>('/api/information-requests', async (request) => {
    const who = await reader(request, 'list-information-requests');
    const asked = request.query.state;
    const state = states.find((one) => one === asked);
    const found = await requests.list(state, today());
    const patients = found.flatMap(({ patient }) => (patient === undefined ? [] : [patient]));
    const entry = { action: 'list-information-requests', what: state ?? 'all', status: 200, patients };
    await accessLog.record(who, entry);
    const shown = officers.includes(who.role) ? found : found.map(withoutTexts);
    return { requests: shown, late: await requests.late(today()) };
  });

  app.post('/api/information-requests', async (request, reply) => {
    const who = await officer(request, 'file-information-request');
    const body = jsonBody(request);
    only(body, ['received', 'requester', 'patient', 'about'], '');
    const about = object(body.about, 'about');
    only(about, ['name', 'asked', 'manner'], 'about.');
    const requester = oneOf(body, 'requester', requesterKinds);
    const patient = body.patient === undefined ? undefined : text(body, 'patient', 64);
    const id = await requests.file(
      {
        received: pastDay(body, 'received'),
        requester,
        patient,
        about: {
          name: text(about, 'name', 500),
          asked: text(about, 'asked', 4_000),
          manner: text(about, 'manner', 500),
        },
      },
      who.who,
      (transaction) => {
        const patients = patient === undefined ? {} : { patients: [patient] };
        const entry = { action: 'file-information-request', what: requester, status: 201, ...patients };
        accessLog.recordWith(transaction, [{ access: who, entry }]);
      },
    );
    return reply.code(201).send({ id });
  });

  app.post<Id>('/api/information-requests/:id/steps', async (request) => {
    const who = await officer(request, 'note-information-request');
    const { id } = request.params;
    const body = jsonBody(request);
    only(body, ['step', 'day', 'note', 'exception'], '');
    const step = oneOf(body, 'step', requestSteps);
    const note = typeof body.note === 'string' && body.note.trim() === '' ? '' : text(body, 'note', 4_000).trim();
    const exception = step === 'refused' ? exceptionIn(body) : undefined;
    const what = `information-request/${id} ${step}`.slice(0, 500);
    const also = noted(who, 'note-information-request', what);
    const given = { step, day: pastDay(body, 'day'), note, exception };
    const state = uuid.test(id) ? await requests.step(id, given, who.who, also) : undefined;
    if (state === undefined) throw new RecordError(404, 'not-found', 'There is no request of this id.');
    return { state };
  });

  app.get('/api/safeguards', async (request) => {
    const who = await reader(request, 'list-safeguards');
    const found = await safeguards.list(today());
    await looked(who, 'list-safeguards', 'safeguards');
    return { at: new Date(), safeguards: found };
  });

  app.post<Id>('/api/safeguards/:id', async (request, reply) => {
    const who = await officer(request, 'attest-safeguard');
    const { id } = request.params;
    const body = jsonBody(request);
    only(body, ['state', 'note', 'until'], '');
    const until = dayIn(body, 'until');
    const latest = new Date(Date.now() + longestAttestedDays * dayMs).toISOString().slice(0, 10);
    if (until < today() || until > latest) throw wrong('until', `a day from today to ${latest}`);
    const given = {
      state: oneOf(body, 'state', attestedStates),
      by: who.who,
      note: text(body, 'note', 2_000).trim(),
      until,
    };
    const also = noted(who, 'attest-safeguard', `${id} ${given.state} until ${until}`.slice(0, 500), 204);
    if (!(await safeguards.attest(id, given, also))) {
      throw new RecordError(404, 'not-found', 'There is no safeguard of this paragraph.');
    }
    return reply.code(204).send();
  });
}

/** A request without what was written in it, which may say why somebody is ill. */
function withoutTexts(request: FiledRequest): FiledRequest {
  const steps = request.steps.map((step) => ({ ...step, note: undefined }));
  return { ...request, about: undefined, steps };
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The days asked for; without any the last thirty. @throws RecordError 400 */
function daysOf(query: { [name: string]: string | undefined }): { from: string; to: string } {
  const to = query.to === undefined ? today() : dayIn(query, 'to');
  const from =
    query.from === undefined
      ? new Date(Date.parse(to) - defaultDays * dayMs).toISOString().slice(0, 10)
      : dayIn(query, 'from');
  if (from > to) throw wrong('from', 'a day before to');
  return { from, to };
}

/** @throws RecordError 400 */
function dayIn(body: Body, name: string): string {
  const value = body[name];
  const isDay = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value));
  if (!isDay || new Date(value).toISOString().slice(0, 10) !== value) throw wrong(name, 'a day, YYYY-MM-DD');
  return value;
}

/** @throws RecordError 400 where the day is yet to come */
function pastDay(body: Body, name: string): string {
  const day = dayIn(body, name);
  // Somewhere it is tomorrow already.
  if (Date.parse(day) > Date.now() + dayMs) throw wrong(name, 'a day that has come');
  return day;
}

/** @throws RecordError 400 */
function exceptionIn(body: Body): ExceptionCode {
  return oneOf(body, 'exception', Object.keys(exceptions) as ExceptionCode[]);
}

/** @throws RecordError 400 */
function oneOf<T extends string>(body: Body, name: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === body[name]);
  if (found === undefined) throw wrong(name, `one of ${allowed.join(', ')}`);
  return found;
}
