/** From a scanned resource to what is stored of it: text, offsets of the person's reference, index entries. */
import { canonicalText, type ScannedResource } from '@causeway/fhir';
import { type IndexEntries, indexEntries } from './index-entries.ts';

export interface Prepared {
  text: string;
  /** Start and end offsets of the ids that name the home's own patient. */
  refs: number[];
  /** Where the value of `meta.lastUpdated` begins in the text. */
  timeAt: number;
  index: IndexEntries;
}

/** Gives a reference of the text another value (a transaction's `urn:uuid:` becomes `Type/id`). */
export type ResolveReference = (reference: string) => string | undefined;

/** What a resource refers to, in the order of its text. */
export interface Referring {
  readonly resourceType: string;
  readonly references: readonly { path: string; value: string }[];
}

/**
 * The id of the patient in whose compartment a resource lives, or undefined where it belongs to none: the patient named
 * as `subject` or `patient`, else the first patient it refers to.
 */
export function homePatient(scanned: Referring, id: string, resolve?: ResolveReference): string | undefined {
  if (scanned.resourceType === 'Patient') return id;
  let found: string | undefined;
  for (const { path, value } of scanned.references) {
    const patient = patientNamed(resolve?.(value) ?? value);
    if (patient === undefined) continue;
    if (path === 'subject' || path === 'patient') return patient;
    found ??= patient;
  }
  return found;
}

/** The id of the Patient that a reference names, or names a version of. */
export function patientNamed(reference: string): string | undefined {
  return patientReference.exec(reference)?.[1];
}

const patientReference = /^Patient\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

export function prepare(
  scanned: ScannedResource,
  version: {
    id: string;
    version: number;
    updated: Date;
    patient?: string;
    message?: string;
    resolve?: ResolveReference;
  },
): Prepared {
  const canonical = canonicalText(
    scanned,
    {
      id: version.id,
      versionId: String(version.version),
      lastUpdated: version.updated.toISOString(),
      ...(version.message ? { source: `urn:causeway:message:${version.message}` } : {}),
    },
    version.resolve,
  );
  const refs: number[] = [];
  if (version.patient !== undefined && scanned.resourceType !== 'Patient') {
    const own = `Patient/${version.patient}`;
    for (const { value, start, end } of canonical.patientReferences) {
      if (value === own) refs.push(start + 'Patient/'.length, end);
    }
  }
  const timeAt = canonical.text.indexOf(timeMember, canonical.meta.start) + timeMember.length;
  return { text: canonical.text, refs, timeAt, index: indexEntries(scanned) };
}

/** Behind the version's number, which has no such characters, this is the first member of `meta`. */
const timeMember = '"lastUpdated":"';

/** The text with another `meta.lastUpdated`; all are of one length, so that every offset stays. */
export function withTime(text: string, timeAt: number, updated: Date): string {
  const time = updated.toISOString();
  return text.slice(0, timeAt) + time + text.slice(timeAt + time.length);
}
