/**
 * Whether an organisation treats a person: the proof that is known, what a clinician attests where there is none, and the list
 * of what was looked at without, for privacy officers.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Database } from '../database/index.ts';
import { newId, RecordError } from '../record/index.ts';
import { attestedDays, fanOutAlarms, type Relations } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';
import type { FhirParts } from './fhir-exchange.ts';

export interface RelationshipParts {
  relations: Relations;
  database: Database;
  authenticator: Authenticator;
  accessLog: FhirParts['accessLog'];
  record: FhirParts['record'];
}

const shortestReason = 10;
const officers = ['privacy-officer', 'administrator'];

export function relationshipRoutes(app: FastifyInstance, parts: RelationshipParts): void {
  const { relations, authenticator, accessLog, record } = parts;
  const officer = (request: FastifyRequest, action: string) => authenticator.inPerson(request, officers, action);

  app.get<{ Querystring: { patient?: string } }>('/api/relationship', async (request) => {
    const who = await authenticator.caller(request, 'relationship');
    const { relation } = who;
    if (who.role !== 'clinician' || who.client !== undefined) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} needs no proof that it treats anybody.`);
    }
    if (!relation) return { mode: 'off' };
    const { patient = '' } = request.query;
    await record.read(who, 'Patient', patient);
    const proof = (await relations.proofs(relation, [patient])).get(patient) ?? 'none';
    await accessLog.record(who, { action: 'relationship', what: `Patient/${patient}`, status: 200 });
    return { mode: relation.mode, proof };
  });

  app.post('/api/attestations', async (request, reply) => {
    const who = await authenticator.caller(request, 'attest');
    if (who.role !== 'clinician' || who.client !== undefined || who.relation?.purpose !== 'TREAT') {
      throw new RecordError(
        403,
        'forbidden',
        'Only clinicians attest that they treat somebody, where the network asks for it.',
      );
    }
    const body = jsonBody(request);
    const patient = text(body, 'patient', 64);
    const reason = text(body, 'reason', 1_000).trim();
    if (reason.length < shortestReason) {
      const short = `Say in a few words how the organisation treats the person (at least ${shortestReason} characters).`;
      throw new RecordError(400, 'value', short, 'reason');
    }
    await record.read(who, 'Patient', patient);
    const homes = (await record.homesOf([patient])).get(patient) ?? [];
    const { organization } = who.relation;
    const given = { id: newId(), home: homes[0]!, patient, organization, username: who.who, reason };
    const until = await relations.attest(given, (transaction) => {
      const entry = { action: 'attest', what: `Patient/${patient}`, status: 201, patients: [patient], reason };
      accessLog.recordWith(transaction, [{ access: who, entry }]);
    });
    return reply.code(201).send({ organization, until, days: attestedDays });
  });

  app.get<{ Querystring: { state?: string } }>('/api/unproven', async (request) => {
    const who = await officer(request, 'list-unproven');
    const state = request.query.state === 'reviewed' ? 'reviewed' : 'open';
    const unproven = await relations.unproven(state);
    const patients = unproven.map(({ patient }) => patient);
    await accessLog.record(who, { action: 'list-unproven', what: state, status: 200, patients });
    return { unproven, alarms: await fanOutAlarms(parts.database, 30) };
  });

  app.post('/api/unproven/review', async (request, reply) => {
    const who = await officer(request, 'review-unproven');
    const body = jsonBody(request);
    const [day, organization] = [text(body, 'day', 10), text(body, 'organization', 200)];
    const [username, patient] = [text(body, 'username', 200), text(body, 'patient', 64)];
    const comment = text(body, 'comment', 2_000).trim();
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new RecordError(400, 'value', 'day must be YYYY-MM-DD.', 'day');
    const purpose = body.purpose === undefined ? 'TREAT' : text(body, 'purpose', 20);
    const key = { day, organization, username, patient, purpose };
    const isReviewed = await relations.review(key, who.who, comment, (transaction) => {
      const what = `${day} ${organization} ${username}`.slice(0, 500);
      const entry = {
        action: 'review-unproven',
        what,
        status: 204,
        patients: [patient],
        reason: comment.slice(0, 500),
      };
      accessLog.recordWith(transaction, [{ access: who, entry }]);
    });
    if (!isReviewed) throw new RecordError(404, 'not-found', 'There is nothing open of this kind, or it is your own.');
    return reply.code(204).send();
  });
}
