/**
 * Emergency access for the screens: begun with a reason and a proof of who asks, used by the header `X-Emergency-Access`, ended,
 * and reviewed by privacy officers; and the notices that people are told by.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LoopList } from '../care/index.ts';
import type { Database } from '../database/index.ts';
import { logicalId, newId, RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Accounts,
  type Bindings,
  type Emergencies,
  type Emergency,
  type EmergencyReason,
  emergencyReasons,
  type Notice,
  type Notices,
} from '../trust/index.ts';
import { refusal, shownOf } from './auth-routes.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface EmergencyParts {
  accounts: Accounts;
  emergencies: Emergencies;
  notices: Notices;
  database: Database;
  bindings: Bindings;
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirParts['record'];
}

type Id = { Params: { id: string } };

const reviewers = ['privacy-officer', 'administrator'];
const shortestReason = 10;
const mostPersons = 100;

export function emergencyRoutes(app: FastifyInstance, parts: EmergencyParts): void {
  const { accounts, emergencies, notices, authenticator, accessLog, record } = parts;
  const reviewer = (request: FastifyRequest, action: string) => authenticator.inPerson(request, reviewers, action);

  app.post('/api/emergency', async (request, reply) => {
    const who = await authenticator.caller(request, 'emergency-begin');
    if (who.client !== undefined || who.site !== undefined || !(await emergencies.mayBegin(who.who))) {
      throw new RecordError(403, 'forbidden', 'This account may not begin an emergency access.');
    }
    const body = jsonBody(request);
    const patient = text(body, 'patient', 64);
    const reasonCode = reasonCodeOf(body.reasonCode);
    const reason = text(body, 'reason', 1_000).trim();
    if (reason.length < shortestReason) {
      const short = `Say in a few words why it is needed (at least ${shortestReason} characters).`;
      throw new RecordError(400, 'value', short, 'reason');
    }
    const stepUp = await accounts.stepUp(who.who, shownOf(request, true));
    if (typeof stepUp === 'object') throw refusal(stepUp, new RecordError(403, 'forbidden', 'That does not prove it.'));
    if (!(await record.homesOf([patient])).has(patient)) {
      throw new RecordError(404, 'not-found', 'There is no Patient of this id.');
    }
    const given = { username: who.who, name: who.name, organization: who.organization };
    const id = newId();
    const named: Caller = { ...who, emergency: id, purpose: 'ETREAT' };
    const entry = { action: 'emergency-begin', what: `emergency/${id}`, status: 201, patients: [patient], reason };
    const begun = await accessLog.changeAnyway(async (transaction) => {
      const made = await emergencies.begin({ ...given, id, patient, reasonCode, reason, stepUp }, transaction);
      return { made, note: { access: named, entry } };
    });
    return reply.code(201).send(shown(begun));
  });

  app.get('/api/emergency', async (request) => {
    const who = await authenticator.caller(request, 'emergency');
    const [underWay, mayBegin] = await Promise.all([emergencies.underWay(who.who), emergencies.mayBegin(who.who)]);
    return { underWay: underWay ? shown(underWay) : null, mayBegin, reasons: emergencyReasons };
  });

  app.delete<Id>('/api/emergency/:id', async (request, reply) => {
    const who = await authenticator.caller(request, 'emergency-end');
    const { id } = request.params;
    const note = {
      access: { ...who, emergency: id },
      entry: { action: 'emergency-end', what: `emergency/${id}`, status: 204 },
    };
    await accessLog.change(async (transaction) => {
      if (!isUuid(id) || !(await emergencies.end(id, who.who, transaction))) {
        throw new RecordError(404, 'not-found', 'You have no emergency access of this id under way.');
      }
      return { made: undefined, note };
    });
    return reply.code(204).send();
  });

  app.get<{ Querystring: { state?: string } }>('/api/emergencies', async (request) => {
    const who = await reviewer(request, 'list-emergencies');
    const state = request.query.state === 'reviewed' ? 'reviewed' : 'open';
    const found = await emergencies.list(state);
    const patients = found.map(({ patient }) => patient);
    await accessLog.record(who, { action: 'list-emergencies', what: state, status: 200, patients });
    return { emergencies: found.map(shown), ...(await emergencies.reviewsOpen()) };
  });

  app.post<Id>('/api/emergencies/:id/review', async (request) => {
    const who = await reviewer(request, 'review-emergency');
    const body = jsonBody(request);
    const { verdict } = body;
    if (verdict !== 'appropriate' && verdict !== 'inappropriate') {
      throw new RecordError(400, 'value', 'verdict must be appropriate or inappropriate.', 'verdict');
    }
    const { id } = request.params;
    const comment = text(body, 'comment', 2_000);
    const reviewed = await accessLog.change(async (transaction) => {
      const made = isUuid(id) ? await emergencies.review(id, who.who, verdict, comment, transaction) : undefined;
      if (!made) {
        const none = 'There is no open review of this id that you may decide; nobody reviews an access of their own.';
        throw new RecordError(404, 'not-found', none);
      }
      const [what, patients] = [`emergency/${id}`, [made.patient]];
      const entry = { action: 'review-emergency', what, status: 200, patients, reason: verdict };
      return { made, note: { access: who, entry } };
    });
    return shown(reviewed);
  });

  app.get('/api/notices', async (request) => {
    const who = await authenticator.caller(request, 'list-notices');
    const found = await notices.of(who.who, await recipientsOf(parts, who));
    return { notices: await withoutHidden(parts.database, who, found) };
  });

  app.post('/api/notices/read', async (request, reply) => {
    const who = await authenticator.caller(request, 'read-notices');
    const { ids } = jsonBody(request);
    if (!Array.isArray(ids) || ids.length > 1_000 || !ids.every((id) => Number.isSafeInteger(id))) {
      throw new RecordError(400, 'value', 'ids must be a list of numbers of notices.', 'ids');
    }
    await notices.read(who.who, await recipientsOf(parts, who), ids);
    return reply.code(204).send();
  });
}

/** As whom somebody is told things: as itself, as one of its role, and for the persons whom it stands for. */
async function recipientsOf({ bindings, record }: EmergencyParts, who: Caller): Promise<string[]> {
  const own = [`account:${who.who}`, `role:${who.role}`];
  const organization = organizationOf(who);
  if (organization !== undefined) own.push(`organization:${organization}`);
  if (who.client !== undefined || (who.role !== 'patient' && who.role !== 'proxy')) return own;
  // As the person's records are shown, and as its account was bound.
  const shown = await record.search(who, { ...record.readSearch('Patient', [], false), count: mostPersons });
  const patients = shown.matches.map(({ text: stored }) => logicalId(stored));
  // A binding whose time or age is over opens no record, and tells nothing either.
  const bound = patients.length > 0 ? (await bindings.of(who.who)).map(({ patient }) => patient) : [];
  const open = (await Promise.all(bound.map((id) => opens(record, who, id)))).flat();
  return [...own, ...[...patients, ...open].map((id) => `patient:${id}`)];
}

