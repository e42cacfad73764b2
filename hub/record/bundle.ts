/**
 * Batch and transaction bundles (FHIR R4 §3.1.0.11): reading one into its entries, and carrying out a batch, each entry
 * for itself. A transaction is carried out by `transaction.ts`.
 */
import { type EntryFrame, type FhirError, isFhirError, scanBundle } from '@causeway/fhir';
import type { Access, AccessNote } from '../trust/index.ts';
import type { Found } from './changes.ts';
import { recordErrorOf } from './database-faults.ts';
import { atHand, type EntryResource } from './entry-resource.ts';
import { type Issue, RecordError } from './errors.ts';
import { inTurns } from './in-turns.ts';
import type { PatchAside } from './path-patches.ts';
import type { TextSpool } from './text-spool.ts';
import type { WriteJob } from './writer.ts';

/** One answer of a bundle, to be rendered as `Bundle.entry`; that of a change holds once it is committed. */
export interface EntryOutcome {
  readonly status: number;
  readonly location?: string | undefined;
  readonly etag?: string;
  readonly lastModified?: Date;
  /** JSON of the resource that answers a read or a search. */
  readonly resource?: AnswerText;
  /** Canonical JSON of the resource as it was stored, where the exchange says that it is wanted. */
  readonly stored?: AnswerText | undefined;
  readonly issues?: Issue[];
}

/** A text of an answer, or where it is kept until the answer is written. */
export type AnswerText = string | { text(): string };

export interface BundleEntry {
  index: number;
  fullUrl: string | undefined;
  method: string;
  /** Relative to the base, without a slash before it. */
  url: string;
  ifNoneExist: string | undefined;
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  resource: EntryResource | undefined;
  /** Why the entry cannot be carried out. */
  error?: RecordError;
}

/** A Bundle that was read; of a large one the resources are in a spool, and the texts of its answer go there as well. */
export interface ReadBundle {
  type: 'batch' | 'transaction';
  entries: BundleEntry[];
  spool?: TextSpool;
}

/** What a bundle needs besides its own changes. */
export interface BundleServices {
  /** Of a large bundle: where its texts are kept. */
  spool: TextSpool | undefined;
  /** Whether the answer tells the resources as they were stored. */
  isStoredWanted?: boolean;
  /** Carries out patches that may take long. */
  patchAside: PatchAside;
  /** What a conditional search finds, two at most unless told otherwise. */
  find(access: Access, type: string, query: string, limit?: number): Promise<Found[]>;
  /** Carries out one entry of a batch, or a read of a transaction. */
  single(access: Access, entry: BundleEntry): Promise<EntryOutcome>;
  write<T>(job: WriteJob<T>): Promise<T>;
  /** @throws RecordError 409 for the id of a merged Patient, under which nothing can be stored */
  refuseMerged(type: string, id: string): Promise<void>;
  /** The access that a transaction is. */
  audit?(outcomes: EntryOutcome[], entries: readonly BundleEntry[]): AccessNote;
  /** Notes a fault of the hub in one entry, which fails alone. */
  fault(error: unknown): void;
}

/** Entries that a batch or transaction may have. */
export const mostBundleEntries = 10_000;

/**
 * Reads a bundle's text. What is wrong with one entry of a batch stays with that entry.
 * @param base the base URL that the client used, for addresses that are not relative
 * @throws RecordError 400 for what is no batch or transaction, and for a transaction with an entry that is wrong
 */
export function readBundle(text: string, base: string): ReadBundle {
  const isBatch = /"type"\s*:\s*"batch"/.test(text);
  const scanned = scanBundle(text, undefined, isBatch);
  if (isFhirError(scanned)) throw refusal(scanned);
  const entries = scanned.entries.map((entry, index) =>
    entryOf(entry, entry.resource && atHand(entry.resource), index, base),
  );
  return bundleOf(scanned.type, entries);
}

