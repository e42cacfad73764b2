/** SMART Health Links: made by the person, opened by whoever has the link, and what the hub knows of them: no key. */
import { CompactEncrypt, compactDecrypt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { newId } from '../record/index.ts';
import { type Answer, type Json, startTestHub, type TestHub } from '../testing.ts';
import { Accounts, Bindings } from '../trust/index.ts';

const password = 'a-password-of-theirs';
const key = Buffer.alloc(32, 0xab);
const contentType = 'application/fhir+json';
const links = '/api/patients/p/health-links';
const content = JSON.stringify({ resourceType: 'Bundle', type: 'document', note: 'Wqxcanary '.repeat(50) });

let hub: TestHub;
let pat: string;

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  const bindings = new Bindings(hub.test.database);
  for (const [username, role] of [
    ['pat', 'patient'],
    ['cara', 'proxy'],
    ['ann', 'clinician'],
  ] as const)
    await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
  for (const id of ['p', 'q'])
    await hub.send('PUT', `/fhir/Patient/${id}`, { resourceType: 'Patient', id, name: [{ family: id }] });
  const bound = { proofing: 'in-person', evidence: 'x', by: 'x', until: undefined } as const;
  await bindings.bind({ ...bound, id: newId(), username: 'pat', patient: 'p', relation: 'self' });
  await bindings.bind({ ...bound, id: newId(), username: 'cara', patient: 'p', relation: 'carer' });
  pat = await signIn('pat');
});
afterAll(() => hub.stop());

async function signIn(username: string): Promise<string> {
  const answer = await hub.send('POST', '/auth/login', { username, password }, { role: null });
  return answer.headers.get('set-cookie')!.split(';')[0]!;
}

function as(cookie: string, method: string, path: string, body?: object): Promise<Answer> {
  return hub.send(method, path, body, { role: null, headers: { cookie, 'sec-fetch-site': 'same-origin' } });
}

const encrypted = (text: string): Promise<string> =>
  new CompactEncrypt(Buffer.from(text))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: contentType, zip: 'DEF' })
    .encrypt(key);

/** Makes a link with one file; its address without the hub's own. */
async function linked(more: object = {}, text = content): Promise<{ id: string; path: string }> {
  const made = await as(pat, 'POST', links, { label: 'For the trip', ...more });
  expect(made.status, made.text).toBe(201);
  const filled = await as(pat, 'PUT', `${links}/${made.json.id}/files`, {
    files: [{ contentType, jwe: await encrypted(text) }],
  });
  expect(filled.status, filled.text).toBe(204);
  return { id: made.json.id, path: made.json.url.slice(hub.url.length) };
}

const nobody = { role: null };
const opened = (path: string, body: object = {}) => hub.send('POST', path, { recipient: 'Dr. Far', ...body }, nobody);
const listed = async (id: string): Promise<Json> =>
  (await as(pat, 'GET', links)).json.links.find((one: Json) => one.id === id);

it('has an address of 256 bits in 128 characters at most, which the hub does not keep', async () => {
  const { json } = await as(pat, 'POST', links, {});
  expect(json.url).toMatch(/\/shl\/[\w-]{43}$/);
  expect(json.url.length).toBeLessThanOrEqual(128);
  const { rows } = await hub.test.database.query('SELECT row_to_json(l)::text AS text FROM health_link l');
  expect(rows.map(({ text }) => text).join()).not.toContain(json.url.slice(-43));
});

it('gives its manifest to who says who it is, embeds up to a length, and is read by the key alone', async () => {
  const { path } = await linked();
  expect((await hub.send('POST', path, {}, nobody)).status).toBe(400);
  const { status, json, headers } = await opened(path);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  const [file] = json.files;
  expect(file).toMatchObject({ contentType, status: 'finalized', fhirVersion: '4.0.1' });
  const read = await compactDecrypt(file.embedded, key, { maxDecompressedLength: 1e6 });
  expect(Buffer.from(read.plaintext).toString()).toBe(content);
  await expect(compactDecrypt(file.embedded, Buffer.alloc(32, 1))).rejects.toThrow();
  const [short] = (await opened(path, { embeddedLengthMax: 10 })).json.files;
  expect(short.embedded).toBeUndefined();
  const location = short.location.slice(hub.url.length);
  const first = await hub.get(location, nobody);
  expect([first.status, first.headers.get('content-type')]).toEqual([200, 'application/jose']);
  expect(first.text).toBe(file.embedded);
  expect((await hub.get(location, nobody)).status, 'used up').toBe(404);
});

