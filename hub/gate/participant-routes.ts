/**
 * An organisation on the network over HTTP: who it is, where it receives, and how it is connected.
 *
 * `PUT /api/participants/:key` takes `{ name, kind, sendingFacility?, sendingApplication?, identifierSystem?,
 * identifierAuthority?, routes?, transport?, queries?, state?, isPart2? }` (see `hub/trust/participants.ts`); what is left out is as
 * it was, null takes it away. `endpoint` stands for the route `main`. `PUT /api/participants/:key/settings` takes what its dialect needs (see `participant-settings.ts`), whole.
 * `GET /api/identifier-systems` says to everybody who is signed in whose record numbers a system is.
 */
import { isAbsolute } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isMailAddress } from '../mail/index.ts';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  mainRoute,
  type Participant,
  type Participants,
  type QueryTopic,
  queryTopics,
  type Role,
  type Route,
  type Transport,
} from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { type Body, jsonBody, object, only, text, wrong } from './body.ts';
import { readSettings } from './participant-settings.ts';
import { readEndpoint, readRoutes } from './route-body.ts';

export interface ParticipantParts {
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
  /** Called after a change: an endpoint may have come. */
  onParticipants: () => void;
  /** Called before and after a change by which the records of an organisation are labelled otherwise. */
  beforeLabelling: (key: string) => Promise<void>;
  onLabelling: (key: string) => void;
}

/** They read it, and say what a sender's dialect needs. */
const engineers: Role[] = ['integration-engineer', 'administrator', 'system'];
const writers: Role[] = ['administrator', 'system'];

type Key = { Params: { key: string } };

export function participantRoutes(app: FastifyInstance, parts: ParticipantParts): void {
  const { participants, authenticator, accessLog } = parts;
  /** What records the request: to be called once nothing is wrong with it, and before it is carried out or answered. */
  const as = async (request: FastifyRequest, roles: Role[], action: string) => {
    const who = await authenticator.caller(request, action);
    if (!roles.includes(who.role)) throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    return () => accessLog.record(who, { action, what: request.url.slice(0, 500), status: 200 });
  };
  const known = (key: string): Participant | undefined => participants.all().find((one) => one.key === key);

  app.get('/api/participants', async (request) => {
    const recorded = await as(request, engineers, 'list-participants');
    await recorded();
    const all = participants
      .all()
      .map(({ key, name, kind, sendingFacility, sendingApplication, settings, queries }) => ({
        key,
        name,
        kind,
        sendingFacility,
        sendingApplication,
        settings,
        queries: queries ?? [],
      }));
    return { participants: all.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  });

  app.get('/api/identifier-systems', async (request) => {
    await authenticator.caller(request, 'list-identifier-systems');
    return { systems: systemNames(participants.all()) };
  });

  app.get<Key>('/api/participants/:key', async (request) => {
    const recorded = await as(request, engineers, 'open-participant');
    const participant = known(request.params.key);
    if (!participant) throw new RecordError(404, 'not-found', 'There is no participant of this key.');
    await recorded();
    return shown(participant);
  });

  app.put<Key>('/api/participants/:key', async (request) => {
    const recorded = await as(request, writers, 'change-participant');
    const { key } = request.params;
    if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(key)) {
      throw new RecordError(400, 'value', 'A key is lower-case letters, digits and dashes, at most 60.', 'key');
    }
    const before = known(key);
    const changed = participantOf(key, before, jsonBody(request));
    await recorded();
    // First its records count as not yet labelled: whatever fails after that leaves them restricted.
    const isRelabelled = (before?.isPart2 ?? false) !== (changed.isPart2 ?? false);
    if (isRelabelled) await parts.beforeLabelling(key);
    await participants.put(changed);
    if (isRelabelled) parts.onLabelling(key);
    parts.onParticipants();
    return shown(changed);
  });

  app.put<Key>('/api/participants/:key/settings', async (request) => {
    const recorded = await as(request, engineers, 'change-participant');
    const participant = known(request.params.key);
    if (!participant) throw new RecordError(404, 'not-found', 'There is no participant of this key.');
    const settings = readSettings(jsonBody(request));
    await recorded();
    await participants.put({ ...participant, settings });
    return { key: participant.key, settings };
  });
}

/** Whose record numbers a FHIR system is, in words: the organisations' names by system. */
function systemNames(all: readonly Participant[]): { [system: string]: string } {
  const owned = all.flatMap(({ name, identifierSystem, settings: { oid } }) =>
    [...new Set([identifierSystem, oid && `urn:oid:${oid}`])].flatMap((system) => (system ? [{ system, name }] : [])),
  );
  const bySystem = Map.groupBy(owned, ({ system }) => system);
  return Object.fromEntries([...bySystem].map(([system, of]) => [system, of.map(({ name }) => name).join(' / ')]));
}

