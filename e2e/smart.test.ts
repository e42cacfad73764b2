/**
 * SMART's own client library, unmodified, in a browser against a whole hub: launched from outside and from a chart, with
 * what the user decides, refreshed, and kept to the one patient.
 */
import { showcase } from '@causeway/region';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enter, Scene } from './scene.ts';
import { type SmartApp, serveSmartApp } from './smart-app.ts';

const PEOPLE = 30;

const scene = new Scene(PEOPLE);
let app: SmartApp;
let options: { [name: string]: unknown } = {};

beforeAll(async () => {
  app = await serveSmartApp(() => options);
  const signedIn = await post('/auth/login', { username: 'admin', password: 'causeway-admin' });
  const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
  const registered = await post(
    '/api/clients',
    {
      client_name: 'Growth Charts',
      redirect_uris: [`${app.origin}/app.html`],
      launch_url: `${app.origin}/launch.html`,
      token_endpoint_auth_method: 'none',
      scope: 'openid fhirUser launch launch/patient offline_access patient/*.rs user/Practitioner.r',
    },
    { cookie },
  );
  expect(registered.status).toBe(201);
  const { client } = (await registered.json()) as { client: { id: string } };
  options = {
    clientId: client.id,
    redirectUri: 'app.html',
    pkceMode: 'required',
    scope:
      'openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs patient/Condition.rs',
  };
});

afterAll(() => app?.stop());

describe('an app of another site', () => {
  it('launched by itself: sign-in, choice of the patient, consent, reading, another patient refused, refresh, disconnecting', async () => {
    const page = await scene.newPage();
    await page.goto(`${app.origin}/launch.html?iss=${encodeURIComponent(`${scene.url}/fhir`)}`);
    await enter(page, 'clinician');
    await page.getByRole('heading', { name: 'Connect Growth Charts?' }).waitFor();
    const allow = page.getByRole('button', { name: 'Allow Growth Charts' });
    expect(await allow.isDisabled()).toBe(true);
    const asked = await fetch(page.url(), { headers: { accept: 'text/html' } });
    expect(asked.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const { name, birthDate } = showcase({ people: PEOPLE });
    await page.getByLabel('Name', { exact: true }).fill(name.family);
    await page.getByLabel('Birth date', { exact: true }).fill(birthDate);
    await page.getByRole('radio').first().check();
    await page.getByRole('checkbox', { name: 'Diagnoses and problems' }).uncheck();
    await allow.click();
    await ready(page);
    expect(page.url()).toContain(`${app.origin}/app.html`);

    const patient = (await page.locator('#patient').textContent())!;
    const observations = await ask(page, 'Observation?_count=5');
    expect(observations.entry.length).toBeGreaterThan(0);
    expect(await askStatus(page, 'Condition')).toBe(403);
    const others = (await ask(page, 'Patient')).entry.map((entry: { resource: { id: string } }) => entry.resource.id);
    expect(others).toEqual([patient]);
    expect(await askStatus(page, `Patient/${await anotherPatient(patient)}`)).toBe(404);

    const before = await token(page);
    await page.evaluate('client.refresh()');
    expect(await token(page)).not.toBe(before);
    expect((await ask(page, `Patient/${patient}`)).id).toBe(patient);

    await page.goto(`${scene.url}/apps`);
    await page.getByRole('button', { name: 'Disconnect Growth Charts' }).click();
    await page.getByText('You have connected no app.').waitFor();
    await page.goto(`${app.origin}/app.html`);
    await page.locator('body[data-state=failed]').waitFor();
    await page.context().close();
  });

  it('opened from a chart: has the patient of the chart', async () => {
    const page = await scene.newPage();
    await page.goto(`${scene.url}/people`);
    await enter(page, 'clinician');
    await page.getByRole('heading', { name: 'Find a person' }).waitFor();
    const { name, birthDate } = showcase({ people: PEOPLE });
    await page.getByLabel('Name').fill(name.family);
    await page.getByLabel('Birth date').fill(birthDate);
    await page.locator('a[data-person]').first().click();
    await page.locator('[data-facts]').waitFor();
    const charted = new URL(page.url()).pathname.split('/').at(-1);
    options = { ...options, scope: 'launch openid fhirUser patient/Patient.rs patient/Observation.rs' };
    await page.getByRole('button', { name: 'Open an app' }).click();
    const [tab] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('menuitem', { name: 'Growth Charts' }).click(),
    ]);
    await tab.getByRole('heading', { name: 'Whose record' }).waitFor();
    expect(await tab.getByRole('radio').count()).toBe(0);
    await tab.getByRole('button', { name: 'Allow Growth Charts' }).click();
    await ready(tab);
    expect(await tab.locator('#patient').textContent()).toBe(charted);
    expect(await tab.evaluate('client.state.tokenResponse.need_patient_banner')).toBe(false);
    expect((await ask(tab, 'Patient')).entry).toHaveLength(1);
    await page.context().close();
  });

  it('that registered itself is let in by an administrator, and shut out again', async () => {
    const registered = await post('/oauth/register', {
      client_name: 'Stranger',
      redirect_uris: ['https://stranger.example/back'],
      token_endpoint_auth_method: 'none',
      scope: 'launch/patient patient/*.rs',
    });
    expect(registered.status).toBe(201);
    const page = await scene.newPage();
    await page.goto(`${scene.url}/clients`);
    await enter(page, 'admin');
    const row = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Stranger' }) });
    await row.locator('.mark', { hasText: 'Waits for you' }).waitFor();
    await page.getByRole('button', { name: 'Let in Stranger' }).click();
    await row.locator('.mark', { hasText: 'May ask' }).waitFor();
    await page.getByRole('button', { name: 'Shut out Stranger' }).click();
    await row.locator('.mark', { hasText: 'Shut out' }).waitFor();
    await page.getByRole('button', { name: 'Remove Stranger' }).click();
    await row.waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('that is refused comes back without access', async () => {
    const page = await scene.newPage();
    await page.goto(`${scene.url}/people`);
    await enter(page, 'clinician');
    await page.getByRole('heading', { name: 'Find a person' }).waitFor();
    await page.goto(`${app.origin}/launch.html?iss=${encodeURIComponent(`${scene.url}/fhir`)}`);
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.locator('body[data-state=failed]').waitFor();
    expect(page.url()).toContain('error=access_denied');
    await page.context().close();
  });
});

async function ready(page: Page): Promise<void> {
  await page.locator('body[data-state]').waitFor();
  if ((await page.locator('body').getAttribute('data-state')) !== 'ready') {
    throw new Error((await page.locator('#patient').textContent()) ?? 'failed');
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes.
async function ask(page: Page, path: string): Promise<any> {
  return page.evaluate(`client.request(${JSON.stringify(path)})`);
}

async function askStatus(page: Page, path: string): Promise<number> {
  return page.evaluate(
    `client.request(${JSON.stringify(path)}).then(() => 200, (error) => error.status ?? error.statusCode)`,
  );
}

async function token(page: Page): Promise<string> {
  return page.evaluate('client.state.tokenResponse.access_token');
}

async function anotherPatient(patient: string): Promise<string> {
  const signedIn = await post('/auth/login', { username: 'clinician', password: 'causeway-clinician' });
  const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
  const answer = await fetch(`${scene.url}/fhir/Patient?_count=20`, { headers: { cookie } });
  const bundle = (await answer.json()) as { entry: { resource: { id: string } }[] };
  return bundle.entry.map(({ resource }) => resource.id).find((id) => id !== patient)!;
}

function post(path: string, body: object, headers: { [name: string]: string } = {}): Promise<Response> {
  return fetch(scene.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}
