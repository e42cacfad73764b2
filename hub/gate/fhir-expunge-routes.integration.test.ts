import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { ridOf } from '../record/index.ts';
import { type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('$expunge and $retention', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ allowExpunge: true });
  });
  afterAll(() => hub.stop());

  const put = async (resource: { resourceType: string; id: string }) => {
    const answer = await hub.send('PUT', `/fhir/${resource.resourceType}/${resource.id}`, resource, { headers: json });
    expect([200, 201]).toContain(answer.status);
  };
  const expunge = async (path: string, options: CallOptions = {}) => {
    const answer = await hub.send('POST', path, undefined, options);
    const values = (answer.json.parameter ?? []).map(({ name, ...value }: Json) => [name, Object.values(value)[0]]);
    return { status: answer.status, issue: answer.json.issue?.[0], ...Object.fromEntries(values) };
  };
  const basic = (id: string, text: string) => ({ resourceType: 'Basic', id, code: { text } });
  const versionsOf = async (path: string) => {
    const { json: bundle } = await hub.get(`/fhir/${path}/_history`);
    return (bundle.entry ?? []).map(({ response }: Json) => response.etag);
  };
  const rowsOf = async (table: string, rid: string) =>
    (await hub.test.database.query(`SELECT count(*) AS count FROM ${table} WHERE rid = $1`, [rid])).rows[0]!.count;

  it('is for administrators, on a hub that allows it, with a reason', async () => {
    await put(basic('guard', 'x'));
    expect((await expunge('/fhir/Basic/guard/$expunge?what=versions&reason=r', { role: 'clinician' })).status).toBe(
      403,
    );
    expect((await expunge('/fhir/Basic/guard/$expunge?what=versions&reason=r', { role: 'system' })).status).toBe(403);
    for (const [query, expression] of [
      ['what=versions', 'reason'],
      ['what=versions&reason=%20', 'reason'],
      ['reason=r', 'what'],
      ['what=all&reason=r', 'what'],
      ['what=deleted&reason=r&limit=0', 'limit'],
      ['what=deleted&reason=r&dryRun=true', 'dryRun'],
      ['what=deleted&reason=r&_dryRun=yes', '_dryRun'],
    ]) {
      const { status, issue } = await expunge(`/fhir/Basic/guard/$expunge?${query}`);
      expect([query, status, issue?.expression]).toEqual([query, 400, [expression]]);
    }
    expect((await expunge('/fhir/Basic/$expunge?what=everything&reason=r')).status).toBe(400);
    expect((await expunge('/fhir/Basic/none/$expunge?what=everything&reason=r')).status).toBe(404);
    expect((await expunge('/fhir/Nonsense/$expunge?what=deleted&reason=r')).status).toBe(404);
    expect((await hub.get('/fhir/Basic/guard/$expunge')).status).toBe(405);
    expect((await hub.get('/fhir/Basic/guard')).status).toBe(200);
    const other = await startTestHub();
    try {
      const refused = await other.send('POST', '/fhir/$expunge?what=deleted&reason=r');
      expect([refused.status, refused.json.issue[0].diagnostics]).toEqual([
        403,
        expect.stringContaining('--allow-expunge'),
      ]);
      expect((await other.send('POST', '/fhir/$retention?type=Basic&keepVersions=1&reason=r')).status).toBe(403);
      expect((await other.get('/fhir/$retention')).json.parameter).toEqual([{ name: 'active', valueBoolean: false }]);
    } finally {
      await other.stop();
    }
  });

  it('removes old versions and keeps the current one; a dry run only counts', async () => {
    for (let i = 0; i < 5; i++) await put(basic('old', `${i}`));
    const counted = await expunge('/fhir/Basic/old/$expunge?what=versions&reason=r&_dryRun=true');
    expect(counted).toMatchObject({ status: 200, dryRun: true, versions: 4, resources: 0, more: false });
    expect(await versionsOf('Basic/old')).toHaveLength(5);
    expect(await expunge('/fhir/Basic/old/$expunge?what=versions&reason=r&limit=3')).toMatchObject({
      versions: 3,
      more: true,
    });
    expect(await versionsOf('Basic/old')).toEqual(['W/"5"', 'W/"4"']);
    expect(await expunge('/fhir/Basic/old/$expunge?what=versions&reason=r')).toMatchObject({
      versions: 1,
      more: false,
    });
    expect(await versionsOf('Basic/old')).toEqual(['W/"5"']);
    expect((await hub.get('/fhir/Basic/old/_history/1')).status).toBe(404);
    expect((await hub.get('/fhir/Basic/old')).json.code.text).toBe('4');
    await put(basic('old', 'next'));
    expect(await versionsOf('Basic/old')).toEqual(['W/"6"', 'W/"5"']);
  });

  it('removes what was deleted, of a type, so many a call, and nothing that lives', async () => {
    for (let i = 0; i < 5; i++) {
      await put(basic(`del-${i}`, 'x'));
      await put(basic(`del-${i}`, 'y'));
      if (i > 0) await hub.send('DELETE', `/fhir/Basic/del-${i}`);
    }
    const first = await expunge('/fhir/Basic/$expunge?what=deleted&reason=r&limit=3');
    expect(first).toMatchObject({ status: 200, resources: 3, versions: 9, withheld: 0, more: true });
    expect(await expunge('/fhir/Basic/$expunge?what=deleted&reason=r&limit=3')).toMatchObject({
      resources: 1,
      more: false,
    });
    for (let i = 1; i < 5; i++) {
      expect((await hub.get(`/fhir/Basic/del-${i}`)).status).toBe(404);
      for (const table of ['resource', 'resource_history']) expect(await rowsOf(table, ridOf(`del-${i}`))).toBe(0);
    }
    expect((await hub.get('/fhir/Basic/del-0')).status).toBe(200);
    await put(basic('del-1', 'again'));
    expect(await versionsOf('Basic/del-1')).toEqual(['W/"1"']);
  });

  it('takes a Patient out of the person index, and leaves nothing of it behind', async () => {
    const patient = (id: string) => ({
      resourceType: 'Patient',
      id,
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-ssn', value: '536-90-4187' }],
      name: [{ family: 'Vanishing', given: ['Ottoline', 'Maud'] }],
      gender: 'female',
      birthDate: '1951-07-19',
      address: [{ line: ['17 Quince Lane'], city: 'Ellery', postalCode: '04417' }],
      telecom: [{ system: 'phone', value: '+1 207 555 0148' }],
    });
    await put(patient('gone-a'));
    await put(patient('gone-b'));
    const found = await hub.get('/fhir/Patient?family=Vanishing');
    expect(found.json.entry).toHaveLength(1);
    expect(found.json.entry[0].resource.link).toHaveLength(2);
    const merged = found.json.entry[0].resource.id as string;
    const { rows } = await hub.test.database.query('SELECT home FROM patient_home WHERE rid = $1', [ridOf('gone-a')]);
    const home = rows[0]!.home as number;
    expect((await expunge(`/fhir/Patient/${merged}/$expunge?what=everything&reason=r`)).status).toBe(404);
    const dry = await expunge('/fhir/Patient/gone-a/$expunge?what=everything&reason=r&_dryRun=true');
    expect(dry).toMatchObject({ status: 200, resources: 1, versions: 1 });
    expect((await hub.get('/fhir/Patient/gone-a')).status).toBe(200);

    const done = await expunge('/fhir/Patient/gone-a/$expunge?what=everything&reason=asked%20by%20the%20person');
    expect(done).toMatchObject({ status: 200, resources: 1, withheld: 0, more: false });
    expect((await hub.get('/fhir/Patient/gone-a')).status).toBe(404);
    const left = await hub.get('/fhir/Patient?family=Vanishing');
    expect(left.json.entry.map(({ resource }: Json) => resource.id)).toEqual(['gone-b']);
    const tables = await hub.test.database.query(
      `SELECT table_name, column_name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name IN ('home', 'a', 'b', 'recipient_home') AND data_type = 'bigint'`,
    );
    for (const { table_name: table, column_name: column } of tables.rows) {
      if (table === 'patient_home' || table === 'home_key') continue;
      const count = await hub.test.database.query(`SELECT count(*) AS n FROM ${table} WHERE ${column} = $1`, [home]);
      expect([table, column, count.rows[0]!.n]).toEqual([table, column, 0]);
    }
    const persons = await hub.test.database.query('SELECT count(*) AS n FROM person WHERE id = $1', [merged]);
    expect(persons.rows[0]!.n).toBe(0);
    const history = await hub.test.database.query('SELECT count(*) AS n FROM link_history WHERE patient = $1', [
      ridOf('gone-a'),
    ]);
    expect(history.rows[0]!.n).toBe(0);
  });

  it('records who removed what and why, with the removal', async () => {
    await put(basic('why', 'x'));
    await expunge('/fhir/Basic/why/$expunge?what=everything&reason=entered%20twice');
    const removed = (await accessesOf(hub)).filter(
      ({ action, what }) => action === 'expunge' && /^\/Basic\/why\/\$expunge.*removed/.test(what),
    );
    expect(removed).toMatchObject([
      { who: 'test-administrator', reason: 'entered twice', what: expect.stringContaining('1 resources') },
    ]);
  });

  it('withholds what still has to be sent from', async () => {
    await put({ resourceType: 'Patient', id: 'wait', name: [{ family: 'Waiting' }] } as never);
    await put({ resourceType: 'Patient', id: 'wait', name: [{ family: 'Waited' }] } as never);
    await hub.test.database.query(
      `INSERT INTO delivery (id, created, destination, dialect, kind, topic, home, source, person, focus_type, focus_rid,
         focus_version, recipient, recipient_home, round, state, next_attempt)
       SELECT gen_random_uuid(), now(), 'd', 'hl7v2', 'new', 'result', home, 's', gen_random_uuid(), 1, gen_random_uuid(),
         1, rid, home, 1, 'waiting', now() FROM patient_home WHERE rid = $1`,
      [ridOf('wait')],
    );
    const path = '/fhir/Patient/wait/$expunge?what=versions&reason=r';
    expect(await expunge(path)).toMatchObject({ versions: 0, withheld: 1 });
    await hub.test.database.query(`UPDATE delivery SET state = 'delivered'`);
    expect(await expunge(path)).toMatchObject({ versions: 1, withheld: 0 });
  });

  it('keeps what the retention of a type says, and shows it', async () => {
    const set = (query: string) => hub.send('POST', `/fhir/$retention?${query}`);
    expect((await set('type=Basic&keepVersions=2&keepDays=30&reason=space')).status).toBe(200);
    const shown = (await hub.get('/fhir/$retention')).json.parameter;
    expect(shown[0]).toEqual({ name: 'active', valueBoolean: true });
    const parts = Object.fromEntries(shown[1].part.map(({ name, ...value }: Json) => [name, Object.values(value)[0]]));
    expect(parts).toMatchObject({
      type: 'Basic',
      keepVersions: 2,
      keepDays: 30,
      by: 'test-administrator',
      reason: 'space',
    });
    expect((await set('type=Basic&reason=kept%20again')).json.parameter).toHaveLength(1);
    expect((await set('type=Nonsense&keepVersions=1&reason=r')).status).toBe(400);
    expect((await set('type=Basic&keepVersions=0&reason=r')).status).toBe(400);
    expect((await hub.get('/fhir/$retention', { role: 'clinician' })).status).toBe(403);
  });

  it('keeps the deliveries of a destination for as long as is said, and shows it', async () => {
    const set = (query: string) => hub.send('POST', `/fhir/$retention?${query}&reason=minimal`);
    const to = { dialect: 'fhir', url: 'https://a.example/fhir' };
    const body = { name: 'The practice', kind: 'practice', routes: [{ name: 'chart', to }] };
    expect((await hub.send('PUT', '/api/participants/practice', body)).status).toBe(200);
    for (const wrong of [
      'destination=practice&type=Basic&keepDays=3',
      'destination=practice&keepVersions=3',
      'destination=nobody&keepDays=3',
      'destination=practice&route=other&keepDays=3',
      'type=Basic&route=chart&keepDays=3',
    ]) {
      expect([wrong, (await set(wrong)).status]).toEqual([wrong, 400]);
    }
    await set('destination=*&keepDays=400');
    await set('destination=practice&route=chart&keepDays=30');
    const shown = (await hub.get('/fhir/$retention')).json.parameter
      .filter(({ name }: Json) => name === 'deliveryPolicy')
      .map(({ part }: Json) => part.slice(0, -3).map(({ name, ...value }: Json) => [name, Object.values(value)[0]]));
    expect(shown.map(Object.fromEntries)).toEqual([
      { destination: '*', keepDays: 400 },
      { destination: 'practice', route: 'chart', keepDays: 30 },
    ]);
    const after = await set('destination=*');
    expect(after.json.parameter.filter(({ name }: Json) => name === 'deliveryPolicy')).toHaveLength(1);
  });
});
