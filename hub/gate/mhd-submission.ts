/**
 * A submission of documents (IHE MHD 4.2, ITI-65, section 2:3.65.4.1.2): what a Provide Document Bundle brings, and what is
 * wrong with it. Errors begin with their code in ITI TF-3, table 4.2.4.1-2.
 */
import { createHash } from 'node:crypto';
import { isFhirError, type ScannedResource, scanBundle } from '@causeway/fhir';
import type { Bundle, DocumentReference, List } from '@medplum/fhirtypes';
import { type BundleEntry, type Issue, type ReadBundle, RecordError, readBundle } from '../record/index.ts';

export type Metadata = 'Minimal' | 'UnContained.Comprehensive' | 'Comprehensive';

/** An entry as it came. */
export interface SubmittedEntry {
  fullUrl: string | undefined;
  method: string;
  url: string;
  ifNoneExist: string | undefined;
  /** All of `request`. */
  request: object;
  resource: ScannedResource | undefined;
}

export interface SubmittedDocument {
  /** Its DocumentReference's place among the entries. */
  at: number;
  reference: DocumentReference;
  /** The place of its Binary; undefined where the document is elsewhere. */
  binaryAt: number | undefined;
  contentType: string;
  bytes: Buffer | undefined;
}

export interface Submission {
  entries: SubmittedEntry[];
  submissionSet: List;
  submissionSetAt: number;
  documents: SubmittedDocument[];
}

const profile = /^https?:\/\/profiles\.ihe\.net\/ITI\/MHD\/StructureDefinition\/IHE\.MHD\.(.+)\.ProvideBundle$/;
export const listTypes = 'https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes';
export const extensions = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition';

/**
 * The submission that a transaction is; undefined for any other Bundle.
 * @param base the base URL that the client used, for addresses that are not relative
 * @throws RecordError 400, 422
 */
export function submissionOf(sent: string | ReadBundle, base: string): Submission | undefined {
  if (typeof sent !== 'string') {
    const isSubmission = sent.type === 'transaction' && sent.entries.some(isLargeSubmissionSet);
    return isSubmission ? readSubmission(sent.entries.map(submittedEntry), 'Minimal') : undefined;
  }
  if (!sent.includes('.ProvideBundle"')) return undefined;
  const scanned = scanBundle(sent);
  if (isFhirError(scanned)) return undefined;
  const bundle = scanned.bundle as Bundle;
  const claimed = (bundle.meta?.profile ?? []).flatMap((one) => profile.exec(one.split('|')[0]!)?.[1] ?? []);
  if (claimed.length === 0) return undefined;
  if (scanned.type !== 'transaction') {
    const text = 'XDSRegistryMetadataError: A submission of documents is a Bundle of type transaction.';
    throw new RecordError(400, 'value', text, 'Bundle.type');
  }
  const { entries } = readBundle(sent, base);
  return readSubmission(entries.map(submittedEntry), claimed[0] as Metadata);
}

function isLargeSubmissionSet({ method, resource }: BundleEntry): boolean {
  if (method !== 'POST' || resource?.resourceType !== 'List') return false;
  return codeOf(resource.scanned().value as List) === 'submissionset';
}

function submittedEntry({ fullUrl, method, url, ifMatch, ifNoneExist, resource }: BundleEntry): SubmittedEntry {
  return {
    fullUrl,
    method,
    url,
    ifNoneExist,
    request: { method, url, ...(ifMatch ? { ifMatch } : {}), ...(ifNoneExist ? { ifNoneExist } : {}) },
    resource: resource?.scanned(),
  };
}

