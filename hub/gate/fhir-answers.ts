/**
 * FHIR answers as texts: Bundles are put together around the stored texts of their resources, which are not parsed; and
 * whose records an answer gives out.
 */
import { type EntryOutcome, type Issue, logicalId, type StoredResource } from '../record/index.ts';

/** Patients named in the record of one access. */
const recordedPatients = 100;

/** A Bundle's text around the texts of its entries. */
export function bundle(type: string, links: string[][], entries: string[], total: number | undefined): string {
  const link = JSON.stringify(links.map(([relation, url]) => ({ relation, url })));
  const count = total === undefined ? '' : `"total":${total},`;
  const list = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  return `{"resourceType":"Bundle","type":"${type}",${count}"link":${link}${list}}`;
}

/** A search's entry. */
export function entry(base: string, stored: StoredResource, mode: 'match' | 'include'): string {
  return `{"fullUrl":"${base}/${stored.type}/${logicalId(stored.text)}","resource":${stored.text},"search":{"mode":"${mode}"}}`;
}

/** A history's entry. */
export function historyEntry(base: string, stored: StoredResource): string {
  const path = `${stored.type}/${stored.deleted ? stored.rid : logicalId(stored.text)}`;
  const method = stored.deleted ? 'DELETE' : stored.version === 1 ? 'POST' : 'PUT';
  const response = `"response":{"status":"${stored.deleted ? '204' : stored.version === 1 ? '201' : '200'}","etag":"W/\\"${stored.version}\\"","lastModified":"${stored.updated.toISOString()}"}`;
  return `{"fullUrl":"${base}/${path}",${stored.deleted ? '' : `"resource":${stored.text},`}"request":{"method":"${method}","url":"${path}"},${response}}`;
}

/** The entry that answers one of a batch or transaction. */
export function outcomeEntry(outcome: EntryOutcome): string {
  const response = {
    status: String(outcome.status),
    ...(outcome.location ? { location: outcome.location } : {}),
    ...(outcome.etag ? { etag: outcome.etag } : {}),
    ...(outcome.lastModified ? { lastModified: outcome.lastModified.toISOString() } : {}),
    ...(outcome.issues ? { outcome: outcomeOf(outcome.issues) } : {}),
  };
  return `{${outcome.resource ? `"resource":${outcome.resource},` : ''}"response":${JSON.stringify(response)}}`;
}

/** An OperationOutcome of issues. */
export function outcomeOf(issues: readonly Issue[]): object {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map(({ severity, code, diagnostics, expression }) => ({
      severity,
      code,
      diagnostics,
      ...(expression === undefined ? {} : { expression: [expression] }),
    })),
  };
}

/** A version as an ETag. */
export function etag(version: number): string {
  return `W/"${version}"`;
}

/** Whose records these are, as ids of Patients; at most as many as one access names. */
export function patientsOf(resources: readonly StoredResource[]): string[] {
  const patients = new Set<string>();
  for (const { type, rid, text } of resources) {
    const id = type === 'Patient' ? rid : /"Patient\/([A-Za-z0-9\-.]{1,64})"/.exec(text)?.[1];
    if (id) patients.add(id);
    if (patients.size === recordedPatients) break;
  }
  return [...patients];
}

/** The Patients that a text is or names. */
export function patientsIn(text: string): string[] {
  const patients = new Set<string>();
  const own = /^\{"resourceType":"Patient","id":"([^"]+)"/.exec(text)?.[1];
  if (own) patients.add(own);
  for (const [, id] of text.matchAll(/\bPatient\/([A-Za-z0-9\-.]{1,64})/g)) {
    patients.add(id!);
    if (patients.size >= recordedPatients) break;
  }
  return [...patients];
}
