/**
 * `$export` over HTTP. Numbers in titles are those of the requirements of the Bulk Data Access IG 2.0 as the Inferno
 * test kit numbers them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';
import { contents, ended, exported, kickOff, namesOf, pathIn, statusOf } from './testing.ts';

let hub: TestHub;

const observation = (id: string, patient: string, code = 'a', more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ system: 'urn:codes', code }] },
  subject: { reference: `Patient/${patient}` },
  ...more,
});
const put = async (resource: { resourceType: string; id: string }) => {
  const path = `/fhir/${resource.resourceType}/${resource.id}`;
  const answer = await hub.send('PUT', path, resource, { headers: { 'content-type': 'application/fhir+json' } });
  if (answer.status > 201) throw new Error(answer.text);
};
const patient = (id: string, more: object = {}) => put({ resourceType: 'Patient', id, ...more } as never);
const twin = oneHuman('Twinning');

beforeAll(async () => {
  hub = await startTestHub();
  for (const id of ['p1', 'p2', 'p3']) await patient(id, { name: [{ family: id }] });
  await patient('t1', twin);
  await patient('t2', twin);
  for (const id of ['p1', 'p2', 'p3', 't1', 't2']) {
    await put(observation(`o-${id}`, id, 'a'));
    await put(observation(`b-${id}`, id, 'b'));
  }
  await put({ resourceType: 'Organization', id: 'org', name: 'Clinic' } as never);
  await put({ resourceType: 'ValueSet', id: 'vs', status: 'active' } as never);
  const provenance = (id: string, target: string) => ({
    resourceType: 'Provenance',
    id,
    target: [{ reference: target }],
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ who: { display: 'x' } }],
  });
  await put(provenance('prov-o', 'Observation/o-p1') as never);
  await put(provenance('prov-org', 'Organization/org') as never);
  await put({
    resourceType: 'Binary',
    id: 'bin-p',
    contentType: 'text/plain',
    securityContext: { reference: 'Patient/p1' },
  } as never);
  await put({ resourceType: 'Binary', id: 'bin-x', contentType: 'text/plain' } as never);
  const members = (ids: string[]) => ids.map((reference) => ({ entity: { reference } }));
  const group = (id: string, ids: string[], more: object[] = []) =>
    put({ resourceType: 'Group', id, type: 'person', actual: true, member: [...members(ids), ...more] } as never);
  await group('inner', ['Patient/t1', 'Group/outer']);
  await group(
    'outer',
    ['Patient/p1', 'Group/inner', 'Practitioner/none'],
    [{ entity: { reference: 'Patient/p2' }, inactive: true }],
  );
});
afterAll(() => hub.stop());

describe('kick-off', () => {
  it('is declared [1, 217]', async () => {
    const { json } = await hub.get('/fhir/metadata');
    expect(json.instantiates).toContain('http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data');
    const base = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition';
    const [rest] = json.rest;
    expect(rest.operation).toContainEqual({ name: 'export', definition: `${base}/export` });
    for (const type of ['Patient', 'Group']) {
      const { operation } = rest.resource.find((one: { type: string }) => one.type === type);
      expect(operation).toContainEqual({ name: 'export', definition: `${base}/${type.toLowerCase()}-export` });
    }
  });

  it('is accepted with the address of the status [28, 29, 223, 224, 225, 297–302]', async () => {
    for (const path of ['/fhir/$export', '/fhir/Patient/$export', '/fhir/Group/outer/$export']) {
      const answer = await kickOff(hub, path);
      expect(answer.status).toBe(202);
      expect(answer.headers.get('content-location')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/fhir\//);
      expect(answer.json.resourceType).toBe('OperationOutcome');
      expect((await hub.send('DELETE', statusOf(hub, answer))).status).toBe(202);
    }
  });

  it('is refused with an OperationOutcome in JSON [27, 44, 46, 69, 303, 304]', async () => {
    const refused = async (status: number, path: string, headers: Record<string, string>, role?: string | null) => {
      const answer = await hub.get(path, { headers, ...(role === undefined ? {} : { role }) });
      expect([path, answer.status]).toEqual([path, status]);
      expect(answer.headers.get('content-type')).toMatch(/^application\/fhir\+json/);
      expect(answer.json.issue[0].diagnostics.length).toBeGreaterThan(10);
    };
    const right = { accept: 'application/fhir+json', prefer: 'respond-async' };
    await refused(400, '/fhir/$export', { accept: right.accept });
    await refused(406, '/fhir/$export', { prefer: right.prefer, accept: 'text/csv' });
    await refused(401, '/fhir/$export', right, null);
    await refused(403, '/fhir/$export', right, 'clinician');
    await refused(403, '/fhir/$export', right, 'integration-engineer');
    await refused(404, '/fhir/Group/none/$export', right);
    await refused(400, '/fhir/$export?_outputFormat=csv', right);
    await refused(400, '/fhir/$export?_since=yesterday', right);
    await refused(400, '/fhir/$export?_type=Patint', right);
    await refused(400, '/fhir/$export?_tpye=Patient', right);
    await refused(400, '/fhir/Patient/$export?_type=ValueSet', right);
    await refused(400, '/fhir/Patient/$export?patient=Patient/p1', right);
    await refused(400, '/fhir/$export?_typeFilter=Observation%3Fcoed%3Da', right);
    await refused(400, '/fhir/$export?_type=Patient&_typeFilter=Observation%3Fcode%3Da', right);
    await refused(400, '/fhir/$export?includeAssociatedData=LatestProvenanceResources', right);
    const parameters = {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: 'Patient/none' } }],
    };
    expect((await kickOff(hub, '/fhir/Patient/$export', parameters)).status).toBe(400);
    expect((await kickOff(hub, '/fhir/$export', { resourceType: 'Patient' })).status).toBe(400);
  });

  it('takes the formats by each name [49, 51, 52]', async () => {
    for (const format of ['application/fhir%2Bndjson', 'application/fhir+ndjson', 'application/ndjson', 'ndjson']) {
      const { output } = await exported(hub, `/fhir/$export?_type=Organization&_outputFormat=${format}`);
      expect(output).toHaveLength(1);
    }
  });

  it('under lenient handling tells what it left out [72, 94, 106, 194, 196, 197]', async () => {
    const headers = { prefer: 'respond-async, handling=lenient' };
    const path = '/fhir/$export?_type=Organization,Nonsense&includeAssociatedData=x&_tpye=y';
    const { output, error } = await exported(hub, path, undefined, { headers });
    expect(namesOf(await contents(hub, output))).toEqual(['Organization/org']);
    expect(error).toHaveLength(1);
    expect(error[0]).toMatchObject({ type: 'OperationOutcome', count: 3 });
    const outcomes = await contents(hub, error);
    expect(outcomes.map(({ issue }) => issue[0].severity)).toEqual(['warning', 'warning', 'warning']);
  });
});

describe('what is exported', () => {
  it('holds all of the system, of each type in a file of its own, with counts [63, 109–112, 152, 155–157, 159–178, 191–195, 202]', async () => {
    const before = new Date();
    const result = await exported(hub, '/fhir/$export');
    expect(Date.parse(result.transactionTime)).toBeGreaterThanOrEqual(before.getTime());
    expect(result).toMatchObject({
      request: `${hub.url}/fhir/$export`,
      requiresAccessToken: true,
      error: [],
      deleted: [],
    });
    const all = [];
    for (const item of result.output) {
      const own = await contents(hub, [item]);
      expect(new Set(own.map(({ resourceType }) => resourceType))).toEqual(new Set([item.type]));
      if (item.type !== 'Patient') expect(item.count).toBe(own.length);
      all.push(...own);
    }
    const names = namesOf(all);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^(Observation|Organization|ValueSet|Provenance|Binary|Group)\//.test(name))).toEqual(
      [
        'Binary/bin-x',
        'Group/inner',
        'Group/outer',
        ...['b-p1', 'b-p2', 'b-p3', 'b-t1', 'b-t2', 'o-p1', 'o-p2', 'o-p3', 'o-t1', 'o-t2'].map(
          (id) => `Observation/${id}`,
        ),
        'Organization/org',
        'Provenance/prov-o',
        'Provenance/prov-org',
        'ValueSet/vs',
      ],
    );
    expect(names.filter((name) => name.startsWith('Patient/'))).toHaveLength(4);
  });

  it('of patients holds their compartments and what explains them [33, 35, 37, 39, 65, 66, 109, 110]', async () => {
    const { output } = await exported(hub, '/fhir/Patient/$export');
    const all = await contents(hub, output);
    const names = namesOf(all);
    expect(names).toContain('Provenance/prov-o');
    expect(names).toContain('Organization/org');
    for (const other of ['Provenance/prov-org', 'ValueSet/vs', 'Binary/bin-p', 'Binary/bin-x']) {
      expect(names).not.toContain(other);
    }
    expect(names.filter((name) => name.startsWith('Observation/'))).toHaveLength(10);
    const patients = new Set(
      all.filter(({ resourceType }) => resourceType === 'Patient').map(({ id }) => `Patient/${id}`),
    );
    expect(patients.size).toBe(4);
    for (const { subject } of all.filter(({ resourceType }) => resourceType === 'Observation')) {
      expect(patients).toContain(subject.reference);
    }
  });

  it('of a group holds its members, nested groups’ and all homes of a person included [34, 36, 42]', async () => {
    const { output } = await exported(hub, '/fhir/Group/outer/$export?_type=Patient,Observation,Provenance,Group');
    const all = await contents(hub, output);
    expect(namesOf(all).filter((name) => name.startsWith('Observation/'))).toEqual(
      ['b-p1', 'b-t1', 'b-t2', 'o-p1', 'o-t1', 'o-t2'].map((id) => `Observation/${id}`),
    );
    expect(all.filter(({ resourceType }) => resourceType === 'Patient')).toHaveLength(2);
    expect(namesOf(all)).toContain('Provenance/prov-o');
    // A Group names other patients too.
    expect(namesOf(all)).not.toContain('Group/outer');
  });

  it('holds the patients that were named only [30, 85, 86, 87, 158]', async () => {
    const named = (id: string) => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: `Patient/${id}` } },
        { name: '_type', valueString: 'Observation' },
      ],
    });
    const result = await exported(hub, '/fhir/Group/outer/$export', named('p1'));
    expect(result.request).toBe(`${hub.url}/fhir/Group/outer/$export`);
    expect(namesOf(await contents(hub, result.output))).toEqual(['Observation/b-p1', 'Observation/o-p1']);
    expect((await kickOff(hub, '/fhir/Group/outer/$export', named('p3'))).status).toBe(400);
    expect(namesOf(await contents(hub, (await exported(hub, '/fhir/Patient/$export', named('p3'))).output))).toEqual([
      'Observation/b-p3',
      'Observation/o-p3',
    ]);
  });

  it('is confined to types, named at once or one by one [32, 62, 173]', async () => {
    for (const query of ['_type=Organization,ValueSet,Account', '_type=Organization&_type=ValueSet&_type=Account']) {
      const { output } = await exported(hub, `/fhir/$export?${query}`);
      expect(output.map(({ type }: { type: string }) => type)).toEqual(['Organization', 'ValueSet']);
    }
  });

  it('is confined by searches, any of which may find a resource [103, 117]', async () => {
    const a = 'Observation?code=a&patient=p1';
    const b = 'Observation?code=urn:codes|b&patient=p2,p3';
    for (const query of [
      `_typeFilter=${encodeURIComponent(`${a},${b}`)}`,
      `_typeFilter=${encodeURIComponent(a)}&_typeFilter=${encodeURIComponent(b)}`,
    ]) {
      const { output } = await exported(hub, `/fhir/Patient/$export?_type=Observation&${query}`);
      expect(output[0].count).toBe(3);
      expect(namesOf(await contents(hub, output))).toEqual([
        'Observation/b-p2',
        'Observation/b-p3',
        'Observation/o-p1',
      ]);
    }
    const family = encodeURIComponent('Patient?family=Twinning');
    const { output } = await exported(hub, `/fhir/$export?_type=Patient&_typeFilter=${family}`);
    expect(await contents(hub, output)).toHaveLength(1);
  });

  it('holds the elements that were asked for and says so [75–80]', async () => {
    const { output } = await exported(hub, '/fhir/$export?_type=Patient,Observation&_elements=Observation.status,name');
    const all = await contents(hub, output);
    expect(all.find(({ id }) => id === 'o-p1')).toEqual({
      resourceType: 'Observation',
      id: 'o-p1',
      meta: expect.objectContaining({ tag: [expect.objectContaining({ code: 'SUBSETTED' })] }),
      status: 'final',
      code: { coding: [{ system: 'urn:codes', code: 'a' }] },
    });
    expect(Object.keys(all.find(({ id }) => id === 'p1')).sort()).toEqual(['id', 'meta', 'name', 'resourceType']);
    expect((await kickOff(hub, '/fhir/$export?_elements=Patient.name.family')).status).toBe(400);
  });

  it('since a time holds what changed after it and tells what was deleted [53, 59, 154, 180–190]', async () => {
    await put(observation('gone', 'p3'));
    const { transactionTime } = await exported(hub, '/fhir/$export?_type=Organization');
    const since = encodeURIComponent(transactionTime);
    expect((await exported(hub, `/fhir/$export?_since=${since}`)).output).toEqual([]);
    await put(observation('o-p2', 'p2', 'c'));
    await hub.send('DELETE', '/fhir/Observation/gone');
    const { output, deleted } = await exported(hub, `/fhir/$export?_since=${since}`);
    expect(namesOf(await contents(hub, output))).toEqual(['Observation/o-p2']);
    expect(deleted).toMatchObject([{ type: 'Bundle', count: 1 }]);
    expect(await contents(hub, deleted)).toEqual([
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ request: { method: 'DELETE', url: 'Observation/gone' } }],
      },
    ]);
    await patient('t2', { ...twin, maritalStatus: { text: 'married' } });
    const later = await exported(hub, `/fhir/Patient/$export?_type=Patient&_since=${since}`);
    expect(await contents(hub, later.output)).toHaveLength(1);
  });

  it('since a time that an export showed begins where that one ended, whatever clocks say', async () => {
    const { transactionTime } = await exported(hub, '/fhir/$export?_type=Organization');
    await put(observation('slow', 'p1', 'slow'));
    // As if its transaction had begun before that export and had been committed after it.
    await hub.test.database.query(
      `UPDATE resource SET updated = $1::timestamptz - interval '1 s' WHERE seq = (SELECT seq FROM clock)`,
      [transactionTime],
    );
    const since = encodeURIComponent(transactionTime);
    const { output } = await exported(hub, `/fhir/$export?_type=Observation&_since=${since}`);
    expect(namesOf(await contents(hub, output))).toEqual(['Observation/slow']);
    const filter = encodeURIComponent('Observation?code=slow');
    const filtered = await exported(hub, `/fhir/$export?_type=Observation&_typeFilter=${filter}&_since=${since}`);
    expect(filtered.output).toMatchObject([{ type: 'Observation', count: 1 }]);
  });

  it('shows one moment, whatever is written between kick-off and download', async () => {
    await put(observation('steady', 'p1', 'then'));
    const { output } = await exported(hub, '/fhir/$export?_type=Observation');
    await put(observation('steady', 'p3', 'now'));
    await put(observation('later', 'p1'));
    await hub.send('DELETE', '/fhir/Observation/o-p3');
    const all = await contents(hub, output);
    expect(all).toHaveLength(output[0].count);
    expect(all.find(({ id }) => id === 'steady').code.coding[0].code).toBe('then');
    expect(namesOf(all)).toContain('Observation/o-p3');
    expect(namesOf(all)).not.toContain('Observation/later');
  });
});

describe('status and files', () => {
  it('are its owner’s and administrators’ only [6, 9, 136–138, 226]', async () => {
    const begun = await kickOff(hub, '/fhir/$export?_type=Organization', undefined, { role: 'system' });
    const status = statusOf(hub, begun);
    const { json } = await ended(hub, status);
    const file = pathIn(hub, json.output[0].url);
    expect((await hub.get(file, { role: 'system' })).status).toBe(200);
    const authorization = `Bearer ${await hub.token('system', 'another')}`;
    for (const path of [status, file]) {
      expect((await hub.get(path, { headers: { authorization } })).status).toBe(404);
      expect((await hub.get(path, { role: null })).status).toBe(401);
      expect((await hub.get(path, { role: 'clinician' })).status).toBe(404);
    }
    expect((await hub.send('DELETE', status, undefined, { headers: { authorization } })).status).toBe(404);
    for (const path of ['/fhir/_bulk/x', '/fhir/_bulk/018f0000-0000-7000-8000-000000000000', `${status}/99.ndjson`]) {
      const answer = await hub.get(path);
      expect([answer.status, answer.json.resourceType]).toEqual([404, 'OperationOutcome']);
    }
  });

  it('say until when and in which form they are there [144–148, 204–209]', async () => {
    const begun = await kickOff(hub, '/fhir/$export?_type=Organization');
    const done = await ended(hub, statusOf(hub, begun));
    expect(done.status).toBe(200);
    expect(done.headers.get('content-type')).toMatch(/^application\/json/);
    const expires = Date.parse(done.headers.get('expires')!);
    expect(Math.abs(expires - Date.now() - 24 * 3_600_000)).toBeLessThan(60_000);
    const [{ url }] = done.json.output;
    const headers = { authorization: `Bearer ${await hub.token('administrator')}`, 'accept-encoding': 'gzip' };
    const zipped = await fetch(url, { headers });
    expect(zipped.headers.get('content-type')).toBe('application/fhir+ndjson');
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    const plain = await fetch(url, { headers: { ...headers, 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await zipped.text()).toBe(await plain.text());
  });

  it('are recorded, each file with what it holds', async () => {
    const { output } = await exported(hub, '/fhir/$export?_type=Organization');
    await contents(hub, output);
    const fetched = (await accessesOf(hub)).findLast(({ action }) => action === 'bulk-file')!;
    expect(fetched).toMatchObject({ who: 'test-administrator', status: 200 });
    expect(fetched.what).toContain('Organization, 1 output of');
  });

  it('are recorded for each person whose records they hold, before these leave', async () => {
    const { output } = await exported(hub, '/fhir/$export?_type=Observation,Patient');
    const before = (await accessesOf(hub)).length;
    const given = await contents(hub, output);
    const about = (one: Json) =>
      one.resourceType === 'Patient' ? one.id : one.subject.reference.slice('Patient/'.length);
    const fetched = (await accessesOf(hub)).slice(before).filter(({ action }) => action === 'bulk-file');
    expect(new Set(given.map(about)).size).toBeGreaterThan(3);
    expect(new Set(fetched.flatMap(({ patients = [] }) => patients))).toEqual(new Set(given.map(about)));
    // A file has one event of its own, and one of each batch.
    expect(fetched).toHaveLength(2 * output.length);
  });

  it('are gone once deleted, under way or done [120–122, 305–309]', async () => {
    const begun = await kickOff(hub, '/fhir/$export');
    const status = statusOf(hub, begun);
    const done = await ended(hub, status);
    const deleted = await hub.send('DELETE', status);
    expect([deleted.status, deleted.json.resourceType]).toEqual([202, 'OperationOutcome']);
    for (const path of [status, pathIn(hub, done.json.output[0].url)]) {
      const answer = await hub.get(path);
      expect([answer.status, answer.json.resourceType]).toEqual([404, 'OperationOutcome']);
    }
    expect((await hub.send('DELETE', status)).status).toBe(404);
  });

  it('are not to be asked for without pause [125, 127, 128, 132, 133]', async () => {
    const begun = await kickOff(hub, '/fhir/$export');
    const status = statusOf(hub, begun);
    await hub.test.database.query(
      `UPDATE bulk_job SET state = 'running', lease_until = now() + interval '1 hour', lease_holder = id WHERE id = $1`,
      [status.split('/').at(-1)],
    );
    const answers = [];
    for (let i = 0; i < 15; i++) answers.push(await hub.get(status));
    expect(answers[0]!.status).toBe(202);
    expect(answers[0]!.headers.get('x-progress')!.length).toBeLessThan(100);
    expect(Number(answers[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    const last = answers.at(-1)!;
    expect([last.status, last.json.resourceType]).toEqual([429, 'OperationOutcome']);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await hub.send('DELETE', status)).status).toBe(202);
  });

  it('are limited in number [118]', async () => {
    const { rows } = await hub.test.database.query(
      `INSERT INTO bulk_job (id, kind, state, owner, access, request, parameters, expires, lease_until, sealing_key)
       SELECT gen_random_uuid(), 'export', 'running', 'test-administrator', '{}', '', '{}', now(), now() + interval '1 hour', ''
       FROM generate_series(1, 5) RETURNING id`,
    );
    const refused = await kickOff(hub, '/fhir/$export');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await kickOff(hub, '/fhir/$export', undefined, { role: 'system' })).status).toBe(202);
    await hub.test.database.query('DELETE FROM bulk_job WHERE id = ANY($1)', [rows.map(({ id }) => id)]);
  });
});
