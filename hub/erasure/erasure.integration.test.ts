/** A person is erased on lawful request: two persons decide, all of it goes, the others stay whole, and it does not come back. */
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafHash, readCheckpoint, readNote, readProof, readVerifier, verifyProof } from '@causeway/tlog';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Receipt, verifyDatabase } from '../audit/index.ts';
import { accessesOf, testAudit } from '../audit/testing.ts';
import { backUp, restore } from '../backup/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { startHub } from '../main.ts';
import { masterKey } from '../secrets/index.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { callsOf, hubConfig } from '../testing-calls.ts';
import { adt, oru } from '../testing-messages.ts';

const silent = { say: () => {}, count: () => {}, fail: () => {} };
const person = {
  id: 'MRN-77310',
  family: 'Quillfeather',
  given: 'Ottoline',
  birth: '19610423',
  sex: 'F',
  street: '9 Larkspur Mews',
  phone: '555-0177',
};
const other = { id: 'MRN-20001', family: 'Brambleward', given: 'Ida', birth: '19700101', sex: 'F' };
let hub: TestHub;
let folder: string;
let earlier: string;
let restored: TestDatabase | undefined;

beforeAll(async () => {
  hub = await startTestHub();
  folder = mkdtempSync(join(tmpdir(), 'causeway-erasure-'));
  earlier = join(folder, 'earlier');
  await hub.take(
    adt('A04', person),
    oru(person, { order: 'o1', code: '718-7', value: '13.5', unit: 'g/dL' }),
    adt('A04', other),
    oru(other, { order: 'o2', code: '718-7', value: '12.1', unit: 'g/dL' }),
  );
  const put = (resource: { resourceType: string; id: string }) =>
    hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource);
  const patient = {
    resourceType: 'Patient',
    id: 'ottoline',
    name: [{ family: 'Quillfeather', given: ['Marguerite'] }],
  };
  await put({ ...patient, birthDate: '1999-11-02', gender: 'female' } as never);
  const note = { text: 'Ottoline said that she feels better.' };
  await put({
    ...{ resourceType: 'Observation', id: 'note', status: 'final', code: note },
    subject: { reference: 'Patient/ottoline' },
  } as never);
  await put({ resourceType: 'Patient', id: 'sister', link: [] } as never);
  await put({
    ...{ resourceType: 'Observation', id: 'of-sister', status: 'final', code: { text: 'asked about her sister' } },
    ...{ subject: { reference: 'Patient/sister' }, focus: [{ reference: 'Patient/ottoline' }] },
  } as never);
  await backUp(hub.test.connection, masterKey(hub.config.dataDir, true), 'a safe', createWriteStream(earlier));
});
afterAll(async () => {
  await hub.stop();
  await restored?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const officer = (name: string) => async (method: string, path: string, body?: object) => {
  const authorization = `Bearer ${await hub.token('privacy-officer', name)}`;
  return hub.send(method, path, body, { role: null, headers: { authorization } });
};
const [first, second] = [officer('olga'), officer('pavel')];
const asked = { legalBasis: 'GDPR art. 17', reason: 'Asked for in writing on 2 May; case 2026/17.' };
const count = async (table: string, where = 'true') =>
  Number((await hub.test.database.query(`SELECT count(*) AS count FROM ${table} WHERE ${where}`)).rows[0]!.count);

let source: string;
let id: string;
/** Of a read of the record, from before. */
let receipt: Receipt;
const audit = () => testAudit(hub.test.database, masterKey(hub.config.dataDir, true));

it('what would go is shown, and two persons decide', async () => {
  source = (await hub.resources('Patient?family=Quillfeather'))
    .map(({ id }: Json) => id)
    .find((one) => one !== 'ottoline')!;
  const unknown = await first('POST', '/api/erasures/preview', { patient: 'nobody' });
  expect(unknown.status).toBe(404);
  const preview = await first('POST', '/api/erasures/preview', { patient: source });
  expect([preview.status, preview.json]).toMatchObject([
    200,
    {
      resources: { Patient: 1, Observation: 1 },
      messages: 2,
      messagesAboutOthers: 0,
      waiting: 0,
      underWay: 0,
      records: 1,
    },
  ]);
  const naming = await first('POST', '/api/erasures', { ...asked, patient: source, reason: 'Ms. QUILLFEATHER asks' });
  expect([naming.status, naming.text]).toEqual([400, expect.stringContaining('without a name')]);
  const clinician = await hub.send('POST', '/api/erasures', { ...asked, patient: source }, { role: 'clinician' });
  expect(clinician.status).toBe(403);
  const requested = await first('POST', '/api/erasures', { ...asked, patient: source });
  expect([requested.status, requested.json.state]).toEqual([201, 'requested']);
  expect((await second('POST', '/api/erasures', { ...asked, patient: source })).status).toBe(409);
  id = requested.json.id;
  expect((await first('POST', `/api/erasures/${id}/confirm`)).status).toBe(403);
  expect((await hub.get(`/fhir/Patient/${source}`)).status).toBe(200);
  receipt = await vi.waitFor(
    async () => {
      const { events } = await audit().eventsOf({ patients: [source], actions: ['read'] });
      expect(events[0]?.index).toBeDefined();
      return (await audit().receipt(events[0]!.index!, source))!;
    },
    { timeout: 20_000, interval: 50 },
  );
  expect([receipt.opened.patient?.id, receipt.opened.private?.text]).toEqual([source, expect.stringContaining(source)]);
  expect((await second('POST', `/api/erasures/${id}/confirm`)).status).toBe(202);
  expect((await second('POST', `/api/erasures/${id}/confirm`)).status).toBe(409);
  await done(id);
});

const done = (erasure: string) =>
  vi.waitFor(
    async () => {
      const { erasures } = (await first('GET', '/api/erasures')).json;
      expect(erasures.find((one: Json) => one.id === erasure).state).toBe('erased');
    },
    { timeout: 30_000, interval: 50 },
  );

it('all of it is gone, its keys are destroyed, and others are whole', async () => {
  expect((await hub.get(`/fhir/Patient/${source}`)).status).toBe(410);
  expect((await hub.get('/fhir/Patient?identifier=MRN-77310')).json.entry ?? []).toEqual([]);
  expect((await hub.get(`/fhir/Patient/${source}/_history/1`)).status).toBe(404);
  const { rows } = await hub.test.database.query(`SELECT homes FROM erasure WHERE id = $1`, [id]);
  const homes = `home = ANY('{${rows[0]!.homes.join(',')}}')`;
  for (const table of [
    'resource_history',
    'index_token',
    'index_range',
    'index_string',
    'link',
    'blocking_key',
    'person',
  ]) {
    expect([table, await count(table, homes)]).toEqual([table, 0]);
  }
  expect(await count('home_key', `${homes} AND wrapped IS NOT NULL`)).toBe(0);
  expect(await count('resource', `${homes} AND (body IS NOT NULL OR tokens IS NOT NULL OR NOT deleted)`)).toBe(0);
  expect(await count('message', 'sealing_key IS NULL')).toBe(2);
  expect(await count('message', 'sealing_key IS NULL AND (octet_length(body) > 0 OR patient IS NOT NULL)')).toBe(0);
  // The one that a client told of stays: it was not linked.
  expect((await hub.get('/fhir/Patient/ottoline')).status).toBe(200);
  expect((await hub.resources('Observation?code=718-7')).map(({ valueQuantity }: Json) => valueQuantity.value)).toEqual(
    [12.1],
  );
  const { total } = (await hub.get('/fhir/Observation?_summary=count')).json;
  expect(total).toBe(3);
});

it('a reference to who was erased finds that it is gone; the record that holds it stays', async () => {
  const requested = await first('POST', '/api/erasures', { ...asked, patient: 'ottoline', extent: 'source' });
  expect(requested.status).toBe(201);
  await second('POST', `/api/erasures/${requested.json.id}/confirm`);
  await done(requested.json.id);
  const sisters = await hub.get('/fhir/Observation/of-sister');
  expect([sisters.status, sisters.json.focus[0].reference]).toEqual([200, 'Patient/ottoline']);
  expect((await hub.get('/fhir/Patient/ottoline')).status).toBe(410);
  expect((await hub.get('/fhir/Observation/note')).status).toBe(410);
});

it('what a source still sends about the person is refused with the reason, counted, and not kept', async () => {
  const [answer] = await hub.deliver(adt('A08', { ...person, street: '10 Larkspur Mews' }));
  expect(answer).toMatch(/MSA\|A[ER]\|/);
  expect(answer).toMatch(/erased on lawful request/);
  const put = await hub.send('PUT', '/fhir/Observation/again', {
    ...{ resourceType: 'Observation', id: 'again', status: 'final', code: { text: 'x' } },
    subject: { reference: `Patient/${source}` },
  });
  expect([put.status, put.json.issue[0].code]).toEqual([409, 'business-rule']);
  await vi.waitFor(async () => {
    const { erasures } = (await first('GET', '/api/erasures')).json;
    expect(erasures.find((one: Json) => one.id === id).refused).toBe(1);
  });
  expect(await count('message', `state = 'refused' AND size > 0 AND octet_length(body) > 100`)).toBe(0);
  expect((await hub.get(`/fhir/Patient/${source}`)).status).toBe(410);
});

it('what gets past the gate is refused when it is worked off, and nothing of it is kept', async () => {
  // A merge stands in the lane of the one who stays.
  const merge = adt('A40', other, {}, [['MRG', { 1: [person.id, '', '', 'CLINIC', 'MR'] }]]);
  await hub.take(merge);
  const { rows } = await hub.test.database.query(
    `SELECT state, error, control_id, body FROM message ORDER BY seq DESC LIMIT 1`,
  );
  expect(rows[0]).toMatchObject({ state: 'refused', control_id: '', body: Buffer.alloc(0) });
  expect(rows[0]!.error).toMatch(/erased on lawful request/);
});

it('of a person with several sources one is erased alone, or all; the others stay, and what is being sent is waited for', async () => {
  const twin = {
    id: 'TW-1',
    family: 'Featherstone',
    given: 'Perpetua',
    birth: '19550505',
    sex: 'F',
    phone: '555-0909',
  };
  const at = (facility: string) => adt('A04', { ...twin, id: `TW-${facility}`, street: '1 Bell Lane' }, { facility });
  await hub.take(at('CLINIC'), at('HOSPITAL'), at('PRACTICE'));
  const [shown] = await hub.resources('Patient?family=Featherstone');
  const sources = shown.link.map(({ other: { reference } }: Json) => reference.slice('Patient/'.length));
  expect(sources).toHaveLength(3);
  const erase = async (patient: string, extent: string) => {
    const requested = await first('POST', '/api/erasures', { ...asked, patient, extent });
    expect(requested.status).toBe(201);
    await second('POST', `/api/erasures/${requested.json.id}/confirm`);
    return requested.json.id as string;
  };
  await done(await erase(sources[0], 'source'));
  expect((await hub.get(`/fhir/Patient/${sources[0]}`)).status).toBe(410);
  const left = await hub.get(`/fhir/Patient/${shown.id}`);
  expect([left.status, left.json.link.length, left.text.includes(sources[0])]).toEqual([200, 2, false]);

  const { rows } = await hub.test.database.query('SELECT home FROM patient_home WHERE rid = $1', [sources[1]]);
  await hub.test.database.query(
    `INSERT INTO delivery (id, created, destination, dialect, kind, topic, home, source, person, focus_type, focus_rid, focus_version,
       recipient, recipient_home, round, state, next_attempt, leased, leased_until)
     VALUES (gen_random_uuid(), now(), 'nowhere', 'fhir', 'new', 'visit', $1, 'x', gen_random_uuid(), 1, gen_random_uuid(), 1,
       gen_random_uuid(), 0, 1, 'failed', now() + interval '1 day', true, now() + interval '1 hour')`,
    [rows[0]!.home],
  );
  const both = await erase(shown.id, 'person');
  const stateOf = async () => (await first('GET', '/api/erasures')).json.erasures.find((one: Json) => one.id === both);
  await vi.waitFor(async () => expect((await stateOf()).heldBy).toMatch(/being sent/), {
    timeout: 20_000,
    interval: 50,
  });
  expect((await hub.get(`/fhir/Patient/${shown.id}`)).status).toBe(200);
  await hub.test.database.query(`UPDATE delivery SET leased = false WHERE destination = 'nowhere'`);
  await done(both);
  expect((await stateOf()).counts.cancelledDeliveries).toBe(1);
  for (const id of [shown.id, sources[1], sources[2]]) expect((await hub.get(`/fhir/Patient/${id}`)).status).toBe(410);
});

it('the register beside the data keeps them erased when an earlier back-up is restored', async () => {
  const { dataDir } = hub.config;
  const register = readFileSync(join(dataDir, 'erasures'), 'utf8');
  expect(register.trim().split('\n')).toHaveLength(4);
  for (const text of [source, 'MRN-77310', 'Quillfeather', 'ottoline']) expect(register).not.toContain(text);
  restored = await testDatabase(null);
  await restore(restored.connection, masterKey(dataDir, true), createReadStream(earlier));
  const back = await restored.database.query(`SELECT count(*) AS count FROM home_key WHERE wrapped IS NULL`);
  expect(Number(back.rows[0]!.count)).toBe(0);
  const again = await startHub(hubConfig(dataDir, restored.connection), silent, async () => undefined);
  try {
    const calls = callsOf(again.url, dataDir);
    expect((await calls.get(`/fhir/Patient/${source}`)).status).toBe(410);
    expect((await calls.get('/fhir/Patient/ottoline')).status).toBe(410);
    expect((await calls.get('/fhir/Patient?family=Quillfeather')).json.entry ?? []).toEqual([]);
    expect((await calls.get('/fhir/Patient?family=Brambleward')).json.entry).toHaveLength(1);
    const keys = await restored.database.query(`SELECT count(*) AS count FROM home_key WHERE wrapped IS NULL`);
    expect(Number(keys.rows[0]!.count)).toBe(2);
  } finally {
    await again.stop();
  }
});

it('a privacy officer lifts it: the person is taken anew, and what was erased stays away', async () => {
  const lifted = await first('POST', `/api/erasures/${id}/lift`, { reason: 'The person asked to be cared for again.' });
  expect([lifted.status, lifted.json.state]).toEqual([200, 'lifted']);
  await hub.take(adt('A08', { ...person, street: '10 Larkspur Mews' }));
  const [found] = await hub.resources('Patient?identifier=MRN-77310');
  expect([found.id, found.meta.versionId]).toEqual([source, '1']);
  expect((await hub.resources(`Observation?patient=${source}`)).length).toBe(0);
});

it('old proofs still verify, and what was private in them opens no more', async () => {
  const event = (await audit().eventAt(receipt.index))!;
  expect(event.leaf).toBe(receipt.leaf);
  expect([event.opened.private, event.entry.patients ?? []]).toEqual([undefined, []]);
  const { checkpoint } = readProof(receipt.proof);
  const { origin } = readCheckpoint(readNote(checkpoint).text);
  const keys = (await hub.get('/audit/keys', { role: 'privacy-officer' })).text.trim().split('\n').map(readVerifier);
  expect(verifyProof(receipt.proof, leafHash(Buffer.from(event.leaf)), { origin, log: keys }).index).toBe(
    receipt.index,
  );
  const verification = await verifyDatabase(hub.test.database, { keys, published: [checkpoint] });
  expect([verification.finding, verification.size > receipt.index]).toEqual([undefined, true]);
  expect(
    (await audit().eventsOf({ patients: [source], actions: ['read'] })).events.map(({ index }) => index),
  ).not.toContain(receipt.index);
});

it('the audit log tells of it without the person, and nothing private that it says of them opens any more', async () => {
  const events = await accessesOf(hub);
  const erased = events.filter(({ action }) => action === 'erase');
  expect(erased).toHaveLength(4);
  for (const { patients } of erased) expect(patients).toBeUndefined();
  const { rows } = await hub.test.database.query('SELECT name FROM audit_subject WHERE name IS NOT NULL');
  const names = rows.map(({ name }) => name);
  expect(names).toContain('sister');
  expect(names).not.toContain('ottoline');
});
