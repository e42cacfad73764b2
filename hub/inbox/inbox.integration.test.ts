import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { adt, oru, type Person } from '../testing-messages.ts';

describe('the inbox', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const patient = async (family: string) => {
    const { json } = await hub.get(`/fhir/Patient?family=${family}`);
    return json.entry?.[0]?.resource;
  };
  const message = async (controlId: string) => {
    const { rows } = await hub.test.database.query(
      'SELECT id, state, attempts, next_attempt, error, issues FROM message WHERE control_id = $1',
      [controlId],
    );
    return rows.at(-1)!;
  };
  const versions = async () => {
    const { rows } = await hub.test.database.query(
      'SELECT (SELECT seq FROM clock) AS seq, (SELECT count(*) FROM resource) AS resources, (SELECT count(*) FROM message) AS messages',
    );
    return rows[0]!;
  };

  it('takes the same message twice as one', async () => {
    const text = adt(
      'A04',
      { id: 'D1', family: 'Doubleday', given: 'Una', birth: '19600101', sex: 'F' },
      { controlId: 'DOUBLE' },
    );
    await hub.take(text);
    const before = await versions();
    await hub.take(text, text);
    expect(await versions()).toEqual(before);
    expect((await message('DOUBLE')).state).toBe('processed');
  });

  it('lets no late old message overwrite what is newer', async () => {
    const person = { id: 'L1', family: 'Latecomer', given: 'Ned', birth: '19550505', sex: 'M' };
    await hub.take(adt('A08', { ...person, street: '2 New Street', city: 'Ellery' }, { time: '20240302120000' }));
    await hub.take(adt('A08', { ...person, street: '1 Old Street', city: 'Ellery' }, { time: '20240301120000' }));
    expect((await patient('Latecomer')).address[0].line).toEqual(['2 New Street']);
  });

  it('counts what a source repeats as said again, so that what lies between is old', async () => {
    const person = { id: 'L2', family: 'Repeater', given: 'Nan', birth: '19550506', sex: 'F' };
    await hub.take(adt('A08', { ...person, street: '2 New Street' }, { time: '20240302120000' }));
    await hub.take(adt('A08', { ...person, street: '2 New Street' }, { time: '20240304120000' }));
    await hub.take(adt('A08', { ...person, street: '1 Old Street' }, { time: '20240303120000' }));
    const found = await patient('Repeater');
    expect(found.address[0].line).toEqual(['2 New Street']);
    expect(found.meta.versionId).toBe('1');
  });

  it('takes from an older message what a faster one had not said, and no more than that', async () => {
    const bare = { id: 'L3' };
    const person = { id: 'L3', family: 'Slowcoach', given: 'Tim', birth: '19510101', sex: 'M', phone: '555-0133' };
    await hub.take(
      oru({ ...bare, phone: '555-0144' }, { order: 'FAST', code: '718-7', value: '12' }, { time: '20240302120000' }),
    );
    await hub.take(adt('A04', person, { time: '20240302110000' }));
    const found = await patient('Slowcoach');
    expect(found.birthDate).toBe('1951-01-01');
    expect(found.telecom.map(({ value }: { value: string }) => value)).toEqual(['555-0144']);
    await hub.take(adt('A08', { ...person, family: 'Olden' }, { time: '20240302100000' }));
    expect((await patient('Slowcoach')).id).toBe(found.id);
    // What a message does not say it does not confirm: a registration older than a bare result still counts.
    await hub.take(adt('A08', { ...person, street: '3 Known' }, { time: '20240303100000' }));
    await hub.take(oru(bare, { order: 'LATER', code: '718-7', value: '12' }, { time: '20240303120000' }));
    await hub.take(adt('A08', { ...person, street: '4 Moved' }, { time: '20240303110000' }));
    expect((await patient('Slowcoach')).address[0].line).toEqual(['4 Moved']);
  });

  it('deletes what "" says and leaves what is empty', async () => {
    const person = { id: 'E1', family: 'Emptyhand', given: 'Joy', birth: '19700707', sex: 'F' };
    await hub.take(
      adt(
        'A04',
        { ...person, phone: '555-0101', workPhone: '555-0102', street: '9 Quay', city: 'Ellery' },
        { time: '20240301100000' },
      ),
    );
    await hub.take(adt('A08', { ...person, workPhone: null }, { time: '20240301110000' }));
    const found = await patient('Emptyhand');
    expect(found.telecom.map(({ value }: { value: string }) => value)).toEqual(['555-0101']);
    expect(found.address[0].line).toEqual(['9 Quay']);
  });

  it('revises a corrected result as the next version of the same Observation, and retracts a deleted or wrong one', async () => {
    const person = { id: 'R1', family: 'Resultson', given: 'Max', birth: '19440404', sex: 'M' };
    const send = (value: string, status: string, time: string, order = 'ORD1') =>
      hub.take(oru(person, { order, code: '2093-3', value, status }, { time }));
    await send('190', 'F', '20240301090000');
    await send('210', 'C', '20240301100000');
    const { id } = await patient('Resultson');
    const observations = async () =>
      (await hub.get(`/fhir/Observation?patient=${id}&code=2093-3`)).json.entry.map((entry: Json) => entry.resource);
    let found = await observations();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ status: 'corrected', valueQuantity: { value: 210 }, meta: { versionId: '2' } });
    const history = await hub.get(`/fhir/Observation/${found[0].id}/_history`);
    expect(history.json.entry.map((entry: Json) => entry.resource.valueQuantity.value)).toEqual([210, 190]);
    await send('190', 'F', '20240301090000');
    expect((await observations())[0].valueQuantity.value).toBe(210);
    await send('210', 'W', '20240301110000');
    found = await observations();
    expect(found).toMatchObject([{ status: 'entered-in-error', meta: { versionId: '3' } }]);
    await send('150', 'F', '20240301090000', 'ORD2');
    await send('', 'D', '20240301120000', 'ORD2');
    found = await observations();
    expect(found.map((one: Json) => one.status)).toEqual(['entered-in-error', 'entered-in-error']);
  });

  it('cancels an admission and a discharge', async () => {
    const person = { id: 'V1', family: 'Visitor', given: 'Al', birth: '19330303', sex: 'M' };
    const visit = (event: string, time: string, extra: object = {}) =>
      adt(event, person, { time }, [
        ['PV1', { 1: '1', 2: 'I', 19: ['VIS1', '', '', 'CLINIC', 'VN'], 44: '20240301080000', ...extra }],
      ]);
    await hub.take(visit('A01', '20240301080000'));
    const { id } = await patient('Visitor');
    const encounters = async () =>
      (await hub.get(`/fhir/Encounter?patient=${id}`)).json.entry.map((entry: Json) => entry.resource);
    expect(await encounters()).toMatchObject([{ status: 'in-progress' }]);
    await hub.take(visit('A03', '20240303080000', { 45: '20240303080000' }));
    expect(await encounters()).toMatchObject([
      { status: 'finished', period: { end: expect.stringContaining('2024-03-03') } },
    ]);
    await hub.take(visit('A13', '20240303090000'));
    expect(await encounters()).toMatchObject([{ status: 'in-progress' }]);
    expect((await encounters())[0].period.end).toBeUndefined();
    await hub.take(visit('A11', '20240303100000'));
    expect(await encounters()).toMatchObject([{ status: 'cancelled' }]);
  });

  it('links the two record numbers that A40 merges', async () => {
    const person = { family: 'Merger', given: 'Bea', birth: '19880808', sex: 'F' };
    await hub.take(
      adt('A04', { id: 'M1', ...person }, { time: '20240301080000' }),
      adt('A04', { id: 'M2', ...person, family: 'Mergerold', birth: '19880809' }, { time: '20240301080500' }),
      adt('A40', { id: 'M1', ...person }, { time: '20240301090000' }, [['MRG', { 1: ['M2', '', '', 'CLINIC', 'MR'] }]]),
    );
    const found = await patient('Merger');
    const members = (await hub.get(`/api/persons/${found.id}`)).json.members;
    expect(members).toHaveLength(2);
    expect(members.map((member: Json) => member.identifiers[0].value).sort()).toEqual(['M1', 'M2']);
  });

  it('keeps the order of a lane, however many messages are under way', async () => {
    const person = (n: number, i: number): Person => ({
      id: `O${n}`,
      family: `Orderly${'abcde'[n]}`,
      given: 'Kit',
      birth: '19900101',
      sex: 'F',
      street: `${i} Lane`,
    });
    const messages = Array.from({ length: 200 }, (_, i) => adt('A08', person(i % 5, i), { time: '20240301090000' }));
    const clients = await Promise.all([0, 1, 2].map(() => hub.mllp()));
    for (const [i, text] of messages.entries()) clients[(i % 5) % 3]!.send(text);
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; i < messages.length; i++) if ((i % 5) % 3 === c) await client.answer();
        client.end();
      }),
    );
    await hub.settled();
    for (let n = 0; n < 5; n++)
      expect((await patient(`Orderly${'abcde'[n]}`)).address[0].line).toEqual([`${195 + n} Lane`]);
  });

  it('accepts content that cannot be right, converts the rest and says what is wrong', async () => {
    await hub.take(
      adt('A04', { id: 'W1', family: 'Wrongdate', given: 'Flo', birth: '20240230', sex: 'Q' }, { controlId: 'WRONG' }),
    );
    const row = await message('WRONG');
    expect(row).toMatchObject({ state: 'processed' });
    expect(row.issues).toBeGreaterThan(0);
    expect((await patient('Wrongdate')).birthDate).toBeUndefined();
    const opened = await hub.get(`/api/messages/${row.id}`);
    expect(JSON.stringify(opened.json.issueList)).toContain('PID');
  });

  it('tries a failing message again, holds back its lane alone, and gives up with the reason', async () => {
    const person = { id: 'F1', family: 'Failing', given: 'Guy', birth: '19770101', sex: 'M' };
    const { database } = hub.test;
    await hub.take(adt('A04', person, { controlId: 'FAIL0', time: '20240301080000' }));
    const { id } = await patient('Failing');
    const { rows } = await database.query('SELECT home FROM patient_home WHERE rid = $1', [id]);
    const home = rows[0]!.home;
    // From here on nothing more can be stored of this patient.
    await database.query(`ALTER TABLE resource ADD CONSTRAINT full_home CHECK (home <> ${home}) NOT VALID`);
    await hub.deliver(
      adt('A08', { ...person, street: '1 Way' }, { controlId: 'FAIL1', time: '20240301090000' }),
      adt('A08', { ...person, street: '2 Way' }, { controlId: 'FAIL2', time: '20240301100000' }),
      adt('A04', { id: 'F2', family: 'Bystander', given: 'Ida', birth: '19780101', sex: 'F' }, { controlId: 'FAIL3' }),
    );
    await expect.poll(async () => (await message('FAIL3')).state, { timeout: 5_000 }).toBe('processed');
    expect(await message('FAIL1')).toMatchObject({ state: 'failed', attempts: 1 });
    expect((await message('FAIL1')).next_attempt.getTime()).toBeGreaterThan(Date.now());
    expect(await message('FAIL2')).toMatchObject({ state: 'received', attempts: 0 });
    for (let attempt = 2; attempt <= 5; attempt++) {
      await database.query(`UPDATE message SET next_attempt = now() WHERE control_id = 'FAIL1'`);
      await expect.poll(async () => (await message('FAIL1')).attempts, { timeout: 10_000 }).toBe(attempt);
    }
    const dead = await message('FAIL1');
    expect(dead.state).toBe('dead');
    expect(dead.error).toMatch(/\S/);
    expect(dead.error).not.toContain('Failing');
    await database.query('ALTER TABLE resource DROP CONSTRAINT full_home');
    await database.query(`UPDATE message SET next_attempt = now() WHERE control_id = 'FAIL2' AND state = 'failed'`);
    await expect.poll(async () => (await message('FAIL2')).state, { timeout: 10_000 }).toBe('processed');
    expect((await hub.get('/api/status')).json.dead).toBe(1);
    const replayed = await hub.send('POST', `/api/messages/${dead.id}/replay`, {});
    expect(replayed.status).toBe(202);
    await expect.poll(async () => (await message('FAIL1')).state, { timeout: 10_000 }).toBe('processed');
    expect((await patient('Failing')).address[0].line).toEqual(['2 Way']);
  });

  it('goes on past a message whose original does not open or was erased', async () => {
    const { database } = hub.test;
    const text = (n: number) =>
      adt(
        'A04',
        { id: `X${n}`, family: `Erased${'ab'[n]}`, given: 'Xen', birth: '19800101', sex: 'M' },
        { controlId: `ERASED${n}` },
      );
    await hub.take(text(0), text(1));
    await database.query(`UPDATE message SET sealing_key = NULL, state = 'received' WHERE control_id = 'ERASED0'`);
    await database.query(`UPDATE message SET body = '\\x0102', state = 'received' WHERE control_id = 'ERASED1'`);
    await hub.take(adt('A04', { id: 'X9', family: 'Goeson', given: 'Xia', birth: '19800102', sex: 'F' }));
    expect(await patient('Goeson')).toBeDefined();
    for (const n of [0, 1]) {
      await expect.poll(async () => (await message(`ERASED${n}`)).state, { timeout: 5_000 }).toBe('dead');
      expect((await message(`ERASED${n}`)).error).toContain('original');
    }
    expect((await hub.get(`/api/messages/${(await message('ERASED0')).id}`)).status).toBe(410);
    expect((await hub.send('POST', `/api/messages/${(await message('ERASED0')).id}/replay`, {})).status).toBe(409);
  });

  it('changes nothing by a replay, nor by one older than a client’s correction', async () => {
    const person = { id: 'P1', family: 'Playback', given: 'Ray', birth: '19660606', sex: 'M' };
    await hub.take(
      adt('A04', { ...person, street: '1 First' }, { controlId: 'PLAY1', time: '20240301090000' }),
      adt('A08', { ...person, street: '2 Second' }, { controlId: 'PLAY2', time: '20240301090000' }),
    );
    const replay = async (controlId: string) => {
      const { id } = await message(controlId);
      expect((await hub.send('POST', `/api/messages/${id}/replay`, {})).status).toBe(202);
      await hub.settled();
    };
    const before = await versions();
    await replay('PLAY1');
    await replay('PLAY2');
    expect(await versions()).toEqual(before);
    const found = await patient('Playback');
    expect(found.address[0].line).toEqual(['2 Second']);
    found.address[0].line = ['3 Corrected'];
    const put = await hub.send('PUT', `/fhir/Patient/${found.id}`, found);
    expect(put.status).toBe(200);
    await replay('PLAY2');
    expect((await patient('Playback')).address[0].line).toEqual(['3 Corrected']);
  });

  it('lists, filters and pages messages, and takes odd parameters for nothing worse than odd', async () => {
    const first = await hub.get('/api/messages?limit=5');
    expect(first.json.messages).toHaveLength(5);
    const second = await hub.get(`/api/messages?limit=5&before=${first.json.next}`);
    expect(second.json.messages[0].id).not.toBe(first.json.messages[0].id);
    expect((await hub.get('/api/messages?q=DOUBLE')).json.messages).toHaveLength(1);
    expect((await hub.get('/api/messages?state=dead&source=clinic')).status).toBe(200);
    for (const query of [
      'q=a&q=b',
      'state=dead&state=failed',
      'q=%00',
      'before=1e999',
      'before=1.5',
      'before=x',
      'limit=-1',
      'limit=99999',
      'state=%00',
      'source=a&source=b',
      "q='",
    ]) {
      expect([query, (await hub.get(`/api/messages?${query}`)).status]).toEqual([
        query,
        expect.toSatisfy((status: number) => status < 500),
      ]);
    }
  });
});
