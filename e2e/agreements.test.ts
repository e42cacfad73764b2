/** An organisation joins the network by its link, and a clinician says how its organisation treats somebody, in a real browser. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scene } from './scene.ts';

const scene = new Scene(5);

function certificate(): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-certificate-'));
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=site'];
  execFileSync('openssl', [...made, '-days', '20', '-keyout', key, '-out', file], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
}

it('an organisation is invited, shows its certificate by the link, signs, and goes live', async () => {
  const admin = await scene.signedIn('admin');
  await admin.goto(`${scene.url}/participants`);
  await admin.locator('table tbody tr a').first().click();
  await admin.getByRole('button', { name: 'Invite it' }).click();
  const link = await admin.locator('code', { hasText: '/join#' }).innerText();
  const guest = await scene.newPage();
  await guest.goto(link);
  await guest.getByLabel('Client certificate').fill(certificate());
  await guest.getByRole('button', { name: 'Add the certificate' }).click();
  await guest.getByText('A certificate stands for you').waitFor();
  await admin.reload();
  await admin.getByLabel('Why').fill('Its messages were looked at.');
  await admin.getByRole('button', { name: 'It was tested otherwise' }).click();
  await admin.getByRole('button', { name: 'Write one' }).click();
  await admin.getByLabel('Until').fill(`${new Date().getUTCFullYear() + 1}-12-31`);
  await admin.getByLabel('Text of the agreement').fill('What is given is kept to the organisation.');
  await admin.getByRole('button', { name: 'Write it down' }).click();
  await admin.getByRole('button', { name: 'Sign for the network' }).click();
  await guest.reload();
  await guest.getByLabel('Your name').fill('Ada Chief');
  await guest.getByLabel('In what office you sign').fill('Director');
  await guest.getByRole('button', { name: 'Sign for the organisation' }).click();
  await guest.getByText('You have signed for the organisation').waitFor();
  // Both have signed: the link is used up.
  await guest.reload();
  await guest.getByText('This link is used up').waitFor();
  await admin.reload();
  await admin.getByText('Signed by both').waitFor();
  await admin.getByLabel('Why').fill('All is there.');
  await admin.getByRole('button', { name: 'Let it go live', exact: true }).click();
  await admin.getByRole('button', { name: 'Suspend it' }).waitFor();
});

/** Makes a Patient of whom nothing shows that any organisation treats them. @returns its id */
async function stranger(): Promise<string> {
  const admin = await scene.signedIn('admin');
  return admin.evaluate(async () => {
    const body = JSON.stringify({ resourceType: 'Patient', name: [{ family: 'Thistlewood', given: ['Una'] }] });
    const headers = { 'content-type': 'application/fhir+json', prefer: 'return=representation' };
    return (await (await fetch('/fhir/Patient', { method: 'POST', headers, body })).json()).id;
  });
}

it('a chart is closed to a clinician where nothing shows that it treats the person, until it says how', async () => {
  const officer = await scene.signedIn('privacy');
  await officer.goto(`${scene.url}/network-policy`);
  await officer.getByRole('button', { name: 'Change' }).click();
  await officer.getByLabel('Where nothing shows that an organisation has to do with a person').check();
  await officer.getByLabel('Why it is changed').fill('A test.');
  await officer.getByRole('button', { name: 'Put it in force' }).click();
  await officer.getByRole('button', { name: 'Change' }).waitFor();
  const clinician = await scene.signedIn('clinician');
  await clinician.goto(`${scene.url}/people/${await stranger()}`);
  await clinician.getByText('you see nothing but who the person is').waitFor();
  expect(await clinician.getByRole('heading', { name: 'Medications' }).count()).toBe(0);
  await clinician.getByLabel('How your organisation treats the person').fill('She was sent to us by phone today.');
  await clinician.getByRole('button', { name: 'Say so' }).click();
  await clinician.getByRole('heading', { name: 'Medications' }).waitFor();
});

it('a privacy officer hides an element, sees how a Patient would look by that, and takes the rule away again', async () => {
  const officer = await scene.signedIn('privacy');
  await officer.goto(`${scene.url}/network-policy`);
  await officer.getByRole('button', { name: 'Change' }).click();
  await officer.getByRole('button', { name: 'Hide elements' }).click();
  const choose = async (label: string, option: string) => {
    await officer.getByLabel(label).first().fill(option);
    await officer.getByRole('option', { name: option, exact: true }).first().click();
    await officer.keyboard.press('Escape');
  };
  await choose('Elements', 'Patient.name');
  await choose('Asked for', 'Payment');
  await officer.getByLabel('Resource', { exact: true }).fill(`Patient/${await stranger()}`);
  await officer.getByRole('button', { name: 'Look at it' }).click();
  await officer.getByText('Nothing is left out of it.').waitFor();
  await officer.getByLabel('For', { exact: true }).first().click();
  await officer.getByRole('option', { name: 'Payment', exact: true }).last().click();
  await officer.getByRole('button', { name: 'Look at it' }).click();
  await officer.getByText('Left out, or cut: name.').waitFor();
  const decide = async () => {
    await officer.getByLabel('Why it is changed').fill('A test.');
    await officer.getByRole('button', { name: 'Put it in force' }).click();
    await officer.getByRole('button', { name: 'Change' }).waitFor();
  };
  await decide();
  const now = officer.getByRole('region', { name: 'What holds now' });
  await now.getByText('Patient.name: left out, asked for payment').waitFor();
  await officer.getByRole('button', { name: 'Change' }).click();
  await officer.getByRole('button', { name: 'Hide these no more' }).click();
  await decide();
  expect(await now.getByText('Patient.name').count()).toBe(0);
});

it('an administrator gives the network a brand, by which apps show it', async () => {
  const admin = await scene.signedIn('admin');
  await admin.goto(`${scene.url}/network-brands`);
  await admin.getByLabel('Name').first().fill('Harbor Network');
  await admin.getByLabel('Website').fill('https://harbor.example');
  await admin.getByRole('button', { name: 'Add a portal' }).click();
  await admin.getByLabel('Name of the portal').fill('MyHarbor');
  await admin.getByLabel('Address of the portal').fill('https://my.harbor.example');
  await admin.getByRole('button', { name: 'Show it to apps' }).click();
  await admin.getByRole('button', { name: 'Remove the brand' }).waitFor();
  const brands = await admin.evaluate(async () => (await fetch('/brands', { cache: 'no-store' })).text());
  expect(brands).toContain('"name":"Harbor Network"');
  expect(brands).toContain('"valueUrl":"https://my.harbor.example"');
  await admin.getByRole('button', { name: 'Remove the brand' }).click();
  await admin.getByText('There is no brand yet').waitFor();
});
