import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const url = 'urn:test:grade';
const many = 3_000;
const parameter = {
  resourceType: 'SearchParameter',
  id: 'grade',
  url: 'urn:test:SearchParameter:grade',
  name: 'grade',
  status: 'active',
  description: 'The grade of an observation',
  code: 'grade',
  base: ['Observation'],
  type: 'token',
  expression: `Observation.extension('${url}').value.ofType(Coding)`,
};

let hub: TestHub;
let second: { url: string; stop(): Promise<void> };

beforeAll(async () => {
  hub = await startTestHub();
  second = await anotherHub();
  for (let from = 0; from < many; from += 500) {
    const entry = Array.from({ length: 500 }, (_, i) => ({
      resource: observation(from + i),
      request: { method: 'PUT', url: `Observation/o${from + i}` },
    }));
    const answer = await hub.send('POST', '/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
    expect(answer.status).toBe(200);
  }
}, 60_000);
afterAll(async () => {
  await second?.stop();
  await hub?.stop();
});

/** A hub in a process of its own over the same database. */
async function anotherHub() {
  const script = join(import.meta.dirname, '../soak/hub-process.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(hub.config)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url: (JSON.parse(told.toString()) as { url: string }).url, stop };
}

function observation(i: number, code = `g${i % 100}`) {
  return {
    resourceType: 'Observation',
    id: `o${i}`,
    extension: [{ url, valueCoding: { system: 'urn:grades', code } }],
    status: 'final',
    code: { text: 'graded' },
    subject: { reference: `Patient/p${i % 30}` },
  };
}

async function atSecond(path: string, method = 'GET', body?: object): Promise<{ status: number; json: Json }> {
  const headers = {
    authorization: `Bearer ${await hub.token('administrator')}`,
    'content-type': 'application/fhir+json',
  };
  const answer = await fetch(second.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: answer.status, json: await answer.json() };
}

async function statusOf(): Promise<Record<string, unknown>> {
  const { status, json } = await hub.get('/fhir/SearchParameter/grade/$status');
  expect(status).toBe(200);
  return Object.fromEntries(
    json.parameter.map(({ name, valueCode, valueInteger }: Json) => [name, valueCode ?? valueInteger]),
  );
}

async function until(holds: () => Promise<boolean>): Promise<number> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > 15_000) throw new Error('It did not come to hold.');
    await sleep(50);
  }
  return performance.now() - begun;
}

const search = '/fhir/Observation?grade=urn:grades|g7&_summary=count';

it('is refused while resources are indexed, then finds them on every hub, and is unknown once deleted', async () => {
  expect((await hub.get(search)).status).toBe(400);
  // The indexing cannot pass a resource that is locked.
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { rows } = await hub.test.database.query(
    'SELECT home, rkey FROM resource WHERE version = 1 ORDER BY home DESC LIMIT 1',
  );
  let isLocked = () => {};
  const locked = new Promise<void>((resolve) => {
    isLocked = resolve;
  });
  const holding = hub.test.database.transaction(async (transaction) => {
    await transaction.query('SELECT FROM resource WHERE home = $1 FOR UPDATE', [rows[0]!.home]);
    isLocked();
    await released;
  });
  await locked;
  expect((await hub.send('PUT', '/fhir/SearchParameter/grade', parameter)).status).toBe(201);
  const refused = await hub.get(search);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(refused.json.issue[0].diagnostics).toContain('The search parameter grade is not complete yet');
  expect(await statusOf()).toMatchObject({ state: 'indexing' });
  await until(async () => (await atSecond(search)).status === 503);
  const listed = async (get: (path: string) => Promise<{ json: Json }>) => {
    const { json } = await get('/fhir/metadata');
    const type = json.rest[0].resource.find((one: Json) => one.type === 'Observation');
    return type.searchParam.some(({ name }: Json) => name === 'grade');
  };
  expect(await listed(hub.get)).toBe(false);
  expect((await atSecond('/fhir/Observation/written', 'PUT', { ...observation(7), id: 'written' })).status).toBe(201);
  release();
  await holding;

  await until(async () => (await statusOf()).state === 'active');
  expect((await statusOf()).done).toBeGreaterThanOrEqual(many);
  expect((await hub.get(search)).json.total).toBe(31);
  await until(async () => (await atSecond(search)).status === 200);
  expect((await atSecond(search)).json.total).toBe(31);
  expect(await listed(hub.get)).toBe(true);

  expect((await hub.send('PUT', '/fhir/Observation/o7', observation(7, 'other'))).status).toBe(200);
  expect((await atSecond(search)).json.total).toBe(30);

  expect((await hub.send('DELETE', '/fhir/SearchParameter/grade')).status).toBe(204);
  expect((await hub.get(search)).status).toBe(400);
  expect(await until(async () => (await atSecond(search)).status === 400)).toBeLessThan(5_000);
  await until(async () => {
    const left = await hub.test.database.query(`SELECT FROM search_parameter WHERE definition->>'code' = 'grade'`);
    return left.rows.length === 0;
  });
}, 60_000);

it('says what is wrong with a SearchParameter that it cannot use', async () => {
  const { status, json } = await hub.send('PUT', '/fhir/SearchParameter/bad', {
    ...parameter,
    id: 'bad',
    expression: 'Observation.code.memberOf(1)',
  });
  expect(status).toBe(422);
  expect(json.issue[0]).toMatchObject({ expression: ['SearchParameter.expression'] });
  expect(json.issue[0].diagnostics).toContain('outside of the subset');
});
