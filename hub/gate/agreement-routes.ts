/**
 * Organisations on their way onto the network, as those who run it see them: where each stands, its invitation, its
 * certificates, what is agreed, and the steps that somebody has to decide.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isResourceType } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { newId, RecordError } from '../record/index.ts';
import {
  type AccessLog,
  type Activity,
  type Agreement,
  type Agreements,
  type Also,
  activities,
  agreedPurposes,
  type Onboarding,
  type ParticipantState,
  type Participants,
  participantStates,
  readCertificate,
  settledMs,
  type Terms,
  typedPurposes,
} from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface AgreementParts {
  agreements: Agreements;
  onboarding: Onboarding;
  participants: Participants;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

type Key = { Params: { key: string } };
type Body = { [name: string]: unknown };

const readers = ['administrator', 'privacy-officer', 'integration-engineer'];
const deciders = ['administrator', 'privacy-officer'];
const longestText = 200_000;

export function agreementRoutes(app: FastifyInstance, parts: AgreementParts): void {
  const { agreements, onboarding, participants, authenticator, accessLog } = parts;
  const as = (request: FastifyRequest, roles: string[], action: string) =>
    authenticator.inPerson(request, roles, action);
  /** The record of a change, in its transaction. */
  const noted = (access: Caller, action: string, what: string, reason?: string): Also => {
    const entry = { action, what, status: 200, ...(reason ? { reason: reason.slice(0, 500) } : {}) };
    return (transaction) => accessLog.recordWith(transaction, [{ access, entry }]);
  };
  const known = (key: string) => {
    const participant = participants.all().find((one) => one.key === key);
    if (!participant) throw new RecordError(404, 'not-found', 'There is no participant of this key.');
    return participant;
  };

  app.get('/api/standings', async (request) => {
    const who = await as(request, readers, 'list-standings');
    const expiring = await agreements.expiring();
    await accessLog.record(who, { action: 'list-standings', what: '', status: 200 });
    const standings = participants.all().map(({ key, name, kind, state: place }) => ({
      key,
      name,
      kind,
      place,
      state: agreements.standing(key).state,
      expiring: expiring.filter(({ participant }) => participant === key),
    }));
    return { standings: standings.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  });

  app.get<Key>('/api/participants/:key/standing', async (request) => {
    const who = await as(request, readers, 'open-standing');
    const { key } = request.params;
    const { name, kind, state: place, transport } = known(key);
    const [steps, written] = await Promise.all([agreements.steps(key), agreements.of(key)]);
    await accessLog.record(who, { action: 'open-standing', what: key, status: 200 });
    const { state } = agreements.standing(key);
    const certificates = transport?.certificates ?? [];
    return { key, name, kind, place, state, certificates, steps, agreements: written.map(shownAgreement) };
  });

  app.post<Key>('/api/participants/:key/invitation', async (request, reply) => {
    const who = await as(request, ['administrator'], 'invite-participant');
    const { key } = known(request.params.key);
    const { note } = jsonBody(request);
    const why = typeof note === 'string' ? note.trim().slice(0, 1_000) : '';
    const invited = await onboarding.invite(key, who.who, why, noted(who, 'invite-participant', key, why));
    return reply.code(201).send(invited);
  });

  app.post<Key>('/api/participants/:key/certificate', async (request, reply) => {
    const who = await as(request, ['administrator'], 'add-certificate');
    const { key } = known(request.params.key);
    const added = await addCertificate(parts, key, jsonBody(request), who.who, noted(who, 'add-certificate', key));
    return reply.code(201).send(added);
  });

  app.post<Key>('/api/participants/:key/agreements', async (request, reply) => {
    const who = await as(request, deciders, 'write-agreement');
    const { key, state } = known(request.params.key);
    const terms = termsOf(key, state, jsonBody(request));
    const drafted = await onboarding.draft(newId(), terms, who.who, noted(who, 'write-agreement', key));
    if (typeof drafted === 'string') throw new RecordError(409, 'conflict', drafted);
    return reply.code(201).send(shownAgreement(drafted));
  });

  app.post<{ Params: { id: string } }>('/api/agreements/:id/sign', async (request, reply) => {
    const who = await as(request, deciders, 'sign-agreement');
    const { id } = request.params;
    const hash = text(jsonBody(request), 'hash', 64);
    const refused = isUuid(id)
      ? await onboarding.sign(id, hash, `${who.name} (${who.who})`, undefined, noted(who, 'sign-agreement', id))
      : 'There is no agreement of this id.';
    if (refused !== undefined) throw new RecordError(409, 'conflict', refused);
    await delay(settledMs);
    return reply.code(204).send();
  });

  app.post<Key>('/api/participants/:key/steps', async (request, reply) => {
    const who = await as(request, deciders, 'decide-participant');
    const { key } = known(request.params.key);
    const body = jsonBody(request);
    const to = participantStates.find((state): state is ParticipantState => state === body.state);
    if (!to) throw wrong('state', `one of ${participantStates.join(', ')}`);
    const note = text(body, 'note', 1_000).trim();
    const also = noted(who, 'decide-participant', `${key} ${to}`, note);
    const refused = await onboarding.decide(key, to, who.who, note, also);
    if (refused !== undefined) throw new RecordError(409, 'conflict', refused, 'state');
    // It is answered when it holds on every hub.
    await delay(settledMs);
    return reply.code(204).send();
  });
}

