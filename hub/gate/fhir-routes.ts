/** FHIR R4 over HTTP (https://hl7.org/fhir/R4/http.html) on top of the record. Every answer's access is recorded. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type Audit,
  type BundleEntry,
  type EntryOutcome,
  type FhirRecord,
  RecordError,
  type StoredResource,
} from '../record/index.ts';
import type { AccessLog } from '../trust/index.ts';
import type { Authenticator, Caller } from './authenticate.ts';
import { capabilityStatement } from './capability.ts';
import { bundle, entry, etag, historyEntry, outcomeEntry, outcomeOf, patientsIn, patientsOf } from './fhir-answers.ts';

export interface FhirParts {
  record: FhirRecord;
  accessLog: AccessLog;
  authenticator: Authenticator;
  bundleBytes: number;
}

const fhirJson = 'application/fhir+json; charset=utf-8';
/** Parameters of a search by POST. */
const searchBytes = 64 * 1024;

/** What an access to be recorded takes from an outcome. */
type Written = { status: number; text: string };

type Params = { type: string; id: string; version: string };

export function fhirRoutes(app: FastifyInstance, parts: FhirParts): void {
  const { record, accessLog, authenticator } = parts;
  const caller = (request: FastifyRequest, action: string) => authenticator.caller(request, action);
  const log = (who: Caller, action: string, what: string, status: number, patients: Iterable<string> = []) =>
    accessLog.record(who, { action, what: what.slice(0, 500), status, patients: [...patients] });
  const path = (request: FastifyRequest) => request.url.slice('/fhir'.length);
  const written =
    (access: Caller, action: string, what: string): Audit<Written> =>
    ({ status, text }) => ({ access, entry: { action, what: what.slice(0, 500), status, patients: patientsIn(text) } });

  app.get('/fhir/metadata', async (request, reply) => {
    reply.type(fhirJson);
    return capabilityStatement(baseUrl(request));
  });

  app.get<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await caller(request, 'read');
    const { type, id } = request.params;
    const stored = await record.read(who, type, id);
    await log(who, 'read', path(request), 200, patientsOf([stored]));
    if (request.headers['if-none-match'] === etag(stored.version)) return reply.code(304).send();
    return sendResource(reply, stored, 200);
  });

  app.get<{ Params: Params }>('/fhir/:type/:id/_history/:version', async (request, reply) => {
    const who = await caller(request, 'vread');
    const { type, id, version } = request.params;
    const stored = await record.vread(who, type, id, version);
    await log(who, 'vread', path(request), 200, patientsOf([stored]));
    return sendResource(reply, stored, 200);
  });

  for (const address of ['/fhir/_history', '/fhir/:type/_history', '/fhir/:type/:id/_history']) {
    app.get<{ Params: Partial<Params> }>(address, async (request, reply) => {
      const who = await caller(request, 'history');
      const query = new URLSearchParams(request.url.split('?')[1] ?? '');
      const page = { count: countOf(query), ...historyPage(query) };
      const { versions, next } = await record.history(who, request.params, page);
      await log(who, 'history', path(request), 200, patientsOf(versions));
      const base = baseUrl(request);
      const links = [['self', request.url.replace('/fhir', base)]];
      if (next !== undefined) {
        query.set('_cursor', String(next));
        links.push(['next', `${base}${request.url.split('?')[0]!.slice('/fhir'.length)}?${query}`]);
      }
      const entries = versions.map((stored) => historyEntry(base, stored));
      return reply.type(fhirJson).send(bundle('history', links, entries, undefined));
    });
  }

  const search = async (request: FastifyRequest, reply: FastifyReply, parameters: URLSearchParams) => {
    const who = await caller(request, 'search');
    const { type } = request.params as Params;
    const answer = await searchBundle(record, who, type, parameters, baseUrl(request), isLenient(request));
    await log(who, 'search', `/${type}?${parameters}`, 200, answer.patients);
    return reply.type(fhirJson).send(answer.text);
  };
  app.get<{ Params: Params }>('/fhir/:type', (request, reply) =>
    search(request, reply, new URLSearchParams(request.url.split('?')[1] ?? '')),
  );
  app.post<{ Params: Params; Body: Buffer }>('/fhir/:type/_search', { bodyLimit: searchBytes }, (request, reply) =>
    search(request, reply, new URLSearchParams(`${request.url.split('?')[1] ?? ''}&${request.body?.toString() ?? ''}`)),
  );

  app.get<{ Params: Params }>('/fhir/Patient/:id/$everything', async (request, reply) => {
    const who = await caller(request, 'everything');
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const since = dateParameter(query, '_since');
    const { resources, next } = await record.everything(who, request.params.id, {
      count: countOf(query, 1_000),
      after: cursorOf(query),
      types: query.get('_type')?.split(','),
      since,
    });
    await log(who, 'everything', path(request), 200, [request.params.id]);
    const base = baseUrl(request);
    const links = [['self', request.url.replace('/fhir', base)]];
    if (next !== undefined) {
      query.set('_cursor', next);
      links.push(['next', `${base}/Patient/${request.params.id}/$everything?${query}`]);
    }
    return reply.type(fhirJson).send(
      bundle(
        'searchset',
        links,
        resources.map((stored) => entry(base, stored, 'match')),
        undefined,
      ),
    );
  });

  app.post<{ Params: Params; Body: Buffer }>('/fhir/:type', async (request, reply) => {
    const who = await writer(caller, request, 'create');
    const scanned = record.scan(bodyText(request), request.params.type);
    const ifNoneExist = request.headers['if-none-exist'];
    const condition = typeof ifNoneExist === 'string' ? ifNoneExist : undefined;
    const made = await record.create(who, scanned, condition, written(who, 'create', path(request)));
    return sendWritten(request, reply, request.params.type, made);
  });

  app.put<{ Params: Params; Body: Buffer }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(caller, request, 'update');
    const { type, id } = request.params;
    const scanned = record.scan(bodyText(request), type);
    const ifMatch = request.headers['if-match'];
    const made = await record.update(scanned, id, ifMatch, written(who, 'update', path(request)));
    return sendWritten(request, reply, type, made);
  });

  app.put<{ Params: Params; Body: Buffer }>('/fhir/:type', async (request, reply) => {
    const who = await writer(caller, request, 'update');
    const { type } = request.params;
    const query = request.url.split('?')[1] ?? '';
    const scanned = record.scan(bodyText(request), type);
    const made = await record.conditionalUpdate(who, scanned, query, written(who, 'update', path(request)));
    return sendWritten(request, reply, type, made);
  });

  app.delete<{ Params: Params }>('/fhir/:type/:id', async (request, reply) => {
    const who = await writer(caller, request, 'delete');
    const { type, id } = request.params;
    const version = await record.remove(type, id, request.headers['if-match'], () => ({
      access: who,
      entry: { action: 'delete', what: path(request), status: 204, patients: type === 'Patient' ? [id] : [] },
    }));
    if (version !== undefined) reply.header('etag', etag(version));
    return reply.code(204).send();
  });

  app.post<{ Body: Buffer }>('/fhir', { bodyLimit: parts.bundleBytes }, async (request, reply) => {
    const who = await writer(caller, request, 'bundle');
    const base = baseUrl(request);
    const text = bodyText(request);
    const single = async (access: unknown, one: BundleEntry) => {
      const caller = access as Caller;
      const what = `/${one.url}`;
      try {
        const outcome = await singleEntry(record, caller, one, base, written(caller, one.method, what));
        if (one.method === 'GET') await log(caller, 'GET', what, outcome.status, patientsIn(outcome.resource ?? ''));
        return outcome;
      } catch (error) {
        if (error instanceof RecordError) await log(caller, one.method, what, error.status);
        throw error;
      }
    };
    const { type, outcomes } = await record.bundle(who, text, single, (made) => {
      const what = made.map(({ location }) => location ?? '').join(' ');
      const entry = {
        action: 'transaction',
        what: what.slice(0, 500),
        status: 200,
        patients: patientsIn(`${what} ${text}`),
      };
      return { access: who, entry };
    });
    const entries = outcomes.map(outcomeEntry);
    return reply.type(fhirJson).send(bundle(`${type}-response`, [['self', base]], entries, undefined));
  });
}

