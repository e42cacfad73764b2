/** Tokens that are bound to a key (DPoP, RFC 9449): by `jose` alone, and by `openid-client`, unmodified. */
import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';
import {
  assertion,
  assertionKey,
  authorize,
  Browser,
  backendService,
  form,
  publicApp,
  redirectUri,
  withToken,
} from './testing.ts';

interface ProofKey {
  jwk: JWK;
  privateKey: CryptoKey;
}

let hub: TestHub;
let patient: string;
let token: string;
let key: ProofKey;

beforeAll(async () => {
  hub = await startTestHub();
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  key = await proofKey();
  const asked = await boundToken(key);
  expect([asked.status, asked.json.token_type]).toEqual([200, 'DPoP']);
  token = asked.json.access_token;
});
afterAll(() => hub.stop());

async function proofKey(): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { jwk: await exportJWK(publicKey), privateKey: privateKey as CryptoKey };
}

/** A proof for a request; what is named changes it. */
function proof(
  by: ProofKey,
  method: string,
  path: string,
  more: { of?: string; claims?: object; header?: object } = {},
): Promise<string> {
  const ath = more.of === undefined ? {} : { ath: createHash('sha256').update(more.of).digest('base64url') };
  const claims = {
    htm: method,
    htu: `${hub.url}${path.split('?')[0]}`,
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    ...ath,
    ...more.claims,
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: by.jwk, ...more.header })
    .sign(by.privateKey);
}

async function boundToken(by: ProofKey): Promise<Answer> {
  const signing = await assertionKey();
  const { id } = await backendService(hub, [signing], 'system/*.cruds');
  const fields = {
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(hub, id, signing),
  };
  return form(hub, '/oauth/token', fields, { dpop: await proof(by, 'POST', '/oauth/token') });
}

function ask(path: string, dpop: string | undefined, method = 'GET', body?: object): Promise<Answer> {
  return hub.send(method, path, body, {
    role: null,
    headers: {
      authorization: `DPoP ${token}`,
      ...(dpop === undefined ? {} : { dpop }),
      ...(body ? { 'content-type': 'application/fhir+json' } : {}),
    },
  });
}

test('a bound token opens with a proof for the request', async () => {
  const path = `/fhir/Patient/${patient}`;
  expect((await ask(path, await proof(key, 'GET', path, { of: token }))).status).toBe(200);
  const search = '/fhir/Patient?_count=1';
  expect((await ask(search, await proof(key, 'GET', search, { of: token }))).status).toBe(200);
});

test('it opens nothing without, nor sent as another kind', async () => {
  const path = `/fhir/Patient/${patient}`;
  const bare = await withToken(hub, token, path);
  expect(bare.status).toBe(401);
  expect(bare.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_token", algs="ES256/);
  const missing = await ask(path, undefined);
  expect(missing.status).toBe(401);
  expect(missing.headers.get('www-authenticate')).toMatch(/^DPoP error="invalid_dpop_proof"/);
  const signing = await assertionKey();
  const { id } = await backendService(hub, [signing], 'system/*.rs');
  const free = await client.clientCredentialsGrant(
    await client.discovery(
      new URL(`${hub.url}/oauth`),
      id,
      undefined,
      client.PrivateKeyJwt({ key: signing.privateKey, kid: signing.kid }),
      { execute: [client.allowInsecureRequests] },
    ),
    { scope: 'system/*.rs' },
  );
  const headers = {
    authorization: `DPoP ${free.access_token}`,
    dpop: await proof(key, 'GET', path, { of: free.access_token }),
  };
  expect((await hub.send('GET', path, undefined, { role: null, headers })).status).toBe(401);
  expect((await withToken(hub, token, '/oauth/introspect', 'POST')).status).toBe(401);
});

test('a proof is for one request, one token and one key', async () => {
  const path = `/fhir/Patient/${patient}`;
  const other = await proofKey();
  const wrong: { [what: string]: Promise<string> } = {
    method: proof(key, 'POST', path, { of: token }),
    address: proof(key, 'GET', '/fhir/Patient', { of: token }),
    host: proof(key, 'GET', path, { of: token, claims: { htu: `https://elsewhere.example${path}` } }),
    token: proof(key, 'GET', path, { of: 'another' }),
    'no token': proof(key, 'GET', path),
    key: proof(other, 'GET', path, { of: token }),
    'the key of another in its header': proof({ ...other, jwk: key.jwk }, 'GET', path, { of: token }),
    type: proof(key, 'GET', path, { of: token, header: { typ: 'JWT' } }),
    'no jti': proof(key, 'GET', path, { of: token, claims: { jti: undefined } }),
    'no iat': proof(key, 'GET', path, { of: token, claims: { iat: undefined } }),
  };
  for (const [what, made] of Object.entries(wrong)) {
    const answer = await ask(path, await made);
    expect([answer.status, answer.headers.get('www-authenticate')], what).toEqual([
      401,
      expect.stringMatching(/^DPoP error="invalid_dpop_proof"/),
    ]);
  }
});