/** A Bundle of entries. @throws RecordError 400 as `readBundle`, 413 for too many entries */
export function bundleOf(type: string | undefined, entries: BundleEntry[]): ReadBundle {
  if (type !== 'batch' && type !== 'transaction') {
    const sentence =
      'A Bundle posted to the base has the type batch or transaction; one of another type can be stored at /Bundle.';
    throw new RecordError(400, 'value', sentence, 'Bundle.type');
  }
  if (entries.length > mostBundleEntries) throw tooMany();
  const wrong = type === 'transaction' ? entries.find(({ error }) => error) : undefined;
  if (wrong) throw wrong.error;
  return { type, entries };
}

/** Why a Bundle is not taken. */
export function refusal({ line, column, error, path, code }: FhirError): RecordError {
  if (code === 'too-costly') return tooMany();
  const status = code === 'too-long' ? 413 : 400;
  return new RecordError(
    status,
    status === 413 ? code : 'structure',
    `Line ${line}, column ${column}: ${error}`,
    path || undefined,
  );
}

function tooMany(): RecordError {
  const sentence = `A Bundle may have ${mostBundleEntries} entries; send it in parts.`;
  return new RecordError(413, 'too-costly', sentence, 'Bundle.entry');
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

export function entryOf(
  { fullUrl, request, wrong }: EntryFrame,
  resource: EntryResource | undefined,
  index: number,
  base: string,
): BundleEntry {
  const at = `Bundle.entry[${index}]`;
  const entry: BundleEntry = {
    index,
    fullUrl,
    method: request?.method ?? '',
    url: relative(request?.url ?? '', base),
    ifNoneExist: request?.ifNoneExist?.replace(/^\?/, ''),
    ifMatch: request?.ifMatch,
    ifNoneMatch: request?.ifNoneMatch,
    ifModifiedSince: request?.ifModifiedSince,
    resource,
  };
  const error = wrong
    ? new RecordError(400, 'structure', sentence(wrong.error), wrong.path)
    : wrongRequest(entry, request?.url, at);
  return error ? { ...entry, error } : entry;
}

function wrongRequest(entry: BundleEntry, url: string | undefined, at: string): RecordError | undefined {
  const { method } = entry;
  if (method === '' || !url) {
    return new RecordError(400, 'required', 'Each entry needs request.method and request.url.', `${at}.request`);
  }
  if (!methods.has(method)) {
    const text = 'request.method may be GET, HEAD, POST, PUT, PATCH or DELETE.';
    return new RecordError(400, 'value', text, `${at}.request.method`);
  }
  if (/^[a-z][a-z0-9+.-]*:/i.test(entry.url) || leavesBase.test(entry.url.split('?')[0]!)) {
    const text = 'request.url must be relative to this server, such as Patient/1.';
    return new RecordError(400, 'value', text, `${at}.request.url`);
  }
  if (!entry.resource && (method === 'POST' || method === 'PUT' || method === 'PATCH') && !isBodyless(entry.url)) {
    return new RecordError(400, 'required', 'The entry has no resource.', `${at}.resource`);
  }
  return undefined;
}

/** A batch's entries do not know of each other: what refers to a resource that another one makes belongs in a transaction. */
function dependence({ index, resource }: BundleEntry, made: ReadonlySet<string | undefined>): RecordError | undefined {
  const reference = resource?.references.find(({ value }) => made.has(value));
  if (!reference) return undefined;
  const text = 'The reference is to what another entry of the batch makes; send the two in a transaction.';
  return new RecordError(400, 'invariant', text, `Bundle.entry[${index}].resource.${reference.path}`);
}

/** Parts of an address that lead out of the base, as URLs are read. */
const leavesBase = /\\|(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)|^\//i;

/** Whether a POST may come without a resource: a search or an operation whose parameters are in the address. */
function isBodyless(url: string): boolean {
  return /(?:^|\/)(?:_search|\$[\w-]+)(?:\?|$)/.test(url);
}

function relative(url: string, base: string): string {
  const own = url.startsWith(`${base}/`) || url.startsWith(`${base}?`) ? url.slice(base.length) : url;
  return own.replace(/^\//, '');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Deletes first, then creates, updates and reads, though a batch's entries do not depend on each other. */
const phases: readonly { methods: readonly string[]; atOnce: number }[] = [
  { methods: ['DELETE'], atOnce: 256 },
  { methods: ['POST'], atOnce: 256 },
  { methods: ['PUT', 'PATCH'], atOnce: 256 },
  { methods: ['read'], atOnce: 256 },
  { methods: ['GET', 'HEAD'], atOnce: 8 },
];

/** A search by POST only reads; reads by id are answered many by one query. */
function phaseOf({ method, url }: BundleEntry): string {
  if (/(?:^|\/)_search(?:\?|$)/.test(url)) return 'GET';
  return method === 'GET' && /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]+$/.test(url) ? 'read' : method;
}

/** Carries out a batch: each entry for itself, so many at once that the database is not kept from others. */
export async function runBatch(
  services: BundleServices,
  access: Access,
  entries: BundleEntry[],
): Promise<EntryOutcome[]> {
  const made = new Set(entries.filter(({ method }) => method === 'POST').map(({ fullUrl }) => fullUrl));
  for (const entry of entries) entry.error ??= dependence(entry, made);
  const outcomes = entries.map(({ error }) => error && failed(error));
  for (const { methods: which, atOnce } of phases) {
    const turn = entries.filter((entry) => !entry.error && which.includes(phaseOf(entry)));
    for (const some of inMemory(turn)) {
      await inTurns(some, atOnce, async (entry) => {
        outcomes[entry.index] = await single(services, access, entry);
      });
    }
  }
  return outcomes as EntryOutcome[];
}

/** Carries out one entry; a failure is its outcome. Texts of a large bundle's answer go into its spool. */
export async function single(services: BundleServices, access: Access, entry: BundleEntry): Promise<EntryOutcome> {
  const outcome = await services.single(access, entry).catch((fault) => failedBy(services, fault));
  const { spool } = services;
  if (!spool || (outcome.resource === undefined && outcome.stored === undefined)) return outcome;
  const { resource, stored, ...rest } = outcome;
  try {
    return {
      ...rest,
      ...(resource === undefined ? {} : { resource: keepText(services, resource) }),
      ...(stored === undefined ? {} : { stored: keepText(services, stored) }),
    };
  } catch (fault) {
    // A change that was made is told, even where there is no room for what it made.
    return stored === undefined ? failedBy(services, fault) : rest;
  }
}

/** A text for the answer, out of memory where the bundle is large. */
export function keepText({ spool }: Pick<BundleServices, 'spool'>, text: AnswerText): AnswerText {
  if (!spool || typeof text !== 'string') return text;
  const number = spool.put(text, 'Bundle');
  return { text: () => spool.text(number, 'Bundle') };
}

const charactersAtOnce = 2 * 1024 * 1024;

/** Entries, one after the other, in lists whose resources may be in memory together. */
function* inMemory(entries: readonly BundleEntry[]): Generator<BundleEntry[]> {
  let some: BundleEntry[] = [];
  let characters = 0;
  for (const entry of entries) {
    characters += entry.resource?.keptLength ?? 0;
    if (characters > charactersAtOnce && some.length > 0) {
      yield some;
      some = [];
      characters = entry.resource?.keptLength ?? 0;
    }
    some.push(entry);
  }
  if (some.length > 0) yield some;
}

/** The outcome of an entry that failed, whatever the reason. */
export function failedBy(services: Pick<BundleServices, 'fault'>, fault: unknown): EntryOutcome {
  const error = recordErrorOf(fault);
  if (error) return failed(error);
  services.fault(fault);
  return failed(new RecordError(500, 'exception', 'The hub failed to carry this out; the failure is in its log.'));
}

function failed({ status, issues, headers }: RecordError): EntryOutcome {
  return { status, issues, ...(headers.etag === undefined ? {} : { etag: headers.etag }) };
}
