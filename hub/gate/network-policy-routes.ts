/** What the network has decided for everybody: read and changed by its privacy officers and administrators, with a reason. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RecordError } from '../record/index.ts';
import { type AccessLog, type NetworkPolicy, settledMs } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
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
  const decider = async (request: FastifyRequest, action: string): Promise<Caller> => {
    const who = await authenticator.caller(request, action);
    // An app acts with its user's rights over records, never with those over the network.
    if (who.client !== undefined || who.site !== undefined || !deciders.includes(who.role)) {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this.`);
    }
    return who;
  };

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
