/** Attacks on codes, tokens, addresses and registration (RFC 9700, OWASP ASVS V10), each with what has to come of it. */
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessesOf, lastRowOf } from '../audit/testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';
import {
  authorizationRequest,
  authorize,
  Browser,
  form,
  pkce,
  publicApp,
  redirectUri,
  tokenFor,
  withToken,
} from './testing.ts';

const password = 'a-good-password';
const scope = 'openid offline_access launch/patient patient/*.rs user/*.rs';

let hub: AttackedHub;
let browser: Browser;
let app: string;
let patient: string;

beforeAll(async () => {
  hub = await startAttackedHub();
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, password);
  await accounts.make({ username: 'eve', name: 'Eve', role: 'clinician', organization: 'Clinic' }, password);
  browser = new Browser(hub);
  await browser.signIn('ann', password);
  app = (await publicApp(hub, scope)).id;
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
});
afterAll(() => hub.stop());

async function code(asked = scope): Promise<{ code: string; verifier: string }> {
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, { client: app, scope: asked, challenge });
  const end = await authorize(browser, request, { patient });
  return { code: end.searchParams.get('code')!, verifier };
}

async function tokens(): Promise<{ access_token: string; refresh_token: string; id_token: string }> {
  const { code: one, verifier } = await code();
  return (await tokenFor(hub, app, one, verifier)).json;
}

const refresh = (token: string, more: object = {}) =>
  form(hub, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token, client_id: app, ...more });
const status = async (token: string) => (await withToken(hub, token, `/fhir/Patient/${patient}`)).status;

describe('A30: what is no access token', () => {
  test('is refused: forged, unsigned, changed, of another kind', async () => {
    const given = await tokens();
    expect(await status(given.access_token)).toBe(200);
    const claims = {
      iss: `${hub.url}/oauth`,
      aud: `${hub.url}/fhir`,
      sub: 'ann',
      client_id: app,
      scope: 'user/*.rs',
      role: 'administrator',
    };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const keys = (await (await fetch(`${hub.url}/oauth/jwks`)).json()) as { keys: { kid: string; kty: string }[] };
    const rsa = keys.keys.find(({ kty }) => kty === 'RSA')!;
    const own = await generateKeyPair('ES384');
    const head = { alg: 'ES384', typ: 'at+jwt' };
    const signed = (header: object, more: object = {}) =>
      new SignJWT({ ...claims, ...more })
        .setProtectedHeader({ ...head, ...header })
        .setExpirationTime('5m')
        .sign(own.privateKey);
    const publicAsSecret = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: rsa.kid })
      .setExpirationTime('5m')
      .sign(Buffer.from(JSON.stringify(rsa)));
    const refused = [
      `${encode({ alg: 'none' })}.${encode(claims)}.`,
      `${encode({ alg: 'None', typ: 'at+jwt' })}.${encode(claims)}.`,
      publicAsSecret,
      await signed({}),
      await signed({ kid: '../../../../dev/null' }),
      await signed({ kid: "' OR 1=1 --" }),
      await signed({ jwk: await exportJWK(own.publicKey) }),
      await signed({ jku: 'https://evil.example/jwks' }),
      await signed({}, { exp: 1 }),
      await signed({}, { nbf: 4_102_444_800 }),
      given.id_token,
      given.refresh_token,
      `${given.access_token}x`,
      given.access_token.slice(0, -1),
      given.access_token.toUpperCase(),
      `${given.access_token}.`,
      '..',
      '%00',
    ];
    for (const token of refused) expect(await status(token), token.slice(0, 60)).toBe(401);
    const unused = await code();
    expect(await status(unused.code)).toBe(401);
  });

  test('is refused in the address', async () => {
    const { access_token: token } = await tokens();
    expect((await hub.get(`/fhir/Patient?access_token=${token}`, { role: null })).status).toBe(401);
  });
});

