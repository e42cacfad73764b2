/**
 * FHIR answers as texts: Bundles are put together around the stored texts of their resources, which are not parsed; and
 * whose records an answer gives out.
 */
import { type AnswerText, type EntryOutcome, type Issue, logicalId, type StoredResource } from '../record/index.ts';
import { withAddresses } from './document-addresses.ts';

/** As many Patients as a Bundle has entries are named in the record of one access; a text that names more is no answer of ours. */
const recordedPatients = 10_000;

/** A resource of which the type and the text are told. */
export type TypedText = Pick<StoredResource, 'type' | 'text'>;

/** A text in parts, which are its whole one after the other. As one string a large text would be copied twice more. */
export type TextParts = readonly string[];

/** The text of an entry around that of its resource. */
export type EntryParts = readonly [before: string, resource: string, after: string];

/** A Bundle's text around the texts of its entries. What is short is put together: each part is written for itself. */
export function bundle(
  type: string,
  links: string[][],
  entries: readonly (string | EntryParts)[],
  total: number | undefined,
): TextParts {
  const link = JSON.stringify(links.map(([relation, url]) => ({ relation, url })));
  const count = total === undefined ? '' : `"total":${total},`;
  const parts: string[] = [];
  let between = `{"resourceType":"Bundle","type":"${type}",${count}"link":${link}`;
  let comma = ',"entry":[';
  for (const entry of entries) {
    const isWhole = typeof entry === 'string';
    parts.push(between + comma + (isWhole ? '' : entry[0]), isWhole ? entry : entry[1]);
    between = isWhole ? '' : entry[2];
    comma = ',';
  }
  parts.push(between + (entries.length === 0 ? '}' : ']}'));
  return parts;
}

/** A search's entry, the stored text as it is, but for the addresses of documents. */
export function entry(base: string, { type, text }: TypedText, mode: 'match' | 'include'): EntryParts {
  return [
    `{"fullUrl":"${base}/${type}/${logicalId(text)}","resource":`,
    withAddresses(base, type, text),
    mode === 'match' ? ',"search":{"mode":"match"}}' : ',"search":{"mode":"include"}}',
  ];
}

/**
 * A history's entry. A first version under an id of the hub's making was a create; one under another id came by update.
 * @param id the logical id, which a deletion's own text no longer tells
 */
export function historyEntry(base: string, stored: StoredResource, id: string): string {
  const { type, deleted, version, updated } = stored;
  const isCreate = version === 1 && stored.rid === id;
  const [method, url, status] = deleted
    ? ['DELETE', `${type}/${id}`, '204']
    : isCreate
      ? ['POST', type, '201']
      : ['PUT', `${type}/${id}`, version === 1 ? '201' : '200'];
  const resource = deleted ? '' : `"resource":${stored.text},`;
  const request = `"request":{"method":"${method}","url":"${url}"}`;
  const response = `"response":{"status":"${status}","etag":"W/\\"${version}\\"","lastModified":"${updated.toISOString()}"}`;
  return `{"fullUrl":"${base}/${type}/${id}",${resource}${request},${response}}`;
}

/** The entry that answers one of a batch or transaction; of a change it holds what `Prefer: return` asked for. */
export function outcomeEntry(
  outcome: EntryOutcome,
  wanted?: 'minimal' | 'representation' | 'OperationOutcome',
): string {
  const { status, location, etag: tag, lastModified } = outcome;
  const done: Issue = { severity: 'information', code: 'informational', diagnostics: 'Done.' };
  const issues = outcome.issues ?? (wanted === 'OperationOutcome' && !outcome.resource ? [done] : undefined);
  const resource = answerTextOf(outcome.resource ?? (wanted === 'representation' ? outcome.stored : undefined));
  const response = {
    status: String(status),
    ...(location ? { location } : {}),
    ...(tag ? { etag: tag } : {}),
    ...(lastModified ? { lastModified: lastModified.toISOString() } : {}),
    ...(issues ? { outcome: outcomeOf(issues) } : {}),
  };
  return `{${resource ? `"resource":${resource},` : ''}"response":${JSON.stringify(response)}}`;
}

/** A text of an answer, from where it is kept. */
export function answerTextOf(text: AnswerText | undefined): string | undefined {
  return typeof text === 'object' ? text.text() : text;
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

/**
 * Whose records these are, as ids of Patients; at most as many as one access names.
 * @param ids the logical ids of the resources, where deletions, whose texts do not tell, are among them
 */
export function patientsOf(resources: readonly TypedText[], ids?: readonly string[]): string[] {
  const patients = new Set<string>();
  for (const [i, { type, text }] of resources.entries()) {
    const own = type === 'Patient' ? (ids?.[i] ?? logicalId(text)) : undefined;
    const id = own ?? /"Patient\/([A-Za-z0-9\-.]{1,64})"/.exec(text)?.[1];
    if (id) patients.add(id);
    if (patients.size === recordedPatients) break;
  }
  return [...patients];
}

/** The Patients that a text is or names. */
export function patientsIn(text: string): string[] {
  const patients = new Set<string>();
  const own = ownPatient(text);
  if (own) patients.add(own);
  for (const [, id] of text.matchAll(/\bPatient\/([A-Za-z0-9\-.]{1,64})/g)) {
    patients.add(id!);
    if (patients.size >= recordedPatients) break;
  }
  return [...patients];
}

/** The Patients that any of the texts is or names; at most as many as one access names. */
export function patientsInAll(texts: readonly string[]): string[] {
  const patients = new Set<string>();
  for (const text of texts) {
    for (const id of patientsIn(text)) patients.add(id);
    if (patients.size >= recordedPatients) break;
  }
  return [...patients];
}

/** The id of a Patient's own text: beside its type, or wherever else it was sent. */
function ownPatient(text: string): string | undefined {
  const beside = /^\{"resourceType":"Patient","id":"([^"]+)"/.exec(text)?.[1];
  if (beside !== undefined || !text.startsWith('{') || !text.includes('"resourceType":"Patient"')) return beside;
  const { resourceType, id } = JSON.parse(text) as { resourceType?: string; id?: string };
  return resourceType === 'Patient' ? id : undefined;
}
