/**
 * Other hubs (docs/network.md): where they are asked, whom they were asked about, and where they tell that something changed.
 */
import type { FastifyInstance } from 'fastify';
import { type Followed, isTokens, type Network, usualScope } from '../network/index.ts';
import { newId, RecordError } from '../record/index.ts';
import { type AccessLog, hubKind, type Participants, type Relations } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';
import type { RateLimits } from './rate-limits.ts';

export interface NetworkRouteParts {
  network: Network;
  participants: Participants;
  relations: Relations;
  authenticator: Authenticator;
  accessLog: AccessLog;
  record: FhirParts['record'];
  rateLimits: RateLimits;
}

const engineers = ['integration-engineer', 'administrator'];
const treating = ['TREAT', 'ETREAT'];

type Key = { Params: { key: string } };
type Id = { Params: { id: string } };

export function networkRoutes(app: FastifyInstance, parts: NetworkRouteParts): void {
  const { network, participants, relations, authenticator, accessLog, record } = parts;
  const log = (who: Parameters<AccessLog['record']>[0], action: string, what: string) =>
    accessLog.record(who, { action, what, status: 200 });

  app.get('/api/peers', async (request) => {
    const who = await authenticator.inPerson(request, engineers, 'list-peers');
    await log(who, 'list-peers', '');
    return { peers: await network.peers.all() };
  });

  app.put<Key>('/api/peers/:key', async (request) => {
    const who = await authenticator.inPerson(request, ['administrator'], 'change-peer');
    const { key } = request.params;
    const participant = participants.all().find((one) => one.key === key);
    if (participant?.kind !== hubKind)
      throw new RecordError(409, 'conflict', `First make ${key.slice(0, 60)} a participant of the kind ${hubKind}.`);
    const body = jsonBody(request);
    const unknown = Object.keys(body).find(
      (name) => !['url', 'clientId', 'scope', 'matching', 'matchingKey'].includes(name),
    );
    if (unknown !== undefined)
      throw new RecordError(
        400,
        'structure',
        `${unknown.slice(0, 60)} is unknown; known are url, clientId, scope, matching, matchingKey.`,
      );
    const scope = body.scope === undefined ? usualScope : text(body, 'scope', 1_000);
    const peer = {
      participant: key,
      url: baseOf(text(body, 'url', 500)),
      clientId: text(body, 'clientId', 200),
      scope,
      matching: matchingOf(body.matching),
    };
    const matchingKey = body.matchingKey === undefined ? undefined : keyOf(text(body, 'matchingKey', 100));
    if (peer.matching === 'private' && !matchingKey && !(await network.peers.hasMatchingKey(key)))
      throw new RecordError(
        400,
        'required',
        'Private matching needs matchingKey, which both hubs have.',
        'matchingKey',
      );
    await network.peers.put(peer, matchingKey);
    await log(who, 'change-peer', key);
    return peer;
  });

  app.delete<Key>('/api/peers/:key', async (request, reply) => {
    const who = await authenticator.inPerson(request, ['administrator'], 'remove-peer');
    const { key } = request.params;
    if (!(await network.peers.remove(key))) throw new RecordError(404, 'not-found', 'There is no such hub.');
    await log(who, 'remove-peer', key);
    return reply.code(204).send();
  });

  app.post<Id>('/api/persons/:id/networks', async (request, reply) => {
    const who = await authenticator.inPerson(request, ['clinician'], 'ask-hubs');
    const { id } = request.params;
    if (!treating.includes(who.purpose))
      throw new RecordError(403, 'forbidden', 'Other networks are asked for the care of a person only.');
    await record.read(who, 'Patient', id);
    const proof = who.relation && (await relations.proofs(who.relation, [id])).get(id);
    if (who.relation?.mode === 'require' && proof === undefined)
      throw new RecordError(403, 'forbidden', 'First say how your organisation treats this person.');
    await network.ask(id, who.who, proof ?? 'said by who asks');
    await accessLog.record(who, { action: 'ask-hubs', what: `Patient/${id}`, status: 202, patients: [id] });
    return reply.code(202).send(await told(id));
  });

  app.get<Id>('/api/persons/:id/networks', async (request) => {
    const who = await authenticator.inPerson(request, ['clinician', 'privacy-officer', 'administrator'], 'see-hubs');
    const { id } = request.params;
    await record.read(who, 'Patient', id);
    await accessLog.record(who, { action: 'see-hubs', what: `Patient/${id}`, status: 200, patients: [id] });
    return told(id);
  });

  // Only that something changed is told; what, is fetched by this hub as it may.
  app.post<Id>('/network/events/:id', async (request, reply) => {
    const [, secret] = /^Bearer (.{20,200})$/.exec(request.headers.authorization ?? '') ?? [];
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(request.params.id);
    if (secret === undefined || !isId || !(await network.rung(request.params.id, secret)))
      throw new RecordError(401, 'login', 'Nobody is followed by this address and secret.');
    return reply.code(204).send();
  });

  // Who somebody is, asked by tokens instead of demographics: only a handle is answered.
  app.post('/network/matches', async (request) => {
    const who = await authenticator.caller(request, 'match');
    const isHub = who.client !== undefined && who.role === 'system' && kindOf(who.organization) === hubKind;
    if (!isHub) throw new RecordError(403, 'forbidden', 'Only another hub asks here who somebody is.');
    await parts.rateLimits.take('private-match', who.organization);
    const { tokens } = jsonBody(request);
    if (!isTokens(tokens)) throw new RecordError(400, 'value', 'tokens must be a list of tokens.', 'tokens');
    const patient = await network.matching.find(who, who.organization, tokens);
    const patients = patient === undefined ? [] : [patient];
    await accessLog.record(who, { action: 'match', what: '/network/matches', status: 200, patients });
    return { patient: patient ?? null };
  });

  // What another hub says of a person whom it treats, recorded here as of any organisation.
  app.post('/network/attestations', async (request, reply) => {
    const who = await authenticator.caller(request, 'attest');
    const isHub = who.client !== undefined && who.role === 'system' && kindOf(who.organization) === hubKind;
    if (!isHub) throw new RecordError(403, 'forbidden', 'Only another hub says here whom it treats.');
    const body = jsonBody(request);
    const [patient, reason] = [text(body, 'patient', 64), text(body, 'reason', 500).trim()];
    await record.read(who, 'Patient', patient);
    const entry = { action: 'attest', what: `Patient/${patient}`, status: 204, patients: [patient], reason };
    const { relation } = who;
    if (!relation) {
      await accessLog.record(who, entry);
      return reply.code(204).send();
    }
    const [home] = (await record.homesOf([patient])).get(patient) ?? [];
    const given = { id: newId(), home: home!, patient, organization: relation.organization, username: who.who, reason };
    await relations.attest(given, (transaction) => accessLog.recordWith(transaction, [{ access: who, entry }]));
    return reply.code(204).send();
  });

  function kindOf(key: string): string {
    return participants.byKey(key).kind;
  }

  async function told(id: string): Promise<{ networks: object[]; hubs: string[] }> {
    const [followed, peers] = await Promise.all([network.of(id), network.peers.all()]);
    return {
      networks: followed.map((one) => shown(one, participants.byKey(one.peer).name)),
      hubs: peers.map(({ participant }) => participants.byKey(participant).name),
    };
  }
}

