import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { adt, oru } from '../testing-messages.ts';
import { carryOut, changesOf, previewOf, registerClinic, waitFor } from '../testing-reprocess.ts';

const person = { id: 'RP1', family: 'Refoldson', given: 'Ada', birth: '19600101', sex: 'F' };
const localSystem = 'https://clinic.example/codes';

describe('reprocessing', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
    await registerClinic(hub);
  });
  afterAll(() => hub.stop());

  const settings = (value: object) => hub.send('PUT', '/api/participants/clinic/settings', value);
  const observation = async () => (await hub.get('/fhir/Observation?code=GLU')).json.entry[0].resource;
  const seq = async () => (await hub.test.database.query('SELECT seq FROM clock')).rows[0]!.seq;
  const local = (text: string) => text.replace('GLU^Test^LN', 'GLU^Test^CLINLAB');

  it('finds nothing to change while the map is the same', async () => {
    await hub.take(
      adt('A04', person, { time: '20240301090000' }),
      local(oru(person, { order: 'RO1', code: 'GLU', value: '90' }, { time: '20240301100000' })),
    );
    expect(await previewOf(hub)).toMatchObject({ messages: 0, lanes: [], next: null });
    const page = await previewOf(hub, { all: true });
    expect(page).toMatchObject({ messages: 2, lanes: [{ messages: 2, changes: [] }] });
  });

  it('tells what another map would change, changes it when asked, once, and keeps when it was said', async () => {
    const before = await observation();
    expect(before.code.coding[0].system).not.toBe(localSystem);
    expect((await settings({ codeSystems: { CLINLAB: localSystem } })).status).toBe(200);
    const stale = async () => {
      const [{ id }] = (await hub.get('/api/messages?q=ORU')).json.messages;
      return (await hub.get(`/api/messages/${id}`)).json.isOfEarlierMap;
    };
    expect(await stale()).toBe(true);
    const clock = await seq();
    const page = await previewOf(hub);
    expect(page.messages).toBe(2);
    const [change, ...others] = changesOf(page);
    expect(others).toEqual([]);
    expect(change).toMatchObject({ kind: 'changed', reference: `Observation/${before.id}`, versionId: '1' });
    expect(change.message.type).toBe('ORU^R01');
    expect(change.differences).toContainEqual(
      expect.objectContaining({ path: 'code.coding[0].system', after: localSystem }),
    );
    expect(await seq()).toBe(clock);
    expect((await observation()).meta.versionId).toBe('1');

    expect(await carryOut(hub)).toMatchObject({
      state: 'complete',
      lanes: 1,
      lanesDone: 1,
      messages: 2,
      changed: 1,
      added: 0,
      removed: 0,
      leftOut: 0,
    });
    const after = await observation();
    expect(after.meta.versionId).toBe('2');
    expect(after.code.coding[0].system).toBe(localSystem);
    expect(after.meta.source).toBe(before.meta.source);
    const { rows } = await hub.test.database.query('SELECT as_of, version FROM resource WHERE rid = $1', [after.id]);
    expect(rows[0]!.as_of.toISOString()).toBe('2024-03-01T10:00:00.000Z');

    expect(await stale()).toBe(false);
    expect(await previewOf(hub)).toMatchObject({ messages: 0, lanes: [] });
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    expect(await carryOut(hub, { all: true })).toMatchObject({ messages: 2, changed: 0 });
    expect((await observation()).meta.versionId).toBe('2');
  });

  it('overwrites neither what a newer message said nor what a client corrected', async () => {
    const other = { id: 'RP2', family: 'Newer', given: 'Bo', birth: '19610101', sex: 'M' };
    await hub.take(
      adt('A08', { ...other, street: '2 New Street' }, { time: '20240302120000' }),
      adt('A08', { ...other, street: '2 New Street' }, { time: '20240304120000' }),
      adt('A08', { ...other, street: '1 Old Street' }, { time: '20240303120000' }),
    );
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    const found = (await hub.get('/fhir/Patient?family=Newer')).json.entry[0].resource;
    const corrected = { ...found, name: [{ family: 'Newer', given: ['Boris'] }] };
    expect((await hub.send('PUT', `/fhir/Patient/${found.id}`, corrected)).status).toBe(200);
    expect((await settings({ codeSystems: { CLINLAB: `${localSystem}/2` } })).status).toBe(200);
    expect(changesOf(await previewOf(hub)).map(({ reference }: Json) => reference.split('/')[0])).toEqual([
      'Observation',
    ]);
    expect((await carryOut(hub)).changed).toBe(1);
    const kept = (await hub.get(`/fhir/Patient/${found.id}`)).json;
    expect(kept.meta.versionId).toBe('2');
    expect(kept.name[0].given).toEqual(['Boris']);
    expect(kept.address[0].line).toEqual(['2 New Street']);
  });

  it('removes what the map makes no longer and adds what it makes now; what a client deleted stays deleted', async () => {
    const moved = { id: 'RP3', family: 'Mover', given: 'Cy', birth: '19620101', sex: 'M' };
    await hub.take(
      adt('A04', moved, { time: '20240301090000' }),
      oru(moved, { order: 'RO3', code: '2093-3', value: '200' }, { time: '20240301100000' }),
      oru(moved, { order: 'RO4', code: '2093-3', value: '210' }, { time: '20240301100000' }),
    );
    const all = (await hub.get('/fhir/Observation?code=2093-3&_sort=_id')).json.entry.map(
      ({ resource }: Json) => resource,
    );
    expect(all).toHaveLength(2);
    expect((await hub.send('DELETE', `/fhir/Observation/${all[0].id}`)).status).toBe(204);
    // An older map had made an Observation under another id of this message.
    await hub.test.database.query(
      `UPDATE message SET map_version = 1 WHERE id IN (SELECT message FROM resource WHERE rid = $1)`,
      [all[1].id],
    );
    const { rows } = await hub.test.database.query('SELECT message FROM resource WHERE rid = $1', [all[1].id]);
    const stray = { ...all[1], id: 'stray', valueQuantity: { value: 1 } };
    expect((await hub.send('PUT', '/fhir/Observation/stray', stray)).status).toBe(201);
    for (const table of ['resource', 'resource_history'])
      await hub.test.database.query(
        `UPDATE ${table} SET message = $1 WHERE version = 1 AND rid = (
        SELECT rid FROM resource ORDER BY seq DESC LIMIT 1)`,
        [rows[0]!.message],
      );
    const changes = changesOf(await previewOf(hub));
    expect(changes).toMatchObject([{ kind: 'removed', versionId: '1' }]);
    expect(await carryOut(hub)).toMatchObject({ removed: 1, added: 0, changed: 0 });
    expect((await hub.get('/fhir/Observation/stray')).status).toBe(410);
    expect((await hub.get(`/fhir/Observation/${all[0].id}`)).status).toBe(410);
    expect((await hub.get(`/fhir/Observation/${all[1].id}`)).status).toBe(200);
  });

  it('writes a delivery again only for a changed fact', async () => {
    const deliveries = async () => (await hub.test.database.query('SELECT count(*) AS n FROM delivery')).rows[0]!.n;
    const before = await deliveries();
    expect(await carryOut(hub, { all: true })).toMatchObject({ changed: 0, added: 0, removed: 0 });
    expect(await deliveries()).toBe(before);
  });

  it('agrees with what was stored message by message, whatever came in whatever order, also while messages arrive', async () => {
    const people = [4, 5, 6].map((n) => ({ id: `RP${n}`, family: `Random${'abc'[n - 4]}`, given: 'Di', sex: 'F' }));
    const message = fc.record({
      person: fc.constantFrom(...people),
      minute: fc.integer({ min: 0, max: 20 }),
      value: fc.integer({ min: 1, max: 4 }),
      order: fc.constantFrom('A', 'B'),
      kind: fc.constantFrom('adt', 'oru', 'correct'),
    });
    const text = ({ person, minute, value, order, kind }: Json) => {
      const time = `2024050110${String(minute).padStart(2, '0')}00`;
      if (kind === 'adt')
        return adt(
          'A08',
          { ...person, street: `${value} Street`, phone: value === 4 ? null : `555-010${value}` },
          { time },
        );
      const status = kind === 'correct' ? 'C' : 'F';
      return local(oru(person, { order: `${person.id}${order}`, code: 'GLU', value: String(value), status }, { time }));
    };
    const batches = fc.sample(fc.array(message, { minLength: 15, maxLength: 25 }), { numRuns: 6, seed: 20 });
    for (const [i, batch] of batches.entries()) {
      // The first rounds by the same map, so that the record is as it was stored; the last two by another each.
      if (i >= 4) await settings({ codeSystems: { CLINLAB: `${localSystem}/${i}` } });
      const running = i % 2 === 1 ? carryOut(hub, { all: true }) : undefined;
      await hub.take(...batch.map(text));
      if (running)
        expect(await running).toMatchObject({ leftOut: 0, ...(i < 4 ? { changed: 0, added: 0, removed: 0 } : {}) });
      const found = await hub.get('/fhir/Patient?family=Randoma');
      const { id, ...patient } = found.json.entry[0].resource;
      await hub.send('PUT', `/fhir/Patient/${id}`, { ...patient, id, maritalStatus: { text: `state ${i}` } });
      if (i < 4) expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    }
    await carryOut(hub);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
  });

  it('tells which kinds of fields are not mapped, the most frequent first, and finds their messages', async () => {
    const zed = { id: 'RP9', family: 'Zedson', given: 'Zoe', birth: '19700101', sex: 'F' };
    const more: [string, { [field: number]: string }][] = [['ZED', { 1: 'x', 2: 'y' }]];
    await hub.take(
      adt('A04', zed, { controlId: 'ZED1' }, more),
      adt('A04', zed, { controlId: 'ZED2' }, [['ZED', { 1: 'x' }]]),
    );
    const { json } = await hub.get('/api/not-mapped?source=clinic');
    const count = (kind: string) => json.kinds.find((one: Json) => one.kind === kind)?.messages;
    expect([count('ZED-1.1.1'), count('ZED-2.1.1')]).toEqual([2, 1]);
    const found = (await hub.get('/api/messages?notMapped=ZED-2.1.1')).json.messages;
    expect(found.map(({ controlId }: Json) => controlId)).toEqual(['ZED1']);
    expect((await hub.get('/api/not-mapped', { role: 'patient' })).status).toBeGreaterThanOrEqual(401);
  });

  it('takes what a sender does differently as data, shows what it would make, and refuses what does not compile', async () => {
    const rows = [['ZED-1', 'Patient', 'maritalStatus', 'CodeableConcept']];
    const concepts = { 'http://loinc.org|GLU': { system: 'http://loinc.org', code: '2345-7' } };
    const codeSystems = { CLINLAB: `${localSystem}/5` };
    expect((await settings({ codeSystems, overlay: { rows } })).status).toBe(200);
    const changed = changesOf(await previewOf(hub));
    expect(changed).toMatchObject([{ kind: 'changed', invalid: [] }]);
    expect(changed[0].differences).toEqual([{ path: 'maritalStatus.coding[0].code', after: 'x' }]);
    expect(
      (await settings({ codeSystems, overlay: { rows: [['ZED-1', 'Patient', 'birthDate', 'CodeableConcept']] } }))
        .status,
    ).toBe(200);
    expect(changesOf(await previewOf(hub))[0].invalid[0].expression).toBe('Patient.birthDate');
    for (const wrong of [
      { overlay: { rows: [['ZED-1', 'Patient', 'nothing', 'string']] } },
      { overlay: { rows: [['ZED-1', 'Patient', 'gender', 'nothing']] } },
      { overlay: 5 },
      { overlay: { rows: 5 } },
      { concepts: { GLU: { system: 'http://loinc.org', code: '1' } } },
      { concepts: { '|GLU': 'x' } },
    ])
      expect([wrong, (await settings(wrong)).status]).toEqual([wrong, 400]);
    expect((await settings({ concepts })).status).toBe(200);
    await carryOut(hub);
  });

  it('leaves what a message made where it cannot be converted or opened now', async () => {
    const sets = (value: string) =>
      hub.test.database.query(`UPDATE participant SET settings = $1 WHERE key = 'clinic'`, [value]);
    const before = (await hub.get('/api/participants')).json.participants[0].settings;
    const seen = (words: string) =>
      waitFor(async () => JSON.stringify((await hub.get('/api/participants')).json).includes(words));
    await sets('{"overlay": {"rows": [["wrong", "Patient", "gender", "string"]]}}');
    await seen('wrong');
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    expect(await carryOut(hub, { all: true })).toMatchObject({ added: 0, changed: 0, removed: 0 });
    const { rows } = await hub.test.database.query(`SELECT count(*) AS n FROM message WHERE state = 'dead'`);
    expect(rows[0]!.n).toBe(0);
    await sets(JSON.stringify(before));
    await seen('concepts');
    await hub.test.database.query(`UPDATE message SET body = '\\x0102' WHERE control_id = 'ZED1'`);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    expect(await carryOut(hub, { all: true })).toMatchObject({ added: 0, changed: 0, removed: 0, leftOut: 0 });
  });

  it('folds a lane of more messages than are opened at once', async () => {
    const long = { id: 'RP7', family: 'Longlane', given: 'Ed', birth: '19630101', sex: 'M' };
    const messages = Array.from({ length: 150 }, (_, n) =>
      local(oru(long, { order: `RL${n}`, code: 'GLU', value: String(n) }, { time: '20240601090000' })),
    );
    await hub.take(...messages);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
    expect((await settings({ codeSystems: { CLINLAB: `${localSystem}/long` } })).status).toBe(200);
    const lane = (await previewOf(hub)).lanes.find((one: Json) => one.messages === messages.length);
    expect(lane).toMatchObject({ differ: messages.length, changes: { length: messages.length } });
    expect(await carryOut(hub)).toMatchObject({ leftOut: 0, added: 0, removed: 0 });
    const found = await hub.resources('Observation?patient.family=Longlane&_count=200');
    expect(found).toHaveLength(messages.length);
    for (const { code } of found) expect(code.coding[0].system).toBe(`${localSystem}/long`);
    expect(changesOf(await previewOf(hub, { all: true }))).toEqual([]);
  });

  it('tells who asks wrongly what is wrong, and is for engineers', async () => {
    expect((await hub.send('POST', '/api/reprocess/preview', { source: 5 })).status).toBe(400);
    expect((await hub.send('POST', '/api/reprocess/preview', { after: 'x' })).status).toBe(400);
    expect((await settings({ timeZone: 'Mars/North' })).text).toContain('IANA');
    expect((await settings({ identifierSystems: { MRN: 'no uri' } })).status).toBe(400);
    expect((await settings({ zone: 'UTC' })).status).toBe(400);
    expect((await hub.send('PUT', '/api/participants/nobody/settings', {})).status).toBe(404);
    expect((await hub.send('POST', '/api/reprocess', {}, { role: 'clinician' })).status).toBe(403);
    expect((await hub.send('DELETE', '/api/reprocess/0195a000-0000-7000-8000-000000000000')).status).toBe(409);
  });
});
