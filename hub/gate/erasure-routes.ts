/**
 * Erasures for privacy officers: what would go, the request, its confirmation by a second person, the register, and the
 * maintenance that follows. An operator may be one of the two, by the command line.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Erasure, Erasures, Extent, Maintenance } from '../erasure/index.ts';
import type { PersonIndex } from '../identity/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { type Body, jsonBody, only, text } from './body.ts';

export interface ErasureRouteParts {
  erasures: Erasures;
  maintenance: Maintenance;
  persons: PersonIndex;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

type Id = { Params: { id: string } };

const officers = ['privacy-officer', 'administrator'];
const shortestReason = 10;

export function erasureRoutes(app: FastifyInstance, parts: ErasureRouteParts): void {
  const { erasures, maintenance, persons, authenticator, accessLog } = parts;
  const officer = (request: FastifyRequest, action: string) => authenticator.inPerson(request, officers, action);

  app.get('/api/erasures', async (request) => {
    const who = await officer(request, 'list-erasures');
    await accessLog.record(who, { action: 'list-erasures', what: 'erasures', status: 200 });
    return { erasures: (await erasures.list()).map(shown), maintenance: maintenance.state };
  });

  app.post('/api/erasures/preview', async (request) => {
    const who = await officer(request, 'preview-erasure');
    const body = jsonBody(request);
    only(body, ['patient', 'extent'], '');
    const patient = text(body, 'patient', 64);
    const { patients, homes, ...counts } = await erasures.preview(patient, extentOf(body));
    const person = (await persons.person(patient)) as { members: { patient: string }[] };
    const members = person.members.filter(({ patient: id }) => patients.includes(id));
    await accessLog.record(who, {
      action: 'preview-erasure',
      what: 'erasure',
      status: 200,
      patients,
    });
    return { ...counts, records: homes.length, members };
  });

  app.post('/api/erasures', async (request, reply) => {
    const who = await officer(request, 'erasure-request');
    const body = jsonBody(request);
    only(body, ['patient', 'extent', 'legalBasis', 'reason'], '');
    const asked = {
      patient: text(body, 'patient', 64),
      extent: extentOf(body),
      legalBasis: text(body, 'legalBasis', 300).trim(),
      reason: reasonOf(body),
    };
    return reply.code(201).send(shown(await erasures.request(asked, who)));
  });

  app.post<Id>('/api/erasures/:id/confirm', async (request, reply) => {
    const who = await officer(request, 'erasure-confirm');
    return reply.code(202).send(shown(await erasures.confirm(idOf(request.params.id), who)));
  });

  app.post<Id>('/api/erasures/:id/withdraw', async (request) => {
    const who = await officer(request, 'erasure-withdraw');
    return shown(await erasures.withdraw(idOf(request.params.id), who, reasonOf(jsonBody(request))));
  });

  app.post<Id>('/api/erasures/:id/lift', async (request) => {
    const who = await officer(request, 'erasure-lift');
    return shown(await erasures.lift(idOf(request.params.id), who, reasonOf(jsonBody(request))));
  });

  app.post('/api/erasures/maintenance', async (request, reply) => {
    const who = await officer(request, 'erasure-maintenance');
    await accessLog.record(who, { action: 'erasure-maintenance', what: 'erasures', status: 202 });
    return reply.code(202).send(maintenance.begin());
  });
}

/** Without whom it is about, once it is carried out nobody knows that. */
function shown({ patients, ...erasure }: Erasure): object {
  return erasure.state === 'requested' ? { ...erasure, patient: patients[0] } : erasure;
}

function extentOf({ extent = 'person' }: Body): Extent {
  if (extent === 'person' || extent === 'source') return extent;
  throw new RecordError(
    400,
    'value',
    'extent is person (all that is known of them), or source (one source Patient).',
    'extent',
  );
}

function reasonOf(body: Body): string {
  const reason = text(body, 'reason', 1_000).trim();
  if (reason.length >= shortestReason) return reason;
  throw new RecordError(400, 'value', `Say in a few words why (at least ${shortestReason} characters).`, 'reason');
}

function idOf(id: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw new RecordError(404, 'not-found', 'There is no erasure of this id.');
}
