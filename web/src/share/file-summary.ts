/** Files what came by a link with a person: each file as a document that keeps it as it came. */
import type { DocumentReference } from '@medplum/fhirtypes';
import { postJson } from '../api/request.ts';
import type { OpenFile } from './link.ts';

const SUMMARY = { system: 'http://loinc.org', code: '60591-5', display: 'Patient summary Document' };

export async function fileSummary(
  patient: string,
  files: readonly OpenFile[],
  { label, recipient }: { label: string | undefined; recipient: string },
): Promise<void> {
  for (const { contentType, text } of files) {
    const isSummary = /"resourceType"\s*:\s*"Composition"/.test(text);
    const document: DocumentReference = {
      resourceType: 'DocumentReference',
      status: 'current',
      type: isSummary ? { coding: [SUMMARY] } : { text: 'Shared by the person' },
      subject: { reference: `Patient/${patient}` },
      date: new Date().toISOString(),
      description: `${label ?? 'Health link'} (shared by the person, opened by ${recipient})`,
      content: [{ attachment: { contentType, data: base64(text), title: label } }],
    };
    await postJson('/fhir/DocumentReference', document);
  }
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
