/**
 * Cuts a Bundle (https://hl7.org/fhir/R4/bundle.html) into its entries without building the whole as one value: each
 * resource is a slice of the text that came, scanned alone, so that its digits stay and one copy is in memory.
 */
import type { Bundle, BundleEntry, BundleEntryRequest } from '@medplum/fhirtypes';
import { DEFAULT_LIMITS, type JsonLimits } from './json/limits.ts';
import { endOfArray, objectMembers, skipSpace } from './json/members.ts';
import { parseJson } from './json/parse.ts';
import type { Span } from './json/tokens.ts';
import type { FhirError } from './outcome.ts';
import { fhirError, isFhirError } from './outcome.ts';
import type { ScannedResource } from './scan.ts';
import { scanResource } from './scan.ts';

/** One entry without its resource. */
export interface EntryFrame {
  fullUrl: string | undefined;
  request: BundleEntryRequest | undefined;
  /** The entry without its resource: link, search, response, extensions. */
  entry: BundleEntry;
  /** What is wrong with the entry, where entries are scanned each for itself; its place counts from the resource's start. */
  wrong?: FhirError;
}

/** One entry; all but the resource is in `entry`. */
export interface ScannedEntry extends EntryFrame {
  resource: ScannedResource | undefined;
}

/** A scanned Bundle; `bundle` is the Bundle without its entries. */
export interface ScannedBundle {
  bundle: Bundle;
  type: string | undefined;
  entries: ScannedEntry[];
}

/** What a Bundle may not exceed. */
export interface BundleLimits extends JsonLimits {
  maxEntries: number;
}

/** 100 Mi characters, as one resource otherwise, 100 000 entries. */
export const BUNDLE_LIMITS: BundleLimits = { ...DEFAULT_LIMITS, maxLength: 100 * 1024 * 1024, maxEntries: 100_000 };

/**
 * Scans the JSON text of a Bundle. The first thing that is wrong anywhere in it refuses the whole: the error's line and
 * column are those in the Bundle's text, its path starts with `Bundle`. Never throws.
 * @param isEachAlone keeps what is wrong with one entry, or with its resource, with that entry (a batch's entries fail
 *   alone); what is wrong around the entries still refuses the whole
 */
export function scanBundle(
  text: string,
  limits: BundleLimits = BUNDLE_LIMITS,
  isEachAlone = false,
): ScannedBundle | FhirError {
  if (text.length > limits.maxLength) {
    return fhirError(text, limits.maxLength, 'too-long', `the Bundle is longer than ${limits.maxLength} characters`);
  }
  const spans = findResources(text);
  if (spans === undefined) {
    const strict = parseJson(text, limits);
    if (isFhirError(strict)) return { ...strict, path: strict.path === '' ? 'Bundle' : `Bundle.${strict.path}` };
    return fhirError(text, 0, 'structure', 'a Bundle is a JSON object whose entry is an array of objects', 'Bundle');
  }
  if (spans.length > limits.maxEntries) {
    return fhirError(text, 0, 'too-costly', `the Bundle has more than ${limits.maxEntries} entries`, 'Bundle.entry');
  }
  const envelope = scanEnvelope(text, spans, limits);
  if (isFhirError(envelope)) return envelope;
  const bundle = envelope.value as Bundle;
  const sent: unknown[] = bundle.entry ?? [];
  const entries: ScannedEntry[] = [];
  for (const [index, span] of spans.entries()) {
    const path = `Bundle.entry[${index}]`;
    const scanned = scanEntry(text, sent[index], span, path, limits);
    if (scanned.wrong && !isEachAlone) {
      const { error, code, offset } = scanned.wrong;
      return fhirError(text, (span?.start ?? 0) + offset, code, error, scanned.wrong.path);
    }
    entries.push(scanned);
  }
  delete bundle.entry;
  return { bundle, type: bundle.type, entries };
}

