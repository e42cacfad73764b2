/** SMART Backend Services: clients without users, by private_key_jwt. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type AttackedHub, startAttackedHub } from '../testing-attacks.ts';
import {
  type AssertionKey,
  assertion,
  assertionKey,
  backendService,
  form,
  register,
  systemToken,
  withToken,
} from './testing.ts';

let hub: AttackedHub;
let key: AssertionKey;
let client: string;
let keySets: Server;
let keySetUrl: string;
let keySet: object = { keys: [] };
let redirectTo: string | undefined;
let cacheControl: string | undefined;

beforeAll(async () => {
  keySets = createServer((_request, response) => {
    if (redirectTo) response.writeHead(302, { location: redirectTo }).end();
    else {
      const cache = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
      response.writeHead(200, { 'content-type': 'application/json', ...cache }).end(JSON.stringify(keySet));
    }
  });
  await new Promise<void>((resolve) => keySets.listen(0, '127.0.0.1', resolve));
  keySetUrl = `http://127.0.0.1:${(keySets.address() as AddressInfo).port}`;
  hub = await startAttackedHub({ keysFrom: [`${keySetUrl}/allowed`] });
  key = await assertionKey();
  client = (await backendService(hub, [key], 'system/Patient.rs system/Observation.cruds')).id;
});
afterAll(async () => {
  await hub.stop();
  keySets.close();
});

const tokenFor = async (scope = 'system/Patient.rs') =>
  (await systemToken(hub, await assertion(hub, client, key), scope)).json.access_token as string;

describe('a token', () => {
  test('is given for five minutes, for the scopes that the client may have', async () => {
    const answer = await systemToken(
      hub,
      await assertion(hub, client, key),
      'system/Patient.rs system/Condition.rs system/Observation.r',
    );
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({ token_type: 'Bearer', scope: 'system/Patient.rs system/Observation.r' });
    expect(answer.json.expires_in).toBeLessThanOrEqual(300);
    expect(answer.json.refresh_token).toBeUndefined();
    expect(answer.headers.get('cache-control')).toContain('no-store');
  });

  test('opens what its scopes cover, and nothing else', async () => {
    const token = await tokenFor('system/Patient.rs system/Observation.cruds');
    const observation = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };
    expect((await withToken(hub, token, '/fhir/Patient')).status).toBe(200);
    expect((await withToken(hub, token, '/fhir/Observation', 'POST', observation)).status).toBe(201);
    const refused: [string, string, object?][] = [
      ['GET', '/fhir/Condition'],
      ['GET', '/fhir/Condition/a'],
      ['POST', '/fhir/Patient', { resourceType: 'Patient' }],
      ['PUT', '/fhir/Patient/a', { resourceType: 'Patient', id: 'a' }],
      ['DELETE', '/fhir/Patient/a'],
      ['GET', '/fhir'],
      ['GET', '/fhir?_type=Patient,Condition'],
      ['GET', '/fhir/_history'],
      ['GET', '/fhir/Patient/a/$everything'],
      ['GET', '/fhir/Patient/a/Condition'],
      ['GET', '/fhir/Patient/a/*'],
      ['GET', '/fhir/Patient/$explain?name=a'],
      ['POST', '/fhir/$graphql', {}],
      ['POST', '/fhir/Patient/$validate', { resourceType: 'Patient' }],
      ['GET', '/api/messages'],
      ['GET', '/api/apps'],
      ['GET', '/api/clients'],
      ['GET', '/api/persons/a'],
      ['POST', '/inbox', {}],
      ['POST', '/hl7', {}],
    ];
    for (const [method, path, body] of refused) {
      expect((await withToken(hub, token, path, method, body)).status, `${method} ${path}`).toBe(403);
    }
    const denied = await withToken(hub, token, '/fhir/Condition');
    expect(denied.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'forbidden' }] });
    expect(denied.headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  test('finds nothing by what its scopes do not name, and includes nothing of it', async () => {
    const stored = async (type: string, resource: object) => {
      const headers = { 'content-type': 'application/fhir+json' };
      return (await hub.send('POST', `/fhir/${type}`, { resourceType: type, ...resource }, { headers })).json;
    };
    const doctor = await stored('Practitioner', { name: [{ family: 'Doctor' }] });
    const generalPractitioner = [{ reference: `Practitioner/${doctor.id}` }];
    const patient = await stored('Patient', { name: [{ family: 'Seen' }], generalPractitioner });
    const subject = { reference: `Patient/${patient.id}` };
    await stored('Condition', { subject, code: { coding: [{ code: 'secret' }] } });
    await stored('Observation', { status: 'final', subject, code: { coding: [{ code: 'open' }] } });
    const token = await tokenFor('system/Patient.rs system/Observation.cruds');
    const found = async (path: string) => {
      const { json } = await withToken(hub, token, `/fhir/${path}`);
      return (json.entry ?? []).map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType);
    };
    const one = `_id=${patient.id}`;
    expect(await found(`Patient?${one}&_include=Patient:general-practitioner`)).toEqual(['Patient']);
    expect(await found(`Patient?${one}&_revinclude=*:*`)).toEqual(['Patient', 'Observation']);
    expect(await found('Patient?_has:Condition:patient:code=secret')).toEqual([]);
    expect(await found('Patient?_has:Observation:patient:code=open')).toEqual(['Patient']);
    expect(await found('Patient?general-practitioner.name=doctor')).toEqual([]);
    expect(await found('Observation?subject:Patient.family=seen')).toEqual(['Observation']);
  });

  test('with parameters in its scopes opens what they find, by id and by any search, now and not of the past', async () => {
    const headers = { 'content-type': 'application/fhir+json' };
    const stored = async (category: string, system?: string) => {
      const coding = [{ ...(system ? { system } : {}), code: category }];
      const observation = { resourceType: 'Observation', status: 'final', category: [{ coding }], code: { text: 'x' } };
      return (await hub.send('POST', '/fhir/Observation', observation, { headers })).json.id as string;
    };
    const [lab, vital, other] = [
      await stored('lab', 'urn:a'),
      await stored('vital', 'urn:a'),
      await stored('lab', 'urn:b'),
    ];
    const scope = 'system/Observation.rs?category=urn:a|lab';
    const token = await tokenFor(scope);
    const { json } = await withToken(hub, token, '/fhir/Observation?_total=accurate&category=lab,vital');
    expect([json.total, json.entry.map(({ resource }: { resource: { id: string } }) => resource.id)]).toEqual([
      1,
      [lab],
    ]);
    const status = async (path: string, method = 'GET', body?: object) =>
      (await withToken(hub, token, path, method, body)).status;
    expect(await Promise.all([lab, vital, other].map((id) => status(`/fhir/Observation/${id}`)))).toEqual([
      200, 404, 404,
    ]);
    expect(await status(`/fhir/Observation/${vital}/_history`)).toBe(404);
    expect(
      await status('/fhir/Observation', 'POST', { resourceType: 'Observation', status: 'final', code: { text: 'x' } }),
    ).toBe(403);
    expect(await status('/fhir/Patient')).toBe(403);
    const byDate = await tokenFor('system/Observation.rs?date=2024');
    expect((await withToken(hub, byDate, '/fhir/Observation')).status).toBe(403);
  });

  test('is good for nothing once it is revoked, or its client is shut out', async () => {
    const token = await tokenFor();
    const revoked = await form(hub, '/oauth/revoke', {
      token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion(hub, client, key),
    });
    expect(revoked.status).toBe(200);
    expect((await withToken(hub, token, '/fhir/Patient')).status).toBe(401);

    const other = await backendService(hub, [key], 'system/Patient.rs');
    const held = (await systemToken(hub, await assertion(hub, other.id, key), 'system/Patient.rs')).json.access_token;
    expect((await withToken(hub, held, '/fhir/Patient')).status).toBe(200);
    expect((await hub.send('PUT', `/api/clients/${other.id}/state`, { state: 'suspended' })).status).toBe(200);
    expect((await withToken(hub, held, '/fhir/Patient')).status).toBe(401);
    expect((await systemToken(hub, await assertion(hub, other.id, key), 'system/Patient.rs')).status).toBe(401);
  });

  test('is not stored as it is, and its use is recorded under the client', async () => {
    const token = await tokenFor();
    await withToken(hub, token, '/fhir/Patient?name=recorded');
    const { rows } = await hub.test.database.query('SELECT * FROM oauth_artifact');
    expect(JSON.stringify(rows)).not.toContain(token);
    expect((await accessesOf(hub)).filter(({ what }) => what.includes('name=recorded'))).toEqual([
      expect.objectContaining({ client, who: `client:${client}`, role: 'system', action: 'search' }),
    ]);
  });
});

describe('refused, with nothing given', () => {
  test.each<[string, { [name: string]: unknown }, { [name: string]: unknown }]>([
    ['an assertion that is good for more than five minutes', { exp: Math.floor(Date.now() / 1000) + 3600 }, {}],
    ['an expired one', { exp: Math.floor(Date.now() / 1000) - 60 }, {}],
    ['one that never expires', { exp: undefined }, {}],
    ['one for another server', { aud: 'https://evil.example/token' }, {}],
    ['one for several servers', { aud: ['https://evil.example/token', 'OWN'] }, {}],
    ['one for none', { aud: undefined }, {}],
    ['one without jti', { jti: undefined }, {}],
    ['one whose issuer is another', { iss: 'another' }, {}],
    ['one with a key set that is not registered', {}, { jku: 'https://evil.example/jwks' }],
    ['one without kid', {}, { kid: undefined }],
    ['one of another type', {}, { typ: 'at+jwt' }],
    ['one with what must be understood', {}, { crit: ['own'], own: 1 }],
  ])('%s', async (_name, claims, header) => {
    const aud = Array.isArray(claims.aud)
      ? claims.aud.map((one) => (one === 'OWN' ? `${hub.url}/oauth/token` : one))
      : claims.aud;
    const changed = 'aud' in claims ? { ...claims, aud } : claims;
    let signed: string;
    try {
      signed = await assertion(hub, client, key, changed, header);
    } catch {
      // The library that signs refuses to: what it would give is made by hand.
      const [head, ...rest] = (await assertion(hub, client, key)).split('.') as [string, ...string[]];
      const made = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), ...header };
      signed = [Buffer.from(JSON.stringify(made)).toString('base64url'), ...rest].join('.');
    }
    const answer = await systemToken(hub, signed, 'system/Patient.rs');
    expect([400, 401]).toContain(answer.status);
    expect(answer.json.access_token).toBeUndefined();
  });

  test('an assertion without signature, by a secret, by another key', async () => {
    const claims = {
      iss: client,
      sub: client,
      aud: `${hub.url}/oauth/token`,
      jti: 'x',
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const none = `${encode({ alg: 'none', kid: key.kid })}.${encode(claims)}.`;
    const secret = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS384', kid: key.kid })
      .sign(Buffer.from(JSON.stringify(key.jwk)));
    const foreign = await assertion(hub, client, { ...(await assertionKey()), kid: key.kid });
    for (const signed of [none, secret, foreign, 'nonsense', 'a.b.c']) {
      const answer = await systemToken(hub, signed, 'system/Patient.rs');
      expect([400, 401], answer.text).toContain(answer.status);
      expect(answer.json.access_token).toBeUndefined();
    }
  });

  test('one assertion used many times at the same moment gives one token', async () => {
    const signed = await assertion(hub, client, key);
    const answers = await Promise.all(Array.from({ length: 20 }, () => systemToken(hub, signed, 'system/Patient.rs')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  test('no scope, and none that the client may have', async () => {
    for (const scope of [
      '',
      'system/Condition.rs',
      'system/*.rs',
      'patient/Patient.rs',
      'nonsense',
      'system/Patient.sr',
    ]) {
      const answer = await systemToken(hub, await assertion(hub, client, key), scope);
      expect(answer.status, scope).toBe(400);
      expect(answer.json.access_token).toBeUndefined();
    }
  });

  test('other grants', async () => {
    for (const grant of ['password', 'implicit', 'authorization_code', 'refresh_token']) {
      const answer = await form(hub, '/oauth/token', {
        grant_type: grant,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(hub, client, key),
      });
      expect(answer.status, grant).toBe(400);
    }
  });
});

describe('key sets by address', () => {
  test('RS384 and a key set that is fetched; a new key is taken up', async () => {
    const first = await assertionKey('RS384');
    keySet = { keys: [first.jwk] };
    const made = await backendService(hub, [], 'system/Patient.rs', {
      jwks: undefined,
      jwks_uri: `${keySetUrl}/allowed/jwks`,
    });
    const ask = async (by: AssertionKey, header = {}) =>
      (await systemToken(hub, await assertion(hub, made.id, by, {}, header), 'system/Patient.rs')).status;
    expect(await ask(first)).toBe(200);
    expect(await ask(first, { jku: `${keySetUrl}/allowed/jwks` })).toBe(200);
    expect(await ask(first, { jku: `${keySetUrl}/allowed/other` })).toBe(401);
  });

  test('are kept no longer than their Cache-Control says', async () => {
    const [first, second] = [await assertionKey(), await assertionKey()];
    const uri = { jwks: undefined, jwks_uri: `${keySetUrl}/allowed/rotating` };
    const made = await backendService(hub, [], 'system/Patient.rs', uri);
    const ask = async (by: AssertionKey) =>
      (await systemToken(hub, await assertion(hub, made.id, by), 'system/Patient.rs')).status;
    cacheControl = 'max-age=0';
    keySet = { keys: [first.jwk] };
    expect(await ask(first)).toBe(200);
    keySet = { keys: [second.jwk] };
    expect(await ask(first)).toBe(401);
    expect(await ask(second)).toBe(200);
    cacheControl = 'max-age=3600';
    expect(await ask(second)).toBe(200);
    keySet = { keys: [] };
    expect(await ask(second)).toBe(200);
    cacheControl = undefined;
  });

  test('that lead into the hub’s own network are not fetched', async () => {
    const own = await assertionKey();
    keySet = { keys: [own.jwk] };
    let fetched = 0;
    const count = () => fetched++;
    keySets.on('request', count);
    for (const address of [`${keySetUrl}/elsewhere`, `${keySetUrl}/allowedx`, `${keySetUrl}/allowed/../x`]) {
      const made = await backendService(hub, [], 'system/Patient.rs', { jwks: undefined, jwks_uri: address });
      const answer = await systemToken(hub, await assertion(hub, made.id, own), 'system/Patient.rs');
      expect(answer.status, address).toBeGreaterThanOrEqual(400);
    }
    expect(fetched).toBe(0);
    redirectTo = `${keySetUrl}/elsewhere`;
    const made = await backendService(hub, [], 'system/Patient.rs', {
      jwks: undefined,
      jwks_uri: `${keySetUrl}/allowed/b`,
    });
    const answer = await systemToken(hub, await assertion(hub, made.id, own), 'system/Patient.rs');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(fetched).toBe(1);
    redirectTo = undefined;
    keySets.off('request', count);
  });
});

test('what is registered is held to the rules', async () => {
  const wrong: object[] = [
    { token_endpoint_auth_method: 'none' },
    { token_endpoint_auth_method: 'client_secret_basic' },
    { jwks: undefined },
    { jwks: undefined, jwks_uri: 'http://keys.example/jwks' },
    { jwks: undefined, jwks_uri: 'https://user:password@keys.example/jwks' },
    { scope: 'patient/*.rs' },
    { scope: 'system/*.rs offline_access' },
    { scope: 'system/Nothing.rs' },
    { scope: '' },
    { jwks: { keys: [{ ...(await exportJWK(key.privateKey)), kid: key.kid }] } },
    { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'a' }] } },
  ];
  for (const change of wrong) {
    await expect(backendService(hub, [key], 'system/Patient.rs', change), JSON.stringify(change)).rejects.toThrow();
  }
  await expect(register(hub, { redirect_uris: ['https://app.example/back'], scope: 'system/*.rs' })).rejects.toThrow();
  for (const role of ['clinician', 'steward', 'integration-engineer', 'system']) {
    expect((await hub.send('POST', '/api/clients', {}, { role })).status).toBe(403);
  }
});
