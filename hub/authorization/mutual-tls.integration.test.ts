/** Clients by certificate and tokens bound to it (RFC 8705), with `openid-client` unmodified. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { type TlsClient, tlsClient } from '../testing-https.ts';
import { Accounts } from '../trust/index.ts';
import { authorize, Browser, form, publicApp, redirectUri, register } from './testing.ts';

const usual = getCACertificates('default');
const service = { client_name: 'A service', grant_types: ['client_credentials'], response_types: [] };
const bound = { tls_client_certificate_bound_access_tokens: true };
const subject = { tls_client_auth_san_dns: 'service.example' };
const byAuthority = { ...service, token_endpoint_auth_method: 'tls_client_auth', scope: 'system/*.rs' };
const scope = 'openid launch/patient offline_access patient/*.rs';

let hub: TestHub;
let authority: TestAuthority;
let lone: TestAuthority;
let shows: TlsClient;
let other: TlsClient;
let alone: TlsClient;
let nobody: TlsClient;

beforeAll(async () => {
  authority = new TestAuthority();
  lone = new TestAuthority('Alone');
  const own = authority.issue('hub');
  setDefaultCACertificates([...usual, readFileSync(authority.certificate, 'utf8')]);
  hub = await startTestHub({ tlsCertificate: own.certificate, tlsKey: own.key, tlsClientCa: authority.certificate });
  shows = tlsClient(authority, authority.issue('service', 'DNS:service.example'));
  other = tlsClient(authority, authority.issue('other', 'DNS:other.example'));
  alone = tlsClient(authority, lone.own);
  nobody = tlsClient(authority);
});
afterAll(async () => {
  for (const one of [shows, other, alone, nobody]) one.close();
  await hub.stop();
  setDefaultCACertificates(usual);
  authority.remove();
  lone.remove();
});

/** A client over a connection of its own that shows itself so. */
const over = (by: TlsClient, id: string, auth: client.ClientAuth, metadata: object = {}) =>
  client.discovery(new URL(`${hub.url}/oauth`), id, metadata, auth, {
    [client.customFetch]: by.fetch as client.CustomFetch,
  });
const asks = async (by: TlsClient, id: string, metadata?: object) =>
  client.clientCredentialsGrant(await over(by, id, client.TlsClientAuth(), metadata), { scope: 'system/Patient.rs' });
const opens = async (by: TlsClient, token: string) =>
  (await by.fetch(`${hub.url}/fhir/Patient`, { headers: { authorization: `Bearer ${token}` } })).status;

test('metadata say that it is there', async () => {
  const methods = ['tls_client_auth', 'self_signed_tls_client_auth'];
  const { json: smart } = await hub.get('/fhir/.well-known/smart-configuration', { role: null });
  const { json: openid } = await hub.get('/oauth/.well-known/openid-configuration', { role: null });
  for (const told of [smart, openid]) {
    expect(told.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(told.token_endpoint_auth_methods_supported).toEqual(expect.arrayContaining(methods));
  }
});

test('a service by a certificate of an authority: its token is good with that one alone', async () => {
  const { id } = await register(hub, { ...byAuthority, ...subject, ...bound });
  const { access_token: token } = await asks(shows, id, bound);
  expect(await opens(shows, token)).toBe(200);
  for (const by of [other, nobody]) expect(await opens(by, token)).toBe(401);
  const told = await await over(shows, id, client.TlsClientAuth()).then((to) => client.tokenIntrospection(to, token));
  expect(told).toMatchObject({ active: true, cnf: { 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) } });
  for (const by of [other, nobody]) await expect(asks(by, id)).rejects.toMatchObject({ error: 'invalid_client' });
  const batch = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ request: { method: 'GET', url: 'Patient/_history' } }],
  };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
  const sent = await shows.fetch(`${hub.url}/fhir`, { method: 'POST', headers, body: JSON.stringify(batch) });
  expect((await sent.json()) as object).toMatchObject({
    entry: [{ response: { status: expect.stringMatching(/^200/) } }],
  });
  const { json } = await hub.get('/api/certificates');
  expect(json.certificates).toContainEqual(
    expect.objectContaining({ what: 'the app A service shows it', state: 'soon' }),
  );
});

test.each([
  ['a subject', { tls_client_auth_subject_dn: 'CN=service' }, true],
  ['another subject', { tls_client_auth_subject_dn: 'CN=other' }, false],
  ['another name', { tls_client_auth_san_dns: 'elsewhere.example' }, false],
])('a service that was registered with %s', async (_, described, isTaken) => {
  const { id } = await register(hub, { ...byAuthority, ...described });
  const asked = asks(shows, id);
  if (!isTaken) return expect(asked).rejects.toMatchObject({ error: 'invalid_client' });
  // Without being asked to, tokens are bound to nothing.
  expect(await opens(nobody, (await asked).access_token)).toBe(200);
});

test('a service by a certificate of its own: no other one, and no other address asks for what it proves', async () => {
  const der = readFileSync(lone.certificate, 'utf8').replace(/-----[^-]+-----|\s/g, '');
  const { kty, crv, x, y } = (await import('node:crypto'))
    .createPublicKey(readFileSync(lone.certificate))
    .export({ format: 'jwk' });
  const keys = { jwks: { keys: [{ kty, crv, x, y, x5c: [der] }] } };
  const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth' };
  const { id } = await register(hub, { ...byAuthority, ...method, ...keys, ...bound });
  const { access_token: token } = await asks(alone, id, bound);
  expect(await opens(alone, token)).toBe(200);
  expect(await opens(nobody, token)).toBe(401);
  for (const by of [shows, nobody]) await expect(asks(by, id)).rejects.toMatchObject({ error: 'invalid_client' });
  const { id: signed } = await register(hub, { ...byAuthority, ...subject });
  await expect(asks(alone, signed)).rejects.toMatchObject({ error: 'invalid_client' });
});

test('an app with users that keeps no secret: its tokens, and what it refreshes, are good with its certificate alone', async () => {
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, 'a-good-password');
  const browser = new Browser(hub);
  await browser.signIn('ann', 'a-good-password');
  const headers = { 'content-type': 'application/fhir+json' };
  const patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  const { id } = await publicApp(hub, scope, bound);
  const to = await over(shows, id, client.None(), bound);
  const verifier = client.randomPKCECodeVerifier();
  const challenge = await client.calculatePKCECodeChallenge(verifier);
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const asked = {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  const url = client.buildAuthorizationUrl(to, { ...asked, aud: `${hub.url}/fhir` });
  const end = await authorize(browser, url.searchParams, { patient });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const first = await client.authorizationCodeGrant(to, end, checks);
  const refresh = { grant_type: 'refresh_token', refresh_token: first.refresh_token!, client_id: id };
  expect((await form(hub, '/oauth/token', refresh)).json).toMatchObject({ error: 'invalid_grant' });
  const next = await client.refreshTokenGrant(to, first.refresh_token!);
  const reads = async (by: TlsClient) =>
    (
      await by.fetch(`${hub.url}/fhir/Patient/${patient}`, {
        headers: { authorization: `Bearer ${next.access_token}` },
      })
    ).status;
  expect([await reads(shows), await reads(other), await reads(nobody)]).toEqual([200, 401, 401]);
});