describe('A32: codes', () => {
  test('a code used twice takes back what came of it', async () => {
    const { code: one, verifier } = await code();
    const first = await tokenFor(hub, app, one, verifier);
    expect(await status(first.json.access_token)).toBe(200);
    expect((await tokenFor(hub, app, one, verifier)).status).toBe(400);
    expect(await status(first.json.access_token)).toBe(401);
    expect((await refresh(first.json.refresh_token)).status).toBe(400);
  });

  test('used many times at one moment, nothing usable comes of it but of one at most', async () => {
    const { code: one, verifier } = await code();
    const answers = await Promise.all(Array.from({ length: 10 }, () => tokenFor(hub, app, one, verifier)));
    expect(answers.filter(({ status: got }) => got === 200).length).toBeLessThanOrEqual(1);
    for (const { json } of answers) if (json?.access_token) expect(await status(json.access_token)).toBe(401);
  });

  test('of another client, with another address or verifier, and too old, give nothing', async () => {
    const other = (await publicApp(hub, scope)).id;
    const tried = async (change: object) => {
      const { code: one, verifier } = await code();
      return form(hub, '/oauth/token', {
        grant_type: 'authorization_code',
        client_id: app,
        code: one,
        code_verifier: verifier,
        redirect_uri: redirectUri,
        ...change,
      });
    };
    for (const change of [
      { client_id: other },
      { redirect_uri: `${redirectUri}/x` },
      { code_verifier: pkce().verifier },
      { code_verifier: '' },
      { code: 'made-up' },
    ]) {
      const answer = await tried(change);
      expect(answer.status, JSON.stringify(change)).toBe(400);
      expect(answer.json.access_token).toBeUndefined();
    }
    const { code: old, verifier } = await code();
    await hub.test.database.query("UPDATE oauth_artifact SET expires = now() WHERE kind = 'AuthorizationCode'");
    expect((await tokenFor(hub, app, old, verifier)).status).toBe(400);
    const { rows } = await hub.test.database.query(
      "SELECT payload FROM oauth_artifact WHERE kind = 'AuthorizationCode'",
    );
    for (const { payload } of rows) expect(payload.exp - payload.iat).toBeLessThanOrEqual(60);
  });

  test('no PKCE, plain PKCE, and other response types are refused', async () => {
    const { challenge } = pkce();
    for (const more of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: 'plain' },
      { code_challenge_method: undefined },
      { response_type: 'token' },
      { response_type: 'id_token' },
      { response_type: 'code id_token' },
    ]) {
      const request = authorizationRequest(hub, { client: app, scope, challenge, more });
      const answer = await browser.get(`/oauth/authorize?${request}`);
      const location = answer.headers.get('location') ?? '';
      expect(location, JSON.stringify(more)).not.toContain('/oauth/interaction/');
      expect(location, JSON.stringify(more)).not.toContain('code=');
    }
  });
});

