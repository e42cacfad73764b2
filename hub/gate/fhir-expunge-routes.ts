/**
 * `$expunge` and `$retention`, operations of this server's own: removing for good, by an administrator, where the hub was
 * started so, with a reason that is recorded in the transaction of the removal.
 *
 * `$expunge` of one resource (`[type]/[id]`), of a type, or of the whole record takes `what`: `versions` (all but the
 * current version), `deleted` (what was deleted, with all its versions), or, of one resource, `everything` (deletes it
 * where it is not). `limit` bounds a call; `_dryRun` counts what it would remove. The answer's `more` says whether to
 * call again.
 *
 * `$retention` says what is kept of the versions of a `type`, or for how long the deliveries of a `destination` (and `route`;
 * `*`: of all) are kept after they came to an end.
 */
import { isResourceType } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Transaction } from '../database/index.ts';
import { type Expunged, type ExpungeRequest, RecordError } from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { type FhirParts, type Params, recordAccess } from './fhir-exchange.ts';
import { sendText } from './fhir-send.ts';
import { type OperationParameters, operationParameters, type ParameterKind } from './operation-parameters.ts';

const ofExpunge: Record<string, ParameterKind> = { what: 'one', reason: 'one', limit: 'one', _dryRun: 'one' };
const ofRetention: Record<string, ParameterKind> = {
  type: 'one',
  destination: 'one',
  route: 'one',
  keepVersions: 'one',
  keepDays: 'one',
  reason: 'one',
};
const defaultLimit = 1_000;
const maximumLimit = 10_000;
const longestReason = 500;

export function fhirExpungeRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { expunger, retention, deliveryRetention, record } = parts;
  const administrator = async (request: FastifyRequest, action: string): Promise<Caller> => {
    const who = await parts.authenticator.caller(request, action);
    if (who.role !== 'administrator') {
      throw new RecordError(403, 'forbidden', `The role ${who.role} may not do this; an administrator may.`);
    }
    return who;
  };
  const remover = async (request: FastifyRequest, action: string): Promise<Caller> => {
    const who = await administrator(request, action);
    if (parts.allowExpunge) return who;
    const text = 'This hub removes nothing for good: that needs a start with --allow-expunge (CAUSEWAY_ALLOW_EXPUNGE).';
    throw new RecordError(403, 'forbidden', text);
  };

  for (const url of ['/fhir/$expunge', '/fhir/:type/$expunge', '/fhir/:type/:id/$expunge']) {
    app.post<{ Params: Partial<Params> }>(url, async (request, reply) => {
      const who = await remover(request, 'expunge');
      const { type, id } = request.params;
      if (type !== undefined && !isResourceType(type)) {
        throw new RecordError(404, 'not-supported', 'The address names no FHIR R4 resource type, such as Patient.');
      }
      const parameters = operationParameters(parts, request, ofExpunge);
      const reason = reasonOf(parameters);
      const what = whatOf(parameters, id);
      if (type !== undefined && id !== undefined && !(await record.reader.read(who, type, id))) {
        throw new RecordError(404, 'not-found', `There is no ${type} of this id.`);
      }
      const patients = type === 'Patient' && id !== undefined ? [id] : [];
      const entry = {
        action: 'expunge',
        what: `${['', type, id].filter((part) => part !== undefined).join('/')}/$expunge ${what}`,
        patients,
        status: 200,
        reason,
      };
      const done = await expunger.expunge({
        scope: { ...(type === undefined ? {} : { type }), ...(id === undefined ? {} : { id }) },
        what,
        limit: parameters.integer('limit', { least: 1, most: maximumLimit }) ?? defaultLimit,
        dryRun: parameters.flag('_dryRun'),
        note: { access: who, entry },
      });
      return sendText(request, reply, expunged(done, parameters.flag('_dryRun')));
    });
  }

  app.get('/fhir/$retention', async (request, reply) => {
    const who = await administrator(request, 'retention');
    operationParameters(parts, request, {});
    await recordAccess(parts, who, 'retention', '/$retention', 200);
    return sendText(request, reply, await policies(parts));
  });

  app.post('/fhir/$retention', async (request, reply) => {
    const who = await remover(request, 'retention');
    const parameters = operationParameters(parts, request, ofRetention);
    const reason = reasonOf(parameters);
    const [type, destination] = [parameters.text('type'), parameters.text('destination')];
    if ((type === undefined) === (destination === undefined)) {
      const text =
        'The parameter type names a resource type, such as Observation; or destination whose deliveries are meant.';
      throw new RecordError(400, 'required', text, 'type');
    }
    const most = 100_000;
    const keepVersions = parameters.integer('keepVersions', { least: 1, most });
    const keepDays = parameters.integer('keepDays', { least: 0, most });
    const route = parameters.text('route');
    const stray = type === undefined ? keepVersions !== undefined && 'keepVersions' : route !== undefined && 'route';
    if (stray) throw new RecordError(400, 'value', `The parameter ${stray} does not go with the others.`, stray);
    const recorded = (what: string) => async (transaction: Transaction) => {
      const entry = { action: 'retention', what: `/$retention ${what}`, status: 200, reason };
      await parts.accessLog.recordWith(transaction, [{ access: who, entry }]);
    };
    if (type !== undefined) {
      const keeps = `${type}: versions ${keepVersions ?? 'all'}, days ${keepDays ?? 'all'}`;
      await retention.set({ type, keepVersions, keepDays }, who.who, reason, recorded(keeps));
    } else {
      const keeps = `deliveries to ${destination!} ${route ?? ''}: days ${keepDays ?? 'all'}`;
      await deliveryRetention.set({ destination: destination!, route, keepDays }, who.who, reason, recorded(keeps));
    }
    return sendText(request, reply, await policies(parts));
  });
}

