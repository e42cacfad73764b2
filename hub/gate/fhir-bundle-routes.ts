/** Batch and transaction (FHIR R4 §3.1.0.11). */
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type BundleEntry,
  type BundleExchange,
  type EntryOutcome,
  type ReadBundle,
  RecordError,
  recordErrorOf,
} from '../record/index.ts';
import type { Caller } from './authenticate.ts';
import { withAddresses } from './document-addresses.ts';
import { answerTextOf, bundle, etag, outcomeEntry, patientsIn } from './fhir-answers.ts';
import { withBundle } from './fhir-bundle-body.ts';
import { elsewhere } from './fhir-bundle-elsewhere.ts';
import {
  auditOf,
  baseUrl,
  checkMayChange,
  type FhirParts,
  recordAccess,
  removalAudit,
  removalsAudit,
  writer,
} from './fhir-exchange.ts';
import { answerForm } from './fhir-format.ts';
import { isLenient, type ReturnPreference, returnPreference } from './fhir-prefer.ts';
import { isUnchanged } from './fhir-read-routes.ts';
import { searchBundle } from './fhir-search-bundle.ts';
import { sendBundle } from './fhir-send.ts';
import { refusedEntry } from './granted.ts';
import { type PublishParts, publish } from './mhd-publish.ts';
import { submissionOf } from './mhd-submission.ts';
import { Turns } from './turns.ts';

export function fhirBundleRoutes(app: FastifyInstance, parts: PublishParts): void {
  app.register(async (streaming) => {
    streaming.removeAllContentTypeParsers();
    streaming.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    streaming.post('/fhir', async (request, reply) => {
      const who = await writer(parts, request, 'bundle');
      const base = baseUrl(request);
      return withBundle(request, who.who, base, parts, (sent) => carryOut(app, parts, request, reply, who, sent));
    });
  });
}

/** Large bundles are carried out one after the other, so that many of them take no more memory than one. */
const large = new Turns(1);
/**
 * Of the others, as many characters at a time: more at once make nothing quicker, and each takes many times its text while
 * it is prepared.
 */
const ordinary = new Turns(1_750_000);

async function carryOut(
  app: FastifyInstance,
  parts: PublishParts,
  request: FastifyRequest,
  reply: FastifyReply,
  who: Caller,
  sent: string | ReadBundle,
): Promise<FastifyReply> {
  const base = baseUrl(request);
  const wanted = returnPreference(request);
  const exchange = exchangeOf(app, parts, request, who);
  const isSmall = typeof sent === 'string';
  const inTurn = <T>(work: () => Promise<T>) => (isSmall ? ordinary.take(sent.length, work) : large.take(1, work));
  const bundled = async () => {
    const submission = submissionOf(sent, base);
    if (!submission) return inTurn(() => parts.record.bundle(who, sent, exchange));
    return { type: 'transaction', outcomes: await publish(parts, request, who, submission, exchange, inTurn) };
  };
  const { type, outcomes } = await (isSmall ? bundled() : inTurn(bundled));
  if (wanted !== undefined) reply.header('preference-applied', `return=${wanted}`);
  const form = answerForm(request);
  const links = [['self', base]];
  if (typeof sent === 'string' || form.format !== 'json' || form.pretty) {
    const entries = outcomes.map((outcome) => outcomeEntry(outcome, wanted));
    return sendBundle(request, reply, bundle(`${type}-response`, links, entries, undefined), form);
  }
  const empty = bundle(`${type}-response`, links, [], undefined).join('');
  const answer = Readable.from(answerPieces(empty, outcomes, wanted), { objectMode: false });
  reply.type(`${form.mediaType}; charset=utf-8`).send(answer);
  // The texts of the answer are there until it is written; a client that has gone away needs them no longer.
  await finished(answer).catch(() => {});
  return reply;
}

/** What a bundle needs of the request that it came with. */
export function exchangeOf(
  app: FastifyInstance,
  parts: FhirParts,
  request: FastifyRequest,
  who: Caller,
): BundleExchange {
  return {
    base: baseUrl(request),
    isStoredWanted: returnPreference(request) === 'representation',
    refused: (entry) => refusedEntry(who, entry),
    single: (access, entry) => singleEntry(app, parts, request, access as Caller, entry),
    audit: (made, entries) => {
      const what = made.map((outcome) => outcome?.location ?? '').join(' ');
      const patients = patientsIn(`${what} ${[...namesIn(entries)].join(' ')}`);
      return { access: who, entry: { action: 'transaction', what: what.slice(0, 500), status: 200, patients } };
    },
    fault: (error) => parts.fault(error, '/fhir'),
  };
}

const pieceLength = 64 * 1024;