/** The answer to a search as text, and whose records it gives out. */
export async function searchBundle(
  record: FhirRecord,
  who: Caller,
  type: string,
  parameters: URLSearchParams,
  base: string,
  lenient: boolean,
): Promise<{ text: string; patients: string[] }> {
  const request = record.readSearch(type, parameters, lenient);
  const { matches, included, total, next } = await record.search(who, request);
  const query = new URLSearchParams(request.understood);
  const links = [['self', `${base}/${type}?${query}`]];
  if (next !== undefined) {
    query.set('_cursor', next);
    links.push(['next', `${base}/${type}?${query}`]);
  }
  const entries = [
    ...matches.map((stored) => entry(base, stored, 'match')),
    ...included.map((stored) => entry(base, stored, 'include')),
  ];
  if (request.warnings.length > 0) {
    entries.push(`{"resource":${JSON.stringify(outcomeOf(request.warnings))},"search":{"mode":"outcome"}}`);
  }
  return { text: bundle('searchset', links, entries, total), patients: patientsOf([...matches, ...included]) };
}

async function singleEntry(
  record: FhirRecord,
  who: Caller,
  one: BundleEntry,
  base: string,
  audit: Audit<Written>,
): Promise<EntryOutcome> {
  const [path, query] = one.url.split('?') as [string, string | undefined];
  const [type, id] = path.split('/') as [string, string | undefined];
  if (one.method === 'GET') {
    if (id === undefined) {
      const { text } = await searchBundle(record, who, type, new URLSearchParams(query ?? ''), base, false);
      return { status: 200, resource: text };
    }
    const stored = await record.read(who, type, id);
    return { status: 200, resource: stored.text, etag: etag(stored.version), lastModified: stored.updated };
  }
  if (one.method === 'DELETE' && id !== undefined) {
    await record.remove(type, id, one.ifMatch, () => audit({ status: 204, text: `${type}/${id}` }));
    return { status: 204 };
  }
  if (!one.scanned) throw new RecordError(400, 'required', 'The entry has no resource.');
  const scanned = record.scan(one.scanned.text, type);
  const made =
    one.method === 'POST'
      ? await record.create(who, scanned, one.ifNoneExist, audit)
      : id === undefined
        ? await record.conditionalUpdate(who, scanned, query ?? '', audit)
        : await record.update(scanned, id, one.ifMatch, audit);
  return {
    status: made.status,
    location: `${type}/${made.id}/_history/${made.version}`,
    etag: etag(made.version),
    lastModified: made.updated,
  };
}

