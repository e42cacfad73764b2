/** The screens' own interface beside FHIR: messages, reviews, persons, status. */

import { typeName } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/index.ts';
import type { RevocationSources } from '../authorization/index.ts';
import type { Connectors } from '../connectors/index.ts';
import type { Database } from '../database/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import type { Messages, Processor } from '../inbox/index.ts';
import type { Deliveries } from '../outbox/index.ts';
import { RecordError } from '../record/index.ts';
import { type AccessLog, type Agreements, type Certificates, fanOutAlarms, type Role } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface ApiParts {
  database: Database;
  authenticator: Authenticator;
  accessLog: AccessLog;
  audit: AuditLog;
  messages: Messages;
  processor: Processor;
  persons: PersonIndex;
  deliveries: Deliveries;
  connectors: Connectors;
  certificates: Certificates;
  revocationSources: Pick<RevocationSources, 'silent'>;
  agreements: Agreements;
}

const engineers: Role[] = ['integration-engineer', 'administrator', 'system'];
const messageListers: Role[] = [...engineers, 'steward'];
/** Those who read records open the original of what they see. */
const messageReaders: Role[] = [...messageListers, 'clinician'];
const stewards: Role[] = ['steward', 'administrator', 'system'];
/** Who may see who a person is; engineers see messages, not persons. */
const personReaders: Role[] = [...stewards, 'clinician', 'privacy-officer'];

type Id = { Params: { id: string } };

export function apiRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { accessLog, messages, persons, deliveries } = parts;
  const as = async (request: FastifyRequest, roles: Role[]): Promise<Caller> => {
    const who = await parts.authenticator.caller(request);
    if (!roles.includes(who.role)) throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    return who;
  };
  const log = (who: Caller, action: string, request: FastifyRequest, patients: string[] = []) =>
    accessLog.record(who, {
      action,
      what: request.url.slice(0, 500),
      status: 200,
      ...(patients.length > 0 ? { patients } : {}),
    });

  app.get('/api/messages', async (request) => {
    const who = await as(request, messageListers);
    const query = parameters(request);
    const found = await messages.list({ ...query, limit: limitOf(query.limit) });
    await log(who, 'list-messages', request);
    return found;
  });

  app.get('/api/not-mapped', async (request) => {
    await as(request, messageListers);
    return messages.notMapped(parameters(request).source || undefined);
  });

  app.get<Id>('/api/messages/:id', async (request) => {
    const who = await as(request, messageReaders);
    const isEngineer = engineers.includes(who.role);
    if (!isEngineer && !(await messages.isOpenTo(who, request.params.id))) {
      throw new RecordError(404, 'not-found', 'There is no message of this id.');
    }
    const message = await messages.read(request.params.id);
    await log(who, 'open-message', request, message.person ? [String(message.person)] : []);
    const resources = message.resources as { type: number; rid: string; version: number }[];
    return {
      ...message,
      resources: resources.map(({ type, rid, version }) => ({
        reference: `${typeName(type)}/${rid}`,
        versionId: String(version),
      })),
      deliveries: await deliveries.ofMessage(String(message.id)),
    };
  });

  app.post<Id>('/api/messages/:id/replay', async (request, reply) => {
    const who = await as(request, engineers);
    await messages.replay(request.params.id);
    await log(who, 'replay-message', request);
    parts.processor.wake();
    return reply.code(202).send({});
  });

  app.get('/api/reviews', async (request) => {
    const who = await as(request, stewards);
    const { state, limit, before } = parameters(request);
    const cursor = before ? new Date(before) : undefined;
    const found = await persons.reviews(state === 'decided' ? 'decided' : 'open', {
      limit: limitOf(limit),
      before: cursor && !Number.isNaN(cursor.getTime()) ? cursor : undefined,
    });
    await log(who, 'list-reviews', request);
    return found;
  });

  app.post<Id>('/api/reviews/:id', async (request) => {
    const who = await as(request, stewards);
    const body = jsonBody(request);
    const decision = text(body, 'decision');
    if (decision !== 'same' && decision !== 'different') {
      throw new RecordError(400, 'value', 'decision must be same or different.', 'decision');
    }
    const review = await persons.decide(request.params.id, who, decision, text(body, 'reason'));
    await log(who, `decide-${decision}`, request);
    return review;
  });

  app.get<Id>('/api/persons/:id', async (request) => {
    const who = await as(request, personReaders);
    const person = await persons.person(request.params.id);
    await log(who, 'open-person', request, [request.params.id]);
    return person;
  });

  app.post<Id>('/api/persons/:id/unlink', async (request) => {
    const who = await as(request, stewards);
    const body = jsonBody(request);
    const person = await persons.unlink(request.params.id, text(body, 'patient', 64), who, text(body, 'reason'));
    await log(who, 'unlink', request, [request.params.id]);
    return person;
  });

  app.get('/api/status', async (request) => {
    const who = await as(request, messageReaders);
    const isWarned = engineers.includes(who.role);
    const [certificates, inbox, outbox, expiring, alarms, failing, auditLog, counts] = await Promise.all([
      parts.certificates.list(),
      messages.status(),
      deliveries.status(),
      isWarned ? parts.agreements.expiring() : [],
      isWarned ? fanOutAlarms(parts.database, 1) : [],
      isWarned ? parts.connectors.store.failing() : [],
      parts.audit.status(),
      parts.database.query(`SELECT
        (SELECT count(DISTINCT person) FROM link) AS persons,
        (SELECT count(*) FROM link) AS patients,
        (SELECT count(*) FROM review WHERE decision IS NULL) AS reviews,
        (SELECT count(*) FROM resource WHERE NOT deleted) AS resources`),
    ]);
    const row = counts.rows[0]!;
    return {
      ...inbox,
      ...outbox,
      expiring,
      fanOutAlarms: alarms,
      connectorsFailing: failing,
      auditLog,
      persons: row.persons,
      sourcePatients: row.patients,
      reviewsOpen: row.reviews,
      revocationSilent: isWarned ? parts.revocationSources.silent() : [],
      certificatesEnding: certificates.filter(({ state }) => state !== 'good'),
      resources: row.resources,
    };
  });
}

/** The address's parameters; of one that is repeated, the last. */
function parameters(request: FastifyRequest): { [name: string]: string | undefined } {
  return Object.fromEntries(new URLSearchParams(request.url.split('?')[1] ?? ''));
}

function limitOf(limit: string | undefined): number {
  return limit !== undefined && /^\d{1,4}$/.test(limit) ? Math.min(Math.max(Number(limit), 1), 200) : 50;
}