/** The text of a large answer, piece by piece. @param empty the Bundle without entries */
function* answerPieces(
  empty: string,
  outcomes: EntryOutcome[],
  wanted: ReturnPreference | undefined,
): Generator<string> {
  let piece = empty.slice(0, -1);
  for (const [i, outcome] of outcomes.entries()) {
    piece += `${i === 0 ? ',"entry":[' : ','}${outcomeEntry(outcome, wanted)}`;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  yield `${piece}${outcomes.length > 0 ? ']' : ''}}`;
}

/** Addresses and references in entries. */
function* namesIn(entries: readonly BundleEntry[]): Generator<string> {
  for (const { fullUrl, url, resource } of entries) {
    if (fullUrl !== undefined) yield fullUrl;
    yield url;
    for (const { value } of resource?.references ?? []) yield value;
  }
}

/** Carries out one entry and records its access, also where it fails. */
async function singleEntry(
  app: FastifyInstance,
  parts: FhirParts,
  request: FastifyRequest,
  who: Caller,
  entry: BundleEntry,
): Promise<EntryOutcome> {
  const [path, query] = entry.url.split('?') as [string, string | undefined];
  const [type, id, ...rest] = path.split('/') as [string, ...string[]];
  const isOrdinary = rest.length === 0 && /^[A-Z]/.test(type) && !/^[$_]/.test(id ?? '') && type !== 'Binary';
  if (!isOrdinary || entry.method === 'PATCH' || (id !== undefined && query !== undefined)) {
    return elsewhere(app, parts.authenticator, request, entry);
  }
  const what = `/${entry.url}`;
  try {
    if (entry.method !== 'GET' && entry.method !== 'HEAD')
      return await change(parts, who, entry, { type, id, query }, returnPreference(request) === 'representation');
    const outcome =
      id === undefined
        ? await search(parts, request, who, type, query)
        : await read(parts, who, entry, { type, id, base: baseUrl(request) });
    await recordAccess(
      parts,
      who,
      entry.method,
      what,
      outcome.status,
      patientsIn(answerTextOf(outcome.resource) ?? ''),
    );
    return entry.method === 'HEAD' ? { ...outcome, resource: '' } : outcome;
  } catch (fault) {
    const error = recordErrorOf(fault);
    if (error) await recordAccess(parts, who, entry.method, what, error.status);
    throw fault;
  }
}

async function search(
  parts: FhirParts,
  request: FastifyRequest,
  who: Caller,
  type: string,
  query = '',
): Promise<EntryOutcome> {
  const parameters = new URLSearchParams(query);
  const form = answerForm(request, parameters);
  const found = await searchBundle(parts.record, who, type, parameters, baseUrl(request), isLenient(request), form);
  return { status: 200, resource: found.text.join('') };
}

async function read(
  { record }: FhirParts,
  who: Caller,
  { ifNoneMatch, ifModifiedSince }: BundleEntry,
  { type, id, base }: { type: string; id: string; base: string },
): Promise<EntryOutcome> {
  const stored = await record.read(who, type, id);
  const version = { etag: etag(stored.version), lastModified: stored.updated };
  if (isUnchanged(stored, ifNoneMatch, ifModifiedSince)) return { status: 304, ...version };
  return { status: 200, resource: withAddresses(base, type, stored.text), ...version };
}

async function change(
  { record }: FhirParts,
  who: Caller,
  entry: BundleEntry,
  { type, id, query }: { type: string; id: string | undefined; query: string | undefined },
  isStoredWanted: boolean,
): Promise<EntryOutcome> {
  checkMayChange(who, type);
  const what = `/${entry.url}`;
  if (entry.method === 'DELETE') return remove(record, who, entry, type, id, query ?? '');
  if (!entry.resource) throw new RecordError(400, 'required', 'The entry has no resource.');
  if (entry.method === 'POST' && (id !== undefined || query !== undefined)) {
    throw new RecordError(400, 'value', 'The request.url of a POST is a resource type alone, such as Patient.');
  }
  const scanned = record.check(entry.resource.scanned(), type);
  const audit = auditOf(who, entry.method, what);
  const made =
    entry.method === 'POST'
      ? await record.create(who, scanned, entry.ifNoneExist, audit)
      : id === undefined
        ? await record.conditionalUpdate(who, scanned, query ?? '', entry, audit)
        : await record.update(who, scanned, id, entry, audit);
  return {
    status: made.status,
    location: `${type}/${made.id}/_history/${made.version}`,
    etag: etag(made.version),
    lastModified: made.updated,
    ...(isStoredWanted ? { stored: made.text } : {}),
  };
}

async function remove(
  record: FhirParts['record'],
  who: Caller,
  entry: BundleEntry,
  type: string,
  id: string | undefined,
  query: string,
): Promise<EntryOutcome> {
  const what = `/${entry.url}`;
  if (id === undefined) {
    await record.conditionalRemove(who, type, query, entry, removalsAudit(who, 'DELETE', what));
    return { status: 204 };
  }
  const removed = await record.remove(who, type, id, entry, removalAudit(who, 'DELETE', what, `${type}/${id}`));
  return { status: 204, ...(removed ? { etag: etag(removed.version), lastModified: removed.updated } : {}) };
}
