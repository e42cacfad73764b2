/**
 * Accounts of patients and of those who act for them: bound to a person by staff who saw proof, or by an invitation that
 * staff made, with two things that are known of the person.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { confirmedHomes } from '../consent/index.ts';
import type { Database } from '../database/index.ts';
import { newId, RecordError } from '../record/index.ts';
import {
  type Access,
  type AccessLog,
  type AccessNote,
  type Accounts,
  accessOf,
  type Binding,
  type Bindings,
  type Relation,
  relations,
} from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';
import type { RateLimits } from './rate-limits.ts';
import { shortestPassword } from './security-routes.ts';
import { mustBeOwnChange } from './session-cookie.ts';

export interface BindingParts {
  database: Database;
  accounts: Accounts;
  bindings: Bindings;
  authenticator: Authenticator;
  accessLog: AccessLog;
  rateLimits: RateLimits;
  record: FhirParts['record'];
}

type Id = { Params: { id: string } };

const staff = ['steward', 'administrator'];
/** Reads what an invitation is checked by. */
const own: Access = accessOf({ username: 'registration', name: 'Registration', role: 'system', organization: 'hub' });

export function bindingRoutes(app: FastifyInstance, parts: BindingParts): void {
  const { accounts, bindings, authenticator, accessLog, record } = parts;
  const byStaff = (request: FastifyRequest, action: string) => authenticator.inPerson(request, staff, action);
  const noteOf = (access: Access, action: string, patient: string, status = 200, reason?: string): AccessNote => ({
    access,
    entry: { action, what: `Patient/${patient}`, status, patients: [patient], ...(reason ? { reason } : {}) },
  });
  const log = (...of: Parameters<typeof noteOf>) => accessLog.record(of[0], noteOf(...of).entry);

  app.get('/api/bindings', async (request) => {
    const who = await authenticator.caller(request, 'list-bindings');
    return { bindings: (await bindings.of(who.who)).map(shown) };
  });

  app.get<Id>('/api/patients/:id/bindings', async (request) => {
    const who = await byStaff(request, 'list-bindings');
    const { id } = request.params;
    await record.read(who, 'Patient', id);
    await log(who, 'list-bindings', id);
    return { bindings: (await bindings.to([id])).map(shown) };
  });

  app.post<Id>('/api/patients/:id/bindings', async (request, reply) => {
    const who = await byStaff(request, 'bind-account');
    const { id: patient } = request.params;
    await record.read(who, 'Patient', patient);
    await mustBeSource(parts, patient);
    const body = jsonBody(request);
    const username = text(body, 'username', 200);
    const relation = relationOf(body.relation);
    const evidence = text(body, 'evidence', 1_000);
    const user = await accounts.find(username);
    if (user?.role !== (relation === 'self' ? 'patient' : 'proxy')) {
      const needed = relation === 'self' ? 'a patient' : 'a proxy';
      throw new RecordError(
        409,
        'conflict',
        `There is no account of this name whose role is that of ${needed}.`,
        'username',
      );
    }
    const until = body.until === undefined ? undefined : dateOf(body.until);
    const binding = { id: newId(), username, patient, relation, evidence, by: who.who, until };
    const note = noteOf(who, 'bind-account', patient, 201, `${relation}: ${evidence}`.slice(0, 500));
    const made = await accessLog.change(async (transaction) => ({
      made: await bindings.bind({ ...binding, proofing: 'in-person' }, transaction),
      note,
    }));
    return reply.code(201).send(shown(made));
  });

  app.delete<Id>('/api/bindings/:id', async (request, reply) => {
    const who = await authenticator.caller(request, 'unbind-account');
    const { id } = request.params;
    const isOwn = (await bindings.of(who.who)).some((one) => one.id === id);
    if (!isOwn && !staff.includes(who.role)) throw noBinding();
    if (!/^[0-9a-f-]{36}$/.test(id)) throw noBinding();
    await accessLog.change(async (transaction) => {
      if (!(await bindings.end(id, who.who, transaction))) throw noBinding();
      const entry = { action: 'unbind-account', what: `binding/${id}`, status: 204 };
      return { made: undefined, note: { access: who, entry } };
    });
    return reply.code(204).send();
  });

  app.post<Id>('/api/patients/:id/invitations', async (request, reply) => {
    const who = await byStaff(request, 'invite');
    const { id: patient } = request.params;
    await record.read(who, 'Patient', patient);
    await mustBeSource(parts, patient);
    const relation = relationOf(jsonBody(request).relation);
    const code = await accessLog.change(async (transaction) => ({
      made: await bindings.invite({ patient, relation, by: who.who }, transaction),
      note: noteOf(who, 'invite', patient, 201, relation),
    }));
    return reply.code(201).send({ code });
  });

  app.post('/auth/register', async (request, reply) => {
    mustBeOwnChange(request);
    await parts.rateLimits.take('make-account', request.ip);
    const body = jsonBody(request);
    const code = text(body, 'code', 100);
    const username = text(body, 'username', 200);
    const password = text(body, 'password', 1_000);
    if (password.length < shortestPassword) {
      const short = `The password needs at least ${shortestPassword} characters.`;
      throw new RecordError(400, 'value', short, 'password');
    }
    const invited = await bindings.invited(code);
    const isRight =
      invited && (await isKnown(parts, invited.patient, text(body, 'birthDate', 10), text(body, 'number', 100)));
    if (!isRight) {
      if (invited) await log(own, 'register', invited.patient, 403);
      // The same for a wrong code as for wrong answers.
      throw new RecordError(
        403,
        'forbidden',
        'The code, the date of birth or the number is not right, or the code was tried too often.',
      );
    }
    const { patient, relation, by } = invited;
    const role = relation === 'self' ? ('patient' as const) : ('proxy' as const);
    const user = { username, name: text(body, 'name', 200), role, organization: 'local' };
    const evidence = 'an invitation, the date of birth and a number of the person';
    const binding = { id: newId(), username, patient, relation, evidence, by, until: undefined };
    await accessLog.change(async (transaction) => {
      // An account that somebody else made, be it at this moment, is never bound.
      if (!(await accounts.make(user, password, transaction))) {
        throw new RecordError(409, 'conflict', 'This user name is taken.', 'username');
      }
      if (!(await bindings.accept(code, transaction)))
        throw new RecordError(403, 'forbidden', 'The code was used already.');
      await bindings.bind({ ...binding, proofing: 'invitation' }, transaction);
      return { made: undefined, note: noteOf(own, 'register', patient, 201, `${username}: ${relation}`) };
    });
    return reply.code(201).send({ username, role });
  });
}

