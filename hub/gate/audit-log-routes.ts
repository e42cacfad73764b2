/** The audit log for those who hold it to its word: hashes, checkpoints and proofs; and for who looks after its keys. */
import { readTilePath, tileWidth } from '@causeway/tlog';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AuditLog, acceptRestore, type CheckpointFile } from '../audit/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';

export interface AuditLogParts {
  audit: AuditLog;
  checkpointFile: CheckpointFile;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

/** Who may hold the log to its word; a witness has a token of the role `system` that an operator made. */
export const logReaders = ['privacy-officer', 'auditor', 'administrator', 'system'];
const keepers = ['administrator'];
const entriesPath = 'tile/entries/';

export function auditLogRoutes(app: FastifyInstance, parts: AuditLogParts): void {
  const { audit, checkpointFile, authenticator, accessLog } = parts;
  const allowed = (request: FastifyRequest, action: string, roles = logReaders) =>
    authenticator.inPerson(request, roles, action);
  const nothing = () => new RecordError(404, 'not-found', 'The audit log has no such thing.');
  const text = (reply: FastifyReply, body: string | undefined) => {
    if (body === undefined) throw nothing();
    return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store').send(body);
  };

  app.get('/audit/checkpoint', async (request, reply) => {
    await allowed(request, 'audit-checkpoint');
    return text(reply, await audit.checkpoint());
  });

  app.get('/audit/checkpoint/cosigned', async (request, reply) => {
    await allowed(request, 'audit-checkpoint');
    return text(reply, await audit.cosignedCheckpoint());
  });

  app.get('/audit/keys', async (request, reply) => {
    await allowed(request, 'audit-keys');
    return text(reply, (await audit.verifiers()).map(({ verifier }) => `${verifier}\n`).join(''));
  });

  app.get<{ Params: { '*': string } }>('/audit/tile/*', async (request, reply) => {
    const path = `tile/${request.params['*']}`;
    const isOfEntries = path.startsWith(entriesPath);
    const who = await allowed(request, 'audit-tile');
    const place = readTilePath(isOfEntries ? path.replace(entriesPath, 'tile/0/') : path);
    if (!place) throw nothing();
    const bytes = isOfEntries ? await audit.entries(place.index, place.width) : await audit.tile(place);
    if (!bytes) throw nothing();
    // Entries say who did what; hashes say nothing.
    if (isOfEntries) await accessLog.record(who, { action: 'audit-entries', what: `/audit/${path}`, status: 200 });
    const caching = place.width === tileWidth ? 'private, max-age=31536000, immutable' : 'no-store';
    return reply.type('application/octet-stream').header('cache-control', caching).send(bytes);
  });

  app.get<{ Querystring: { event?: string } }>('/api/audit/proof', async (request, reply) => {
    const who = await allowed(request, 'audit-proof');
    const { event = '' } = request.query;
    if (!/^\d{1,15}$/.test(event)) throw new RecordError(400, 'invalid', 'event is the number of an event.');
    const proof = await audit.proof(Number(event));
    if (proof === undefined) throw nothing();
    await accessLog.record(who, { action: 'audit-proof', what: `event ${event}`, status: 200 });
    return text(reply, proof);
  });

  app.get('/api/audit/status', async (request) => {
    await allowed(request, 'audit-status');
    return audit.status();
  });

  app.post('/api/audit/accept-restore', async (request) => {
    const who = await allowed(request, 'accept-restore', keepers);
    const published = await checkpointFile.read();
    return accessLog.change(async (transaction) => {
      const what = await acceptRestore(transaction, published, who.who);
      if (what === undefined) throw new RecordError(409, 'conflict', 'The audit log is not held up by a restore.');
      return {
        made: { accepted: what },
        note: { access: who, entry: { action: 'accept-restore', what, status: 200 } },
      };
    });
  });

  app.post('/api/audit/keys', async (request) => {
    const who = await allowed(request, 'rotate-audit-key', keepers);
    return accessLog.change(async (transaction) => {
      const verifier = await audit.rotateKey(transaction);
      const entry = { action: 'rotate-audit-key', what: verifier, status: 200 };
      return { made: { verifier }, note: { access: who, entry } };
    });
  });
}
