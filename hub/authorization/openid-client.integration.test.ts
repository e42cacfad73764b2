/** `openid-client`, a certified client library that is strict by default, unmodified and over real sockets. */
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';
import {
  assertionKey,
  authorize,
  Browser,
  backendService,
  publicApp,
  redirectUri,
  register,
  withToken,
} from './testing.ts';

const scope = 'openid fhirUser launch/patient offline_access patient/*.rs';
const insecure = { execute: [client.allowInsecureRequests] };

let hub: TestHub;
let browser: Browser;
let patient: string;
let issuer: URL;

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, 'a-good-password');
  browser = new Browser(hub);
  await browser.signIn('ann', 'a-good-password');
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  issuer = new URL(`${hub.url}/oauth`);
});
afterAll(() => hub.stop());

/** The parameters of an authorization request with what the answer is held against. */
async function request(more: { [name: string]: string } = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    aud: `${hub.url}/fhir`,
    ...more,
  };
  return {
    parameters,
    checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
  };
}

test('a public app: code, id token, refresh, revocation', async () => {
  const { id } = await publicApp(hub, scope);
  const config = await client.discovery(issuer, id, undefined, client.None(), insecure);
  const { parameters, checks } = await request();
  const end = await authorize(browser, client.buildAuthorizationUrl(config, parameters).searchParams, { patient });
  const tokens = await client.authorizationCodeGrant(config, end, checks);
  expect(tokens.claims()).toMatchObject({ sub: 'ann', aud: id, iss: issuer.href });
  expect(tokens.patient).toBe(patient);
  expect((await withToken(hub, tokens.access_token, `/fhir/Patient/${patient}`)).status).toBe(200);
  const next = await client.refreshTokenGrant(config, tokens.refresh_token!);
  expect(next.patient).toBe(patient);
  expect(next.claims()?.sub).toBe('ann');
  await client.tokenRevocation(config, next.refresh_token!);
  expect((await withToken(hub, next.access_token, `/fhir/Patient/${patient}`)).status).toBe(401);
  await expect(client.refreshTokenGrant(config, next.refresh_token!)).rejects.toThrow();
});

test('a confidential app by secret: pushed request, code, introspection; id tokens by ES384', async () => {
  const { id, secret } = await register(hub, {
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES384',
    scope,
  });
  const metadata = { id_token_signed_response_alg: 'ES384' };
  const config = await client.discovery(issuer, id, metadata, client.ClientSecretBasic(secret), insecure);
  const { parameters, checks } = await request();
  const pushed = await client.buildAuthorizationUrlWithPAR(config, parameters);
  expect([...pushed.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
  const end = await authorize(browser, pushed.searchParams, { patient });
  const tokens = await client.authorizationCodeGrant(config, end, checks);
  const told = await client.tokenIntrospection(config, tokens.access_token);
  expect(told).toMatchObject({ active: true, client_id: id, patient, scope: tokens.scope });
});

test('a confidential app by key', async () => {
  const key = await assertionKey('RS384');
  const { id } = await register(hub, {
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key.jwk] },
    scope,
  });
  const config = await client.discovery(
    issuer,
    id,
    undefined,
    client.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }),
    insecure,
  );
  const { parameters, checks } = await request();
  const end = await authorize(browser, client.buildAuthorizationUrl(config, parameters).searchParams, { patient });
  const tokens = await client.authorizationCodeGrant(config, end, checks);
  expect(tokens.refresh_token).toBeDefined();
});

test('a service: client credentials by ES384', async () => {
  const key = await assertionKey('ES384');
  const { id } = await backendService(hub, [key], 'system/*.rs');
  const config = await client.discovery(
    issuer,
    id,
    undefined,
    client.PrivateKeyJwt({ key: key.privateKey, kid: key.kid }),
    insecure,
  );
  const tokens = await client.clientCredentialsGrant(config, { scope: 'system/Patient.rs' });
  expect(tokens.scope).toBe('system/Patient.rs');
  expect((await withToken(hub, tokens.access_token, '/fhir/Patient')).status).toBe(200);
});

test('registration by itself, which waits', async () => {
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', client_name: 'Self', scope };
  const config = await client.dynamicClientRegistration(issuer, metadata, client.None(), insecure);
  const { parameters } = await request();
  const asked = client.buildAuthorizationUrl(config, parameters);
  expect((await browser.get(`${asked.pathname}${asked.search}`)).status).toBe(400);
});
