/**
 * Apps for the screens: those that a user has connected, opening one from a chart, and the clients that administrators
 * register, let in and shut out.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Authorization, clientStates, setParticipant } from '../authorization/index.ts';
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Participants } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface AppParts {
  authorization: Authorization;
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirParts['record'];
  database: Database;
  participants: Participants;
}

type Id = { Params: { id: string } };

const mostAbout = 10;

/** Resources that are open beside patient and visit. @throws RecordError 400 */
function referencesIn(about: unknown): string[] {
  if (about === undefined) return [];
  const isReference = (one: unknown) =>
    typeof one === 'string' && /^(?!Patient\/|Encounter\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.test(one);
  if (Array.isArray(about) && about.length <= mostAbout && about.every(isReference)) return about;
  const wanted = `at most ${mostAbout} references such as ImagingStudy/123, to neither a Patient nor an Encounter`;
  throw new RecordError(400, 'value', `about must be ${wanted}.`, 'about');
}

export function appRoutes(app: FastifyInstance, parts: AppParts): void {
  const { authorization, authenticator, accessLog } = parts;
  const { clients, grants } = authorization;
  const log = (who: Caller, action: string, what: string, patients: string[] = []) =>
    accessLog.record(who, { action, what: what.slice(0, 500), status: 200, patients });
  const administrator = async (request: FastifyRequest) => {
    const who = await authenticator.caller(request);
    if (who.role !== 'administrator') {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    }
    return who;
  };

  app.get('/api/apps', async (request) => {
    const who = await authenticator.caller(request);
    return { apps: await grants.ofUser(who.who) };
  });

  app.delete<Id>('/api/apps/:id', async (request, reply) => {
    const who = await authenticator.caller(request, 'disconnect-app');
    const { id } = request.params;
    if (!(await grants.revoke(who.who, id))) throw new RecordError(404, 'not-found', 'This app is not connected.');
    await log(who, 'disconnect-app', id);
    return reply.code(204).send();
  });

  app.get('/api/launchable-apps', async (request) => {
    await authenticator.caller(request);
    const all = await clients.all();
    const open = all.filter(({ state, metadata }) => state === 'active' && metadata.launch_url !== undefined);
    return { apps: open.map(({ id, name }) => ({ id, name })) };
  });

  app.post('/api/launches', async (request) => {
    const who = await authenticator.caller(request, 'open-app');
    const body = jsonBody(request);
    const [client, patient] = [text(body, 'client', 64), text(body, 'patient', 64)];
    const encounter = body.encounter === undefined ? undefined : text(body, 'encounter', 64);
    const intent = body.intent === undefined ? undefined : text(body, 'intent', 100);
    const about = referencesIn(body.about);
    await parts.record.read(who, 'Patient', patient);
    // What is open beside has to be of that patient's record, or of nobody's.
    const homes = (await parts.record.homesOf([patient])).get(patient) ?? [];
    for (const reference of [...(encounter === undefined ? [] : [`Encounter/${encounter}`]), ...about]) {
      const [type, id] = reference.split('/') as [string, string];
      const { home } = await parts.record.read(who, type, id);
      if (home >= 0 && !homes.includes(home)) {
        throw new RecordError(404, 'not-found', `${reference} is not in the record of this patient.`, 'about');
      }
    }
    const user = { username: who.who, name: who.name, role: who.role, organization: who.organization };
    const address = await authorization.launch(client, user, { patient, encounter, about, intent });
    await log(who, 'open-app', client, [patient]);
    return { address };
  });

  app.get('/api/clients', async (request) => {
    await administrator(request);
    return { clients: await clients.all() };
  });

  app.post('/api/clients', async (request, reply) => {
    const who = await administrator(request);
    const { organization, ...described } = jsonBody(request);
    if (organization !== undefined && (typeof organization !== 'string' || organization.length > 60)) {
      throw new RecordError(400, 'value', 'organization must be the key of a participant.', 'organization');
    }
    const made = await authorization.register(described, organization ?? who.organization, who.who);
    await log(who, 'register-client', made.client.id);
    return reply.code(201).send(made);
  });

  app.put<Id>('/api/clients/:id/state', async (request) => {
    const who = await administrator(request);
    const wanted = text(jsonBody(request), 'state', 20);
    const state = clientStates.find((one) => one === wanted);
    if (!state) throw new RecordError(400, 'value', `state must be one of ${clientStates.join(', ')}.`, 'state');
    await clients.setState(request.params.id, state);
    await log(who, `client-${state}`, request.params.id);
    return { id: request.params.id, state };
  });

  app.put<Id>('/api/clients/:id/organizations', async (request) => {
    const who = await administrator(request);
    const { id } = request.params;
    const body = jsonBody(request);
    const organization = text(body, 'organization', 255);
    const participant = body.participant === null ? undefined : text(body, 'participant', 60);
    if (participant !== undefined && !parts.participants.all().some(({ key }) => key === participant)) {
      throw new RecordError(400, 'value', 'participant must be the key of one that is registered.', 'participant');
    }
    await setParticipant(parts.database, id, organization, participant, who.who);
    await log(who, 'client-organization', `${id} ${organization} ${participant ?? 'nobody'}`);
    return { client: await clients.one(id) };
  });

  app.delete<Id>('/api/clients/:id', async (request, reply) => {
    const who = await administrator(request);
    await clients.remove(request.params.id);
    await log(who, 'remove-client', request.params.id);
    return reply.code(204).send();
  });
}
