import { label } from '@causeway/access';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const seen = async (site: string, type: string): Promise<number> => {
  const authorization = `Bearer ${await hub.token('system', `site:${site}`)}`;
  const { json } = await hub.get(`/fhir/${type}`, { role: null, headers: { authorization } });
  return (json.entry ?? []).length;
};

const result = (control: string, code: string, test = `${code}^A test^L`) =>
  [
    `MSH|^~\\&|LIS|CLINIC|HUB|HUB|20260101||ORU^R01|${control}|P|2.5.1`,
    'PID|1||4711^^^CLINIC^MR||Doe^Jane||19800203|F',
    `OBR|1||F${control}|${code}^A panel^L|||20260101`,
    `OBX|1|ST|${test}||positive||||||F`,
    '',
  ].join('\r');

it('labels what a programme under 42 CFR Part 2 sends, what it sent before, and takes the label off again', async () => {
  await hub.send('PUT', '/api/participants/clinic', { name: 'Clinic', kind: 'clinic', sendingFacility: 'CLINIC' });
  await hub.send('PUT', '/api/participants/harbor', { name: 'Harbor', kind: 'hospital', state: 'TX' });
  await hub.take(result('1', 'A'));
  expect(await seen('harbor', 'Observation')).toBe(1);
  const change = (isPart2: boolean) => hub.send('PUT', '/api/participants/clinic', { isPart2 });
  const changed = await change(true);
  expect(changed.json).toMatchObject({ isPart2: true });
  await expect.poll(() => seen('harbor', 'Observation')).toBe(0);
  await hub.take(result('2', 'B'));
  expect([await seen('harbor', 'Observation'), await seen('clinic', 'Observation')]).toEqual([0, 2]);
  await change(false);
  await expect.poll(() => seen('harbor', 'Observation'), { timeout: 15_000 }).toBe(2);
  expect((await hub.send('PUT', '/api/participants/harbor', { state: 'Texas' })).status).toBe(400);
});

it('gives a report the labels of what came with it', async () => {
  await hub.take(result('3', 'C', '75622-1^HIV 1 and 2^LN'));
  const { rows } = await hub.test.database.query('SELECT DISTINCT labels FROM resource WHERE rid = ANY($1)', [
    (await hub.resources('DiagnosticReport')).map(({ id }: Json) => id),
  ]);
  expect(rows.map(({ labels }) => labels)).toContain(label.hiv);
});

it('leaves what a programme sent restricted where its setting cannot be stored', async () => {
  const { database } = hub.test;
  await database.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$`);
  await database.query('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON participant EXECUTE FUNCTION refuse()');
  const changed = await hub.send('PUT', '/api/participants/clinic', { isPart2: true });
  expect(changed.status).toBeGreaterThanOrEqual(500);
  const { rows } = await database.query(
    `SELECT count(*) AS sent, count(*) FILTER (WHERE labels & ${label.unlabelled} <> 0) AS restricted
     FROM resource WHERE home IN (SELECT home FROM link WHERE source = 'clinic')`,
  );
  expect(rows[0]!.sent).toBeGreaterThan(3);
  expect(rows[0]!.restricted).toBe(rows[0]!.sent);
});