test('a proof is good once', async () => {
  const path = `/fhir/Patient/${patient}`;
  const once = await proof(key, 'GET', path, { of: token });
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask(path, once)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(401)]);
});

test('who has the wrong time gets a nonce to use in its place', async () => {
  const path = `/fhir/Patient/${patient}`;
  const iat = Math.floor(Date.now() / 1000) - 3600;
  const late = await ask(path, await proof(key, 'GET', path, { of: token, claims: { iat } }));
  expect(late.status).toBe(401);
  expect(late.headers.get('www-authenticate')).toMatch(/^DPoP error="use_dpop_nonce"/);
  const nonce = late.headers.get('dpop-nonce');
  const again = await ask(path, await proof(key, 'GET', path, { of: token, claims: { iat, nonce } }));
  expect(again.status).toBe(200);
  const made = await ask(path, await proof(key, 'GET', path, { of: token, claims: { iat, nonce: 'of-mine' } }));
  expect(made.status).toBe(401);
});

test('entries of a batch that other routes answer are covered by the proof of the batch', async () => {
  const batch = {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'GET', url: `Patient/${patient}` } },
      { request: { method: 'GET', url: `Patient/${patient}/_history` } },
    ],
  };
  const answer = await ask('/fhir', await proof(key, 'POST', '/fhir', { of: token }), 'POST', batch);
  const statuses = answer.json.entry.map((entry: { response: { status: string } }) =>
    entry.response.status.slice(0, 3),
  );
  // What a batch hands on is judged by the token's scopes, as it was without a proof.
  const free = await assertionKey();
  const { id } = await backendService(hub, [free], 'system/*.cruds');
  const plain = await form(hub, '/oauth/token', {
    grant_type: 'client_credentials',
    scope: 'system/*.cruds',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(hub, id, free),
  });
  const same = await withToken(hub, plain.json.access_token, '/fhir', 'POST', batch);
  expect(statuses).toEqual(
    same.json.entry.map((entry: { response: { status: string } }) => entry.response.status.slice(0, 3)),
  );
  expect(statuses).toEqual(['200', '200']);
});

test('openid-client: code, reading and refreshing with a key', async () => {
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, 'a-good-password');
  const browser = new Browser(hub);
  await browser.signIn('ann', 'a-good-password');
  const scope = 'launch/patient offline_access patient/*.rs';
  const { id } = await publicApp(hub, scope);
  const config = await client.discovery(new URL(`${hub.url}/oauth`), id, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  const verifier = client.randomPKCECodeVerifier();
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    state: 'abc',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    aud: `${hub.url}/fhir`,
  };
  const end = await authorize(browser, client.buildAuthorizationUrl(config, parameters).searchParams, { patient });
  const checks = { pkceCodeVerifier: verifier, expectedState: 'abc' };
  const given = await client.authorizationCodeGrant(config, end, checks, {}, { DPoP });
  expect(given.token_type).toBe('dpop');
  const url = new URL(`${hub.url}/fhir/Patient/${patient}`);
  const read = (access: string) =>
    client.fetchProtectedResource(config, access, url, 'GET', undefined, undefined, { DPoP });
  expect((await read(given.access_token)).status).toBe(200);
  const again = await client.refreshTokenGrant(config, given.refresh_token!, undefined, { DPoP });
  expect((await read(again.access_token)).status).toBe(200);
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
  await expect(client.refreshTokenGrant(config, again.refresh_token!, undefined, { DPoP: other })).rejects.toThrow();
});

test('introspection tells the key', async () => {
  const signing = await assertionKey();
  const { id } = await backendService(hub, [signing], 'system/*.rs', { may_introspect: true });
  const told = await form(hub, '/oauth/introspect', {
    token,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(hub, id, signing),
  });
  expect(told.json).toMatchObject({
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: await calculateJwkThumbprint(key.jwk) },
  });
});
