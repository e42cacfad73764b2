/**
 * An organisation on the network over HTTP: who it is, where it receives, and how it is connected.
 *
 * `PUT /api/participants/:key` takes `{ name, kind, sendingFacility?, sendingApplication?, identifierSystem?,
 * identifierAuthority?, endpoint?, transport?, queries?, state?, isPart2? }` (see `hub/trust/participants.ts`); what is left out is as it was, null
 * takes it away. `PUT /api/participants/:key/settings` takes what its dialect needs (see `participant-settings.ts`), whole.
 */
import { isAbsolute } from 'node:path';
import {
  refusedVersion,
  type V2MessageCode,
  type V2Version,
  v2MessageCodes,
  v2Versions,
} from '@causeway/mapping/versions';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Endpoint,
  type EndpointTls,
  type Participant,
  type Participants,
  type QueryTopic,
  queryTopics,
  type Role,
  type Transport,
  type V2Endpoint,
} from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import { readSettings } from './participant-settings.ts';

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
type Body = { [name: string]: unknown };

export function participantRoutes(app: FastifyInstance, parts: ParticipantParts): void {
  const { participants, authenticator, accessLog } = parts;
  const as = async (request: FastifyRequest, roles: Role[], action: string) => {
    const who = await authenticator.caller(request);
    if (!roles.includes(who.role)) throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    await accessLog.record(who, { action, what: request.url.slice(0, 500), status: 200 });
  };
  const known = (key: string): Participant | undefined => participants.all().find((one) => one.key === key);

  app.get('/api/participants', async (request) => {
    await as(request, engineers, 'list-participants');
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

  app.get<Key>('/api/participants/:key', async (request) => {
    await as(request, engineers, 'open-participant');
    const participant = known(request.params.key);
    if (!participant) throw new RecordError(404, 'not-found', 'There is no participant of this key.');
    return participant;
  });

  app.put<Key>('/api/participants/:key', async (request) => {
    await as(request, writers, 'change-participant');
    const { key } = request.params;
    if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(key)) {
      throw new RecordError(400, 'value', 'A key is lower-case letters, digits and dashes, at most 60.', 'key');
    }
    const before = known(key);
    const changed = participantOf(key, before, jsonBody(request));
    // First its records count as not yet labelled: whatever fails after that leaves them restricted.
    const isRelabelled = (before?.isPart2 ?? false) !== (changed.isPart2 ?? false);
    if (isRelabelled) await parts.beforeLabelling(key);
    await participants.put(changed);
    if (isRelabelled) parts.onLabelling(key);
    parts.onParticipants();
    return changed;
  });

  app.put<Key>('/api/participants/:key/settings', async (request) => {
    await as(request, engineers, 'change-participant');
    const participant = known(request.params.key);
    if (!participant) throw new RecordError(404, 'not-found', 'There is no participant of this key.');
    const settings = readSettings(jsonBody(request));
    await participants.put({ ...participant, settings });
    return { key: participant.key, settings };
  });
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
    endpoint:
      body.endpoint === undefined
        ? before?.endpoint
        : body.endpoint === null
          ? undefined
          : endpointOf(object(body.endpoint, 'endpoint')),
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

function endpointOf(body: Body): Endpoint {
  if (body.dialect === 'fhir') {
    only(body, ['dialect', 'url'], 'endpoint.');
    return { dialect: 'fhir', url: httpAddress(body) };
  }
  if (body.dialect !== 'hl7v2') throw wrong('endpoint.dialect', 'hl7v2 or fhir');
  const wishes = ['dialect', 'acknowledgement', 'messages', 'version', 'application', 'facility'];
  if (body.url !== undefined) {
    only(body, [...wishes, 'url', 'authorization'], 'endpoint.');
    const { authorization } = body;
    if (authorization === undefined) return { url: httpAddress(body), ...wishesOf(body) };
    return { url: httpAddress(body), authorization: filePath(body, 'authorization'), ...wishesOf(body) };
  }
  only(body, [...wishes, 'host', 'port', 'tls'], 'endpoint.');
  const { port } = body;
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65535) throw wrong('endpoint.port', '1 to 65535');
  const tls = body.tls === undefined ? {} : { tls: tlsOf(object(body.tls, 'endpoint.tls')) };
  return { host: text(body, 'host', 253), port: Number(port), ...wishesOf(body), ...tls };
}

function httpAddress(body: Body): string {
  const url = text(body, 'url', 500);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw wrong('endpoint.url', 'an http address');
  if (parsed.username !== '' || parsed.password !== '') throw wrong('endpoint.url', 'an address without credentials');
  return url;
}

function filePath(body: Body, name: string): string {
  const path = text(body, name, 1_000);
  if (!isAbsolute(path)) throw wrong(`endpoint.${name}`, 'the absolute path of a file');
  return path;
}

/** What a receiver of HL7 v2 wants, and under which names. */
function wishesOf(body: Body): Pick<V2Endpoint, 'dialect' | 'acknowledgement' | 'messages' | 'version'> {
  const { acknowledgement = 'original', messages, version } = body;
  if (acknowledgement !== 'original' && acknowledgement !== 'enhanced') {
    throw wrong('endpoint.acknowledgement', 'original or enhanced');
  }
  if (version !== undefined && !v2Versions.includes(version as V2Version)) {
    throw wrong('endpoint.version', `one of ${v2Versions.join(', ')}`);
  }
  return {
    dialect: 'hl7v2',
    acknowledgement,
    ...(messages === undefined ? {} : { messages: messagesOf(messages, (version ?? '2.5.1') as V2Version) }),
    ...(version === undefined ? {} : { version: version as V2Version }),
    ...(body.application === undefined ? {} : { application: text(body, 'application', 180) }),
    ...(body.facility === undefined ? {} : { facility: text(body, 'facility', 180) }),
  };
}

const orders: readonly V2MessageCode[] = ['ORM', 'OMG', 'OML'];

function messagesOf(value: unknown, version: V2Version): V2MessageCode[] {
  const codes = Array.isArray(value) ? (value as V2MessageCode[]) : [undefined];
  if (
    !codes.every((code) => code !== undefined && v2MessageCodes.includes(code)) ||
    new Set(codes).size < codes.length
  ) {
    throw wrong('endpoint.messages', `a list of ${v2MessageCodes.join(', ')}, each once`);
  }
  if (codes.filter((code) => orders.includes(code!)).length > 1) {
    throw wrong('endpoint.messages', 'with one of ORM, OMG and OML at most, since each tells of an order');
  }
  for (const code of codes as V2MessageCode[]) {
    const refused = refusedVersion(code, version);
    if (refused !== undefined) throw new RecordError(400, 'value', refused, 'endpoint.messages');
  }
  return codes as V2MessageCode[];
}

function tlsOf(body: Body): EndpointTls {
  only(body, ['ca', 'certificate', 'key', 'serverName'], 'endpoint.tls.');
  for (const name of ['ca', 'certificate', 'key']) {
    if (body[name] !== undefined && !isAbsolute(text(body, name, 1_000))) {
      throw wrong(`endpoint.tls.${name}`, 'the absolute path of a PEM file');
    }
  }
  if (body.serverName !== undefined) text(body, 'serverName', 253);
  if ((body.certificate === undefined) !== (body.key === undefined)) {
    throw wrong('endpoint.tls', 'certificate and key together, or neither');
  }
  return body as EndpointTls;
}

function transportOf(body: Body): Transport {
  only(body, ['certificates', 'sequenceNumbers'], 'transport.');
  const { certificates, sequenceNumbers } = body;
  const isFingerprint = (one: unknown) => typeof one === 'string' && /^([0-9a-f]{2}:?){32}$/i.test(one);
  if (certificates !== undefined && !(Array.isArray(certificates) && certificates.every(isFingerprint))) {
    throw wrong('transport.certificates', 'a list of SHA-256 fingerprints');
  }
  if (sequenceNumbers !== undefined && typeof sequenceNumbers !== 'boolean') {
    throw wrong('transport.sequenceNumbers', 'true or false');
  }
  return body as Transport;
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

function only(body: Body, allowed: string[], where: string): void {
  const unknown = Object.keys(body).find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new RecordError(
      400,
      'structure',
      `${where}${unknown.slice(0, 60)} is unknown; known are ${allowed.join(', ')}.`,
    );
  }
}

function object(value: unknown, where: string): Body {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body;
  throw wrong(where, 'an object');
}

function wrong(where: string, right: string): RecordError {
  return new RecordError(400, 'value', `${where} must be ${right}.`, where);
}