/** Clinicians are told of loops about what they may read only. */
async function withoutHidden(database: Database, who: Caller, notices: Notice[]): Promise<Notice[]> {
  const organization = organizationOf(who);
  if (organization === undefined) return notices;
  const loopOf = ({ kind, about }: Notice) => (kind === 'loop' ? String(about.loop) : undefined);
  const ids = notices.flatMap((notice) => loopOf(notice) ?? []);
  const visible = await new LoopList(database).visible(ids, { access: who, organization });
  return notices.filter((notice) => visible.has(loopOf(notice) ?? '') || loopOf(notice) === undefined);
}

/** The organisation of a clinician who is here in person. */
function organizationOf({ role, client, limits }: Caller): string | undefined {
  return role === 'clinician' && client === undefined ? limits.own : undefined;
}

async function opens(record: FhirParts['record'], who: Caller, patient: string): Promise<string[]> {
  const homes = (await record.homesOf([patient])).get(patient) ?? [];
  return homes.some((home) => who.homes === 'all' || who.homes.includes(home)) ? [patient] : [];
}

function reasonCodeOf(code: unknown): EmergencyReason {
  const known = emergencyReasons.find((one) => one === code);
  if (known) return known;
  throw new RecordError(400, 'value', `reasonCode must be one of ${emergencyReasons.join(', ')}.`, 'reasonCode');
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

function shown({ username, ...emergency }: Emergency): object {
  return { ...emergency, by: username };
}
