import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningHub } from '../lifecycle.ts';
import { startHub } from '../main.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

/** Two hubs over one database: what holds between clients has to hold between hubs as well. */
describe('clients at once, over two hubs', () => {
  let hub: TestHub;
  let second: RunningHub;
  let token: string;
  beforeAll(async () => {
    hub = await startTestHub();
    const progress = { say: () => {}, count: () => {}, fail: () => {} };
    second = await startHub(hub.config, progress, async () => undefined);
    token = await hub.token('administrator');
  });
  afterAll(async () => {
    await second.stop();
    await hub.stop();
  });

  let turn = 0;
  /** Sends to one hub and the other in turns. */
  const send = async (method: string, path: string, body: Json, headers: Record<string, string> = {}) => {
    const base = turn++ % 2 === 0 ? hub.url : second.url;
    const answer = await fetch(`${base}/fhir${path}`, {
      method,
      headers: { ...json, authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? undefined : JSON.parse(text), headers: answer.headers };
  };
  const patient = (value: string, more: object = {}) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:race', value }],
    ...more,
  });
  const count = async (value: string) =>
    (await hub.get(`/fhir/Patient?identifier=urn:race|${value}&_summary=count`)).json.total;
  const times = <T>(n: number, run: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: n }, (_, i) => run(i)));

  it('http §3.1.0.8.1: many that race a conditional create make one resource, in every round', async () => {
    for (let round = 0; round < 25; round++) {
      const value = `create-${round}`;
      const spelled = [`identifier=urn:race|${value}`, `identifier=urn%3Arace%7C${value}`];
      const answers = await times(6, (i) =>
        i < 4
          ? send('POST', '/Patient', patient(value), { 'if-none-exist': spelled[i % 2]! })
          : send('POST', '', {
              resourceType: 'Bundle',
              type: i === 4 ? 'transaction' : 'batch',
              entry: [
                { resource: patient(value), request: { method: 'POST', url: 'Patient', ifNoneExist: spelled[0] } },
              ],
            }),
      );
      const made = answers.filter((answer, i) =>
        i < 4 ? answer.status === 201 : answer.json.entry[0].response.status === '201',
      );
      expect([round, made.length, await count(value)]).toEqual([round, 1, 1]);
    }
  }, 60_000);

  it('http §3.1.0.4.3: many that race a conditional update make one resource', async () => {
    for (let round = 0; round < 15; round++) {
      const value = `update-${round}`;
      const answers = await times(4, (i) =>
        send('PUT', `/Patient?identifier=urn:race|${value}`, patient(value, { active: i % 2 === 0 })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
      expect(await count(value)).toBe(1);
    }
  }, 60_000);

  it('http §3.1.0.5: no update is lost where clients name the version they changed', async () => {
    const { json: made } = await send('POST', '/Patient', patient('counter'));
    const add = async (family: string) => {
      for (let attempt = 0; attempt < 200; attempt++) {
        const { json: current, headers } = await hub.get(`/fhir/Patient/${made.id}`);
        const name = [...(current.name ?? []), { family }];
        const tag = headers.get('etag')!;
        const answer = await send('PUT', `/Patient/${made.id}`, { ...current, name }, { 'if-match': tag });
        if (answer.status === 200) return;
        expect(answer.status).toBe(412);
      }
      throw new Error('An update never came through.');
    };
    await times(8, (i) => add(`N${i}`));
    const { json: after } = await hub.get(`/fhir/Patient/${made.id}`);
    expect(after.name.map(({ family }: Json) => family).sort()).toEqual(Array.from({ length: 8 }, (_, i) => `N${i}`));
    expect(after.meta.versionId).toBe('9');
  }, 60_000);

  it('http §3.1.0.4.1: many that create under one id make versions of one resource, all but one refused under If-None-Match', async () => {
    for (let round = 0; round < 10; round++) {
      const id = `same-${round}`;
      const answers = await times(6, () =>
        send('PUT', `/Patient/${id}`, { resourceType: 'Patient', id }, { 'if-none-match': '*' }),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 412, 412, 412, 412, 412]);
    }
  }, 60_000);

  it('http §3.1.0.11.2: bundles that change the same resources in opposite order all come through', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `lock-${i}`);
    const bundleOf = (order: string[], active: boolean) => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: order.map((id) => ({
        resource: { resourceType: 'Patient', id, active },
        request: { method: 'PUT', url: `Patient/${id}` },
      })),
    });
    const rounds = 8;
    for (let round = 0; round < rounds; round++) {
      const answers = await times(6, (i) => send('POST', '', bundleOf(i % 2 ? [...ids].reverse() : ids, i % 2 === 0)));
      expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    }
    for (const id of ids) {
      expect((await hub.get(`/fhir/Patient/${id}`)).json.meta.versionId).toBe(String(rounds * 6));
    }
  }, 60_000);

  it('http §3.1.0.11.2: bundles with conditions on the same resources in opposite order all come through', async () => {
    const values = ['cross-a', 'cross-b', 'cross-c'];
    const bundleOf = (order: string[]) => ({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: order.map((value) => ({
        resource: patient(value),
        request: { method: 'PUT', url: `Patient?identifier=urn:race|${value}` },
      })),
    });
    for (let round = 0; round < 6; round++) {
      const answers = await times(4, (i) => send('POST', '', bundleOf(i % 2 ? [...values].reverse() : values)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    }
    for (const value of values) expect(await count(value)).toBe(1);
  }, 60_000);
});

describe('a database that has too much to do, or is away', () => {
  it('is answered with 503 and when to try again, never with 500', async () => {
    const hub = await startTestHub({ statementTimeoutMs: 400 });
    try {
      await hub.send('PUT', '/fhir/Patient/slow', '{"resourceType":"Patient","id":"slow"}', { headers: json });
      const holder = await hub.test.database.pool.connect();
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE resource IN ACCESS EXCLUSIVE MODE');
      const held = await Promise.all([
        hub.get('/fhir/Patient/slow'),
        hub.get('/fhir/Patient?family=x'),
        hub.get('/fhir/Patient/slow/_history'),
        hub.send('POST', '/fhir/Patient', '{"resourceType":"Patient"}', { headers: json }),
      ]);
      await holder.query('ROLLBACK');
      holder.release();
      for (const answer of held) {
        expect([answer.status, answer.json.resourceType]).toEqual([503, 'OperationOutcome']);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(answer.json.issue[0].diagnostics).toMatch(/again/);
      }
      expect((await hub.get('/fhir/Patient/slow')).status).toBe(200);
    } finally {
      await hub.stop();
    }
  }, 30_000);

  it('lets an entry of a batch that cannot be served fail alone', async () => {
    const hub = await startTestHub({ statementTimeoutMs: 400 });
    try {
      const holder = await hub.test.database.pool.connect();
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE index_string IN ACCESS EXCLUSIVE MODE');
      const answer = await hub.send(
        'POST',
        '/fhir',
        JSON.stringify({
          resourceType: 'Bundle',
          type: 'batch',
          entry: ['Patient?family=x', 'Patient?_id=y'].map((url) => ({ request: { method: 'GET', url } })),
        }),
        { headers: json },
      );
      await holder.query('ROLLBACK');
      holder.release();
      expect(answer.status).toBe(200);
      expect(answer.json.entry.map(({ response }: Json) => response.status)).toEqual(['503', '200']);
    } finally {
      await hub.stop();
    }
  }, 30_000);
});
