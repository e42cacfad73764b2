/**
 * Users of an app who are signed in by the identity provider that it names (HL7 FHIR UDAP Security 2.0, "Tiered OAuth for User
 * Authentication"): a hub, an app, a browser, and an identity provider of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import type { Answer } from '../testing.ts';
import { type AttackedHub, leavingOneEvent, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';
import { Browser, decide, form, pkce, withToken } from './testing.ts';
import {
  appClaims,
  assertionClaims,
  statementClaims,
  type TestHolder,
  testRoot,
  writeCommunity,
} from './udap/testing.ts';
import { TestIdp } from './udap/testing-idp.ts';

const base = 'https://hub.example';
const scope = 'udap launch/patient patient/Patient.rs';
const redirectUri = 'https://app.example/back';
const password = 'a-good-password';
const logo = 'https://hub.example/logo.png';
const contacts = ['mailto:it@hub.example'];

let hub: AttackedHub;
let folder: string;
let root: TestHolder;
let other: TestHolder;
let idp: TestIdp;
/** Identity providers that cannot be used, by why. */
const bad: { [why: string]: TestIdp } = {};
let app: { id: string; holder: TestHolder };
let patient: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-tiered-'));
  root = await testRoot('One', 'RS256');
  other = await testRoot('Two');
  idp = await TestIdp.start(root);
  for (const why of ['another community', 'another address', 'no provider']) bad[why] = await TestIdp.start(root);
  bad['another community']!.holder = await other.issue('Elsewhere', bad['another community']!.url);
  bad['another address']!.holder = await root.issue('Other', 'https://other.example', { alg: 'ES256' });
  bad['no provider']!.scopes = ['openid'];
  const uri = 'https://one.example';
  const server = await root.issue('Hub', `${base}/fhir`, { alg: 'RS256' });
  const community = await writeCommunity(folder, { uri, name: 'one', root, server, revocation: 'off' });
  const tiered = { contacts, logo, accounts: { [idp.url]: 'accounts.json' } };
  writeFileSync(join(folder, 'udap.json'), JSON.stringify({ communities: [{ ...community, tiered }] }));
  const mapping = {
    role: { claim: 'groups', values: { doctors: 'clinician' } },
    organization: { claim: 'site', values: { H1: 'Harbor Hospital' } },
  };
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify(mapping));
  const keysFrom = [idp, ...Object.values(bad)].map(({ url }) => url);
  hub = await startAttackedHub({ publicUrl: base, udap: join(folder, 'udap.json'), keysFrom });
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, password);
  const own = 'https://app-of-harbor.example';
  const holder = await root.issue('App', own);
  const statement = await holder.sign(statementClaims(own, `${base}/oauth/register`, { ...appClaims, scope }));
  const answer = await hub.send(
    'POST',
    '/oauth/register',
    { software_statement: statement, udap: '1' },
    { role: null },
  );
  expect([answer.status, answer.json.scope], answer.text).toEqual([201, scope]);
  app = { id: answer.json.client_id, holder };
});
afterAll(async () => {
  await hub?.stop();
  for (const one of [idp, ...Object.values(bad)]) one?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const dora = { id: 'd1', claims: { name: 'Dora', preferred_username: 'dora', groups: ['doctors'], site: 'H1' } };
beforeEach(() => {
  idp.user = dora;
  idp.tokenHolder = undefined;
});

const location = (answer: Answer) => answer.headers.get('location')!;

/** The app asks; where its user's browser is sent next, from the page for its question on. */
async function asked(browser: Browser, named: string | undefined, challenge = pkce().challenge) {
  const request = new URLSearchParams({
    ...{ response_type: 'code', client_id: app.id, redirect_uri: redirectUri, scope, state: 'of-the-app' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    ...(named === undefined ? {} : { idp: named }),
  });
  const first = await browser.get(`/oauth/authorize?${request}`);
  expect(location(first), first.text).toContain('/oauth/interaction/');
  return { page: location(first), next: await browser.get(location(first)) };
}

/** From the identity provider to where the hub sends the browser then. */
async function back(browser: Browser, from: string, change: (address: URL) => void = () => {}): Promise<Answer> {
  const address = await idp.through(from);
  expect(`${address.origin}${address.pathname}`).toBe(`${base}/oauth/idp/back`);
  change(address);
  return browser.get(`${address.pathname}${address.search}`);
}

/** What the app is told in the end. */
async function toldTo(browser: Browser, address: string): Promise<URL> {
  return new URL(location(await browser.get(address)));
}

test('metadata say that it is there', async () => {
  const { json } = await hub.get('/fhir/.well-known/udap', { role: null });
  expect(json.udap_profiles_supported).toContain('udap_to');
  expect(json.scopes_supported).toContain('udap');
  expect((await hub.get('/fhir/.well-known/smart-configuration', { role: null })).json.scopes_supported).not.toContain(
    'udap',
  );
});

test('the provider signs the user in, the hub asks what the app may do, and the token is good', async () => {
  const browser = new Browser(hub);
  const { verifier, challenge } = pkce();
  const { page, next } = await asked(browser, idp.url, challenge);
  const sent = new URL(location(next));
  expect(sent.origin).toBe(idp.url);
  expect(sent.searchParams.get('scope')).toBe('openid udap');
  expect(idp.statements.at(-1)).toMatchObject({
    ...{ iss: `${base}/fhir`, sub: `${base}/fhir`, scope: 'openid udap', contacts, logo_uri: logo },
    ...{ redirect_uris: [`${base}/oauth/idp/back`], grant_types: ['authorization_code'], response_types: ['code'] },
  });
  const returned = await back(browser, sent.href);
  expect(location(returned)).toBe(page.replace(base, ''));
  expect((await browser.get('/auth/session')).json.user).toMatchObject({ username: 'dora', role: 'clinician' });
  const { json: question } = await browser.get(`${page}/question`);
  expect(question.scopes).toEqual(['launch/patient', 'patient/Patient.rs']);
  const plain = { status: 303, headers: new Headers({ location: page }), text: '', json: undefined };
  const end = await decide(browser, plain, { patient });
  expect(end.searchParams.get('state')).toBe('of-the-app');
  const given = await form(hub, '/oauth/token', {
    ...{ grant_type: 'authorization_code', code: end.searchParams.get('code')!, redirect_uri: redirectUri },
    code_verifier: verifier,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await app.holder.sign(assertionClaims(app.id, `${base}/oauth/token`)),
  });
  expect([given.status, given.json.patient], given.text).toEqual([200, patient]);
  expect((await withToken(hub, given.json.access_token, `/fhir/Patient/${patient}`)).status).toBe(200);
});

test('the hub registers itself once, and anew where it was forgotten', async () => {
  const before = idp.statements.length;
  const first = await asked(new Browser(hub), idp.url);
  expect(idp.statements.length).toBe(before);
  idp.forget();
  const browser = new Browser(hub);
  // Who is not known there is shown an error by the provider; the token endpoint says so too.
  await expect(idp.through(location(first.next))).rejects.toThrow('invalid_client');
  await hub.test.database.query('DELETE FROM udap_identity_provider');
  const again = await asked(browser, idp.url);
  expect(idp.statements.length).toBe(before + 1);
  expect(location(await back(browser, location(again.next)))).toContain('/oauth/interaction/');
});

describe('the app is told that the provider cannot be used (invalid_idp), and one event tells of it', () => {
  const refused = async (what: string, named: string) => {
    const browser = new Browser(hub);
    const { next } = await leavingOneEvent(hub, what, () => asked(browser, named));
    const end = await toldTo(browser, location(next));
    expect([end.searchParams.get('error'), end.searchParams.get('state')], what).toEqual(['invalid_idp', 'of-the-app']);
    expect((await accessesOf(hub)).at(-1)).toMatchObject({ action: 'refused', status: 403 });
  };

  test('addresses that are none, or lead into the hub’s own network', async () => {
    for (const named of ['nonsense', 'https://127.0.0.1:1', 'http://idp.example', 'https://idp.example/?a=b'])
      await refused(named, named);
  });

  test('one of another community, for another address, or that signs in nobody for others', async () => {
    const strange = await TestIdp.start(root);
    try {
      // In the hub's own network, and nobody let it be asked.
      await refused('private', strange.url);
    } finally {
      strange.stop();
    }
    for (const [what, one] of Object.entries(bad)) await refused(what, one.url);
  });

  test('an ID token that another signed, or that is not signed by a certificate', async () => {
    for (const signer of [
      await other.issue('Elsewhere', idp.url),
      await root.issue('Other', 'https://other.example', { alg: 'ES256' }),
    ]) {
      idp.tokenHolder = signer;
      const browser = new Browser(hub);
      const { next } = await asked(browser, idp.url);
      const returned = await back(browser, location(next));
      expect((await toldTo(browser, location(returned))).searchParams.get('error')).toBe('invalid_idp');
      expect((await browser.get('/auth/session')).json?.user).toBeUndefined();
    }
  });
});

describe('the app is told', () => {
  test('access_denied where nobody here is meant, or the user does not want to', async () => {
    const users = [
      { id: 'x1', claims: { name: 'X', preferred_username: 'x', groups: ['visitors'], site: 'H1' } },
      undefined,
    ];
    for (const user of users) {
      idp.user = user;
      const browser = new Browser(hub);
      const { next } = await asked(browser, idp.url);
      const returned = await leavingOneEvent(hub, 'denied', () => back(browser, location(next)));
      expect((await toldTo(browser, location(returned))).searchParams.get('error')).toBe('access_denied');
      expect((await browser.get('/auth/session')).json?.user).toBeUndefined();
    }
  });

  test('server_error where the state is not the hub’s', async () => {
    const browser = new Browser(hub);
    const { next } = await asked(browser, idp.url);
    const returned = await back(browser, location(next), ({ searchParams }) => searchParams.set('state', 'forged'));
    expect((await toldTo(browser, location(returned))).searchParams.get('error')).toBe('server_error');
  });
});

test('what comes back is good once, and in the browser alone that was sent', async () => {
  const browser = new Browser(hub);
  const { next } = await asked(browser, idp.url);
  const address = await idp.through(location(next));
  const stranger = new Browser(hub);
  const elsewhere = await stranger.get(`${address.pathname}${address.search}`);
  expect(location(elsewhere)).toBe('/sign-in?refused=failed');
  expect(location(await browser.get(`${address.pathname}${address.search}`))).toContain('/oauth/interaction/');
  expect(location(await browser.get(`${address.pathname}${address.search}`))).toBe('/sign-in?refused=failed');
});

test('an account that its user connected is meant whatever the claims say', async () => {
  idp.user = { id: 'ann-there', claims: {} };
  const browser = new Browser(hub);
  await browser.signIn('ann', password);
  const begun = await browser.post('/oauth/idp', { idp: idp.url });
  expect(begun.status, begun.text).toBe(200);
  expect(location(await back(browser, begun.json.address))).toBe('/security');
  const later = new Browser(hub);
  const { next } = await asked(later, idp.url);
  await back(later, location(next));
  expect((await later.get('/auth/session')).json.user).toMatchObject({ username: 'ann' });
  const known = (await browser.get('/auth/security')).json;
  expect([known.canConnect, known.isExternal]).toEqual([true, false]);
  expect(known.providers).toEqual([{ issuer: idp.url, since: expect.any(String), isMapped: false }]);
  const disconnect = (from: Browser) => from.delete(`/oauth/idp?idp=${encodeURIComponent(idp.url)}`);
  expect((await disconnect(new Browser(hub))).status).toBe(401);
  expect((await disconnect(browser)).status).toBe(204);
  expect((await accessesOf(hub)).at(-1)).toMatchObject({ action: 'disconnect-provider', who: 'ann', status: 204 });
  expect((await disconnect(browser)).status).toBe(404);
  expect((await browser.get('/auth/security')).json.providers).toEqual([]);
});

test('who is meant by claims stays so, since nobody here chose it for themselves', async () => {
  const browser = new Browser(hub);
  const { next } = await asked(browser, idp.url);
  await back(browser, location(next));
  const { json } = await browser.get('/auth/security');
  expect(json).toMatchObject({ username: 'dora', providers: [{ issuer: idp.url, isMapped: true }] });
  expect((await browser.delete(`/oauth/idp?idp=${encodeURIComponent(idp.url)}`)).status).toBe(404);
});

test('administrators see the communities and the providers, and have the hub register anew', async () => {
  const administrator = { role: 'administrator' };
  await asked(new Browser(hub), idp.url);
  const { json } = await hub.get('/api/trust-communities', administrator);
  expect(json.faults).toEqual([]);
  expect(json.communities).toMatchObject([
    { uri: 'https://one.example', name: 'one', revocation: 'off', addresses: [`${base}/fhir`], accounts: [idp.url] },
  ]);
  expect(json.providers).toMatchObject([{ address: idp.url, community: 'https://one.example', accounts: 1 }]);
  const address = `/api/identity-providers?address=${encodeURIComponent(idp.url)}`;
  for (const role of ['clinician', 'privacy-officer', 'integration-engineer']) {
    expect((await hub.get('/api/trust-communities', { role })).status).toBe(403);
    expect((await hub.send('DELETE', address, undefined, { role })).status).toBe(403);
  }
  const before = idp.statements.length;
  expect((await hub.send('DELETE', address, undefined, administrator)).status).toBe(204);
  expect((await accessesOf(hub)).at(-1)).toMatchObject({ action: 'forget-provider', what: idp.url, status: 204 });
  expect((await hub.send('DELETE', address, undefined, administrator)).status).toBe(404);
  await asked(new Browser(hub), idp.url);
  expect(idp.statements.length).toBe(before + 1);
});

test('without the scope udap, or without idp, the user is signed in here', async () => {
  const browser = new Browser(hub);
  const { next } = await asked(browser, undefined);
  expect(next.status).toBe(404);
});
