/**
 * The hub as an identity provider for others of its trust community (HL7 FHIR UDAP Security 2.0, "Tiered OAuth for User
 * Authentication"): one hub holds the records, another signs the users in.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Answer, startTestHub, type TestHub } from '../testing.ts';
import { freePort } from '../testing-port.ts';
import { Accounts } from '../trust/index.ts';
import { Browser, decide, form, pkce, withToken } from './testing.ts';
import {
  appClaims,
  assertionClaims,
  readSigned,
  statementClaims,
  type TestHolder,
  testRoot,
  writeCommunity,
} from './udap/testing.ts';
import { PemConverter } from './udap/x509.ts';

const holderBase = 'https://holder.example';
const community = 'https://one.example';
const redirectUri = 'https://app.example/back';
const password = 'a-good-password';
const scope = 'udap launch/patient patient/Patient.rs';

let folder: string;
let root: TestHolder;
/** The one that has the records, and the one that knows the users. */
let holder: TestHub;
let provider: TestHub;
let issuer: string;
let patient: string;
let app: { id: string; holder: TestHolder };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-provider-'));
  root = await testRoot('One', 'RS256');
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  issuer = `${base}/oauth`;
  const described = async (name: string, address: string, more: object) => {
    const server = await root.issue(name, `${address}/fhir`, { alg: 'RS256' });
    const files = await writeCommunity(folder, { uri: community, name, root, server, revocation: 'off' });
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ communities: [{ ...files, ...more }] }));
    return join(folder, `${name}.json`);
  };
  const mapping = {
    role: { claim: 'role', values: { clinician: 'clinician' } },
    organization: { claim: 'organization', values: { Clinic: 'The clinic' } },
  };
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify(mapping));
  const tiered = {
    contacts: ['mailto:it@holder.example'],
    logo: `${holderBase}/logo.png`,
    accounts: { [issuer]: 'accounts.json' },
  };
  const own = await root.issue('Identity provider', issuer, { alg: 'ES256' });
  writeFileSync(join(folder, 'idp.pem'), own.certificate.toString('pem'));
  const key = await crypto.subtle.exportKey('pkcs8', own.keys.privateKey);
  writeFileSync(join(folder, 'idp.key'), PemConverter.encode(key, 'PRIVATE KEY'));
  const files = { certificate: 'idp.pem', key: 'idp.key' };
  [holder, provider] = await Promise.all([
    startTestHub({ publicUrl: holderBase, udap: await described('holder', holderBase, { tiered }), keysFrom: [base] }),
    startTestHub({ port, udap: await described('provider', base, { provider: files }) }),
  ]);
  const accounts = new Accounts(provider.test.database);
  await accounts.make({ username: 'dora', name: 'Dora Lind', role: 'clinician', organization: 'Clinic' }, password);
  await accounts.make({ username: 'otto', name: 'Otto', role: 'steward', organization: 'Clinic' }, password);
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await holder.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  app = await registered(holder, `${holderBase}/oauth/register`, 'https://app-of-harbor.example', {
    ...appClaims,
    scope,
  });
});
afterAll(async () => {
  await Promise.all([holder?.stop(), provider?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A client of the community that registers itself with a hub. */
async function registered(hub: TestHub, endpoint: string, uri: string, claims: object) {
  const by = await root.issue(uri, uri);
  const statement = await by.sign(statementClaims(uri, endpoint, claims));
  const answer = await hub.send(
    'POST',
    '/oauth/register',
    { software_statement: statement, udap: '1' },
    { role: null },
  );
  expect(answer.status, answer.text).toBe(201);
  return { id: answer.json.client_id as string, holder: by };
}

const location = (answer: Answer) => answer.headers.get('location')!;

/** The app asks the holder; where the browser is sent to. */
async function begun(browser: Browser, challenge = pkce().challenge): Promise<URL> {
  const asked = new URLSearchParams({
    ...{ response_type: 'code', client_id: app.id, redirect_uri: redirectUri, scope, state: 'of-the-app' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256', idp: issuer },
  });
  const first = await browser.get(`/oauth/authorize?${asked}`);
  return new URL(location(await browser.get(location(first))));
}

/** Somebody signs in there, and is sent back; the address at the holder. */
async function throughProvider(sent: URL, username: string, decision: object = {}): Promise<URL> {
  const there = new Browser(provider);
  await there.signIn(username, password);
  const asked = await there.get(`${sent.pathname}${sent.search}`);
  return decide(there, asked, decision);
}

test('its metadata say so, signed by its certificate for the address that its ID tokens have', async () => {
  const { json } = await provider.get('/oauth/.well-known/udap', { role: null });
  expect(json.scopes_supported).toEqual(expect.arrayContaining(['openid', 'udap']));
  const { claims, uris, alg } = await readSigned(json.signed_metadata);
  expect([claims.iss, claims.sub, uris, alg]).toEqual([issuer, issuer, [issuer], 'ES256']);
  expect((await provider.get('/oauth/.well-known/openid-configuration', { role: null })).json.issuer).toBe(issuer);
  const asked = `/oauth/.well-known/udap?community=${encodeURIComponent('https://two.example')}`;
  expect((await provider.get(asked, { role: null })).status).toBe(204);
  expect((await holder.get('/oauth/.well-known/udap', { role: null })).status).toBe(404);
});

test('its user signs in there, is asked what is told, and reads at the holder what the app may', async () => {
  const browser = new Browser(holder);
  const { verifier, challenge } = pkce();
  const sent = await begun(browser, challenge);
  expect(`${sent.origin}${sent.pathname}`).toBe(`${issuer}/authorize`);
  const back = await throughProvider(sent, 'dora');
  expect(`${back.origin}${back.pathname}`).toBe(`${holderBase}/oauth/idp/back`);
  const returned = await browser.get(`${back.pathname}${back.search}`);
  expect(location(returned)).toContain('/oauth/interaction/');
  const { user } = (await browser.get('/auth/session')).json;
  expect(user).toMatchObject({ username: 'dora', name: 'Dora Lind', role: 'clinician', organization: 'The clinic' });
  const plain = { ...returned, headers: new Headers({ location: location(returned) }) };
  const end = await decide(browser, plain, { patient });
  const given = await form(holder, '/oauth/token', {
    ...{ grant_type: 'authorization_code', code: end.searchParams.get('code')!, redirect_uri: redirectUri },
    code_verifier: verifier,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await app.holder.sign(assertionClaims(app.id, `${holderBase}/oauth/token`)),
  });
  expect(given.status, given.text).toBe(200);
  expect((await withToken(holder, given.json.access_token, `/fhir/Patient/${patient}`)).status).toBe(200);
  expect(await accessesOf(provider)).toContainEqual(expect.objectContaining({ action: 'allow-app', who: 'dora' }));
});

test('who is nobody at the holder, and who does not want to, is not signed in there', async () => {
  for (const [username, decision] of [
    ['otto', {}],
    ['dora', { isAllowed: false }],
  ] as const) {
    const browser = new Browser(holder);
    const back = await throughProvider(await begun(browser), username, decision);
    const next = location(await browser.get(`${back.pathname}${back.search}`));
    const told = new URL(location(await browser.get(next)));
    expect([told.searchParams.get('error'), told.searchParams.get('state')]).toEqual(['access_denied', 'of-the-app']);
  }
});

describe('to a client of its own community', () => {
  const uri = 'https://other-holder.example';
  const back = `${uri}/back`;
  let client: { id: string; holder: TestHolder };
  beforeAll(async () => {
    const claims = {
      ...appClaims,
      client_name: 'The other holder',
      redirect_uris: [back],
      grant_types: ['authorization_code'],
    };
    client = await registered(provider, `${issuer}/register`, uri, {
      ...claims,
      scope: 'openid udap profile patient/*.rs',
    });
  });

  /** What comes of a request for authorization, by who is signed in. */
  async function tokens(asked: string, more: object = {}) {
    const browser = new Browser(provider);
    await browser.signIn('dora', password);
    const { verifier, challenge } = pkce();
    const request = new URLSearchParams({
      ...{ response_type: 'code', client_id: client.id, redirect_uri: back, scope: asked, state: 's', nonce: 'n-1' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256', ...more },
    });
    const page = await browser.get(`/oauth/authorize?${request}`);
    const question = (await browser.get(`${location(page)}/question`)).json;
    const end = await decide(browser, page, question.needsPatient ? { patient } : {});
    const given = await form(provider, '/oauth/token', {
      ...{ grant_type: 'authorization_code', code: end.searchParams.get('code')!, redirect_uri: back },
      code_verifier: verifier,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await client.holder.sign(assertionClaims(client.id, `${issuer}/token`)),
    });
    expect(given.status, given.text).toBe(200);
    return { question, given: given.json };
  }

  test('the ID token says who it is, by its certificate; the access token opens no record', async () => {
    const { question, given } = await tokens('openid udap');
    expect(question).toMatchObject({ signsIn: true, scopes: ['openid'] });
    const { claims, uris, alg } = await readSigned(given.id_token);
    expect([alg, uris]).toEqual(['ES256', [issuer]]);
    const who = {
      sub: 'dora',
      preferred_username: 'dora',
      name: 'Dora Lind',
      role: 'clinician',
      organization: 'Clinic',
    };
    expect(claims).toMatchObject({
      iss: issuer,
      aud: client.id,
      nonce: 'n-1',
      jti: expect.any(String),
      amr: [],
      ...who,
    });
    expect((await withToken(provider, given.access_token, '/fhir/Patient')).status).toBe(403);
  });

  test('without udap, or by another provider, it is an ID token as any, which says no more than was asked', async () => {
    const { question, given } = await tokens('openid');
    expect(question.signsIn).toBe(false);
    expect(decodeProtectedHeader(given.id_token).x5c).toBeUndefined();
    expect(JSON.parse(Buffer.from(given.id_token.split('.')[1], 'base64url').toString())).not.toHaveProperty('role');
  });
});
