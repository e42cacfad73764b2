/** What the network has decided for everybody: read and changed by its privacy officers and administrators, with a reason. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import { type AccessLog, type NetworkPolicy, settledMs } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface NetworkPolicyParts {
  policy: NetworkPolicy;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

const deciders = ['privacy-officer', 'administrator'];

export function networkPolicyRoutes(
  app: FastifyInstance,
  { policy, authenticator, accessLog }: NetworkPolicyParts,
): void {
  const decider = (request: FastifyRequest, action: string) => authenticator.inPerson(request, deciders, action);

  app.get('/api/network-policy', async (request) => {
    const who = await decider(request, 'read-network-policy');
    await policy.load();
    const versions = await policy.history();
    await accessLog.record(who, { action: 'read-network-policy', what: `version ${policy.version}`, status: 200 });
    return { version: policy.version, isReadable: policy.isReadable, versions };
  });

  app.put('/api/network-policy', async (request) => {
    const who = await decider(request, 'change-network-policy');
    const body = jsonBody(request);
    const reason = text(body, 'reason', 1_000).trim();
    await policy.load();
    if (body.version !== policy.version) {
      const changed = 'The policy was changed meanwhile, or version is missing. Look at what holds now first.';
      throw new RecordError(409, 'conflict', changed, 'version');
    }
    const put = await policy.put(body.policy, who.who, reason, (transaction, version) => {
      const [what, why] = [`version ${version}`, reason.slice(0, 500)];
      const entry = { action: 'change-network-policy', what, status: 200, reason: why };
      accessLog.recordWith(transaction, [{ access: who, entry }]);
    });
    if ('wrong' in put) throw new RecordError(400, 'value', put.wrong.join(' '), 'policy');
    // It is answered when it holds on every hub.
    await delay(settledMs);
    return put;
  });
}
