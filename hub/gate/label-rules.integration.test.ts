/** A network's own value sets: what they label at once, what is labelled anew, and what goes on meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { FhirRecord, indexKeyOf, ridOf } from '../record/index.ts';
import { masterKey } from '../secrets/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { custodian } from '../testing-record.ts';

const local = 'urn:example:codes';
const valueSet = (codes: string[]) => ({
  resourceType: 'ValueSet',
  id: 'sensitive',
  url: 'urn:example:sensitive',
  status: 'active',
  compose: { include: [{ system: local, concept: codes.map((code) => ({ code })) }] },
});

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  await put({ resourceType: 'Patient', id: 'p' });
  for (const code of ['x1', 'x2', 'x3']) await put(condition(code, code));
  await put({ ...condition('changed', 'x1') });
  await put({ ...condition('changed', 'other') });
  await put(condition('gone', 'x1'));
  await hub.send('DELETE', '/fhir/Condition/gone');
  await put(valueSet(['x1', 'x2']));
});
afterAll(() => hub.stop());

const condition = (id: string, code: string) => ({
  resourceType: 'Condition',
  id,
  code: { coding: [{ system: local, code }] },
  subject: { reference: 'Patient/p' },
});

async function put(resource: Json): Promise<void> {
  const { status, text } = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  if (status > 201) throw new Error(text);
}

const rules = async (): Promise<Json> => (await hub.get('/api/label-rules', { role: 'privacy-officer' })).json;
async function enter(sets: object[], version?: number) {
  const body = { version: version ?? (await rules()).version, reason: 'As the state asks.', sets };
  return hub.send('PUT', '/api/label-rules', body, { role: 'privacy-officer' });
}
const finished = () => expect.poll(async () => (await rules()).versions[0].finished, { timeout: 15_000 }).toBeTruthy();
const codes = async (path: string): Promise<string[]> =>
  ((await hub.get(`/fhir/${path}`)).json.meta.security ?? []).map(({ code }: Json) => code);
const found = async (search: string): Promise<string[]> =>
  (await hub.resources(search)).map(({ id }: Json) => id).sort();

it('labels what is stored from then on at once, and what was stored before beside', async () => {
  expect(await codes('Condition/x1')).toEqual([]);
  const entered = await enter([{ label: 'mentalHealth', name: 'Local', valueSet: 'urn:example:sensitive' }]);
  expect(entered.status, entered.text).toBe(200);
  await put(condition('after', 'x1'));
  expect(await codes('Condition/after')).toEqual(['PSY']);
  await finished();
  expect(await codes('Condition/x1')).toEqual(['PSY']);
  expect(await codes('Condition/x3')).toEqual([]);
  // Past versions too, and what says that a resource was deleted.
  expect(await codes('Condition/changed/_history/1')).toEqual(['PSY']);
  expect(await codes('Condition/changed')).toEqual([]);
  const { rows } = await hub.test.database.query('SELECT labels FROM resource WHERE rid = $1', [ridOf('gone')]);
  expect(rows[0]!.labels).toBe(16);
  expect(await found('Condition?_security=PSY')).toEqual(['after', 'x1', 'x2']);
  const { versions, labels } = await rules();
  expect(versions[0]).toMatchObject({
    version: 1,
    by: 'test-privacy-officer',
    sets: [{ codes: [`${local}|x1`, `${local}|x2`] }],
  });
  expect(versions[0].done).toBeGreaterThanOrEqual(versions[0].total);
  expect(versions[0].changed).toBe(5);
  expect(labels.find(({ label }: Json) => label === 'mentalHealth').tableSize).toBeGreaterThan(20);
});

it('keeps version and time of what it labels anew', async () => {
  const { json } = await hub.get('/fhir/Condition/x1');
  expect(json.meta.versionId).toBe('1');
});

it('follows the value set when that changes, and takes labels off again', async () => {
  await put(valueSet(['x2', 'x3']));
  await expect.poll(async () => (await rules()).version, { timeout: 15_000 }).toBe(2);
  expect((await rules()).versions[0]).toMatchObject({ by: 'hub', reason: expect.stringContaining('Local') });
  await finished();
  expect(await found('Condition?_security=PSY')).toEqual(['x2', 'x3']);
  expect(await codes('Condition/changed/_history/1')).toEqual([]);
});

it('is heard by another hub before that stores anything', async () => {
  const [database, master] = [hub.test.database.as('all'), masterKey(hub.config.dataDir, true)];
  const other = new FhirRecord(database, master, await indexKeyOf(database, master));
  let heard = 0;
  other.parameters.beforeVersion = async () => {
    heard++;
  };
  await other.parameters.refreshed();
  const before = heard;
  expect((await enter([{ label: 'genetics', name: 'Own', codes: [`${local}|y1`] }])).status).toBe(200);
  await other.create(custodian, other.scan('{"resourceType":"Basic","code":{"text":"c"}}', 'Basic'));
  expect(heard).toBe(before + 1);
  await finished();
});

it('refuses what it does not understand, what is stale, and who may not decide', async () => {
  const faults = await enter([
    { label: 'unlabelled', name: 'a', codes: [`${local}|a`] },
    { label: 'hiv', name: 'b', valueSet: 'urn:example:nothing' },
    { label: 'hiv', name: 'c' },
    { label: 'hiv', name: 'd', codes: ['no system'], more: 1 },
    { label: 'hiv', name: 'd', codes: [`${local}|a`] },
  ]);
  expect(faults.status).toBe(400);
  for (const i of [0, 1, 2, 3, 4]) expect(faults.text).toContain(`sets[${i}]`);
  expect((await enter([], 0)).status).toBe(409);
  for (const role of ['clinician', 'integration-engineer', 'patient']) {
    expect((await hub.get('/api/label-rules', { role })).status).toBe(403);
    expect((await hub.send('PUT', '/api/label-rules', {}, { role })).status).toBe(403);
  }
  const changes = (await accessesOf(hub)).filter(({ action }) => action === 'change-label-rules');
  expect(changes.length).toBeGreaterThan(2);
});

it('stores as not yet labelled while the rules cannot be read', async () => {
  await hub.test.database.query('ALTER TABLE label_rules RENAME TO label_rules_gone');
  await hub.test.database.query('UPDATE clock SET parameters = parameters + 1');
  await put(condition('dark', 'x2'));
  const { rows } = await hub.test.database.query('SELECT labels FROM resource WHERE rid = $1', [ridOf('dark')]);
  expect(rows[0]!.labels).toBe(1);
  await hub.test.database.query('ALTER TABLE label_rules_gone RENAME TO label_rules');
});