/** @throws RecordError 422 with all that is wrong */
export function readSubmission(entries: SubmittedEntry[], metadata: Metadata): Submission {
  const issues: Issue[] = [];
  const say = (at: number | undefined, code: string, text: string, path = '') =>
    issues.push({
      severity: 'error',
      code: 'business-rule',
      diagnostics: `${code}: ${text}`,
      expression: at === undefined ? 'Bundle' : `Bundle.entry[${at}].resource${path}`,
    });
  const documents: SubmittedDocument[] = [];
  const sets: number[] = [];
  for (const [at, { method, resource }] of entries.entries()) {
    const kind = kindOf(method, resource);
    if (kind === 'fhir-document') {
      say(at, 'FHIRDocumentNotSupported', 'A FHIR document is sent as a Binary here, or to $generate-metadata.');
    } else if (kind === undefined) {
      say(
        at,
        'XDSRegistryMetadataError',
        `A submission has no ${method || 'entry'} of ${resource?.resourceType ?? 'nothing'}.`,
      );
    } else if (kind === 'submission-set') {
      sets.push(at);
      checkSet(resource!.value as List, metadata, (text, path) => say(at, 'XDSMissingDocumentMetadata', text, path));
    } else if (kind === 'document') {
      const reference = resource!.value as DocumentReference;
      checkReference(reference, metadata, (text, path) => say(at, 'XDSMissingDocumentMetadata', text, path));
      const document = documentAt(entries, at, reference);
      if (!document) say(at, 'XDSMissingDocument', 'The document that the attachment names is not in the Bundle.');
      else documents.push(document);
      for (const fault of document ? contentFaults(document) : [])
        say(at, 'XDSRepositoryMetadataError', fault, '.content[0].attachment');
    }
  }
  if (sets.length !== 1)
    say(undefined, 'XDSRegistryMetadataError', 'A submission has one SubmissionSet: a List that is created.');
  const ids = documents.map(({ reference }) => masterId(reference));
  if (new Set(ids).size < ids.length)
    say(undefined, 'XDSRegistryDuplicateUniqueIdInMessage', 'Two documents have one masterIdentifier.');
  if (issues.length > 0) throw RecordError.of(422, issues);
  const [submissionSetAt] = sets as [number];
  return { entries, submissionSet: entries[submissionSetAt]!.resource!.value as List, submissionSetAt, documents };
}

/** `system|value` of what tells a document from all others. */
export function masterId({ masterIdentifier }: DocumentReference): string {
  return `${masterIdentifier?.system ?? ''}|${masterIdentifier?.value ?? ''}`;
}

/** The size and SHA-1 of a document, as an Attachment says them. */
export function measured(bytes: Buffer): { size: number; hash: string } {
  return { size: bytes.length, hash: createHash('sha1').update(bytes).digest('base64') };
}

type Kind = 'submission-set' | 'folder' | 'document' | 'update' | 'binary' | 'fhir-document' | 'patient';

function kindOf(method: string, resource: ScannedResource | undefined): Kind | undefined {
  switch (resource?.resourceType) {
    case 'List': {
      const code = codeOf(resource.value as List);
      if (code === 'submissionset') return method === 'POST' ? 'submission-set' : undefined;
      return code === 'folder' && (method === 'POST' || method === 'PUT') ? 'folder' : undefined;
    }
    case 'DocumentReference':
      return method === 'POST' ? 'document' : undefined;
    case 'Parameters':
      return method === 'PATCH' ? 'update' : undefined;
    case 'Binary':
      return method === 'POST' ? 'binary' : undefined;
    case 'Bundle':
      return method === 'POST' ? 'fhir-document' : undefined;
    case 'Patient':
      return method === 'POST' || method === 'PUT' ? 'patient' : undefined;
    case undefined:
      return method === 'GET' ? 'patient' : undefined;
    default:
      return undefined;
  }
}

function codeOf({ code }: List): string | undefined {
  return code?.coding?.find(({ system }) => system === listTypes)?.code;
}

type Say = (text: string, path: string) => void;

function checkSet(list: List, metadata: Metadata, say: Say): void {
  const has = (name: string) => list.extension?.some(({ url }) => url === `${extensions}/${name}`);
  if (list.status !== 'current') say('A SubmissionSet is current.', '.status');
  if (list.mode !== 'working') say('The mode of a SubmissionSet is working.', '.mode');
  if (list.date === undefined) say('When was it submitted?', '.date');
  if (list.subject === undefined) say('Of which patient is it?', '.subject');
  if (!has('ihe-sourceId')) say('Who submits it? The extension ihe-sourceId says so.', '.extension');
  if (metadata === 'Minimal') return;
  if (!has('ihe-designationType')) say('The extension ihe-designationType is missing.', '.extension');
  if (metadata === 'Comprehensive' && list.source && !isContained(list.source)) {
    say('Comprehensive metadata have the source contained.', '.source');
  }
}

