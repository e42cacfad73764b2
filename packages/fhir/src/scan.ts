/**
 * From the JSON text of one resource to what the record store needs: the parsed value, the text without white space,
 * and where `id`, `meta` and references stand in it. One light walk finds the places and the engine's own `JSON.parse`
 * builds the value; figures for this and for a hand-written parser are in the README.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { JsonLimits } from './json/limits.ts';
import { DEFAULT_LIMITS } from './json/limits.ts';
import { parseJson } from './json/parse.ts';
import type { ReferenceSpan, Span, Tokens } from './json/tokens.ts';
import { tokenize } from './json/tokens.ts';
import type { FhirError } from './outcome.ts';
import { fhirError } from './outcome.ts';
import { isResourceType } from './resource-types.ts';

/** One resource, scanned. All offsets are into `text`, in UTF-16 code units. */
export interface ScannedResource {
  /** The resource's text without white space between tokens; every digit and the order of keys as sent. */
  text: string;
  /** The parsed object; decimals are JavaScript numbers here, only `text` keeps their digits. */
  value: Resource;
  resourceType: string;
  id: string | undefined;
  /** Every `Reference.reference`, those in contained resources and extensions included, in the text's order. */
  references: ReferenceSpan[];
  /** The value of `meta`, braces included. */
  metaSpan: Span | undefined;
  /** The value of `id`, quotes included. */
  idSpan: Span | undefined;
  /** The value of `resourceType`, quotes included. */
  resourceTypeSpan: Span;
}

/**
 * Scans the JSON text of one resource. Refused, as a value: what is not strict JSON, a property twice in one object,
 * U+0000 and lone surrogates, what is over the limits, and what is no R4 resource. Never throws.
 */
export function scanResource(text: string, limits: JsonLimits = DEFAULT_LIMITS): ScannedResource | FhirError {
  if (text.length > limits.maxLength) {
    return fhirError(text, limits.maxLength, 'too-long', `the resource is longer than ${limits.maxLength} characters`);
  }
  const read = readFast(text, limits);
  if (read === undefined) return explain(text, limits);
  const { value, tokens } = read;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fhirError(text, 0, 'structure', 'a resource is a JSON object with a resourceType');
  }
  if (countKeys(value) !== tokens.keys) return explain(text, limits);
  const { resourceType, id, meta } = value as { resourceType?: unknown; id?: unknown; meta?: unknown };
  if (typeof resourceType !== 'string' || tokens.resourceType === undefined) {
    return refuseMember(
      text,
      'resourceType',
      'required',
      'resourceType is missing or no string; it names the type, such as "Patient"',
    );
  }
  if (!isResourceType(resourceType)) {
    return refuseMember(
      text,
      'resourceType',
      'value',
      'resourceType is not the name of an R4 resource type, such as "Patient"',
    );
  }
  if (id !== undefined && typeof id !== 'string') {
    return refuseMember(text, 'id', 'value', 'id has to be a string of 1 to 64 letters, digits, "-" and "."');
  }
  if (meta !== undefined && (typeof meta !== 'object' || meta === null || Array.isArray(meta))) {
    return refuseMember(text, 'meta', 'structure', 'meta has to be an object');
  }
  return {
    text: tokens.text,
    value: value as Resource,
    resourceType,
    id,
    references: tokens.references,
    metaSpan: tokens.meta,
    idSpan: tokens.id,
    resourceTypeSpan: tokens.resourceType,
  };
}

/** The value, and what the walk finds in its text; undefined where either refuses. The walk stops at what would be dear to parse. */
function readFast(text: string, limits: JsonLimits): { value: unknown; tokens: Tokens } | undefined {
  try {
    const tokens = tokenize(text, limits);
    return typeof tokens === 'string' ? undefined : { value: JSON.parse(text), tokens };
  } catch {
    return undefined;
  }
}

/** The strict parser finds what the fast way only noticed. */
function explain(text: string, limits: JsonLimits): FhirError {
  const strict = parseJson(text, limits);
  return 'error' in strict ? strict : fhirError(text, 0, 'invalid', 'the text is not strict JSON');
}

/** How many properties all objects in the value have together; a duplicate in the text makes this smaller. */
function countKeys(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) count += countKeys(item);
    return count;
  }
  for (const key in value) {
    count++;
    const member = (value as Record<string, unknown>)[key];
    if (typeof member === 'object' && member !== null) count += countKeys(member);
  }
  return count;
}

function refuseMember(text: string, name: string, code: FhirError['code'], message: string): FhirError {
  return fhirError(text, Math.max(0, text.indexOf(`"${name}"`)), code, message, name);
}
