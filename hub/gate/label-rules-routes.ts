/** What codes the network labels: read and changed by its privacy officers and administrators, with a reason. */
import { label, tableSize } from '@causeway/access';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type LabelRules, labelsOfCodes, RecordError } from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator } from './authenticate.ts';
import { jsonBody, text } from './body.ts';

export interface LabelRulesParts {
  labelRules: LabelRules;
  authenticator: Authenticator;
  accessLog: AccessLog;
}

const mostVersions = 20;
const deciders = ['privacy-officer', 'administrator'];

export function labelRulesRoutes(
  app: FastifyInstance,
  { labelRules, authenticator, accessLog }: LabelRulesParts,
): void {
  const decider = (request: FastifyRequest, action: string) => authenticator.inPerson(request, deciders, action);

  app.get('/api/label-rules', async (request) => {
    const who = await decider(request, 'read-label-rules');
    const versions = (await labelRules.versions(mostVersions)).map((version, i) => ({
      ...version,
      // Of earlier ones the codes are only counted.
      sets: version.sets.map(({ codes, ...set }) => ({ ...set, count: codes.length, ...(i === 0 ? { codes } : {}) })),
    }));
    const version = versions[0]?.version ?? 0;
    await accessLog.record(who, { action: 'read-label-rules', what: `version ${version}`, status: 200 });
    const labels = labelsOfCodes.map((name) => ({ label: name, tableSize: tableSize(label[name]) }));
    return { version, labels, versions };
  });

  app.put('/api/label-rules', async (request) => {
    const who = await decider(request, 'change-label-rules');
    const body = jsonBody(request);
    const reason = text(body, 'reason', 1_000).trim();
    const put = await labelRules.put(body.sets, Number(body.version), {
      by: who.who,
      reason,
      record: (transaction, version) => {
        const [what, why] = [`version ${version}`, reason.slice(0, 500)];
        const entry = { action: 'change-label-rules', what, status: 200, reason: why };
        accessLog.recordWith(transaction, [{ access: who, entry }]);
      },
    });
    if (put === 'stale') {
      const changed = 'The rules were changed meanwhile, or version is missing. Look at what holds now first.';
      throw new RecordError(409, 'conflict', changed, 'version');
    }
    if ('wrong' in put) throw new RecordError(400, 'value', put.wrong.join(' '), 'sets');
    return put;
  });
}