function scanEntry(
  text: string,
  sent: unknown,
  span: Span | undefined,
  path: string,
  limits: JsonLimits,
): ScannedEntry {
  const { fullUrl, request, entry, wrong } = readEntryFrame(sent, path, span !== undefined);
  if (wrong) return { fullUrl, request, resource: undefined, entry, wrong };
  if (span === undefined) return { fullUrl, request, resource: undefined, entry };
  const resource = scanResource(text.slice(span.start, span.end), limits);
  if (!isFhirError(resource)) return { fullUrl, request, resource, entry };
  const inner = resource.path === '' ? '' : `.${resource.path}`;
  const error = { ...resource, path: `${path}.resource${inner}` };
  return { fullUrl, request, resource: undefined, entry, wrong: error };
}

/**
 * Reads an entry from the Bundle in which `null` stands for its resource.
 * @param isCut whether it does: what else stands in its place is no resource
 */
export function readEntryFrame(sent: unknown, path: string, isCut: boolean): EntryFrame {
  const wrong = wrongEntry(sent);
  if (wrong !== undefined) {
    const error = fhirError('', 0, 'structure', wrong, path);
    return { fullUrl: undefined, request: undefined, entry: {}, wrong: error };
  }
  const entry = sent as BundleEntry;
  const { fullUrl, request } = entry;
  const isNone = 'resource' in entry && !isCut;
  delete entry.resource;
  if (!isNone) return { fullUrl, request, entry };
  const sentence = 'a resource is a JSON object with a resourceType';
  return { fullUrl, request, entry, wrong: fhirError('', 0, 'structure', sentence, `${path}.resource`) };
}

/** Where each entry's resource stands (undefined for an entry without one); undefined when this cannot be told. */
function findResources(text: string): (Span | undefined)[] | undefined {
  const spans: (Span | undefined)[] = [];
  const root = objectMembers(text, skipSpace(text, 0), (key, start) => {
    if (key !== 'entry') return undefined;
    return endOfArray(text, start, (item) => {
      const entry = objectMembers(text, item);
      if (entry === undefined) return -1;
      spans.push(entry.members.find((member) => member.key === 'resource'));
      return entry.end;
    });
  });
  return root === undefined ? undefined : spans;
}

/** Scans the Bundle with `null` for each resource; offsets of an error are put back to the Bundle's own text. */
function scanEnvelope(text: string, spans: (Span | undefined)[], limits: JsonLimits): ScannedResource | FhirError {
  const parts: string[] = [];
  let from = 0;
  for (const span of spans) {
    if (span === undefined) continue;
    parts.push(text.slice(from, span.start), 'null');
    from = span.end;
  }
  parts.push(text.slice(from));
  const scanned = scanResource(parts.join(''), limits);
  if (!isFhirError(scanned)) {
    if (scanned.resourceType === 'Bundle') return scanned;
    return fhirError(text, 0, 'structure', 'the resource is not a Bundle', 'resourceType');
  }
  let offset = scanned.offset;
  for (const span of spans) {
    if (span === undefined || span.start >= offset) continue;
    offset += span.end - span.start - 'null'.length;
  }
  return fhirError(
    text,
    offset,
    scanned.code,
    scanned.error,
    scanned.path === '' ? 'Bundle' : `Bundle.${scanned.path}`,
  );
}

function wrongEntry(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return 'an entry has to be an object';
  const { fullUrl, request } = entry as { fullUrl?: unknown; request?: unknown };
  if (fullUrl !== undefined && typeof fullUrl !== 'string') return 'fullUrl has to be a string';
  if (request === undefined) return undefined;
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return 'request has to be an object';
  for (const member of ['method', 'url', 'ifMatch', 'ifNoneExist', 'ifNoneMatch', 'ifModifiedSince']) {
    const value = (request as Record<string, unknown>)[member];
    if (value !== undefined && typeof value !== 'string') return `request.${member} has to be a string`;
  }
  return undefined;
}
