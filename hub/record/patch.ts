/**
 * Patches of stored resources (https://hl7.org/fhir/R4/http.html#patch): which kind a patch is of, and what it makes of
 * a resource. A result that is no valid resource of the same type and id is refused.
 */
import { applyJsonPatch, type FhirError, isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import { RecordError } from './errors.ts';
import { logicalId } from './logical-id.ts';
import { carriedOut, isQuick, type Patch, type Patched } from './path-patches.ts';
import { homePatient } from './prepare.ts';
import { withLabels } from './shown-labels.ts';
import { checkResource } from './targets.ts';
import type { Version } from './transaction-resources.ts';
import type { WriteSet } from './write-set.ts';

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
 * The ids under which the patients of some versions are shown, by home; those that are shown under their own are missing.
 * A patch is about what its sender saw.
 */
export async function shownPatients(set: WriteSet, versions: readonly Version[]): Promise<Map<number, string>> {
  const homes = new Set(versions.filter(({ type, home }) => type !== 'Patient' && home >= 0).map(({ home }) => home));
  if (homes.size === 0) return new Map();
  const { rows } = await set.transaction.query({
    name: 'shown_patients',
    text: 'SELECT home, presented FROM link WHERE home = ANY($1) AND presented IS NOT NULL',
    values: [[...homes]],
  });
  return new Map(rows.map(({ home, presented }) => [home, presented]));
}

/**
 * What a patch makes of a version that was loaded with its text, ready to be stored; undefined where it changes nothing.
 * @param shown the id under which the version's patient is shown, where that is another than its own
 * @param patched what patches that may take long came to
 * @param at the place of the patch in a bundle
 * @throws NotPatched where this is one of those
 * @throws RecordError 400 for what is no patch, 422 for one that this resource cannot take
 */
export function patchedResource(
  before: Version,
  patch: Patch,
  patched: Patched,
  shown?: string,
  at?: string,
): ScannedResource | undefined {
  const own = shown === undefined ? undefined : ownPatient(before);
  const seen = asShown(before, shown);
  const after = isQuick(seen, patch) ? carriedOut(seen, patch) : patched.of(seen, patch);
  if (typeof after !== 'string') throw patchError(after, at);
  if (after === applyJsonPatch(seen, '[]')) return undefined;
  const scanned = scanResource(own === undefined ? after : withPatient(after, shown!, own));
  if (isFhirError(scanned)) {
    throw new RecordError(422, scanned.code, `The patch leaves no resource: ${scanned.error}.`, at ?? scanned.path);
  }
  if (scanned.resourceType !== before.type) {
    throw new RecordError(422, 'invariant', 'A patch may not change the resourceType.', at ?? 'resourceType');
  }
  if (scanned.id !== logicalId(seen))
    throw new RecordError(422, 'invariant', 'A patch may not change the id.', at ?? 'id');
  checkResource(scanned, at);
  return scanned;
}

/** The text of a version that was loaded with it, as reads show it. @param shown see `patchedResource` */
export function asShown(version: Version, shown: string | undefined): string {
  const own = shown === undefined ? undefined : ownPatient(version);
  const text = own === undefined ? version.text! : withPatient(version.text!, own, shown!);
  return withLabels(text, version.labels);
}

/** The patient in whose home a version is, as its text names it. */
function ownPatient({ id, text }: Version): string | undefined {
  const scanned = scanResource(text!);
  return isFhirError(scanned) ? undefined : homePatient(scanned, id);
}

/** A text with one Patient named in place of another; what is no resource stays as it is. */
function withPatient(text: string, from: string, to: string): string {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) return text;
  let out = '';
  let end = 0;
  for (const reference of scanned.references) {
    if (reference.value !== `Patient/${from}`) continue;
    out += `${scanned.text.slice(end, reference.start)}Patient/${to}`;
    end = reference.end;
  }
  return out + scanned.text.slice(end);
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
