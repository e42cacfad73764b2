/** A change of who may see what, and its line in the record of accesses, are made together or not at all. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, startTestHub, type TestHub } from '../testing.ts';
import { Accounts } from '../trust/index.ts';

let hub: TestHub;
const password = 'a-password-of-theirs';
const cookies = new Map<string, string>();

beforeAll(async () => {
  hub = await startTestHub();
  const accounts = new Accounts(hub.test.database);
  for (const [username, role] of [
    ['sue', 'steward'],
    ['pia', 'privacy-officer'],
    ['ann', 'clinician'],
    ['pat', 'patient'],
  ] as const) {
    await accounts.make({ username, name: username, role, organization: 'Clinic' }, password);
    const { headers } = await hub.send('POST', '/auth/login', { username, password }, { role: null });
    cookies.set(username, headers.get('set-cookie')!.split(';')[0]!);
  }
  const identifier = [{ system: 'urn:n', value: 'N-12345678' }];
  await hub.send('PUT', '/fhir/Patient/one', {
    resourceType: 'Patient',
    id: 'one',
    birthDate: '1980-02-03',
    identifier,
  });
});
afterAll(() => hub.stop());

function as(who: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { cookie: cookies.get(who)!, 'sec-fetch-site': 'same-origin' };
  return hub.send(method, path, body, { role: null, headers });
}

/** All that the tables of decisions hold. */
async function decided(): Promise<unknown> {
  const tables = ['account', 'account_person', 'invitation', 'network_policy', 'emergency_access', 'notice'];
  const found = await Promise.all(
    tables.map((table) => hub.test.database.query(`SELECT to_jsonb(t) - 'tries' AS row FROM ${table} t ORDER BY 1`)),
  );
  const consents = await hub.test.database.query('SELECT count(*) AS count, sum(version) AS versions FROM resource');
  return [...found.map(({ rows }) => rows), consents.rows];
}

async function whileUnrecorded<T>(run: () => Promise<T>): Promise<T> {
  await hub.test.database.query('ALTER TABLE access_log RENAME TO access_log_away');
  try {
    return await run();
  } finally {
    await hub.test.database.query('ALTER TABLE access_log_away RENAME TO access_log');
  }
}

it('changes nothing where the change cannot be recorded, and makes it once it can', async () => {
  const evidence = 'Saw the passport.';
  const choice = { effect: 'deny', purposes: ['HRESCH'] };
  const binding = { username: 'pat', relation: 'self', evidence };
  const emergency = { patient: 'one', reasonCode: 'unconscious', reason: 'Found in the street.', password };
  const begun = (await as('ann', 'POST', '/api/emergency', emergency)).json.id as string;
  const reviewable = (await as('ann', 'POST', '/api/emergency', emergency)).json.id as string;
  const bound = (await as('sue', 'POST', '/api/patients/one/bindings', binding)).json.id as string;
  const { code } = (await as('sue', 'POST', '/api/patients/one/invitations', { relation: 'self' })).json;
  const filed = (await as('pat', 'POST', '/api/patients/one/consents', { choice })).json.id;
  expect([begun, bound, code, filed].every((one) => typeof one === 'string')).toBe(true);
  const registration = { code, username: 'pet', name: 'Pet', password, birthDate: '1980-02-03', number: '5678' };
  const policy = { version: 0, reason: 'New law.', policy: { model: 'opt-in', zone: 'UTC', rules: [] } };
  const changes: [string, string, string, object | undefined][] = [
    ['sue', 'POST', '/api/patients/one/bindings', binding],
    ['sue', 'POST', '/api/patients/one/invitations', { relation: 'self' }],
    ['pat', 'POST', '/auth/register', registration],
    ['pat', 'POST', '/api/patients/one/consents', { choice }],
    ['pat', 'DELETE', `/api/patients/one/consents/${filed}`, undefined],
    ['ann', 'DELETE', `/api/emergency/${reviewable}`, undefined],
    ['pia', 'POST', `/api/emergencies/${reviewable}/review`, { verdict: 'appropriate', comment: 'As it had to be.' }],
    ['pia', 'PUT', '/api/network-policy', policy],
    ['pat', 'DELETE', `/api/bindings/${bound}`, undefined],
  ];
  for (const [who, method, path, body] of changes) {
    const before = await decided();
    const refused = await whileUnrecorded(() => as(who, method, path, body));
    expect(refused.status, path).toBeGreaterThanOrEqual(500);
    expect(await decided(), path).toEqual(before);
    const made = await as(who, method, path, body);
    expect(made.status, `${path}: ${made.text}`).toBeLessThan(300);
    expect(await decided(), path).not.toEqual(before);
  }
}, 60_000);
