/** Two hubs over one database, known under one address: what is used once is used once, and what is taken back is gone. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testAudit } from '../audit/testing.ts';
import { startHub } from '../main.ts';
import { startTestHub, type TestHub } from '../testing.ts';
import { AccessLog, SignInSteps } from '../trust/index.ts';
import { Authorization } from './authorization.ts';
import { removeExpired } from './handles.ts';
import { SigningKeys } from './keys.ts';
import { RevocationSources } from './revocation-sources.ts';
import { type AssertionKey, assertion, assertionKey, backendService, form, systemToken, withToken } from './testing.ts';

const publicUrl = 'https://hub.example';
const scope = 'system/Patient.rs';

let first: TestHub;
let second: TestHub;
let stopSecond: () => Promise<void>;
let key: AssertionKey;
let client: string;

beforeAll(async () => {
  first = await startTestHub({ publicUrl });
  const progress = { say: () => {}, count: () => {}, fail: () => {} };
  const other = await startHub(first.config, progress, async () => undefined);
  stopSecond = other.stop;
  second = { ...first, url: other.url, send: (...asked) => sendTo(other.url, ...asked) };
  key = await assertionKey();
  client = (await backendService(first, [key], scope)).id;
});
afterAll(async () => {
  await stopSecond?.();
  await first?.stop();
});

async function sendTo(url: string, ...[method, path, body, options]: Parameters<TestHub['send']>) {
  const answer = await fetch(url + path, { method, headers: options?.headers, body: body as string | undefined });
  const text = await answer.text();
  const json = text.startsWith('{') ? JSON.parse(text) : undefined;
  return { status: answer.status, headers: answer.headers, text, json };
}

const signed = () => assertion(first, client, key, { aud: `${publicUrl}/oauth/token` });

test('one assertion sent to both at one moment gives one token', async () => {
  for (let round = 0; round < 3; round++) {
    const one = await signed();
    const hubs = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? first : second));
    const answers = await Promise.all(hubs.map((hub) => systemToken(hub, one, scope)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(49);
  }
});

test('a token of one is good at the other, until it is revoked at either', async () => {
  const { access_token: token } = (await systemToken(first, await signed(), scope)).json;
  expect((await withToken(second, token, '/fhir/Patient')).status).toBe(200);
  const revoked = await form(first, '/oauth/revoke', {
    token,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signed(),
  });
  expect(revoked.status).toBe(200);
  expect((await withToken(second, token, '/fhir/Patient')).status).toBe(401);
});

test('a client that is shut out at one has nothing left at the other', async () => {
  const { access_token: token } = (await systemToken(second, await signed(), scope)).json;
  expect((await withToken(second, token, '/fhir/Patient')).status).toBe(200);
  await first.send('PUT', `/api/clients/${client}/state`, { state: 'suspended' });
  expect((await withToken(second, token, '/fhir/Patient')).status).toBe(401);
  await first.send('PUT', `/api/clients/${client}/state`, { state: 'active' });
});

test('what has expired is removed, and nothing else', async () => {
  const { database } = first.test;
  const count = async (table: string) => (await database.query(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n;
  const { access_token: token } = (await systemToken(first, await signed(), scope)).json;
  const before = await count('oauth_artifact');
  await removeExpired(database);
  expect(await count('oauth_artifact')).toBe(before);
  expect((await withToken(first, token, '/fhir/Patient')).status).toBe(200);
  await database.query(
    "UPDATE oauth_artifact SET expires = now() - interval '2 minutes' WHERE kind <> 'ReplayDetection'",
  );
  const kept = (await database.query("SELECT count(*) AS n FROM oauth_artifact WHERE kind = 'ReplayDetection'"))
    .rows[0]!.n;
  await removeExpired(database);
  expect(await count('oauth_artifact')).toBe(kept);
  expect(kept).toBeGreaterThan(0);
  const waiting = {
    redirect_uris: ['https://app.example/back'],
    token_endpoint_auth_method: 'none',
    scope: 'patient/*.rs',
  };
  const { client_id: id } = (await first.send('POST', '/oauth/register', waiting, { role: null })).json;
  await removeExpired(database);
  const there = async () => (await database.query('SELECT 1 FROM oauth_client WHERE id = $1', [id])).rows.length;
  expect(await there()).toBe(1);
  await database.query(
    "UPDATE oauth_client SET registered = now() - interval '31 days' WHERE id <> $1 OR state = 'pending'",
    [client],
  );
  await removeExpired(database);
  expect(await there()).toBe(0);
  expect((await systemToken(first, await signed(), scope)).status).toBe(200);
});

test('both publish the same keys, under the address that is told', async () => {
  const [one, other] = await Promise.all(
    [first, second].map((hub) => hub.send('GET', '/oauth/jwks', undefined, { role: null })),
  );
  expect(one!.json).toEqual(other!.json);
  const told = await second.send('GET', '/fhir/.well-known/smart-configuration', undefined, { role: null });
  expect(told.json.issuer).toBe(`${publicUrl}/oauth`);
  expect(told.text).not.toContain('127.0.0.1');
});

test('old keys are replaced without a moment in which a signature cannot be checked', async () => {
  const { database } = first.test;
  const { masterKey } = await import('../secrets/index.ts');
  const keys = new SigningKeys(database, masterKey(first.config.dataDir, true));
  const day = 24 * 3_600_000;
  const at = async (ms: number) => (await keys.load(Date.now() + ms)).map(({ kid, alg }) => `${alg} ${kid}`);
  const before = await at(0);
  expect(before).toHaveLength(2);
  const rotated = await at(91 * day);
  expect(rotated).toHaveLength(4);
  expect([rotated[0], rotated[2]].toSorted()).toEqual(before.toSorted());
  const signing = await at(91 * day + 2 * 3_600_000);
  expect(signing.toSorted()).toEqual(rotated.toSorted());
  expect([signing[0], signing[2]].toSorted()).toEqual([rotated[1], rotated[3]].toSorted());
  expect(await at(94 * day)).toHaveLength(2);
  const { rows } = await database.query('SELECT sealed FROM oauth_key');
  for (const { sealed } of rows) expect(sealed.toString('latin1')).not.toContain('"kty"');
});

test('a hub that runs takes up new keys without a pause', async () => {
  const { database } = first.test;
  await database.query('DELETE FROM oauth_key');
  const { masterKey } = await import('../secrets/index.ts');
  const authorization = new Authorization({
    database,
    master: masterKey(first.config.dataDir, true),
    accessLog: new AccessLog(database, testAudit(database)),
    log: pino({ level: 'silent' }),
    keysFrom: [],
    udapFile: undefined,
    revocationSources: new RevocationSources([], pino({ level: 'silent' })),
    steps: new SignInSteps(database),
    asksCertificates: false,
    certificateSeen: () => {},
    user: async () => undefined,
    fhirUserOf: async () => 'Practitioner/none',
  });
  await authorization.open(publicUrl);
  const server = createServer(async (request, response) => {
    const ready = await authorization.server();
    await ready.answer(request, response, await ready.prepare(request, undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/jwks`;
  const kids = async () =>
    ((await (await fetch(address)).json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  const before = await kids();
  await database.query("UPDATE oauth_key SET created = created - interval '91 days'");
  await authorization.refresh();
  const after = await kids();
  expect(after).toHaveLength(before.length + 2);
  expect(after).toEqual(expect.arrayContaining(before));
  authorization.close();
  server.close();
});
