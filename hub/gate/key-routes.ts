/** Keys and certificates for those who run the hub: which there are, when they end, and new ones without a stop. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SigningKeys } from '../authorization/index.ts';
import type { Database } from '../database/index.ts';
import { RecordError, renewIndexKey } from '../record/index.ts';
import { KeyError, type KeyRotation } from '../secrets/index.ts';
import type { AccessLog, Certificates } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';

export interface KeyParts {
  database: Database;
  rotation: KeyRotation;
  signingKeys: SigningKeys;
  certificates: Certificates;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

export function keyRoutes(app: FastifyInstance, parts: KeyParts): void {
  const { database, rotation, signingKeys, certificates, authenticator, accessLog } = parts;
  const allowed = (request: FastifyRequest, action: string, roles: string[]) =>
    authenticator.inPerson(request, roles, action);

  app.get('/api/certificates', async (request) => {
    const who = await allowed(request, 'list-certificates', ['administrator', 'integration-engineer']);
    await accessLog.record(who, { action: 'list-certificates', what: 'certificates', status: 200 });
    return { certificates: await certificates.list() };
  });

  app.get('/api/keys', async (request) => {
    const who = await allowed(request, 'list-keys', ['administrator']);
    await accessLog.record(who, { action: 'list-keys', what: 'keys', status: 200 });
    return { master: rotation.state, signing: await signingKeys.list() };
  });

  app.post('/api/keys/rotation', async (request, reply) => {
    const who = await allowed(request, 'rotate-keys', ['administrator']);
    await accessLog.record(who, { action: 'rotate-keys', what: 'master, signing', status: 202 });
    await rotation.begin().catch((error) => {
      if (error instanceof KeyError) throw new RecordError(409, 'conflict', error.message);
      throw error;
    });
    await signingKeys.rotate();
    return reply.code(202).send({ master: rotation.state, signing: await signingKeys.list() });
  });

  app.post('/api/keys/index', async (request, reply) => {
    const who = await allowed(request, 'rotate-keys', ['administrator']);
    await accessLog.record(who, { action: 'rotate-keys', what: 'index', status: 202 });
    await renewIndexKey(database);
    return reply.code(202).send({ index: 'made by the hub that starts next' });
  });
}