describe('A33: refresh tokens', () => {
  test('are used once; a second use takes back the whole family', async () => {
    const first = await tokens();
    const second = (await refresh(first.refresh_token)).json;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await status(second.access_token)).toBe(200);
    expect((await refresh(first.refresh_token)).status).toBe(400);
    expect(await status(second.access_token)).toBe(401);
    expect((await refresh(second.refresh_token)).status).toBe(400);
  });

  test('used twice at one moment, one wins at most, and then the family is taken back', async () => {
    for (let round = 0; round < 5; round++) {
      const { refresh_token: token } = await tokens();
      const answers = await Promise.all([refresh(token), refresh(token), refresh(token)]);
      const won = answers.filter(({ status: got }) => got === 200);
      expect(won.length).toBeLessThanOrEqual(1);
      for (const { json } of won) {
        expect(await status(json.access_token)).toBe(401);
        expect((await refresh(json.refresh_token)).status).toBe(400);
      }
    }
  });

  test('give no more than was granted; less where less is asked for', async () => {
    const { refresh_token: token } = await tokens();
    expect((await refresh(token, { scope: 'system/*.cruds' })).status).toBe(400);
    expect((await refresh(token, { scope: 'user/*.cruds' })).status).toBe(400);
    const narrow = await refresh(token, { scope: 'patient/*.rs' });
    expect(narrow.json.scope).toBe('patient/*.rs');
    expect((await withToken(hub, narrow.json.access_token, '/fhir/Practitioner')).status).toBe(200);
    expect((await refresh(narrow.json.refresh_token, { client_id: (await publicApp(hub, scope)).id })).status).toBe(
      400,
    );
  });

  test('are good for nothing when the user takes it back, at once', async () => {
    const given = await tokens();
    const { apps } = (await browser.get('/api/apps')).json;
    const connected = apps.find((one: { client: string }) => one.client === app);
    expect(connected).toMatchObject({ name: 'An app', patient });
    const eve = new Browser(hub);
    await eve.signIn('eve', password);
    for (const one of apps) expect((await eve.delete(`/api/apps/${one.id}`)).status).toBe(404);
    expect(await status(given.access_token)).toBe(200);
    for (const one of apps) expect((await browser.delete(`/api/apps/${one.id}`)).status).toBe(204);
    expect(await status(given.access_token)).toBe(401);
    expect((await refresh(given.refresh_token)).status).toBe(400);
    expect((await browser.get('/api/apps')).json.apps).toEqual([]);
  });

  test('are good for nothing when the app, or the user, is gone', async () => {
    const given = await tokens();
    await hub.send('PUT', `/api/clients/${app}/state`, { state: 'suspended' });
    expect(await status(given.access_token)).toBe(401);
    expect((await refresh(given.refresh_token)).status).toBe(401);
    await hub.send('PUT', `/api/clients/${app}/state`, { state: 'active' });
    expect(await status(given.access_token)).toBe(200);
    const accounts = new Accounts(hub.test.database);
    await accounts.make({ username: 'tom', name: 'Tom', role: 'clinician', organization: 'Clinic' }, password);
    const tom = new Browser(hub);
    await tom.signIn('tom', password);
    const { verifier, challenge } = pkce();
    const end = await authorize(tom, authorizationRequest(hub, { client: app, scope, challenge }), { patient });
    const { json } = await tokenFor(hub, app, end.searchParams.get('code')!, verifier);
    expect(await status(json.access_token)).toBe(200);
    await hub.test.database.query("UPDATE account SET role = 'integration-engineer' WHERE username = 'tom'");
    expect(await status(json.access_token)).toBe(404);
    await hub.test.database.query("DELETE FROM session WHERE username = 'tom'");
    await hub.test.database.query("DELETE FROM account WHERE username = 'tom'");
    expect(await status(json.access_token)).toBe(401);
    expect((await refresh(json.refresh_token)).status).toBe(400);
  });
});

