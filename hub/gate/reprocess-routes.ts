/** Converting stored messages anew: what would change, and carrying it out. */
import { validate } from '@causeway/fhir';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  differencesOf,
  type LaneChange,
  type Reprocess,
  type ReprocessFilter,
  type ReprocessJobs,
} from '../inbox/index.ts';
import { RecordError } from '../record/index.ts';
import type { AccessLog, Role } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { jsonBody } from './body.ts';

export interface ReprocessRouteParts {
  authenticator: Authenticator;
  accessLog: AccessLog;
  reprocess: Reprocess;
  reprocessJobs: ReprocessJobs;
}

const engineers: Role[] = ['integration-engineer', 'administrator', 'system'];
const lanesAtOnce = 20;
const differencesShown = 100;
/** Of one lane. */
const changesShown = 500;

type Id = { Params: { id: string } };

export function reprocessRoutes(app: FastifyInstance, parts: ReprocessRouteParts): void {
  const { reprocess, reprocessJobs: jobs } = parts;
  const engineer = (request: FastifyRequest) => parts.authenticator.inPerson(request, engineers);
  const log = (who: Caller, action: string, request: FastifyRequest, patients: string[] = []) =>
    parts.accessLog.record(who, {
      action,
      what: request.url.slice(0, 500),
      status: 200,
      ...(patients.length > 0 ? { patients } : {}),
    });

  app.post('/api/reprocess/preview', async (request) => {
    const who = await engineer(request);
    const body = jsonBody(request);
    const filter = filterOf(body);
    const after = placeOf(body.after);
    const size = after === null ? await reprocess.size(filter) : undefined;
    const numbers = await reprocess.lanes(filter, after, lanesAtOnce);
    const lanes = [];
    const patients = new Set<string>();
    for (const number of numbers) {
      const lane = await reprocess.preview(number, async ({ messages, changes, leftBecause }) => {
        for (const message of messages) for (const id of message.patients) patients.add(id);
        const of = new Map(messages.map((message) => [message.id, message]));
        const some = changes.slice(0, changesShown).map((change) => shown(change, of.get(change.message)));
        return { messages: messages.length, leftBecause, differ: changes.length, changes: some };
      });
      lanes.push(lane);
    }
    await log(who, 'preview-reprocess', request, [...patients]);
    return { ...size, lanes, next: numbers.length === lanesAtOnce ? numbers.at(-1) : null };
  });

  app.post('/api/reprocess', async (request, reply) => {
    const who = await engineer(request);
    const job = await jobs.create(filterOf(jsonBody(request)), who.who);
    await log(who, 'reprocess', request);
    return reply.code(202).send(job);
  });

  app.get('/api/reprocess', async (request) => {
    await engineer(request);
    return { jobs: await jobs.list() };
  });

  app.delete<Id>('/api/reprocess/:id', async (request) => {
    const who = await engineer(request);
    const job = await jobs.cancel(request.params.id);
    await log(who, 'cancel-reprocess', request);
    return job;
  });
}

function shown(change: LaneChange, message: { id: string; controlId: string; type: string } | undefined) {
  const { kind, type, id, version, before } = change;
  const after = change.after?.scanned;
  return {
    kind,
    reference: `${type}/${id}`,
    versionId: version === undefined ? null : String(version),
    message: { id: change.message, controlId: message?.controlId, type: message?.type },
    // What a setting makes that R4 does not have is seen here before it is carried out.
    invalid: after === undefined ? [] : validate(after.value).filter(({ severity }) => severity === 'error'),
    differences: differencesOf(before === undefined ? undefined : JSON.parse(before), after?.value, differencesShown),
  };
}

const filterNames = ['source', 'dialect', 'type'] as const;

/** @throws RecordError 400 */
function filterOf(body: { [name: string]: unknown }): ReprocessFilter {
  const filter: ReprocessFilter = {};
  for (const name of filterNames) {
    const value = body[name];
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string' || value.length > 200)
      throw new RecordError(400, 'value', `${name} must be a text of at most 200 characters.`, name);
    filter[name] = value;
  }
  if (body.all !== undefined && typeof body.all !== 'boolean')
    throw new RecordError(400, 'value', 'all must be true or false.', 'all');
  return body.all === true ? { ...filter, all: true } : filter;
}

/** Behind which lane to go on. @throws RecordError 400 */
function placeOf(after: unknown): string | null {
  if (after === undefined || after === null) return null;
  if (typeof after !== 'string' || !/^-?\d{1,19}$/.test(after))
    throw new RecordError(400, 'value', 'after must be the next of the page before.', 'after');
  return after;
}
