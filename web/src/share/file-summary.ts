/** Files what came by a link with a person: each file as a document that keeps it as it came, all of them or none. */
import type { Bundle, DocumentReference } from '@medplum/fhirtypes';
import { postJson } from '../api/request.ts';
import type { OpenFile } from './link.ts';

const SUMMARY = { system: 'http://loinc.org', code: '60591-5', display: 'Patient summary Document' };
/** Documents that came by a link, by the SHA-256 of the file. */
const FILES = 'urn:causeway:health-link-file';

export interface Filed {
  label: string | undefined;
  recipient: string;
}

export async function fileSummary(patient: string, files: readonly OpenFile[], filed: Filed): Promise<void> {
  await postJson('/fhir', await filing(patient, files, filed));
}

/** Whether a file says something of the person. Access to a server does not, and holds a secret. */
export function isOfRecord({ contentType }: OpenFile): boolean {
  return contentType !== 'application/smart-api-access';
}

/** The transaction that files what of the files is of the record; what was filed with the person before stays alone. */
export async function filing(
  patient: string,
  files: readonly OpenFile[],
  { label, recipient }: Filed,
  date = new Date().toISOString(),
): Promise<Bundle> {
  const description = `${label ?? 'Health link'} (shared by the person, opened by ${recipient})`;
  const entry = files.filter(isOfRecord).map(async (file): Promise<NonNullable<Bundle['entry']>[number]> => {
    const value = await sha256(file.text);
    const resource: DocumentReference = {
      resourceType: 'DocumentReference',
      identifier: [{ system: FILES, value }],
      status: 'current',
      subject: { reference: `Patient/${patient}` },
      date,
      description,
      ...told(file, label),
    };
    const ifNoneExist = `identifier=${FILES}|${value}&patient=${patient}`;
    return { resource, request: { method: 'POST', url: 'DocumentReference', ifNoneExist } };
  });
  return { resourceType: 'Bundle', type: 'transaction', entry: await Promise.all(entry) };
}

/** What kind of document a file is, and its content; a document that came inside a DocumentReference is taken out of it. */
function told({ contentType, text }: OpenFile, label: string | undefined): Pick<DocumentReference, 'type' | 'content'> {
  const inner = contentType === 'application/fhir+json' ? (JSON.parse(text) as Bundle | DocumentReference) : undefined;
  const isSummary = inner?.resourceType === 'Bundle' && inner.entry?.[0]?.resource?.resourceType === 'Composition';
  const type = { text: 'Shared by the person' };
  if (inner?.resourceType === 'DocumentReference') {
    const content = inner.content.filter(({ attachment }) => attachment.data !== undefined);
    if (content.length > 0) return { type: inner.type ?? type, content };
  }
  return {
    type: isSummary ? { coding: [SUMMARY] } : type,
    content: [{ attachment: { contentType, data: base64(text), ...(label === undefined ? {} : { title: label }) } }],
  };
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