describe('A34: addresses to return to', () => {
  test.each([
    'https://app.example/back/',
    'https://app.example/back/../other',
    'https://app.example/backx',
    'https://app.example/Back',
    'https://app.example:8443/back',
    'https://app.example.evil.example/back',
    'https://user@app.example/back',
    'https://app.example@evil.example/back',
    'https://app.example/back#fragment',
    'https://app.example/back?more=1',
    'http://app.example/back',
    'javascript:alert(1)',
    '//app.example/back',
    '',
  ])('%j is not sent to', async (uri) => {
    const request = authorizationRequest(hub, {
      client: app,
      scope,
      challenge: pkce().challenge,
      more: { redirect_uri: uri },
    });
    const answer = await browser.get(`/oauth/authorize?${request}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  test('127.0.0.1 is not localhost', async () => {
    const local = (await publicApp(hub, scope, { redirect_uris: ['http://127.0.0.1:9999/back'] })).id;
    const request = (uri: string) =>
      browser.get(
        `/oauth/authorize?${authorizationRequest(hub, { client: local, scope, challenge: pkce().challenge, more: { redirect_uri: uri } })}`,
      );
    expect((await request('http://localhost:9999/back')).status).toBe(400);
    expect((await request('http://127.0.0.1:9998/back')).status).toBe(400);
    expect((await request('http://127.0.0.1:9999/back')).status).toBe(303);
  });

  test('an unknown client is shown a page, whose text is that of the server', async () => {
    const request = authorizationRequest(hub, {
      client: '<script>alert(1)</script>',
      scope,
      challenge: pkce().challenge,
    });
    const answer = await browser.get(`/oauth/authorize?${request}`);
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain('<script>');
  });

  test('no header decides where an answer leads', async () => {
    const request = authorizationRequest(hub, { client: app, scope, challenge: pkce().challenge });
    const answer = await hub.get(`/oauth/authorize?${request}`, {
      role: null,
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    });
    expect(answer.headers.get('location')).toMatch(/^\/oauth\/interaction\//);
    const discovered = await hub.get('/oauth/.well-known/openid-configuration', {
      role: null,
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect(discovered.text).not.toContain('evil');
    const configuration = await hub.get('/fhir/.well-known/smart-configuration', {
      role: null,
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect(configuration.text).not.toContain('evil');
  });
});

describe('A35: what a user is asked', () => {
  const asked = async () => {
    const request = authorizationRequest(hub, { client: app, scope, challenge: pkce().challenge });
    return (await browser.get(`/oauth/authorize?${request}`)).headers.get('location')!;
  };

  test('is answered in the browser that was asked, by one who is signed in, from the hub’s own pages', async () => {
    const page = await asked();
    const answer = { isAllowed: true, scopes: ['patient/*.rs'], patient };
    const eve = new Browser(hub);
    await eve.signIn('eve', password);
    expect((await eve.get(`${page}/question`)).status).toBe(404);
    expect((await eve.post(`${page}/answer`, answer)).status).toBe(404);
    expect((await hub.send('POST', `${page}/answer`, answer, { role: null })).status).toBe(401);
    expect((await hub.send('POST', `${page}/answer`, answer, { role: 'clinician' })).status).toBe(401);
    const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await browser.post(`${page}/answer`, answer, cross)).status).toBe(403);
    expect((await browser.post(`${page}/answer`, answer)).status).toBe(200);
  });

  test('is not answered twice', async () => {
    const page = await asked();
    const first = await browser.post(`${page}/answer`, { isAllowed: true, scopes: ['patient/*.rs'], patient });
    const end = await browser.get(first.json.next);
    expect(end.headers.get('location')).toContain('code=');
    expect((await browser.post(`${page}/answer`, { isAllowed: true, scopes: ['user/*.rs'], patient })).status).toBe(
      404,
    );
    expect((await browser.get(first.json.next)).status).toBe(400);
  });

  test('leaves no sign-in of its own behind', async () => {
    const { code: one } = await code();
    expect(one).toBeDefined();
    await browser.post('/auth/logout', {});
    const page = await asked();
    expect((await browser.get(`${page}/question`)).status).toBe(401);
    await browser.signIn('ann', password);
  });
});

test('what was allowed without offline_access ends with the sign-in, at once', async () => {
  const shared = new Browser(hub);
  const given = async (asked: string) => {
    const { verifier, challenge } = pkce();
    const end = await authorize(shared, authorizationRequest(hub, { client: app, scope: asked, challenge }), {
      patient,
    });
    return (await tokenFor(hub, app, end.searchParams.get('code')!, verifier)).json;
  };
  await shared.signIn('eve', password);
  const [short, long] = [await given('patient/*.rs'), await given('patient/*.rs offline_access')];
  const other = new Browser(hub);
  await other.signIn('eve', password);
  expect([await status(short.access_token), await status(long.access_token)]).toEqual([200, 200]);
  await shared.post('/auth/logout', {});
  expect([await status(short.access_token), await status(long.access_token)]).toEqual([401, 200]);
  await shared.signIn('eve', password);
  const third = await given('patient/*.rs');
  await hub.test.database.query("UPDATE session SET expires = now() WHERE username = 'eve'");
  expect([await status(third.access_token), await status(long.access_token)]).toEqual([401, 200]);
});

test('who signs in next in the same browser is who allows', async () => {
  const shared = new Browser(hub);
  const as = async (username: string) => {
    await shared.signIn(username, password);
    const { verifier, challenge } = pkce();
    const end = await authorize(shared, authorizationRequest(hub, { client: app, scope, challenge }), { patient });
    const { json } = await tokenFor(hub, app, end.searchParams.get('code')!, verifier);
    await shared.post('/auth/logout', {});
    return decodeJwt(json.id_token).sub;
  };
  expect(await as('ann')).toBe('ann');
  expect(await as('eve')).toBe('eve');
  expect(await as('ann')).toBe('ann');
});

describe('what is asked of the server', () => {
  test('is recorded, refused or not, once, and nothing that opens anything is', async () => {
    const before = await lastRowOf(hub);
    const { code: one, verifier } = await code('offline_access launch/patient patient/*.rs');
    const given = await tokenFor(hub, app, one, verifier);
    const next = await refresh(given.json.refresh_token);
    await refresh('made-up');
    await form(hub, '/oauth/token', { grant_type: 'password', client_id: app, username: 'ann', password });
    await form(hub, '/oauth/token', { grant_type: 'refresh_token', refresh_token: 'made-up', client_id: 'nobody' });
    const request = authorizationRequest(hub, {
      client: app,
      scope,
      challenge: pkce().challenge,
      more: { aud: 'https://evil.example' },
    });
    await browser.get(`/oauth/authorize?${request}`);
    await form(hub, '/oauth/revoke', { token: next.json.refresh_token, client_id: app });
    const log = await accessesOf(hub, before);
    const noted = log
      .filter(({ what }) => what.startsWith('/oauth'))
      .map(({ action, status: got, what, who }) => [who, action, got, what]);
    expect(noted).toEqual([
      ['ann', 'token', 200, '/oauth/token authorization_code offline_access launch/patient patient/*.rs'],
      ['ann', 'token', 200, '/oauth/token refresh_token offline_access launch/patient patient/*.rs'],
      [`client:${app}`, 'token', 400, '/oauth/token refresh_token invalid_grant'],
      [`client:${app}`, 'token', 400, '/oauth/token password unsupported_grant_type'],
      [`client:${app}`, 'authorize', 400, '/oauth/authorize'],
      [`client:${app}`, 'revoke-token', 200, '/oauth/revoke'],
    ]);
    expect(log.find(({ action }) => action === 'allow-app')).toMatchObject({ who: 'ann', patients: [patient] });
    expect(log.find(({ action }) => action === 'token')).toMatchObject({ client: app, patients: [patient] });
    const whole = JSON.stringify(log);
    for (const secret of [
      one,
      verifier,
      given.json.access_token,
      given.json.refresh_token,
      next.json.access_token,
      password,
    ]) {
      expect(whole).not.toContain(secret);
    }
  });
});

describe('A38: registration', () => {
  const described = {
    client_name: 'New',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    scope: 'launch/patient patient/*.rs',
  };
  const dynamic = (body: object) => hub.send('POST', '/oauth/register', body, { role: null });

  test('waits for an administrator, is held to the rules, and is slowed down', async () => {
    const made = await dynamic(described);
    expect(made.status, made.text).toBe(201);
    const { client_id: id } = made.json;
    expect(made.json).toMatchObject({ scope: described.scope, client_name: 'New' });
    const request = authorizationRequest(hub, { client: id, scope: 'patient/*.rs', challenge: pkce().challenge });
    expect((await browser.get(`/oauth/authorize?${request}`)).status).toBe(400);
    const { clients } = (await hub.get('/api/clients')).json;
    expect(clients.find((one: { id: string }) => one.id === id)).toMatchObject({ state: 'pending', name: 'New' });
    expect((await hub.send('PUT', `/api/clients/${id}/state`, { state: 'active' })).status).toBe(200);
    expect((await browser.get(`/oauth/authorize?${request}`)).status).toBe(303);
    for (const change of [
      { redirect_uris: ['javascript:alert(1)'] },
      { redirect_uris: ['http://app.example/back'] },
      { redirect_uris: ['https://app.example/a/../b'] },
      { redirect_uris: ['https://user@app.example/back'] },
      { redirect_uris: [] },
      { scope: 'system/*.cruds' },
      { client_name: 'Causeway\u202e' },
      { client_name: 'x'.repeat(101) },
    ]) {
      expect((await dynamic({ ...described, ...change })).status, JSON.stringify(change)).toBe(400);
    }
    await hub.test.database.query('DELETE FROM rate_limit');
    await hub.test.database.query(
      `INSERT INTO oauth_client (id, name, state, organization, metadata)
       SELECT 'waiting-' || n, 'x', 'pending', 'none', '{}' FROM generate_series(1, 200) n`,
    );
    const full = await dynamic(described);
    expect([full.status, full.json.error]).toEqual([429, 'temporarily_unavailable']);
    await hub.test.database.query("DELETE FROM oauth_client WHERE id LIKE 'waiting-%'");
    expect((await dynamic(described)).status).toBe(201);
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push((await dynamic(described)).status);
    expect(answers.at(-1)).toBe(429);
    expect((await dynamic(described)).headers.get('retry-after')).toMatch(/^\d+$/);
  });
});