const names = [
  'key',
  'name',
  'kind',
  'sendingFacility',
  'sendingApplication',
  'identifierSystem',
  'identifierAuthority',
  'endpoint',
  'routes',
  'transport',
  'queries',
  'state',
  'isPart2',
];

function participantOf(key: string, before: Participant | undefined, body: Body): Participant {
  only(body, names, '');
  const optional = (name: 'sendingFacility' | 'sendingApplication' | 'identifierSystem' | 'identifierAuthority') =>
    body[name] === undefined ? before?.[name] : body[name] === null ? undefined : text(body, name, 200);
  return {
    key,
    name: body.name === undefined && before ? before.name : text(body, 'name', 200),
    kind: body.kind === undefined && before ? before.kind : text(body, 'kind', 60),
    sendingFacility: optional('sendingFacility'),
    sendingApplication: optional('sendingApplication'),
    identifierSystem: optional('identifierSystem'),
    identifierAuthority: optional('identifierAuthority'),
    settings: before?.settings ?? {},
    routes: routesOf(body, before?.routes ?? []),
    transport:
      body.transport === undefined
        ? before?.transport
        : body.transport === null
          ? {}
          : transportOf(object(body.transport, 'transport')),
    state: body.state === undefined ? before?.state : body.state === null ? undefined : stateOf(body.state),
    isPart2: body.isPart2 === undefined ? before?.isPart2 : isTrue(body.isPart2),
    queries: body.queries === undefined ? before?.queries : body.queries === null ? [] : queriesOf(body.queries),
  };
}

function transportOf(body: Body): Transport {
  only(body, ['certificates', 'sequenceNumbers', 'direct'], 'transport.');
  const { certificates, sequenceNumbers, direct } = body;
  const isFingerprint = (one: unknown) => typeof one === 'string' && /^([0-9a-f]{2}:?){32}$/i.test(one);
  if (certificates !== undefined && !(Array.isArray(certificates) && certificates.every(isFingerprint))) {
    throw wrong('transport.certificates', 'a list of SHA-256 fingerprints');
  }
  if (sequenceNumbers !== undefined && typeof sequenceNumbers !== 'boolean') {
    throw wrong('transport.sequenceNumbers', 'true or false');
  }
  if (direct !== undefined) checkDirect(object(direct, 'transport.direct'));
  return body as Transport;
}

function checkDirect(body: Body): void {
  only(body, ['senders', 'trust'], 'transport.direct.');
  const isSender = (one: unknown) => typeof one === 'string' && (isMailAddress(one) || isMailAddress(`any@${one}`));
  if (!Array.isArray(body.senders) || body.senders.length === 0 || !body.senders.every(isSender)) {
    throw wrong('transport.direct.senders', 'a list of addresses, or domains');
  }
  if (!isAbsolute(text(body, 'trust', 1_000))) throw wrong('transport.direct.trust', 'the absolute path of a file');
}

function stateOf(value: unknown): string {
  if (typeof value === 'string' && /^[A-Z]{2}$/.test(value)) return value;
  throw wrong('state', 'two capital letters, as CA');
}

function isTrue(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrong('isPart2', 'true or false');
}

function queriesOf(value: unknown): QueryTopic[] {
  const isTopic = (one: unknown): one is QueryTopic => queryTopics.some((topic) => topic === one);
  if (Array.isArray(value) && value.every(isTopic)) return queryTopics.filter((topic) => value.includes(topic));
  throw wrong('queries', `a list of ${queryTopics.join(', ')}`);
}

/** What the body says of the routes: all of them, or the endpoint of `main` alone. */
function routesOf(body: Body, before: readonly Route[]): readonly Route[] {
  const routes = body.routes === undefined ? before : body.routes === null ? [] : readRoutes(body.routes);
  if (body.endpoint === undefined) return routes;
  const others = routes.filter(({ name }) => name !== mainRoute);
  if (body.endpoint === null) return others;
  const main = before.find(({ name }) => name === mainRoute);
  return [{ ...main, name: mainRoute, to: readEndpoint(object(body.endpoint, 'endpoint'), 'endpoint') }, ...others];
}

/** A participant as it is told: the endpoint of its route `main` also beside the routes. */
function shown(participant: Participant): object {
  return { ...participant, endpoint: participant.routes?.find(({ name }) => name === mainRoute)?.to };
}