/** Roles that may write resources directly. */
const writers = ['clinician', 'administrator', 'system'];

async function writer(
  caller: (request: FastifyRequest, action: string) => Promise<Caller>,
  request: FastifyRequest,
  action: string,
): Promise<Caller> {
  const who = await caller(request, action);
  if (!writers.includes(who.role))
    throw new RecordError(403, 'forbidden', `The role ${who.role} may not change resources.`);
  return who;
}

function sendResource(reply: FastifyReply, stored: StoredResource, status: number): FastifyReply {
  return reply
    .code(status)
    .type(fhirJson)
    .header('etag', etag(stored.version))
    .header('last-modified', stored.updated.toUTCString())
    .send(stored.text);
}

function sendWritten(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  made: { status: number; id: string; version: number; updated: Date; text: string },
): FastifyReply {
  reply
    .code(made.status)
    .type(fhirJson)
    .header('etag', etag(made.version))
    .header('last-modified', made.updated.toUTCString())
    .header('location', `${baseUrl(request)}/${type}/${made.id}/_history/${made.version}`);
  const prefer = String(request.headers.prefer ?? '');
  if (prefer.includes('return=minimal')) return reply.send();
  if (prefer.includes('return=OperationOutcome')) {
    return reply.send(outcomeOf([{ severity: 'information', code: 'informational', diagnostics: 'Stored.' }]));
  }
  return reply.send(made.text);
}

function baseUrl(request: FastifyRequest): string {
  return `${request.protocol}://${request.host}/fhir`;
}

function isLenient(request: FastifyRequest): boolean {
  return String(request.headers.prefer ?? '').includes('handling=lenient');
}

function bodyText(request: FastifyRequest<{ Body: Buffer }>): string {
  if (!request.body || request.body.length === 0) {
    throw new RecordError(400, 'required', 'The request has no body; send FHIR JSON as application/fhir+json.');
  }
  if (!isUtf8(request.body))
    throw new RecordError(400, 'structure', 'The body is not UTF-8, which FHIR JSON has to be.');
  return request.body.toString('utf8');
}

function countOf(query: URLSearchParams, fallback = 50): number {
  const count = query.get('_count');
  if (count === null) return fallback;
  if (!/^\d{1,6}$/.test(count))
    throw new RecordError(400, 'invalid', 'The parameter _count must be a whole number.', '_count');
  return Math.min(Math.max(Number(count), 1), 5_000);
}

function historyPage(query: URLSearchParams): { before?: number; since?: Date } {
  const cursor = cursorOf(query);
  const since = dateParameter(query, '_since');
  return { ...(cursor === undefined ? {} : { before: Number(cursor) }), ...(since ? { since } : {}) };
}

function cursorOf(query: URLSearchParams): string | undefined {
  const cursor = query.get('_cursor');
  if (cursor === null || /^\d{1,15}$/.test(cursor)) return cursor ?? undefined;
  throw new RecordError(400, 'invalid', 'The parameter _cursor is not one that this server gave.', '_cursor');
}

function dateParameter(query: URLSearchParams, name: string): Date | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) {
    throw new RecordError(
      400,
      'invalid',
      `The parameter ${name} must be an instant, such as 2026-01-31T09:30:00Z.`,
      name,
    );
  }
  return date;
}
