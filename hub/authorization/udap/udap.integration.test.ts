/**
 * A hub in two trust communities, and their clients: registering, showing who they are, asking for somebody, and everything that
 * A37 tries. Certificates are made when the tests run; nothing of the hub is replaced.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { accessesOf } from '../../audit/testing.ts';
import type { Answer } from '../../testing.ts';
import { type AttackedHub, startAttackedHub } from '../../testing-attacks.ts';
import { Accounts } from '../../trust/index.ts';
import { Authorization } from '../authorization.ts';
import { authorize, Browser, form, pkce, redirectUri, systemToken, withToken } from '../testing.ts';
import { keyOf, readCertificates } from './chain.ts';
import {
  appClaims,
  assertionClaims,
  b2b,
  inDays,
  statementClaims,
  type TestHolder,
  testRoot,
  writeCommunity,
} from './testing.ts';
import { TestRevocation, type Way } from './testing-revocation.ts';

const base = 'https://hub.example';
const registration = `${base}/oauth/register`;
const token = `${base}/oauth/token`;
const harbor = 'https://harbor.example';
const scope = 'system/Patient.rs';

let hub: AttackedHub;
let authorization: Authorization;
let folder: string;
let root: TestHolder;
let middle: TestHolder;
let other: TestHolder;
let revoked: TestHolder;
/** A community whose certificates say where to ask whether they are revoked. */
let asking: TestHolder;
let tells: TestRevocation;
let patient: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-udap-'));
  root = await testRoot('One', 'RS256');
  middle = await root.authority('One below');
  other = await testRoot('Two');
  asking = await testRoot('Asking');
  tells = await TestRevocation.start(asking);
  revoked = await root.issue('Revoked', 'https://revoked.example');
  const communities = [
    await writeCommunity(folder, {
      uri: 'https://one.example',
      name: 'one',
      root,
      server: await root.issue('Hub', `${base}/fhir`, { alg: 'RS256' }),
      revoked: await root.revocations([revoked]),
    }),
    await writeCommunity(folder, {
      uri: 'https://two.example',
      name: 'two',
      root: other,
      server: await other.issue('Hub', `${base}/fhir`),
      revocation: 'off',
    }),
    await writeCommunity(folder, {
      uri: 'https://elsewhere.example',
      name: 'elsewhere',
      root: other,
      server: await other.issue('Hub', 'https://elsewhere.example/fhir'),
      revocation: 'off',
    }),
    await writeCommunity(folder, {
      uri: 'https://asking.example',
      name: 'asking',
      root: asking,
      server: await asking.issue('Hub', `${base}/fhir`),
    }),
  ];
  writeFileSync(join(folder, 'udap.json'), JSON.stringify({ communities }));
  const opened = vi.spyOn(Authorization.prototype, 'open');
  hub = await startAttackedHub({ publicUrl: base, udap: join(folder, 'udap.json'), keysFrom: [tells.url] });
  authorization = opened.mock.contexts[0] as Authorization;
  opened.mockRestore();
  const headers = { 'content-type': 'application/fhir+json' };
  patient = (await hub.send('POST', '/fhir/Patient', { resourceType: 'Patient' }, { headers })).json.id;
  const made = await hub.send('PUT', '/api/participants/harbor', { name: 'Harbor Hospital', kind: 'hospital' });
  expect([made.status, made.text]).toEqual([200, expect.anything()]);
  const accounts = new Accounts(hub.test.database);
  await accounts.make({ username: 'ann', name: 'Ann', role: 'clinician', organization: 'Clinic' }, 'a-good-password');
});
afterAll(async () => {
  await hub?.stop();
  tells?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function register(statement: string): Promise<Answer> {
  return hub.send('POST', '/oauth/register', { software_statement: statement, udap: '1' }, { role: null });
}

async function registered(holder: TestHolder, uri: string, more: object = {}): Promise<string> {
  const answer = await register(await holder.sign(statementClaims(uri, registration, more)));
  expect([answer.status, answer.text]).toEqual([201, expect.anything()]);
  return answer.json.client_id;
}

let last = 0;
/** A client of a URI of its own, with its certificate. */
async function client(more: object = {}, by = root): Promise<{ id: string; uri: string; holder: TestHolder }> {
  const uri = `https://client-${++last}.example`;
  const holder = await by.issue('Client', uri);
  return { id: await registered(holder, uri, more), uri, holder };
}

async function approve(id: string, organization = harbor, participant: string | null = 'harbor'): Promise<void> {
  const answer = await hub.send('PUT', `/api/clients/${id}/organizations`, { organization, participant });
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
}

async function asks(holder: TestHolder, id: string, more: object = b2b(harbor), wanted = scope): Promise<Answer> {
  return systemToken(hub, await holder.sign(assertionClaims(id, token, more)), wanted);
}

describe('what the hub tells of itself', () => {
  const get = (query = '') => hub.send('GET', `/fhir/.well-known/udap${query}`, undefined, { role: null });

  test('is signed with its certificate of the community', async () => {
    for (const [query, alg, uri] of [
      ['', 'RS256', 'One'],
      ['?community=https://one.example', 'RS256', 'One'],
      ['?community=https://two.example', 'ES256', 'Two'],
    ] as const) {
      const told = await get(query);
      expect([told.status, told.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
      expect(told.json).toMatchObject({
        udap_versions_supported: ['1'],
        udap_profiles_supported: ['udap_dcr', 'udap_authn', 'udap_authz'],
        udap_authorization_extensions_supported: ['hl7-b2b'],
        token_endpoint: token,
        registration_endpoint: registration,
      });
      const { signed_metadata: signed } = told.json;
      const [certificate] = readCertificates(decodeProtectedHeader(signed).x5c);
      expect([decodeProtectedHeader(signed).alg, certificate.issuer]).toEqual([alg, `CN=${uri}`]);
      await compactVerify(signed, keyOf(certificate));
      expect(decodeJwt(signed)).toMatchObject({
        iss: `${base}/fhir`,
        sub: `${base}/fhir`,
        token_endpoint: token,
        registration_endpoint: registration,
        authorization_endpoint: `${base}/oauth/authorize`,
      });
    }
  });

  test('is nothing for a community that it does not know, or whose certificate is for another address', async () => {
    for (const uri of ['https://unknown.example', 'https://elsewhere.example', '']) {
      const told = await get(`?community=${uri}`);
      expect([told.status, told.text]).toEqual([204, '']);
    }
  });

  test('may be asked for from any origin', async () => {
    const headers = { origin: 'https://any.example' };
    const told = await hub.send('GET', '/fhir/.well-known/udap', undefined, { role: null, headers });
    expect(told.headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('a service of an organisation', () => {
  test('registers itself, waits for its organisation, and then reads for it', async () => {
    const { id, uri, holder } = await client();
    const first = await asks(holder, id);
    expect([first.status, first.json.error]).toEqual([400, 'invalid_grant']);
    expect(first.json.error_description).toContain(harbor);
    const listed = (await hub.get('/api/clients')).json.clients.find((one: { id: string }) => one.id === id);
    expect(listed).toMatchObject({
      name: 'A service of Harbor',
      state: 'active',
      udap: {
        community: 'https://one.example',
        uri,
        certificateExpires: expect.stringMatching(/^\d{4}-/),
        organizations: [{ organization: harbor, name: 'Harbor Hospital' }],
      },
    });
    expect(listed.udap.organizations[0].participant).toBeUndefined();
    await approve(id);
    const given = await asks(holder, id);
    expect([given.status, given.json.scope]).toEqual([200, scope]);
    expect(given.json.expires_in).toBeLessThanOrEqual(3600);
    expect((await withToken(hub, given.json.access_token, `/fhir/Patient/${patient}`)).status).toBe(200);
    const reads = (await accessesOf(hub)).filter(({ client, action }) => client === id && action === 'read');
    expect(reads.map(({ organization, purpose }) => [organization, purpose])).toEqual([['harbor', 'TREAT']]);
  });

  test('reads for the purposes that it named, and no other', async () => {
    const { id, holder } = await client();
    await approve(id);
    const named = b2b(harbor, { purpose_of_use: ['HPAYMT', 'TREAT'] });
    const { access_token: held } = (await asks(holder, id, named)).json;
    const read = async (purpose: string | undefined) => {
      const headers = { authorization: `Bearer ${held}`, ...(purpose ? { 'x-purpose-of-use': purpose } : {}) };
      return (await hub.send('GET', `/fhir/Patient/${patient}`, undefined, { role: null, headers })).status;
    };
    expect([await read(undefined), await read('TREAT'), await read('HOPERAT')]).toEqual([200, 200, 403]);
    const reads = (await accessesOf(hub)).filter(
      ({ client, action, status }) => client === id && action === 'read' && status === 200,
    );
    expect(reads.map(({ purpose }) => purpose)).toEqual(['HPAYMT', 'TREAT']);
  });

  test('reads nothing for a participant without an agreement, where the network asks for one', async () => {
    const { id, holder } = await client();
    await approve(id);
    const { access_token: held } = (await asks(holder, id)).json;
    const policy = async (over: object) => {
      const officer = { role: 'privacy-officer' };
      const { version } = (await hub.get('/api/network-policy', officer)).json;
      const put = { version, reason: 'A test.', policy: { model: 'opt-out', zone: 'UTC', rules: [], ...over } };
      expect((await hub.send('PUT', '/api/network-policy', put, officer)).status).toBe(200);
    };
    await policy({ requireAgreements: true });
    const refused = await withToken(hub, held, `/fhir/Patient/${patient}`);
    expect([refused.status, refused.text.includes('not live on the network')]).toEqual([403, true]);
    await policy({});
    expect((await withToken(hub, held, `/fhir/Patient/${patient}`)).status).toBe(200);
  });

  test('loses what it holds with its organisation, at once', async () => {
    const { id, holder } = await client();
    await approve(id);
    const { access_token: held } = (await asks(holder, id)).json;
    expect((await withToken(hub, held, '/fhir/Patient')).status).toBe(200);
    await approve(id, harbor, null);
    expect((await withToken(hub, held, '/fhir/Patient')).status).toBe(401);
    expect((await asks(holder, id)).json.error).toBe('invalid_grant');
  });

  test('is answered with what was registered', async () => {
    const uri = 'https://answered.example';
    const statement = await (await middle.issue('Answered', uri)).sign(
      statementClaims(uri, registration, { scope: 'system/Patient.rs udap patient/Patient.rs', extra: 'passed over' }),
    );
    const answer = await register(statement);
    // The authority below has no revocation list of its own.
    expect([answer.status, answer.json.error]).toEqual([400, 'unapproved_software_statement']);
    const direct = await (await root.issue('Answered', uri)).sign(
      statementClaims(uri, registration, { scope: 'system/Patient.rs udap patient/Patient.rs' }),
    );
    expect((await register(direct)).json).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      software_statement: direct,
      client_name: 'A service of Harbor',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      scope: 'system/Patient.rs',
      contacts: ['mailto:operations@harbor.example'],
    });
  });

  test('may use a new certificate of its URI, with another key and algorithm', async () => {
    const { id, uri, holder } = await client();
    await approve(id);
    const next = await root.issue('Next', uri, { alg: 'RS256' });
    const asked = await Promise.all([asks(holder, id), asks(next, id), asks(holder, id), asks(next, id)]);
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const named = await next.sign(assertionClaims(id, token, b2b(harbor)), { kid: 'named' });
    expect((await systemToken(hub, named, scope)).status).toBe(200);
  });

  test('changes and cancels its registration', async () => {
    const { id, uri, holder } = await client();
    const narrower = { scope: 'system/Patient.r', client_name: 'Another name' };
    const changed = await register(await holder.sign(statementClaims(uri, registration, narrower)));
    expect([changed.status, changed.json.client_id, changed.json.scope]).toEqual([200, id, 'system/Patient.r']);
    const cancelled = await register(await holder.sign(statementClaims(uri, registration, { grant_types: [] })));
    expect([cancelled.status, cancelled.json.client_id, cancelled.json.grant_types]).toEqual([200, id, []]);
    expect((await asks(holder, id)).json.error).toBe('invalid_client');
    const again = await register(await holder.sign(statementClaims(uri, registration, { grant_types: [] })));
    expect([again.status, again.json.error]).toEqual([400, 'invalid_client_metadata']);
  });

  test('cannot take back that it was shut out', async () => {
    const { id, uri, holder } = await client();
    await hub.send('PUT', `/api/clients/${id}/state`, { state: 'suspended' });
    for (const more of [{}, { grant_types: [] }]) {
      const answer = await register(await holder.sign(statementClaims(uri, registration, more)));
      expect([answer.status, answer.json.error]).toEqual([400, 'unapproved_software_statement']);
    }
    expect((await asks(holder, id)).json.error).toBe('invalid_client');
  });
});

describe('an app with users', () => {
  test('is allowed by a user, and refreshes', async () => {
    const { id, holder } = await client(appClaims);
    const browser = new Browser(hub);
    await browser.signIn('ann', 'a-good-password');
    const { verifier, challenge } = pkce();
    const request = new URLSearchParams({
      response_type: 'code',
      client_id: id,
      redirect_uri: redirectUri,
      scope: appClaims.scope,
      state: 'abc',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const end = await authorize(browser, request, { patient });
    expect(end.searchParams.get('state')).toBe('abc');
    const shown = async () => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await holder.sign(assertionClaims(id, token)),
      udap: '1',
    });
    const code = { grant_type: 'authorization_code', code: end.searchParams.get('code')!, redirect_uri: redirectUri };
    const given = await form(hub, '/oauth/token', { ...code, code_verifier: verifier, ...(await shown()) });
    expect([given.status, given.json.patient]).toEqual([200, patient]);
    expect((await withToken(hub, given.json.access_token, `/fhir/Patient/${patient}`)).status).toBe(200);
    const refresh = { grant_type: 'refresh_token', refresh_token: given.json.refresh_token };
    expect((await form(hub, '/oauth/token', { ...refresh, ...(await shown()) })).status).toBe(200);
    expect((await form(hub, '/oauth/token', refresh)).status).toBe(400);
  });

  test('must send a state', async () => {
    const { id } = await client(appClaims);
    const browser = new Browser(hub);
    await browser.signIn('ann', 'a-good-password');
    const request = new URLSearchParams({
      response_type: 'code',
      client_id: id,
      redirect_uri: redirectUri,
      scope: appClaims.scope,
      code_challenge: pkce().challenge,
      code_challenge_method: 'S256',
    });
    const answer = await browser.get(`/oauth/authorize?${request}`);
    expect(new URL(answer.headers.get('location')!).searchParams.get('error')).toBe('invalid_request');
  });
});

describe('A37', () => {
  const uri = 'https://tried.example';
  /** A refused registration leaves exactly one entry in the record of accesses. */
  async function refused(statement: string, code: string, what?: string): Promise<void> {
    const entries = async () =>
      (await accessesOf(hub)).filter(({ action, status }) => action === 'register-client' && status === 400).length;
    const before = await entries();
    const answer = await register(statement);
    expect([answer.status, answer.json.error, await entries()], what).toEqual([400, code, before + 1]);
    expect(answer.json.client_id).toBeUndefined();
  }

  test('certificates that are not trusted', async () => {
    const cases = {
      expired: await root.issue('Old', uri, { notAfter: inDays(-0.5) }),
      unknown: await (await testRoot('One', 'RS256')).issue('Stranger', uri),
    };
    for (const [what, holder] of Object.entries(cases)) {
      await refused(await holder.sign(statementClaims(uri, registration)), 'unapproved_software_statement', what);
    }
    const its = await revoked.sign(statementClaims('https://revoked.example', registration));
    await refused(its, 'unapproved_software_statement', 'revoked');
  });

  test('statements that are not the client’s, or not for here and for once', async () => {
    const holder = await root.issue('Tried', uri);
    const now = Math.floor(Date.now() / 1000);
    const cases: { [what: string]: object } = {
      'SAN is not iss': { iss: 'https://victim.example', sub: 'https://victim.example' },
      'sub is not iss': { sub: 'https://victim.example' },
      'for another server': { aud: 'https://elsewhere.example/oauth/register' },
      expired: { iat: now - 600, exp: now - 1 },
      'too long': { iat: now, exp: now + 301 },
      'of the future': { iat: now + 600, exp: now + 700 },
      'without jti': { jti: undefined },
      'without iat': { iat: undefined },
    };
    for (const [what, more] of Object.entries(cases)) {
      await refused(await holder.sign(statementClaims(uri, registration, more)), 'invalid_software_statement', what);
    }
    const signed = await holder.sign(statementClaims(uri, registration));
    const stolen = await root.issue('Thief', 'https://thief.example');
    await refused(
      await stolen.sign(statementClaims(uri, registration), { x5c: holder.x5c }),
      'invalid_software_statement',
      'with the certificate of another',
    );
    await refused(`${signed.slice(0, -8)}AAAAAAAA`, 'invalid_software_statement', 'changed');
    await refused('nonsense', 'invalid_software_statement', 'no JWT');
  });

  test('a statement that was used before', async () => {
    const once = 'https://once.example';
    const statement = await (await root.issue('Once', once)).sign(statementClaims(once, registration));
    const answers = await Promise.all(Array.from({ length: 4 }, () => register(statement)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 400, 400, 400]);
    await refused(statement, 'invalid_software_statement');
  });

  test('metadata that are against the rules', async () => {
    const holder = await root.issue('Tried', uri);
    const cases: { [code: string]: object[] } = {
      invalid_client_metadata: [
        { client_name: undefined },
        { contacts: [] },
        { contacts: ['https://no-address.example'] },
        { grant_types: undefined },
        { grant_types: ['password'] },
        { grant_types: ['client_credentials', 'authorization_code'] },
        { grant_types: ['client_credentials', 'refresh_token'] },
        { token_endpoint_auth_method: 'client_secret_basic' },
        { scope: undefined },
        { scope: 'patient/Patient.rs' },
        { redirect_uris: ['https://app.example/back'] },
        { response_types: ['code'] },
        { ...appClaims, logo_uri: undefined },
        { ...appClaims, logo_uri: 'https://app.example/logo.svg' },
        { ...appClaims, response_types: ['token'] },
        { ...appClaims, scope: 'system/Patient.rs' },
      ],
      invalid_redirect_uri: [
        { ...appClaims, redirect_uris: undefined },
        { ...appClaims, redirect_uris: ['http://app.example/back'] },
        { ...appClaims, redirect_uris: ['javascript:alert(1)'] },
      ],
    };
    for (const [code, all] of Object.entries(cases)) {
      for (const more of all) {
        const statement = await holder.sign(statementClaims(uri, registration, more));
        await refused(statement, code, JSON.stringify(more));
      }
    }
  });

  test('more scopes by registering again', async () => {
    const { uri: own, holder } = await client();
    for (const wider of ['system/Patient.rs system/Condition.rs', 'system/Patient.cruds', 'system/*.rs']) {
      await refused(await holder.sign(statementClaims(own, registration, { scope: wider })), 'invalid_client_metadata');
    }
  });

  test('a registration of one community by a certificate of another', async () => {
    const { id, uri: own, holder } = await client();
    await approve(id);
    const foreign = await other.issue('Foreign', own);
    expect((await asks(foreign, id)).json.error).toBe('invalid_client');
    const theirs = await registered(foreign, own, { scope: 'system/Condition.rs' });
    expect(theirs).not.toBe(id);
    expect((await asks(holder, theirs)).json.error).toBe('invalid_client');
    expect((await asks(holder, id)).status).toBe(200);
  });

  test('assertions by certificates that are not the client’s', async () => {
    const { id, uri: own, holder } = await client();
    await approve(id);
    const cases = {
      'of another client': await root.issue('Another', 'https://another.example'),
      expired: await root.issue('Old', own, { notAfter: inDays(-0.5) }),
      unknown: await (await testRoot('One', 'RS256')).issue('Stranger', own),
    };
    for (const [what, one] of Object.entries(cases)) {
      const answer = await asks(one, id);
      expect([answer.status, answer.json.error], what).toEqual([401, 'invalid_client']);
    }
    const claims = assertionClaims(id, token, b2b(harbor));
    const bare = await holder.sign(claims, { x5c: undefined });
    expect((await systemToken(hub, bare, scope)).json.error).toBe('invalid_client');
    const mixed = await holder.sign(claims, { x5c: cases['of another client'].x5c });
    expect((await systemToken(hub, mixed, scope)).json.error).toBe('invalid_client');
    const ofAnotherKind = await root.issue('Another', own, { alg: 'RS256' });
    const unlike = await holder.sign(claims, { x5c: ofAnotherKind.x5c });
    expect((await systemToken(hub, unlike, scope)).json.error).toBe('invalid_client');
    const now = Math.floor(Date.now() / 1000);
    for (const more of [{ iat: undefined }, { iat: now - 200, exp: now + 200 }, { iat: now + 100, exp: now + 200 }]) {
      const answer = await asks(holder, id, { ...b2b(harbor), ...more });
      expect([answer.status, answer.json.error], JSON.stringify(more)).toEqual([401, 'invalid_client']);
    }
    const twice = await holder.sign(claims);
    const answers = [await systemToken(hub, twice, scope), await systemToken(hub, twice, scope)];
    expect(answers.map(({ status }) => status)).toEqual([200, 401]);
  });

  test('an assertion by a certificate that was revoked since', async () => {
    const { id, holder } = await client();
    await approve(id);
    expect((await asks(holder, id)).status).toBe(200);
    writeFileSync(join(folder, 'one.crl'), await root.revocations([revoked, holder]));
    await authorization.refresh();
    expect((await asks(holder, id)).json.error).toBe('invalid_client');
  });

  test.each([['ocsp'], ['crl']] as Way[][])(
    'certificates that their authority tells by %s to be revoked',
    async (way) => {
      const [uri, otherUri] = [`https://${way}-1.example`, `https://${way}-2.example`];
      const [good, bad] = [await tells.issue('Good', uri, [way!]), await tells.issue('Bad', otherUri, [way!])];
      tells.revoked.add(bad);
      await refused(await bad.sign(statementClaims(otherUri, registration)), 'unapproved_software_statement');
      const id = await registered(good, uri);
      await approve(id);
      expect((await asks(good, id)).status).toBe(200);
      const next = await tells.issue('Next', uri, ['ocsp']);
      tells.state = 'fails';
      expect((await asks(next, id)).json.error).toBe('invalid_client');
      const silent = await tells.issue('Silent', otherUri, ['ocsp']);
      await refused(await silent.sign(statementClaims(otherUri, registration)), 'unapproved_software_statement');
      tells.state = 'answers';
      const last = await tells.issue('Last', uri, way === 'ocsp' ? ['ocsp'] : ['ocsp', 'crl']);
      tells.revoked.add(last);
      expect((await asks(last, id)).json.error).toBe('invalid_client');
      const none = await asking.issue('None', otherUri);
      await refused(await none.sign(statementClaims(otherUri, registration)), 'unapproved_software_statement', 'none');
    },
  );

  test('asking for nobody, or for what no system of an organisation may ask', async () => {
    const { id, holder } = await client();
    await approve(id);
    const cases: { [what: string]: object } = {
      'no extension': {},
      'another version': b2b(harbor, { version: '2' }),
      'no organisation': b2b(harbor, { organization_id: undefined }),
      'no URI': b2b('harbor'),
      'no purpose': b2b(harbor, { purpose_of_use: [] }),
      'an unlisted purpose': b2b(harbor, { purpose_of_use: ['TREAT', 'HMARKT'] }),
      research: b2b(harbor, { purpose_of_use: ['HRESCH'] }),
      'another organisation': b2b('https://other.example'),
      'a consent without policy': b2b(harbor, { consent_reference: ['https://a.example/fhir/Consent/1'] }),
    };
    for (const [what, more] of Object.entries(cases)) {
      const answer = await asks(holder, id, more);
      expect([answer.status, answer.json.error, answer.json.access_token], what).toEqual([
        400,
        'invalid_grant',
        undefined,
      ]);
    }
  });

  test('metadata of a community in an ordinary registration', async () => {
    const answer = await hub.send('POST', '/oauth/register', {
      client_name: 'Pretender',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      scope: 'patient/*.rs',
      udap_community: 'https://one.example',
      udap_uri: 'https://harbor.example',
    });
    expect(answer.status).toBe(201);
    expect(answer.json.udap_uri).toBeUndefined();
    const listed = (await hub.get('/api/clients')).json.clients.find(
      (one: { id: string }) => one.id === answer.json.client_id,
    );
    expect([listed.state, listed.udap]).toEqual(['pending', undefined]);
  });
});
