/**
 * Patches of stored resources (https://hl7.org/fhir/R4/http.html#patch): which kind a patch is of, and what it makes of
 * a resource. A result that is no valid resource of the same type and id is refused.
 */
import {
  applyFhirPathPatch,
  applyJsonPatch,
  type FhirError,
  isFhirError,
  type ScannedResource,
  scanResource,
} from '@causeway/fhir';
import { RecordError } from './errors.ts';
import { logicalId } from './logical-id.ts';
import { checkResource } from './targets.ts';
import type { Version } from './write-set.ts';

/** A JSON Patch (RFC 6902), or a FHIRPath Patch as the JSON text of its Parameters. */
export interface Patch {
  kind: 'json' | 'fhirpath';
  text: string;
}

/** The patch that a bundle's entry brings: Parameters, or a Binary with a JSON Patch. @throws RecordError 400, 415 */
export function entryPatch({ resourceType, text, value }: ScannedResource, at: string): Patch {
  if (resourceType === 'Parameters') return { kind: 'fhirpath', text };
  if (resourceType !== 'Binary') {
    const sentence = 'A PATCH entry has Parameters with a FHIRPath Patch, or a Binary with a JSON Patch.';
    throw new RecordError(400, 'structure', sentence, `${at}.resource`);
  }
  const { contentType, data } = value as { contentType?: unknown; data?: unknown };
  if (typeof contentType !== 'string' || !/^application\/json-patch\+json\b/i.test(contentType)) {
    const sentence = 'A Binary in a PATCH entry has the contentType application/json-patch+json.';
    throw new RecordError(415, 'not-supported', sentence, `${at}.resource.contentType`);
  }
  return { kind: 'json', text: Buffer.from(typeof data === 'string' ? data : '', 'base64').toString('utf8') };
}

/**
 * What a patch makes of a version that was loaded with its text, ready to be stored; undefined where it changes nothing.
 * `at` is the place of the patch in a bundle. @throws RecordError 400 for what is no patch, 422 for one that this resource cannot take
 */
export function patchedResource(before: Version, patch: Patch, at?: string): ScannedResource | undefined {
  const { type } = before;
  const text = before.text!;
  const apply = patch.kind === 'json' ? applyJsonPatch : applyFhirPathPatch;
  const after = apply(text, patch.text);
  if (typeof after !== 'string') throw patchError(after, at);
  if (after === applyJsonPatch(text, '[]')) return undefined;
  const scanned = scanResource(after);
  if (isFhirError(scanned)) {
    throw new RecordError(422, scanned.code, `The patch leaves no resource: ${scanned.error}.`, at ?? scanned.path);
  }
  if (scanned.resourceType !== type) {
    throw new RecordError(422, 'invariant', 'A patch may not change the resourceType.', at ?? 'resourceType');
  }
  if (scanned.id !== logicalId(text))
    throw new RecordError(422, 'invariant', 'A patch may not change the id.', at ?? 'id');
  checkResource(scanned, at);
  return scanned;
}

/** Codes of a patch that could be carried out on another resource; others are of one that is wrong in itself. */
const ofThisResource: ReadonlySet<string> = new Set([
  'not-found',
  'invariant',
  'value',
  'duplicate',
  'multiple-matches',
  'too-costly',
]);

function patchError({ code, line, column, error, path }: FhirError, at: string | undefined): RecordError {
  const place = [at, path].filter(Boolean).join(': ');
  const sentence = `Patch, line ${line}, column ${column}: ${error}.`;
  return new RecordError(ofThisResource.has(code) ? 422 : 400, code, sentence, place || undefined);
}