function reasonOf(parameters: OperationParameters): string {
  const reason = parameters.text('reason')?.trim() ?? '';
  if (reason !== '' && reason.length <= longestReason) return reason;
  const text = `The parameter reason says why, in at most ${longestReason} characters; it is recorded.`;
  throw new RecordError(400, 'required', text, 'reason');
}

function whatOf(parameters: OperationParameters, id: string | undefined): ExpungeRequest['what'] {
  const what = parameters.text('what');
  if (what === 'versions' || what === 'deleted') return what;
  if (what === 'everything' && id !== undefined) return what;
  const text =
    what === 'everything'
      ? 'Only one resource at a time is removed with everything: delete the others first.'
      : 'The parameter what is versions or deleted, or of one resource everything.';
  throw new RecordError(400, 'value', text, 'what');
}

function expunged({ versions, resources, withheld, more }: Expunged, dryRun: boolean): string {
  return JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      { name: 'dryRun', valueBoolean: dryRun },
      { name: 'versions', valueInteger: versions },
      { name: 'resources', valueInteger: resources },
      { name: 'withheld', valueInteger: withheld },
      { name: 'more', valueBoolean: more },
    ],
  });
}

/** The policies and the last pass, as Parameters. */
async function policies({ retention, deliveryRetention, allowExpunge }: FhirParts): Promise<string> {
  const [set, pass] = [await retention.policies(), await retention.lastPass()];
  const ofDeliveries = (await deliveryRetention.policies()).map(({ destination, route, keepDays, ...how }) => ({
    name: 'deliveryPolicy',
    part: [
      { name: 'destination', valueString: destination },
      ...(route === undefined ? [] : [{ name: 'route', valueString: route }]),
      { name: 'keepDays', valueInteger: keepDays },
      ...setBy(how),
    ],
  }));
  const policy = set.map(({ type, keepVersions, keepDays, changed, by, reason }) => ({
    name: 'policy',
    part: [
      { name: 'type', valueCode: type },
      ...(keepVersions === undefined ? [] : [{ name: 'keepVersions', valueInteger: keepVersions }]),
      ...(keepDays === undefined ? [] : [{ name: 'keepDays', valueInteger: keepDays }]),
      ...setBy({ changed, by, reason }),
    ],
  }));
  const lastPass = {
    name: 'lastPass',
    part: [
      { name: 'ended', valueInstant: pass?.ended },
      { name: 'versions', valueInteger: pass?.removed },
    ],
  };
  return JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      { name: 'active', valueBoolean: allowExpunge },
      ...policy,
      ...ofDeliveries,
      ...(pass ? [lastPass] : []),
    ],
  });
}

function setBy({ changed, by, reason }: { changed: Date; by: string; reason: string }): object[] {
  return [
    { name: 'changed', valueInstant: changed.toISOString() },
    { name: 'by', valueString: by },
    { name: 'reason', valueString: reason },
  ];
}
