/**
 * An organisation that was invited onto the network, by the token of its link (`X-Invitation`): where it stands, its
 * certificate, and the agreement that it signs.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import { type Access, type Agreement, type Also, accessOf } from '../trust/index.ts';
import { type AgreementParts, addCertificate, shownAgreement } from './agreement-routes.ts';
import { jsonBody, text } from './body.ts';
import type { RateLimits } from './rate-limits.ts';

export function onboardingRoutes(app: FastifyInstance, parts: AgreementParts & { rateLimits: RateLimits }): void {
  const { agreements, onboarding, participants, rateLimits, accessLog } = parts;
  /** @throws RecordError 403 where the link invites nobody, or not any more */
  const invited = async (request: FastifyRequest): Promise<string> => {
    const token = request.headers['x-invitation'];
    const key = typeof token === 'string' ? await onboarding.invited(token) : undefined;
    if (key !== undefined) return key;
    await rateLimits.take('invitation', request.ip);
    throw new RecordError(403, 'forbidden', 'This link is used up, or its time is over. Ask for another.');
  };
  const noted = (key: string, action: string, status: number): Also => {
    const entry = { action, what: key, status };
    return (transaction) => accessLog.recordWith(transaction, [{ access: invitedAccess(key), entry }]);
  };
  const toSign = async (key: string): Promise<Agreement | undefined> => (await agreements.of(key))[0];

  app.get('/api/onboarding', async (request) => {
    const key = await invited(request);
    const { name, transport } = participants.byKey(key);
    const agreement = await toSign(key);
    await accessLog.record(invitedAccess(key), { action: 'onboarding', what: key, status: 200 });
    return {
      key,
      name,
      state: agreements.standing(key).state,
      certificates: transport?.certificates ?? [],
      agreement: agreement ? shownAgreement(agreement) : null,
    };
  });

  app.post('/api/onboarding/certificate', async (request, reply) => {
    const key = await invited(request);
    const added = await addCertificate(
      parts,
      key,
      jsonBody(request),
      `invited:${key}`,
      noted(key, 'add-certificate', 201),
    );
    return reply.code(201).send(added);
  });

  app.post('/api/onboarding/signature', async (request, reply) => {
    const key = await invited(request);
    const body = jsonBody(request);
    const [name, office] = [text(body, 'name', 200).trim(), text(body, 'office', 200).trim()];
    const agreement = await toSign(key);
    const refused = agreement
      ? await onboarding.sign(
          agreement.id,
          text(body, 'hash', 64),
          `${name}, ${office}`,
          key,
          noted(key, 'sign-agreement', 204),
        )
      : 'There is no agreement to sign yet.';
    if (refused !== undefined) throw new RecordError(409, 'conflict', refused);
    return reply.code(204).send();
  });
}

/** Whoever has the link may read no record. */
function invitedAccess(key: string): Access {
  return accessOf({ username: `invited:${key}`, name: key, role: 'integration-engineer', organization: key });
}