/** @throws RecordError 409 where a Patient is a person as it is shown: of links nobody confirmed nothing may follow */
async function mustBeSource({ database }: BindingParts, patient: string): Promise<void> {
  if ((await confirmedHomes(database, patient)).length > 0) return;
  const text = 'Choose the Patient of one organisation; this one is made of what several say.';
  throw new RecordError(409, 'conflict', text);
}

/** Whether somebody knows a patient's date of birth, and the last four characters of one of its identifiers. */
async function isKnown({ record }: BindingParts, id: string, birthDate: string, number: string): Promise<boolean> {
  const found = await record.read(own, 'Patient', id).catch(() => undefined);
  if (!found) return false;
  const patient = JSON.parse(found.text) as { birthDate?: string; identifier?: { value?: string }[] };
  const ends = (patient.identifier ?? []).flatMap(({ value }) => (value && value.length >= 4 ? value.slice(-4) : []));
  return patient.birthDate === birthDate && ends.includes(number.trim().slice(-4));
}

function relationOf(relation: unknown): Relation {
  const known = relations.find((one) => one === relation);
  if (known) return known;
  throw new RecordError(400, 'value', `relation must be one of ${relations.join(', ')}.`, 'relation');
}

function dateOf(value: unknown): Date {
  const date = typeof value === 'string' ? new Date(value) : undefined;
  if (date && !Number.isNaN(date.getTime()) && date.getTime() > Date.now()) return date;
  throw new RecordError(400, 'value', 'until must be a date to come.', 'until');
}

function noBinding(): RecordError {
  return new RecordError(404, 'not-found', 'There is no binding of this id that you may end.');
}

function shown({ by, ...binding }: Binding): object {
  return { ...binding, boundBy: by };
}