it('ends locations within the hour, and with their link', async () => {
  const { id, path } = await linked();
  const locations = async () =>
    (await opened(path, { embeddedLengthMax: 0 })).json.files[0].location.slice(hub.url.length);
  const [late, revoked] = [await locations(), await locations()];
  const { rows } = await hub.test.database.query(
    "SELECT max(expires) - now() AS left, max(expires) < now() + interval '1 hour' AS short FROM health_link_location",
  );
  expect(rows[0]!.short).toBe(true);
  await hub.test.database.query(
    `UPDATE health_link_location SET expires = now() - interval '1 second'
    WHERE token = (SELECT token FROM health_link_location WHERE link = $1 LIMIT 1)`,
    [id],
  );
  const statuses = await Promise.all([late, revoked].map(async (one) => (await hub.get(one, nobody)).status));
  expect(statuses.sort()).toEqual([200, 404]);
  const again = await locations();
  expect((await as(pat, 'DELETE', `${links}/${id}`)).status).toBe(204);
  expect((await hub.get(again, nobody)).status).toBe(404);
});

it('asks for a passcode, counts wrong ones over its life, however many at once, and is over after them', async () => {
  const { id, path } = await linked({ flag: 'P', passcode: 'right horse' });
  const asked = await opened(path);
  expect([asked.status, asked.json]).toEqual([401, { remainingAttempts: 10 }]);
  const wrong = await opened(path, { passcode: 'wrong' });
  expect([wrong.status, wrong.json]).toEqual([401, { remainingAttempts: 9 }]);
  expect((await opened(path, { passcode: 'right horse' })).status).toBe(200);
  expect((await listed(id)).attemptsLeft, 'a right one is not counted, and gives none back').toBe(9);
  const guesses = await Promise.all(Array.from({ length: 20 }, (_, i) => opened(path, { passcode: `guess ${i}` })));
  const left = guesses.flatMap(({ status, json }) => (status === 401 ? [json.remainingAttempts] : []));
  expect(left.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(guesses.filter(({ status }) => status === 404)).toHaveLength(11);
  expect((await opened(path, { passcode: 'right horse' })).status, 'disabled').toBe(404);
  const { rows } = await hub.test.database.query('SELECT passcode FROM health_link WHERE id = $1', [id]);
  expect(rows[0]!.passcode).toMatch(/^\$argon2id\$/);
});

it('is over when it expires or is revoked, and takes no files any more', async () => {
  const { id, path } = await linked({ expires: new Date(Date.now() + 60_000).toISOString() });
  expect((await opened(path)).status).toBe(200);
  await hub.test.database.query(`UPDATE health_link SET expires = now() - interval '1 second' WHERE id = $1`, [id]);
  expect((await opened(path)).status).toBe(404);
  const files = [{ contentType, jwe: await encrypted('x') }];
  expect((await as(pat, 'PUT', `${links}/${id}/files`, { files })).status).toBe(404);
  const other = await linked();
  expect((await as(pat, 'DELETE', `${links}/${other.id}`)).status).toBe(204);
  expect((await opened(other.path)).status).toBe(404);
  const { rows } = await hub.test.database.query('SELECT 1 FROM health_link_file WHERE link = $1', [other.id]);
  expect(rows).toEqual([]);
  expect((await opened('/shl/never-there')).status).toBe(404);
});

it('of one file is got directly, and only so', async () => {
  const { path } = await linked({ flag: 'U' });
  expect((await opened(path)).status).toBe(404);
  expect((await hub.get(path, nobody)).status).toBe(400);
  const { status, headers, text } = await hub.get(`${path}?recipient=Dr.%20Far`, nobody);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/jose']);
  expect(Buffer.from((await compactDecrypt(text, key)).plaintext).toString()).toBe(content);
  expect((await as(pat, 'POST', links, { flag: 'PU', passcode: 'abcd' })).status).toBe(400);
});

it('of long term is given other files by the person, and says when to ask again', async () => {
  const { id, path } = await linked({ flag: 'L' });
  const first = await opened(path);
  expect([first.headers.get('retry-after'), first.json.files[0].status]).toEqual(['60', 'can-change']);
  const files = [{ contentType, jwe: await encrypted('{"resourceType":"Basic"}') }];
  expect((await as(pat, 'PUT', `${links}/${id}/files`, { files })).status).toBe(204);
  const [file] = (await opened(path)).json.files;
  expect(Buffer.from((await compactDecrypt(file.embedded, key)).plaintext).toString()).toContain('Basic');
});

it('that is asked too often says when to come back', async () => {
  const { path } = await linked();
  const answers = await Promise.all(Array.from({ length: 65 }, () => opened(path)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(5);
  expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
});

it('tells the person who opened it, and the record of accesses', async () => {
  const { id, path } = await linked({ flag: 'P', passcode: 'abcd' });
  await opened(path, { recipient: 'Hospital Abroad', passcode: 'no' });
  await opened(path, { recipient: 'Hospital Abroad', passcode: 'abcd' });
  const told = await listed(id);
  expect(told).toMatchObject({ label: 'For the trip', flag: 'P', by: 'pat', files: [{ contentType }] });
  expect(told.uses.map(({ outcome, recipient }: Json) => [outcome, recipient])).toEqual([
    ['opened', 'Hospital Abroad'],
    ['wrong passcode', 'Hospital Abroad'],
  ]);
  const recorded = (await accessesOf(hub)).filter(({ what }) => what === `health-link/${id}`);
  const opening = recorded.filter(({ action }) => action === 'open-health-link');
  expect(opening.map(({ status, reason, patients }) => [status, reason, patients])).toEqual([
    [401, 'Hospital Abroad', ['p']],
    [200, 'Hospital Abroad', ['p']],
  ]);
});

it('is made by the person or a guardian alone, and holds nothing that is not encrypted', async () => {
  const [ann, cara] = [await signIn('ann'), await signIn('cara')];
  expect((await as(ann, 'POST', links, {})).status).toBe(403);
  expect((await as(cara, 'POST', links, {})).status, 'a carer').toBe(403);
  expect((await as(pat, 'POST', '/api/patients/q/health-links', {})).status).toBe(404);
  const { id } = await linked();
  const put = async (jwe: string) =>
    (await as(pat, 'PUT', `${links}/${id}/files`, { files: [{ contentType, jwe }] })).status;
  expect(await put(content)).toBe(400);
  const [head, ...rest] = (await encrypted('x')).split('.');
  const leaky = { ...JSON.parse(Buffer.from(head!, 'base64url').toString()), k: key.toString('base64url') };
  expect(await put([Buffer.from(JSON.stringify(leaky)).toString('base64url'), ...rest].join('.'))).toBe(400);
  expect((await as(pat, 'POST', links, { flag: 'P' })).status).toBe(400);
  expect((await as(pat, 'POST', links, { label: 'x'.repeat(81) })).status).toBe(400);
});

it('is opened from pages of any origin; other servers are asked for signed-in people, but not the hub’s own network', async () => {
  const { path } = await linked();
  const headers = { origin: 'https://viewer.example', 'content-type': 'application/json' };
  const seen = await hub.send('POST', path, '{"recipient":"x"}', { role: null, headers });
  expect(seen.headers.get('access-control-allow-origin')).toBe('*');
  const relay = (url: string) => as(pat, 'POST', '/api/health-link-relay', { url, body: { recipient: 'x' } });
  expect((await relay(`${hub.url}${path}`)).status).toBe(502);
  expect((await relay('https://127.0.0.1/shl/x')).status).toBe(502);
  expect((await hub.send('POST', '/api/health-link-relay', { url: 'https://x.example' }, nobody)).status).toBe(401);
});