function shown(followed: Followed, name: string): object {
  const { peer, state, takenAs, resources, partial, reason, askedBy, askedAt, wholeAt, updated } = followed;
  const isFound = state === 'followed' || state === 'apart';
  return {
    peer,
    name,
    state,
    ...(isFound ? { patient: takenAs, resources } : {}),
    partial: partial ?? null,
    reason: reason ?? null,
    askedBy,
    askedAt,
    wholeAt: wholeAt ?? null,
    updated,
  };
}

/** @throws RecordError 400 */
function matchingOf(value: unknown): 'plain' | 'private' {
  if (value === undefined || value === 'plain' || value === 'private') return value ?? 'plain';
  throw new RecordError(400, 'value', 'matching must be plain or private.', 'matching');
}

/** @throws RecordError 400 */
function keyOf(written: string): Buffer {
  const key = Buffer.from(written, 'base64url');
  if (/^[A-Za-z0-9_-]{43}$/.test(written) && key.length === 32) return key;
  throw new RecordError(400, 'value', 'matchingKey must be 32 random bytes, in base64url.', 'matchingKey');
}

/** The base of a FHIR server. @throws RecordError 400 */
function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const { protocol, username, password, search, hash } = parsed ?? {};
  if (!parsed || !/^https?:$/.test(protocol!) || username || password || search || hash)
    throw new RecordError(400, 'value', 'url must be the https address of the other hub’s FHIR server.', 'url');
  return parsed.href.replace(/\/+$/, '');
}