function checkReference(reference: DocumentReference, metadata: Metadata, say: Say): void {
  const [content, ...more] = reference.content ?? [];
  const needs = (value: unknown, path: string) => {
    if (value === undefined) say(`${path.slice(path.lastIndexOf('.') + 1)} is missing.`, path);
  };
  const { system, value } = reference.masterIdentifier ?? {};
  if (system === undefined || value === undefined) say('A document has a masterIdentifier.', '.masterIdentifier');
  if (reference.status !== 'current' && reference.status !== 'superseded') {
    say('The status is current or superseded.', '.status');
  }
  if (reference.docStatus !== undefined) say('There is no docStatus here.', '.docStatus');
  if (more.length > 0) say('There is one content.', '.content');
  needs(reference.subject, '.subject');
  needs(content?.attachment?.contentType, '.content[0].attachment.contentType');
  needs(content?.attachment?.url, '.content[0].attachment.url');
  if (content?.attachment?.data !== undefined) {
    say('The document is in a Binary, not in the attachment.', '.content[0].attachment.data');
  }
  if (metadata === 'Minimal') return;
  const { context } = reference;
  needs(reference.type, '.type');
  needs(reference.category?.[0], '.category');
  needs(reference.securityLabel?.[0], '.securityLabel');
  needs(content?.attachment?.language, '.content[0].attachment.language');
  needs(content?.attachment?.creation, '.content[0].attachment.creation');
  needs(content?.format, '.content[0].format');
  needs(context?.facilityType, '.context.facilityType');
  needs(context?.practiceSetting, '.context.practiceSetting');
  needs(context?.sourcePatientInfo, '.context.sourcePatientInfo');
  if (metadata !== 'Comprehensive') return;
  const contained: [string, { reference?: string } | undefined][] = [
    ...(reference.author ?? []).map((one, i): [string, typeof one] => [`.author[${i}]`, one]),
    ['.authenticator', reference.authenticator],
    ['.context.sourcePatientInfo', context?.sourcePatientInfo],
  ];
  for (const [path, one] of contained)
    if (one && !isContained(one)) say(`Comprehensive metadata have ${path.slice(1)} contained.`, path);
}

function isContained({ reference }: { reference?: string }): boolean {
  return reference?.startsWith('#') === true;
}

/** The document of a DocumentReference; undefined where it names a Binary that is not there. */
function documentAt(
  entries: readonly SubmittedEntry[],
  at: number,
  reference: DocumentReference,
): SubmittedDocument | undefined {
  const { url = '', contentType = '' } = reference.content?.[0]?.attachment ?? {};
  const binaryAt = entries.findIndex(
    ({ fullUrl, resource }) => fullUrl !== undefined && fullUrl === url && resource?.resourceType === 'Binary',
  );
  if (binaryAt >= 0) {
    const { data } = entries[binaryAt]!.resource!.value as { data?: string };
    const bytes = Buffer.from(data ?? '', 'base64');
    return { at, reference, binaryAt, contentType, bytes };
  }
  const isElsewhere = /^https:\/\//.test(url) && !entries.some(({ fullUrl }) => fullUrl === url);
  return isElsewhere ? { at, reference, binaryAt: undefined, contentType, bytes: undefined } : undefined;
}

function contentFaults({ reference, bytes }: SubmittedDocument): string[] {
  if (!bytes) return [];
  const said = reference.content![0]!.attachment!;
  const { size, hash } = measured(bytes);
  return [
    ...(said.size !== undefined && said.size !== size ? [`The document has ${size} bytes, not ${said.size}.`] : []),
    ...(said.hash !== undefined && said.hash !== hash ? ['The hash is not the SHA-1 of the document.'] : []),
  ];
}
