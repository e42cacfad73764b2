/**
 * An organisation on the network over HTTP: who it is, where it receives, and how it is connected.
 *
 * `PUT /api/participants/:key` takes `{ name, kind, sendingFacility?, sendingApplication?, identifierSystem?,
 * identifierAuthority?, endpoint?, transport? }` (see `hub/trust/participants.ts`); what is left out is as it was, null
 * takes it away. `PUT /api/participants/:key/settings` takes what its dialect needs (see `participant-settings.ts`), whole.
 */
import { isAbsolute } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Endpoint, EndpointTls, Participant, Participants, Role, Transport } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import { readSettings } from './participant-settings.ts';

export interface ParticipantParts {
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
  /** Called after a change: an endpoint may have come. */
  onParticipants: () => void;
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
    const all = participants.all().map(({ key, name, kind, sendingFacility, sendingApplication, settings }) => ({
      key,
      name,
      kind,
      sendingFacility,
      sendingApplication,
      settings,
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
    const changed = participantOf(key, known(key), jsonBody(request));
    await participants.put(changed);
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
  };
}

function endpointOf(body: Body): Endpoint {
  if (body.dialect === 'fhir') {
    only(body, ['dialect', 'url'], 'endpoint.');
    const url = text(body, 'url', 500);
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw wrong('endpoint.url', 'an http address');
    return { dialect: 'fhir', url };
  }
  if (body.dialect !== 'hl7v2') throw wrong('endpoint.dialect', 'hl7v2 or fhir');
  only(body, ['dialect', 'host', 'port', 'tls', 'acknowledgement'], 'endpoint.');
  const { port, acknowledgement = 'original' } = body;
  if (!Number.isInteger(port) || Number(port) < 1 || Number(port) > 65535) throw wrong('endpoint.port', '1 to 65535');
  if (acknowledgement !== 'original' && acknowledgement !== 'enhanced') {
    throw wrong('endpoint.acknowledgement', 'original or enhanced');
  }
  const tls = body.tls === undefined ? {} : { tls: tlsOf(object(body.tls, 'endpoint.tls')) };
  return { dialect: 'hl7v2', host: text(body, 'host', 253), port: Number(port), acknowledgement, ...tls };
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
