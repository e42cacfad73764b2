/**
 * Bulk data over HTTP: kick-off, status, cancellation and files (Bulk Data Access IG 2.0; FHIR R4 asynchronous request
 * pattern, https://hl7.org/fhir/R4/async.html), and imports by upload or by address.
 */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Bulk, type ExportLevel, exportedTypes, type Job, readParameters, retryAfter } from '../bulk/index.ts';
import { RecordError, type StoredResource } from '../record/index.ts';
import type { Role } from '../trust/index.ts';
import type { Caller } from './authenticate.ts';
import { patientsOf } from './fhir-answers.ts';
import { baseUrl, bodyText, type FhirParts, pathOf, queryOf, recordAccess } from './fhir-exchange.ts';
import { mediaTypeOf } from './fhir-format.ts';
import { accepted, prefersAsync } from './fhir-jobs.ts';
import { isLenient } from './fhir-prefer.ts';
import { sendOutcome } from './fhir-send.ts';
import { checkCovers, exportAccess } from './granted.ts';

/** Roles that may take whole records out or in. */
const allowed: readonly Role[] = ['administrator', 'system'];
const ndjson = 'application/fhir+ndjson';
const uploads = [ndjson, 'application/ndjson', 'application/x-ndjson'];
const parametersBytes = 4 * 1024 * 1024;

type JobParams = { job: string; file: string };

export function fhirBulkRoutes(app: FastifyInstance, parts: FhirParts & { bulk: Bulk }): void {
  const { bulk } = parts;
  const underWay = new UnderWay();
  app.addHook('preClose', async () => underWay.end());
  const levels: [string, ExportLevel][] = [
    ['/fhir/$export', 'system'],
    ['/fhir/Patient/$export', 'patient'],
    ['/fhir/Group/:id/$export', 'group'],
  ];
  const exporting = (level: ExportLevel) => async (request: FastifyRequest, reply: FastifyReply) => {
    const who = await bulkCaller(parts, request, 'export');
    checkKickOff(request);
    const parameters: [string, string][] = [...queryOf(request)];
    if (request.method === 'POST') parameters.push(...readParameters(bodyText(request)));
    else if (parameters.some(([name]) => name === 'patient')) {
      const text = 'The parameter patient is taken by POST only, in a Parameters resource.';
      throw new RecordError(400, 'not-supported', text, 'patient');
    }
    const { id } = request.params as { id?: string };
    const types = parameters.flatMap(([name, value]) => (name === '_type' ? value.split(',') : []));
    const named = types.map((type) => type.trim()).filter((type) => type !== '');
    const job = await bulk.export(exportAccess(who, named, level === 'group'), {
      level,
      ...(id === undefined ? {} : { group: id }),
      parameters,
      lenient: isLenient(request),
      url: request.url.replace('/fhir', baseUrl(request)),
    });
    await recordAccess(parts, who, 'export', `${pathOf(request)} as ${job.id}`, 202);
    return accepted(request, reply, job);
  };
  for (const [url, level] of levels) {
    app.route({ method: ['GET', 'POST'], url, bodyLimit: parametersBytes, handler: exporting(level) });
  }

  app.register(async (uploading) => {
    uploading.addContentTypeParser(uploads, (_request, payload, done) => done(null, payload));
    uploading.post('/fhir/$import', { bodyLimit: parametersBytes }, async (request, reply) => {
      const who = await bulkCaller(parts, request, 'import');
      checkKickOff(request);
      const url = request.url.replace('/fhir', baseUrl(request));
      const job = uploads.includes(mediaTypeOf(request.headers['content-type'] ?? ''))
        ? await bulk.importUpload(who, underWay.add(uploaded(request)), url)
        : await bulk.importFrom(who, bodyText(request), url);
      await recordAccess(parts, who, 'import', `${pathOf(request)} as ${job.id}`, 202);
      return accepted(request, reply, job);
    });
  });

  app.get<{ Params: JobParams }>('/fhir/_bulk/:job', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'bulk-status');
    const job = await bulk.find(who, request.params.job);
    checkCovers(who, exportedTypes(job));
    const wait = retryAfter(Date.now() - job.created.getTime());
    if (!bulk.polling.allows(job.id, Date.now())) {
      const text = 'The status is asked for too often; wait as long as Retry-After says.';
      throw new RecordError(429, 'throttled', text).with('retry-after', String(Math.max(wait, 2)));
    }
    switch (job.state) {
      case 'complete': {
        const address = (file: { number: number }) => `${baseUrl(request)}/_bulk/${job.id}/${file.number}.ndjson`;
        const body = await bulk.manifest(job, address);
        return reply
          .header('expires', job.expires.toUTCString())
          .type('application/json; charset=utf-8')
          .send(JSON.stringify(body));
      }
      case 'failed':
        return sendOutcome(request, reply, job.status ?? 500, job.problem ?? []);
      default:
        return reply.code(202).header('retry-after', String(wait)).header('x-progress', progress(job)).send();
    }
  });

  app.delete<{ Params: JobParams }>('/fhir/_bulk/:job', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'bulk-delete');
    await bulk.cancel(who, request.params.job);
    await recordAccess(parts, who, 'bulk-delete', pathOf(request), 202);
    const diagnostics = 'The job is ended, and its files are removed.';
    return sendOutcome(request, reply, 202, [{ severity: 'information', code: 'informational', diagnostics }]);
  });

  app.get<{ Params: JobParams }>('/fhir/_bulk/:job/:file', async (request, reply) => {
    const who = await parts.authenticator.caller(request, 'bulk-file');
    const number = Number(/^(\d{1,6})\.ndjson$/.exec(request.params.file)?.[1] ?? 0);
    const disclosed = disclosing((patients) => recordAccess(parts, who, 'bulk-file', pathOf(request), 200, patients));
    const { job, file, lines } = await bulk.file(who, request.params.job, number, baseUrl(request), disclosed);
    checkCovers(who, exportedTypes(job));
    const what = `${pathOf(request)} ${file.type}, ${file.lines ?? 'any number of'} ${file.category} of ${job.request}`;
    await recordAccess(parts, who, 'bulk-file', what, 200);
    reply.type(ndjson).header('expires', job.expires.toUTCString()).header('vary', 'accept-encoding');
    const source = underWay.add(Readable.from(lines, { objectMode: false }));
    if (!acceptsGzip(request)) return reply.send(source);
    reply.header('content-encoding', 'gzip');
    return reply.send(through(source, createGzip({ level: 1 })));
  });
}