/** Takes a certificate for an organisation, so that it stands for it. @throws RecordError 400, 409 */
export async function addCertificate(
  { onboarding, participants }: Pick<AgreementParts, 'onboarding' | 'participants'>,
  key: string,
  body: Body,
  by: string,
  also: Also,
): Promise<{ fingerprint: string; subject: string; expires: Date }> {
  const read = readCertificate(text(body, 'certificate', 20_000), new Date());
  if (typeof read === 'string') throw new RecordError(400, 'value', read, 'certificate');
  const elsewhere = participants.byCertificate(read.fingerprint);
  const owner =
    elsewhere !== undefined && elsewhere !== key ? elsewhere : await onboarding.addCertificate(key, read, by, also);
  if (owner !== undefined) {
    throw new RecordError(409, 'conflict', 'The certificate stands for another organisation.', 'certificate');
  }
  const participant = participants.byKey(key);
  const before = participant.transport?.certificates ?? [];
  if (elsewhere === undefined) {
    const transport = { ...participant.transport, certificates: [...before, read.fingerprint] };
    await participants.put({ ...participant, transport });
  }
  return read;
}

/** An agreement as it is shown, with what both sign. */
export function shownAgreement(agreement: Agreement): object {
  const { participantSigned, networkSigned, supersededBy, isSigned, ...rest } = agreement;
  return { ...rest, isSigned, supersededBy, participantSigned, networkSigned };
}

function termsOf(participant: string, place: string | undefined, body: Body): Terms {
  const may = listOf<Activity>(body.may, activities, 'may');
  const purposes = listOf<string>(body.purposes, agreedPurposes, 'purposes');
  const types = body.types === undefined ? [] : body.types;
  if (!Array.isArray(types) || !types.every((type) => typeof type === 'string' && isResourceType(type))) {
    throw wrong('types', 'a list of types of resources');
  }
  const isTyped = may.includes('query') && purposes.some((purpose) => typedPurposes.includes(purpose));
  if (isTyped && types.length === 0) {
    throw wrong('types', 'given where an organisation asks for public health or research');
  }
  const [from, to] = [momentOf(body.from, 'from'), momentOf(body.to, 'to')];
  if (to <= from) throw wrong('to', 'later than from');
  const jurisdiction = body.jurisdiction === undefined ? place : body.jurisdiction;
  if (jurisdiction !== undefined && !(typeof jurisdiction === 'string' && /^[A-Z]{2}$/.test(jurisdiction))) {
    throw wrong('jurisdiction', 'two capital letters, as CA');
  }
  return { participant, may, purposes, types, jurisdiction, from, to, text: text(body, 'text', longestText) };
}

function listOf<T extends string>(value: unknown, of: readonly T[], name: string): T[] {
  if (Array.isArray(value) && value.length > 0 && value.every((one) => of.includes(one))) {
    return of.filter((one) => value.includes(one));
  }
  throw wrong(name, `a list of ${of.join(', ')}`);
}

function momentOf(value: unknown, name: string): Date {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d(T\S+(Z|[+-]\d\d:\d\d))?$/.test(value)) {
    const moment = new Date(value);
    if (!Number.isNaN(moment.getTime())) return moment;
  }
  throw wrong(name, 'a day (UTC), or a time with its zone');
}

function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

function wrong(where: string, right: string): RecordError {
  return new RecordError(400, 'value', `${where} must be ${right}.`, where);
}
