/** A36: what senders put into names, texts and files is shown as text by every screen; no script of theirs is run. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { Scene } from './scene.ts';

const scripts = [
  '<img src=x onerror="window.wasRun=1">',
  '"><svg onload="window.wasRun=1">',
  '<script>window.wasRun=1</script>',
  '{{constructor.constructor("window.wasRun=1")()}}',
  'javascript:window.wasRun=1',
];
const hostile = scripts.join(' ');
const subject = { reference: 'Patient/hostile' };

const scene = new Scene(1);
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  page = await scene.signedIn('admin');
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
  });
});

async function put(type: string, id: string, resource: object): Promise<void> {
  const status = await page.evaluate(
    async ([url, body]) => {
      const headers = { 'content-type': 'application/fhir+json' };
      return (await fetch(url!, { method: 'PUT', headers, body: body! })).status;
    },
    [`/fhir/${type}/${id}`, JSON.stringify({ resourceType: type, id, ...resource })] as const,
  );
  expect(status, `${type}/${id}`).toBe(201);
}

it('no script in names, codes, notes, addresses and attachments is run by any page that shows them', async () => {
  const said = { text: hostile, coding: [{ system: 'urn:x', code: 'c', display: hostile }] };
  await put('Patient', 'hostile', {
    name: [{ family: hostile, given: scripts }],
    birthDate: '1980-02-03',
    address: [{ line: [hostile], city: hostile }],
    telecom: [{ system: 'url', value: scripts[4] }],
  });
  await put('Condition', 'c', { code: said, subject, note: [{ text: hostile }] });
  await put('AllergyIntolerance', 'a', { code: said, patient: subject, reaction: [{ manifestation: [said] }] });
  await put('Observation', 'o', { status: 'final', code: said, subject, valueString: hostile });
  await put('MedicationRequest', 'm', {
    status: 'active',
    intent: 'order',
    subject,
    medicationCodeableConcept: said,
    dosageInstruction: [{ text: hostile }],
  });
  await put('DiagnosticReport', 'r', { status: 'final', code: said, subject, conclusion: hostile });
  const data = Buffer.from(`<html><body>${hostile}</body></html>`).toString('base64');
  const attachment = { contentType: 'text/html', title: hostile, data };
  await put('DocumentReference', 'd', { status: 'current', type: said, subject, content: [{ attachment }] });
  const shown = ['/people/hostile', '/people/hostile/links', '/consents/hostile', '/messages', '/reviews'];
  const pages = [
    ...shown,
    ...['Patient/hostile', 'Condition/c', 'Observation/o', 'DocumentReference/d'].map((one) => `/resources/${one}`),
  ];
  let shownAsText = 0;
  for (const path of pages) {
    await page.goto(scene.url + path, { waitUntil: 'networkidle' });
    if ((await page.locator('body').innerText()).includes('onerror=')) shownAsText++;
    expect(await page.evaluate(() => (globalThis as { wasRun?: number }).wasRun), path).toBeUndefined();
    const links = await page.locator('a[href]').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expect(
      links.filter((link) => /^\s*(javascript|data):/i.test(link ?? '')),
      path,
    ).toEqual([]);
  }
  // The texts were there to be run.
  expect(shownAsText).toBeGreaterThan(3);
  expect(complaints).toEqual([]);
});
