/** A patient shares its record by a link with a passcode; somebody elsewhere opens it; the hub never learns the key. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scene } from './scene.ts';

const scene = new Scene(5);

it('is made in one browser, opened in another, told of, and ended', async () => {
  const owner = await scene.signedIn('patient');
  await owner.getByRole('link', { name: 'Share by a link' }).click();
  await owner.getByLabel('What it is called').fill('For my trip');
  await owner.getByRole('textbox', { name: 'Passcode' }).fill('blue heron');
  const made = owner.waitForResponse((answer) => answer.request().method() === 'POST' && answer.status() === 201);
  await owner.getByRole('button', { name: 'Make the link' }).click();
  const { id } = (await (await made).json()) as { id: string };
  const link = await owner.locator('code', { hasText: 'shlink:/' }).innerText();
  await owner.getByRole('img', { name: 'QR code of the link' }).waitFor();
  await owner.getByRole('button', { name: 'Done' }).click();

  const reader = await scene.newPage();
  await reader.goto(link);
  await reader.getByText('It is called “For my trip”').waitFor();
  await reader.getByLabel('Who you are').fill('Clinic Abroad');
  await reader.getByRole('textbox', { name: 'Passcode' }).fill('grey heron');
  await reader.getByRole('button', { name: 'Open', exact: true }).click();
  await reader.getByText('9 attempts are left').waitFor();
  await reader.getByRole('textbox', { name: 'Passcode' }).fill('blue heron');
  await reader.getByRole('button', { name: 'Open', exact: true }).click();
  await reader.getByRole('heading', { name: 'Medication Summary' }).waitFor();
  await reader.getByRole('heading', { name: 'Problem List' }).waitFor();

  await owner.reload();
  const uses = owner.getByRole('table', { name: 'Who opened For my trip' });
  await uses.getByRole('row', { name: /Clinic Abroad Opened/ }).waitFor();
  await uses.getByRole('row', { name: /Clinic Abroad Wrong passcode/ }).waitFor();
  await owner.getByRole('button', { name: 'End this link' }).click();
  await owner.getByRole('heading', { name: 'Links that are over' }).waitFor();
  await reader.getByRole('button', { name: 'Open', exact: true }).click();
  await reader.getByText('not active any more').waitFor();

  const payload = JSON.parse(Buffer.from(link.split('shlink:/')[1]!, 'base64url').toString());
  expect(placesOf(Buffer.from(id.replaceAll('-', ''), 'hex')), 'what is in the database is found').not.toEqual([]);
  for (const secret of [payload.key, payload.url.slice(-43)]) {
    const bytes = Buffer.from(secret, 'base64url');
    const forms = [secret, bytes, bytes.toString('hex'), bytes.toString('base64')].map((form) => Buffer.from(form));
    expect(forms.flatMap(placesOf)).toEqual([]);
  }
});

it('is brought up to date by the browser that made it', async () => {
  const owner = await scene.signedIn('patient');
  await owner.getByRole('link', { name: 'Share by a link' }).click();
  await owner.getByLabel('What it is called').fill('For my family');
  await owner.getByLabel('I want to bring it up to date later').check();
  await owner.getByRole('button', { name: 'Make the link' }).click();
  const link = await owner.locator('code', { hasText: 'shlink:/' }).innerText();
  await owner.getByRole('button', { name: 'Done' }).click();
  const updated = owner.waitForResponse((answer) => answer.url().endsWith('/files') && answer.status() === 204);
  await owner.getByRole('button', { name: 'Bring it up to date' }).click();
  await updated;
  const clinician = await scene.signedIn('clinician');
  await clinician.getByRole('link').filter({ hasText: /./ }).first().waitFor();
  const person = /\/share\/([^/?]+)/.exec(owner.url())![1]!;
  await clinician.goto(link.replace('/open-link#', `/open-link?patient=${person}#`));
  await clinician.getByLabel('Who you are').fill('Dr. Near');
  await clinician.getByRole('button', { name: 'Open', exact: true }).click();
  await clinician.getByRole('heading', { name: 'Medication Summary' }).waitFor();
  const file = clinician.getByRole('button', { name: 'File it' });
  expect(await file.isDisabled(), 'before it is said that it is the same person').toBe(true);
  await clinician.getByLabel('I have made sure that this is of the same person').check();
  await file.click();
  await clinician.getByText('It is filed.').waitFor();
  const query = `/fhir/DocumentReference?patient=${person}&type=http://loinc.org|60591-5`;
  const found = await clinician.evaluate(async (path) => (await fetch(path)).json(), query);
  expect(found.entry).toHaveLength(1);
  const [{ attachment }] = found.entry[0].resource.content;
  const summary = JSON.parse(Buffer.from(attachment.data, 'base64').toString());
  expect(summary.entry[0].resource.resourceType).toBe('Composition');
  expect(found.entry[0].resource.description).toContain('opened by Dr. Near');
});

/** Where bytes are found: in what the hub said, and in every file that it and its database keep. */
function placesOf(bytes: Buffer): string[] {
  const places = scene.hub.output().includes(bytes.toString('latin1')) ? ['output'] : [];
  const database = /the database lies in (\S+?)\.?\n/.exec(scene.hub.output())?.[1];
  for (const folder of [scene.hub.folder, ...(database ? [database] : [])]) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      if (contentOf(path).includes(bytes)) places.push(path);
    }
  }
  return places;
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // Gone meanwhile, as the database rotates its files.
    return Buffer.alloc(0);
  }
}
