/** SMART App Launch: what apps with users send, what users decide, and what tokens then open. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import { Accounts } from '../trust/index.ts';
import {
  assertion,
  assertionKey,
  authorizationRequest,
  authorize,
  Browser,
  backendService,
  type Decision,
  decide,
  form,
  pkce,
  publicApp,
  redirectUri,
  register,
  systemToken,
  tokenFor,
  withToken,
} from './testing.ts';

const password = 'a-good-password';
const everything =
  'openid fhirUser profile launch launch/patient launch/encounter offline_access online_access patient/*.cruds user/*.cruds';

let hub: AttackedHub;
let browser: Browser;
let app: string;
let ada: string;
let bob: string;

beforeAll(async () => {
  hub = await startAttackedHub();
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann Able', role: 'clinician', organization: 'Clinic' }, password);
  await accounts.make({ username: 'ben', name: 'Ben Best', role: 'clinician', organization: 'Clinic' }, password);
  browser = new Browser(hub);
  await browser.signIn('ann', password);
  app = (await publicApp(hub, everything, { launch_url: 'https://app.example/start' })).id;
  ada = await patientNamed('Ada');
  bob = await patientNamed('Bob');
});
afterAll(() => hub.stop());

async function patientNamed(given: string): Promise<string> {
  const headers = { 'content-type': 'application/fhir+json' };
  const patient = { resourceType: 'Patient', name: [{ given: [given], family: `Family${given}` }], gender: 'female' };
  const { json } = await hub.send('POST', '/fhir/Patient', patient, { headers });
  for (const category of ['laboratory', 'vital-signs']) {
    const observation = {
      resourceType: 'Observation',
      status: 'final',
      category: [{ coding: [{ code: category }] }],
      code: { text: category },
      subject: { reference: `Patient/${json.id}` },
    };
    await hub.send('POST', '/fhir/Observation', observation, { headers });
  }
  return json.id;
}

interface Launched {
  token: Answer;
  end: URL;
  verifier: string;
}

async function launch(
  scope: string,
  decision: Decision = {},
  more: { [name: string]: string } = {},
): Promise<Launched> {
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, { client: app, scope, challenge, more });
  const end = await authorize(browser, request, { patient: ada, ...decision });
  return { token: await tokenFor(hub, app, end.searchParams.get('code')!, verifier), end, verifier };
}

const refresh = (token: string, more: { [name: string]: string } = { client_id: app }) =>
  form(hub, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token, ...more });

describe('standalone launch', () => {
  test('gives the patient that was chosen, and a token for that patient alone', async () => {
    const { token, end } = await launch('launch/patient patient/Patient.rs patient/Observation.rs openid fhirUser');
    expect(end.origin + end.pathname).toBe(redirectUri);
    expect(end.searchParams.get('state')).toBe('abc');
    expect(token.status, token.text).toBe(200);
    expect(token.json).toMatchObject({ token_type: 'Bearer', patient: ada, need_patient_banner: true });
    expect(token.json.scope.split(' ').sort()).toEqual(
      ['fhirUser', 'launch/patient', 'openid', 'patient/Observation.rs', 'patient/Patient.rs'].sort(),
    );
    expect(token.json.expires_in).toBeLessThanOrEqual(3600);
    expect(token.headers.get('cache-control')).toContain('no-store');
    expect(token.headers.get('pragma')).toBe('no-cache');
    expect(token.json.refresh_token).toBeUndefined();
    const style = await fetch(token.json.smart_style_url);
    expect(await style.json()).toHaveProperty('color_background');

    const ask = (path: string) => withToken(hub, token.json.access_token, path);
    expect((await ask(`/fhir/Patient/${ada}`)).status).toBe(200);
    expect((await ask(`/fhir/Patient/${bob}`)).status).toBe(404);
    expect((await ask('/fhir/Patient')).json.entry).toHaveLength(1);
    expect((await ask('/fhir/Observation')).json.entry).toHaveLength(2);
    expect((await ask(`/fhir/Observation?patient=${bob}`)).json.entry).toBeUndefined();
    expect((await ask(`/fhir/Patient/${bob}/Observation`)).json.entry).toBeUndefined();
    expect((await ask('/fhir/Condition')).status).toBe(403);
    expect((await ask(`/fhir/Patient/${ada}/$everything`)).status).toBe(403);
    expect((await withToken(hub, token.json.access_token, `/fhir/Patient/${ada}`, 'DELETE')).status).toBe(403);
  });

  test('signs an id token that tells the user as a resource which the app can read', async () => {
    const { token } = await launch('openid fhirUser user/Practitioner.r patient/Patient.r', {}, { nonce: 'n-1' });
    const { id_token: idToken, access_token: accessToken } = token.json;
    const claims = decodeJwt(idToken) as { [name: string]: string };
    expect(decodeProtectedHeader(idToken).alg).toBe('RS256');
    expect(claims).toMatchObject({ iss: `${hub.url}/oauth`, aud: app, sub: 'ann', nonce: 'n-1' });
    expect(claims.fhirUser).toMatch(new RegExp(`^${hub.url}/fhir/Practitioner/`));
    const user = await withToken(hub, accessToken, new URL(claims.fhirUser!).pathname);
    expect(user.json).toMatchObject({ resourceType: 'Practitioner', name: [{ text: 'Ann Able' }] });
    const again = await launch('openid fhirUser patient/Patient.r');
    expect(decodeJwt(again.token.json.id_token).fhirUser).toBe(claims.fhirUser);
  });

  test('a scope of one patient without a patient is not granted', async () => {
    const { challenge } = pkce();
    const request = authorizationRequest(hub, { client: app, scope: 'patient/*.rs', challenge });
    await expect(authorize(browser, request, { patient: undefined })).rejects.toThrow(/Choose the patient/);
    await expect(authorize(browser, request, { patient: 'nobody' })).rejects.toThrow();
  });

  test('scopes of version 1 are granted as they are written', async () => {
    const { token } = await launch('launch/patient patient/Observation.read');
    expect(token.json.scope).toContain('patient/Observation.read');
    expect((await withToken(hub, token.json.access_token, '/fhir/Observation')).json.entry).toHaveLength(2);
    expect((await withToken(hub, token.json.access_token, '/fhir/Patient')).status).toBe(403);
  });

  test('the user’s own choice is what is granted', async () => {
    const asked = 'launch/patient offline_access patient/*.rs';
    const { token } = await launch(asked, { scopes: ['launch/patient', 'patient/Observation.rs'] });
    expect(token.json.scope).toBe('launch/patient patient/Observation.rs');
    expect(token.json.refresh_token).toBeUndefined();
    expect((await withToken(hub, token.json.access_token, '/fhir/Observation')).status).toBe(200);
    expect((await withToken(hub, token.json.access_token, '/fhir/Patient')).status).toBe(403);
    const narrow = await launch(asked, { scopes: ['patient/Observation.rs?category=laboratory'] });
    expect(narrow.token.json.scope).toBe('patient/Observation.rs?category=laboratory');
    const { json } = await withToken(hub, narrow.token.json.access_token, '/fhir/Observation');
    expect(json.entry).toHaveLength(1);
    expect(json.entry[0].resource.code.text).toBe('laboratory');
  });

  test('nothing more than was asked for can be allowed', async () => {
    for (const scopes of [['user/*.cruds'], ['patient/Observation.cruds'], ['offline_access'], ['nonsense'], []]) {
      await expect(launch('launch/patient patient/Observation.rs', { scopes }), scopes.join()).rejects.toThrow(
        /llowed/,
      );
    }
  });

  test('a user who refuses sends the app away without a code', async () => {
    const { challenge } = pkce();
    const request = authorizationRequest(hub, { client: app, scope: 'patient/*.rs', challenge });
    const end = await authorize(browser, request, { isAllowed: false });
    expect(end.searchParams.get('error')).toBe('access_denied');
    expect(end.searchParams.get('code')).toBeNull();
  });

  test('an app asks for no more than it is registered for', async () => {
    const narrow = (await publicApp(hub, 'launch/patient patient/Observation.rs')).id;
    const { verifier, challenge } = pkce();
    const scope = 'launch/patient offline_access patient/Observation.rs patient/Patient.rs system/*.rs user/*.rs';
    const request = authorizationRequest(hub, { client: narrow, scope, challenge });
    const end = await authorize(browser, request, { patient: ada });
    const token = await tokenFor(hub, narrow, end.searchParams.get('code')!, verifier);
    expect(token.json.scope).toBe('launch/patient patient/Observation.rs');
  });
});

describe('a patient', () => {
  test('lets apps see the own record alone, and is told as that Patient', async () => {
    const accounts = new Accounts(hub.test.database);
    for (const role of ['patient', 'proxy'] as const) {
      await accounts.make({ username: `a-${role}`, name: `A ${role}`, role, organization: 'none' }, password);
      const relation = role === 'patient' ? 'self' : 'guardian';
      const bound = { username: `a-${role}`, relation, evidence: 'passport seen' };
      expect((await hub.send('POST', `/api/patients/${ada}/bindings`, bound)).status).toBe(201);
    }
    const asked = 'openid fhirUser launch/patient patient/*.rs user/Observation.rs';
    const as = async (username: string, patient: string) => {
      const own = new Browser(hub);
      await own.signIn(username, password);
      const { verifier, challenge } = pkce();
      const end = await authorize(own, authorizationRequest(hub, { client: app, scope: asked, challenge }), {
        patient,
      });
      return (await tokenFor(hub, app, end.searchParams.get('code')!, verifier)).json;
    };
    await expect(as('a-patient', bob)).rejects.toThrow(/no Patient/);
    const given = await as('a-patient', ada);
    expect(decodeJwt(given.id_token).fhirUser).toBe(`${hub.url}/fhir/Patient/${ada}`);
    const ask = (path: string) => withToken(hub, given.access_token, path);
    expect((await ask(`/fhir/Patient/${ada}`)).status).toBe(200);
    expect((await ask(`/fhir/Patient/${bob}`)).status).toBe(404);
    expect((await ask(`/fhir/Observation?subject=Patient/${bob}`)).json.entry).toBeUndefined();
    const proxys = await as('a-proxy', ada);
    expect(proxys.scope).toBe('openid launch/patient patient/*.rs user/Observation.rs');
    expect(decodeJwt(proxys.id_token).fhirUser).toBeUndefined();
    expect((await withToken(hub, proxys.access_token, `/fhir/Patient/${ada}`)).status).toBe(200);
  });
});

describe('Bundles', () => {
  const entry = (method: string, url: string, resource?: object) => ({
    request: { method, url },
    ...(resource ? { resource } : {}),
  });
  const bundle = (token: string, type: string, entries: object[]) =>
    withToken(hub, token, '/fhir', 'POST', { resourceType: 'Bundle', type, entry: entries });
  const statuses = ({ json }: Answer) =>
    json.entry.map((one: { response: { status: string } }) => one.response.status.slice(0, 3));

  test('are judged entry by entry', async () => {
    const { token } = await launch('patient/Patient.rs patient/Observation.s');
    const answer = await bundle(token.json.access_token, 'batch', [
      entry('GET', `Patient/${ada}`),
      entry('GET', `Patient/${bob}`),
      entry('GET', 'Observation?status=final'),
      entry('GET', 'Observation/x'),
      entry('GET', 'Condition?code=a'),
      entry('GET', 'Patient?_revinclude=Condition:subject'),
      entry('GET', `Patient/${ada}/$everything`),
      entry('GET', `Patient/${ada}/_history`),
      entry('POST', 'Patient', { resourceType: 'Patient' }),
      entry('PUT', `Patient/${ada}`, { resourceType: 'Patient', id: ada }),
      entry('DELETE', `Patient/${ada}`),
      entry('DELETE', 'Observation?status=final'),
    ]);
    expect(answer.status, answer.text).toBe(200);
    expect(statuses(answer).join(' ')).toBe('200 404 200 403 403 200 403 200 403 403 403 403');
    expect(answer.json.entry[2].resource.entry).toHaveLength(2);
  });

  test('as a transaction are refused whole where one entry is', async () => {
    const { token } = await launch('user/Observation.cs');
    const observation = { resourceType: 'Observation', status: 'final', code: { text: 'made by an app' } };
    const made = await bundle(token.json.access_token, 'transaction', [entry('POST', 'Observation', observation)]);
    expect(made.status, made.text).toBe(200);
    for (const other of [
      entry('POST', 'Condition', { resourceType: 'Condition', subject: { display: 'a' } }),
      entry('PUT', 'Observation/a', { ...observation, id: 'a' }),
      entry('PUT', 'Observation?status=final', observation),
      entry('DELETE', 'Observation?status=final'),
      entry('GET', 'Observation/a'),
    ]) {
      const refused = await bundle(token.json.access_token, 'transaction', [
        entry('POST', 'Observation', observation),
        other,
      ]);
      expect(refused.status, JSON.stringify(other)).toBe(403);
    }
    const { json } = await hub.get('/fhir/Observation?_content=made');
    expect(json.entry).toHaveLength(1);
  });

  test('show what scopes with parameters find', async () => {
    const { token } = await launch('patient/Observation.rs?category=laboratory');
    const answer = await bundle(token.json.access_token, 'batch', [
      entry('GET', 'Observation'),
      entry('GET', 'Patient'),
    ]);
    expect(statuses(answer).join(' ')).toBe('200 403');
    expect(answer.json.entry[0].resource.entry).toHaveLength(1);
  });

  test('and single changes stay within the record of the patient', async () => {
    const { token } = await launch('patient/Observation.crus');
    const change = (method: string, path: string, body: object) =>
      withToken(hub, token.json.access_token, path, method, body);
    const about = (id: string, more: object = {}) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'weight' },
      subject: { reference: `Patient/${id}` },
      ...more,
    });
    const own = await change('POST', '/fhir/Observation', about(ada));
    const { id } = own.json ?? {};
    const moved = id && (await change('PUT', `/fhir/Observation/${id}`, about(bob, { id })));
    const foreign = await change('POST', '/fhir/Observation', about(bob));
    const inBundle = await bundle(token.json.access_token, 'transaction', [entry('POST', 'Observation', about(bob))]);
    expect([own.status, moved?.status, foreign.status, inBundle.status]).toEqual([201, 403, 403, 403]);
  });
});

describe('EHR launch', () => {
  const open = async (client = app, patient = ada) => {
    const opened = await browser.post('/api/launches', { client, patient });
    expect(opened.status, opened.text).toBe(200);
    return new URL(opened.json.address);
  };

  test('carries the patient that is open to the app, once', async () => {
    const address = await open();
    expect(address.origin + address.pathname).toBe('https://app.example/start');
    expect(address.searchParams.get('iss')).toBe(`${hub.url}/fhir`);
    const handle = address.searchParams.get('launch')!;
    const { token } = await launch('launch patient/Observation.rs', { patient: undefined }, { launch: handle });
    expect(token.json).toMatchObject({
      patient: ada,
      need_patient_banner: false,
      scope: 'launch patient/Observation.rs',
    });
    await expect(launch('launch patient/Observation.rs', {}, { launch: handle })).rejects.toThrow(/has expired/);
  });

  test('carries the visit that is open', async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    const visit = {
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject: { reference: `Patient/${ada}` },
    };
    const encounter = (await hub.send('POST', '/fhir/Encounter', visit, { headers })).json.id;
    const opened = await browser.post('/api/launches', { client: app, patient: ada, encounter });
    const handle = new URL(opened.json.address).searchParams.get('launch')!;
    const { token } = await launch('launch launch/encounter patient/Encounter.r', {}, { launch: handle });
    expect(token.json).toMatchObject({ patient: ada, encounter });
    expect((await withToken(hub, token.json.access_token, `/fhir/Encounter/${encounter}`)).status).toBe(200);
    expect((await browser.post('/api/launches', { client: app, patient: ada, encounter: 'nothing' })).status).toBe(404);
  });

  test('carries what else is open in the record, what for, and the organisation', async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    const make = async (type: string, subject: string, more: object) => {
      const resource = { resourceType: type, subject: { reference: `Patient/${subject}` }, ...more };
      const made = await hub.send('POST', `/fhir/${type}`, resource, { headers });
      expect(made.status, made.text).toBe(201);
      return made.json.id as string;
    };
    const study = `ImagingStudy/${await make('ImagingStudy', ada, { status: 'available' })}`;
    const foreign = `ImagingStudy/${await make('ImagingStudy', bob, { status: 'available' })}`;
    const visit = await make('Encounter', bob, { status: 'finished', class: { code: 'AMB' } });
    const asked = { client: app, patient: ada, about: [study], intent: 'compare' };
    const opened = await browser.post('/api/launches', asked);
    expect(opened.status, opened.text).toBe(200);
    const handle = new URL(opened.json.address).searchParams.get('launch')!;
    const { token } = await launch('launch patient/ImagingStudy.r offline_access', {}, { launch: handle });
    const told = { patient: ada, fhirContext: [{ reference: study }], intent: 'compare', tenant: expect.any(String) };
    expect(token.json).toMatchObject(told);
    expect((await withToken(hub, token.json.access_token, `/fhir/${study}`)).status).toBe(200);
    expect((await refresh(token.json.refresh_token)).json).toMatchObject(told);
    for (const [wrong, status] of [
      [{ about: [foreign] }, 404],
      [{ about: ['ImagingStudy/nothing'] }, 404],
      [{ encounter: visit }, 404],
      [{ about: [`Patient/${bob}`] }, 400],
      [{ about: `${study}` }, 400],
      [{ intent: '' }, 400],
    ] as const) {
      expect((await browser.post('/api/launches', { ...asked, ...wrong })).status, JSON.stringify(wrong)).toBe(status);
    }
    expect((await launch('launch/patient patient/Patient.rs')).token.json).not.toHaveProperty('tenant');
  });

  test('the patient is that of the launch, whatever the browser says', async () => {
    const handle = (await open()).searchParams.get('launch')!;
    const { token } = await launch('launch patient/Patient.rs', { patient: bob }, { launch: handle });
    expect(token.json.patient).toBe(ada);
    expect((await withToken(hub, token.json.access_token, `/fhir/Patient/${bob}`)).status).toBe(404);
  });

  test('is refused to another user, another app, and with a value that was made up', async () => {
    const handle = (await open()).searchParams.get('launch')!;
    const other = new Browser(hub);
    await other.signIn('ben', password);
    const { challenge } = pkce();
    const asked = { client: app, scope: 'launch patient/*.rs', challenge };
    await expect(
      authorize(other, authorizationRequest(hub, { ...asked, more: { launch: handle } }), {}),
    ).rejects.toThrow();
    await expect(
      authorize(browser, authorizationRequest(hub, { ...asked, more: { launch: 'made-up' } }), {}),
    ).rejects.toThrow();
    const another = (await publicApp(hub, everything)).id;
    const request = authorizationRequest(hub, { ...asked, client: another, more: { launch: handle } });
    await expect(authorize(browser, request, {})).rejects.toThrow();
    expect((await browser.post('/api/launches', { client: another, patient: ada })).status).toBe(404);
  });
});

describe('the seven gaps that real clients showed', () => {
  const refusedPage = async (more: { [name: string]: string | undefined }) => {
    const request = authorizationRequest(hub, {
      client: app,
      scope: 'patient/*.rs',
      challenge: pkce().challenge,
      more,
    });
    const answer = await browser.get(`/oauth/authorize?${request}`);
    expect(answer.status, JSON.stringify(more)).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    return answer;
  };

  test('1: aud is asked for, and only the hub’s own is taken', async () => {
    expect((await refusedPage({ aud: undefined })).text).toContain('aud is missing');
    for (const aud of ['https://evil.example/fhir', `${hub.url}/fhirx`, `${hub.url}`, `${hub.url}.evil.example/fhir`]) {
      expect((await refusedPage({ aud })).text).toContain('aud must be');
    }
    await refusedPage({ resource: `${hub.url}/fhir`, aud: 'https://evil.example/fhir' });
    const { token } = await launch('patient/Patient.rs', {}, { aud: `${hub.url}/fhir/` });
    expect(token.status).toBe(200);
  });

  test('2: granular scopes are offered as they are asked for, and what is no scope is not granted', async () => {
    const scope =
      'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory patient/Patient.dus patient/Nothing.rs patient/Observation.rs?subject.name=a';
    const { token } = await launch(scope);
    expect(token.json.scope).toBe(scope.split(' ')[0]);
  });

  test('3: offline_access without prompt=consent gives a refresh token; so does online_access, while the user is signed in', async () => {
    expect((await launch('patient/Patient.rs offline_access')).token.json.refresh_token).toBeDefined();
    const { rows } = await hub.test.database.query(
      `SELECT max(expires) >= now() + interval '92 days' AS lasts FROM oauth_artifact WHERE kind = 'RefreshToken'`,
    );
    expect(rows[0]).toEqual({ lasts: true });
    const user = new Browser(hub);
    await user.signIn('ben', password);
    const { verifier, challenge } = pkce();
    const request = authorizationRequest(hub, { client: app, scope: 'patient/Patient.rs online_access', challenge });
    const end = await authorize(user, request, { patient: ada });
    const { json } = await tokenFor(hub, app, end.searchParams.get('code')!, verifier);
    const again = await refresh(json.refresh_token);
    expect(again.status, again.text).toBe(200);
    await user.post('/auth/logout', {});
    expect((await refresh(again.json.refresh_token)).status).toBe(400);
  });

  test('4: the token’s answer has every granted scope and the context, after a refresh too', async () => {
    const { token } = await launch('openid fhirUser launch/patient offline_access patient/Patient.rs');
    expect(token.json.scope).toBe('openid fhirUser launch/patient offline_access patient/Patient.rs');
    const again = await refresh(token.json.refresh_token);
    expect(again.json.scope).toBe('openid fhirUser launch/patient offline_access patient/Patient.rs');
    expect(again.json.patient).toBe(ada);
  });

  test('5: a public app refreshes without client_id; a confidential one does not', async () => {
    const { token } = await launch('patient/Patient.rs offline_access');
    const again = await refresh(token.json.refresh_token, {});
    expect(again.status, again.text).toBe(200);
    expect((await withToken(hub, again.json.access_token, `/fhir/Patient/${ada}`)).status).toBe(200);

    const { id, secret } = await register(hub, {
      client_name: 'A server’s app',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: everything,
    });
    const basic = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
    const { verifier, challenge } = pkce();
    const request = authorizationRequest(hub, { client: id, scope: 'patient/Patient.rs offline_access', challenge });
    const end = await authorize(browser, request, { patient: ada });
    const code = end.searchParams.get('code')!;
    expect((await tokenFor(hub, id, code, verifier)).status).toBe(401);
    const given = await tokenFor(hub, id, code, verifier, basic);
    expect(given.status, given.text).toBe(200);
    const fields = { grant_type: 'refresh_token', refresh_token: given.json.refresh_token };
    expect((await form(hub, '/oauth/token', fields)).status).toBe(400);
    expect((await form(hub, '/oauth/token', fields, basic)).status).toBe(200);
    const { rows } = await hub.test.database.query('SELECT metadata FROM oauth_client WHERE id = $1', [id]);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  // 6, the assertions of clients, stands in backend.integration.test.ts.

  test('7: the request for authorization is taken by POST', async () => {
    const { verifier, challenge } = pkce();
    const request = authorizationRequest(hub, { client: app, scope: 'patient/Patient.rs', challenge });
    const asked = await form(hub, '/oauth/authorize', Object.fromEntries(request));
    expect(asked.status).toBe(303);
    const fresh = new Browser(hub);
    await fresh.signIn('ann', password);
    fresh.take(asked);
    const end = await decide(fresh, asked, { patient: ada });
    const token = await tokenFor(hub, app, end.searchParams.get('code')!, verifier);
    expect(token.json.patient).toBe(ada);
  });
});

test('a pushed request is taken', async () => {
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, { client: app, scope: 'patient/Patient.rs offline_access', challenge });
  const pushed = await form(hub, '/oauth/par', Object.fromEntries(request));
  expect(pushed.status, pushed.text).toBe(201);
  const reference = new URLSearchParams({ client_id: app, request_uri: pushed.json.request_uri });
  const end = await authorize(browser, reference, { patient: ada });
  const token = await tokenFor(hub, app, end.searchParams.get('code')!, verifier);
  expect(token.json).toMatchObject({ patient: ada, scope: 'offline_access patient/Patient.rs' });
  expect(token.json.refresh_token).toBeDefined();
  expect((await browser.get(`/oauth/authorize?${reference}`)).status).toBe(400);
  const wrong = Object.fromEntries(
    authorizationRequest(hub, { client: app, scope: 'a', challenge, more: { aud: 'https://evil.example' } }),
  );
  expect((await form(hub, '/oauth/par', wrong)).status).toBe(400);
});

test('introspection tells an app of its own tokens, with the context', async () => {
  const { id, secret } = await register(hub, {
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: everything,
  });
  const basic = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
  const { verifier, challenge } = pkce();
  const request = authorizationRequest(hub, {
    client: id,
    scope: 'openid fhirUser launch/patient patient/Patient.rs',
    challenge,
  });
  const end = await authorize(browser, request, { patient: ada });
  const { json } = await tokenFor(hub, id, end.searchParams.get('code')!, verifier, basic);
  const told = await form(hub, '/oauth/introspect', { token: json.access_token }, basic);
  expect(told.json).toMatchObject({ active: true, client_id: id, patient: ada, sub: 'ann', scope: json.scope });
  expect(told.json.exp).toBeTypeOf('number');
  expect(told.json.fhirUser).toContain('Practitioner/');
  const other = await launch('patient/Patient.rs');
  expect((await form(hub, '/oauth/introspect', { token: other.token.json.access_token }, basic)).json).toEqual({
    active: false,
  });
  expect((await form(hub, '/oauth/introspect', { token: 'nonsense' }, basic)).json).toEqual({ active: false });
  expect((await form(hub, '/oauth/introspect', { token: json.access_token })).status).toBe(400);
});

test('introspection tells a resource server of the tokens of all, by its own token or as a client', async () => {
  const key = await assertionKey();
  const server = await backendService(hub, [key], 'system/Patient.rs', { may_introspect: true });
  const plain = await backendService(hub, [key], 'system/Patient.rs');
  const own = async (id: string) =>
    (await systemToken(hub, await assertion(hub, id, key), 'system/Patient.rs')).json.access_token;
  const { token } = await launch('openid fhirUser launch/patient offline_access patient/Patient.rs');
  const bearer = { authorization: `Bearer ${await own(server.id)}` };
  const told = await form(hub, '/oauth/introspect', { token: token.json.access_token }, bearer);
  expect(told.json).toMatchObject({
    active: true,
    client_id: app,
    patient: ada,
    sub: 'ann',
    iss: `${hub.url}/oauth`,
    scope: token.json.scope,
    need_patient_banner: true,
    smart_style_url: token.json.smart_style_url,
  });
  const asClient = await form(hub, '/oauth/introspect', {
    token: token.json.access_token,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(hub, server.id, key),
  });
  expect(asClient.json).toMatchObject({ ...told.json, iat: expect.any(Number) });
  expect((await form(hub, '/oauth/introspect', { token: 'nonsense' }, bearer)).json).toEqual({ active: false });
  const service = await form(hub, '/oauth/introspect', { token: await own(plain.id) }, bearer);
  expect(service.json).toMatchObject({ active: true, client_id: plain.id, scope: 'system/Patient.rs' });
  await refresh(token.json.refresh_token);
  expect((await form(hub, '/oauth/introspect', { token: token.json.refresh_token }, bearer)).json).toEqual({
    active: false,
  });
  for (const [status, authorization] of [
    [403, `Bearer ${await own(plain.id)}`],
    [403, `Bearer ${token.json.access_token}`],
    [401, 'Bearer nonsense'],
  ] as [number, string][]) {
    expect((await form(hub, '/oauth/introspect', { token: token.json.access_token }, { authorization })).status).toBe(
      status,
    );
  }
  const self = await hub.send(
    'POST',
    '/oauth/register',
    { redirect_uris: [redirectUri], scope: 'patient/*.rs', may_introspect: true },
    { role: null },
  );
  expect(self.json.may_introspect).toBeUndefined();
});

test('what apps find the server by', async () => {
  const found = await fetch(`${hub.url}/fhir/.well-known/smart-configuration`, {
    headers: { origin: 'https://app.example' },
  });
  expect(found.headers.get('content-type')).toMatch(/^application\/json/);
  expect(found.headers.get('access-control-allow-origin')).toBe('*');
  const told = (await found.json()) as { [name: string]: string } & { capabilities: string[] };
  expect(told).toMatchObject({ issuer: `${hub.url}/oauth`, code_challenge_methods_supported: ['S256'] });
  for (const name of ['jwks_uri']) expect((await fetch(told[name]!)).status).toBe(200);
  const keys = (await (await fetch(told.jwks_uri!)).json()) as { keys: { [name: string]: string }[] };
  expect(keys.keys.map(({ alg }) => alg).sort()).toEqual(['ES384', 'RS256']);
  for (const key of keys.keys) expect(Object.keys(key)).not.toContain('d');
  const discovered = await fetch(`${told.issuer}/.well-known/openid-configuration`);
  expect(await discovered.json()).toMatchObject({ issuer: told.issuer, token_endpoint: told.token_endpoint });
  const metadata = await hub.get('/fhir/metadata', { role: null, headers: { origin: 'https://app.example' } });
  expect(metadata.headers.get('access-control-allow-origin')).toBe('*');
  expect(metadata.json.rest[0].security).toMatchObject({
    cors: true,
    service: [
      { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] },
    ],
  });
});

test('browsers of other origins may ask with a token, and only apps of theirs get one there', async () => {
  const origin = 'https://app.example';
  const preflight = await hub.send('OPTIONS', '/fhir/Patient', undefined, {
    role: null,
    headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
  expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  const { token } = await launch('patient/Patient.rs offline_access');
  const fields = { grant_type: 'refresh_token', refresh_token: token.json.refresh_token, client_id: app };
  expect((await form(hub, '/oauth/token', fields, { origin: 'https://evil.example' })).status).toBe(400);
  const own = await form(hub, '/oauth/token', fields, { origin });
  expect(own.status, own.text).toBe(200);
  expect(own.headers.get('access-control-allow-origin')).toBe(origin);
});