/**
 * Records whose resources a file gives out, batch by batch, before they leave: it is in the order of persons, so who was in
 * the batch before is not named again.
 */
function disclosing(
  record: (patients: string[]) => Promise<void>,
): (given: readonly StoredResource[]) => Promise<void> {
  let before = new Set<string>();
  return async (given) => {
    const now = patientsOf(given);
    const fresh = now.filter((patient) => !before.has(patient));
    before = new Set(now);
    if (fresh.length > 0) await record(fresh);
  };
}

/** Uploads and downloads may take hours; a hub that stops breaks them off, and does not wait for its clients. */
class UnderWay {
  readonly #streams = new Set<Readable>();

  add(stream: Readable): Readable {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  end(): void {
    for (const stream of this.#streams) stream.destroy(new Error('The hub stops.'));
  }
}

async function bulkCaller(parts: FhirParts, request: FastifyRequest, action: string): Promise<Caller> {
  const who = await parts.authenticator.caller(request, action);
  if (allowed.includes(who.role)) return who;
  throw new RecordError(403, 'forbidden', `The role ${who.role} may not take whole records out or in.`);
}

/** @throws RecordError 400, 406 where the headers of a kick-off are not those of the asynchronous pattern */
function checkKickOff(request: FastifyRequest): void {
  if (!prefersAsync(request)) {
    throw new RecordError(400, 'not-supported', 'This is answered asynchronously only; send Prefer: respond-async.');
  }
  const accepts = (request.headers.accept ?? '').split(',').map(mediaTypeOf);
  if (!accepts.some((one) => ['application/fhir+json', 'application/json', '*/*'].includes(one))) {
    throw new RecordError(406, 'not-supported', 'Send Accept: application/fhir+json.');
  }
}

function progress({ state, kind, done, errors }: Job): string {
  if (state === 'receiving') return 'receiving';
  if (state === 'waiting') return 'waiting for its turn';
  if (kind === 'request') return 'under way';
  if (kind === 'export') return `${done} resources counted`;
  return `${done} resources stored, ${errors} lines refused`;
}

/** The bytes of an upload, decompressed where it says so. */
function uploaded(request: FastifyRequest): Readable {
  const body = request.body as Readable;
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body;
  if (encoding === 'gzip') return through(body, createGunzip());
  throw new RecordError(415, 'not-supported', 'An upload is sent as it is, or with Content-Encoding: gzip.');
}

/** A stream through another; what fails in one ends both, and is told by the last. */
function through(source: Readable, transform: Transform): Transform {
  pipeline(source, transform, () => {});
  return transform;
}

function acceptsGzip(request: FastifyRequest): boolean {
  const accepted = /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q\s*=\s*([\d.]+))?\s*(?:,|$)/.exec(
    String(request.headers['accept-encoding'] ?? ''),
  );
  return accepted !== null && Number(accepted[1] ?? 1) > 0;
}
