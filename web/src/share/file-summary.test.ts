import type { Bundle, DocumentReference } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { filing } from './file-summary.ts';

const json = 'application/fhir+json';
const summary = {
  contentType: json,
  text: JSON.stringify({
    resourceType: 'Bundle',
    type: 'document',
    entry: [{ resource: { resourceType: 'Composition', title: 'Zürich' } }],
  }),
};
const letter = {
  contentType: json,
  text: JSON.stringify({
    resourceType: 'DocumentReference',
    status: 'current',
    type: { text: 'Letter' },
    subject: { reference: 'Patient/of-elsewhere' },
    content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERg==', title: 'A letter' } }],
  }),
};
const access = { contentType: 'application/smart-api-access', text: '{"access_token":"secret"}' };
const filed = { label: 'For my trip', recipient: 'Dr. Near' };

function documentsOf({ entry = [] }: Bundle): DocumentReference[] {
  return entry.map(({ resource }) => resource as DocumentReference);
}

describe('what came by a link, filed with a person', () => {
  it('is kept byte by byte, by kind, with who opened it', async () => {
    const bundle = await filing('p1', [summary, { contentType: 'text/plain', text: 'x' }], filed);
    const [first, second] = documentsOf(bundle);
    expect(first).toMatchObject({
      subject: { reference: 'Patient/p1' },
      type: { coding: [{ code: '60591-5' }] },
      description: 'For my trip (shared by the person, opened by Dr. Near)',
    });
    expect(Buffer.from(first!.content[0]!.attachment.data!, 'base64').toString()).toBe(summary.text);
    expect(second).toMatchObject({ type: { text: 'Shared by the person' } });
    expect(bundle.type).toBe('transaction');
  });

  it('is the document itself where one came inside a DocumentReference, of the person it is filed with', async () => {
    const [document] = documentsOf(await filing('p1', [letter], filed));
    expect(document).toMatchObject({
      type: { text: 'Letter' },
      subject: { reference: 'Patient/p1' },
      content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERg==' } }],
    });
  });

  it('is not access to a server', async () => {
    const bundle = await filing('p1', [access, summary], filed);
    expect(bundle.entry).toHaveLength(1);
    expect(JSON.stringify(bundle)).not.toContain('secret');
  });

  it('is filed once, however often', async () => {
    const [one, other] = [
      await filing('p1', [summary], filed),
      await filing('p1', [summary], { ...filed, label: 'x' }),
    ];
    const conditions = [one, other].map(({ entry }) => entry![0]!.request!.ifNoneExist);
    expect(conditions[0]).toMatch(/^identifier=urn:causeway:health-link-file\|[0-9a-f]{64}&patient=p1$/);
    expect(conditions[1]).toBe(conditions[0]);
  });
});
