import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';

describe('http §3.1.0.6 patch', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub();
  });
  afterAll(() => hub.stop());

  const fhir = 'application/fhir+json';
  const jsonPatch = 'application/json-patch+json';
  const make = async (resource: Json, raw?: string) =>
    (await hub.send('POST', `/fhir/${resource.resourceType}`, raw ?? JSON.stringify(resource), type(fhir))).json;
  const type = (contentType: string, more: Record<string, string> = {}) => ({
    headers: { 'content-type': contentType, ...more },
  });
  const patchJson = (path: string, operations: object[], headers: Record<string, string> = {}) =>
    hub.send('PATCH', `/fhir/${path}`, JSON.stringify(operations), type(jsonPatch, headers));
  const operation = (kind: string, path: string, ...parts: object[]) => ({
    name: 'operation',
    part: [{ name: 'type', valueCode: kind }, { name: 'path', valueString: path }, ...parts],
  });
  const parameters = (...operations: object[]) => ({ resourceType: 'Parameters', parameter: operations });
  const patchFhir = (path: string, operations: object[], headers: Record<string, string> = {}) =>
    hub.send('PATCH', `/fhir/${path}`, JSON.stringify(parameters(...operations)), type(fhir, headers));
  const versions = async (path: string) =>
    (await hub.get(`/fhir/${path}/_history`)).json.entry.map((entry: Json) => entry.resource.meta.versionId);
  const gender = (code: string) => operation('add', 'Patient', { name: 'name', valueString: 'gender' }, value(code));
  const value = (code: string) => ({ name: 'value', valueCode: code });

  it('carries out a JSON Patch and a FHIRPath Patch, each as the next version, and keeps all of them', async () => {
    const { id } = await make({ resourceType: 'Patient', name: [{ family: 'Patched', given: ['A'] }] });
    const first = await patchJson(`Patient/${id}`, [
      { op: 'test', path: '/name/0/family', value: 'Patched' },
      { op: 'add', path: '/name/0/given/-', value: 'B' },
    ]);
    expect(first.status).toBe(200);
    expect(first.headers.get('etag')).toBe('W/"2"');
    expect(first.headers.get('location')).toMatch(new RegExp(`/fhir/Patient/${id}/_history/2$`));
    expect(first.json.name).toEqual([{ family: 'Patched', given: ['A', 'B'] }]);
    const second = await patchFhir(`Patient/${id}`, [
      gender('female'),
      operation('delete', "Patient.name.given.where($this = 'A')"),
    ]);
    expect(second.json).toMatchObject({ gender: 'female', name: [{ family: 'Patched', given: ['B'] }] });
    expect(await versions(`Patient/${id}`)).toEqual(['3', '2', '1']);
    expect((await hub.get(`/fhir/Patient/${id}/_history/1`)).json.name[0].given).toEqual(['A']);
    expect((await hub.get(`/fhir/Patient?_id=${id}&gender=female`)).json.entry).toHaveLength(1);
  });

  it('keeps the digits of numbers', async () => {
    const raw =
      '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00,"unit":"kg"}}';
    const { id } = await make({ resourceType: 'Observation' }, raw);
    await patchJson(`Observation/${id}`, [{ op: 'test', path: '/valueQuantity/value', value: 1 }]);
    const answer = await hub.send(
      'PATCH',
      `/fhir/Observation/${id}`,
      '[{"op":"add","path":"/component","value":[{"code":{"text":"y"},"valueQuantity":{"value":0.50}}]}]',
      type(jsonPatch),
    );
    expect(answer.text).toContain('"valueQuantity":{"value":1.00,"unit":"kg"}');
    expect(answer.text).toContain('"valueQuantity":{"value":0.50}');
    const status = operation('replace', 'Observation.status', value('amended'));
    const again = await patchFhir(`Observation/${id}`, [status]);
    expect(again.text).toContain('"value":1.00');
    expect((await hub.get(`/fhir/Observation/${id}`)).text).toContain('"value":0.50');
  });

  it('makes no version where nothing changes', async () => {
    const { id } = await make({ resourceType: 'Patient', active: true });
    for (const answer of [
      await patchJson(`Patient/${id}`, [{ op: 'replace', path: '/active', value: true }]),
      await patchJson(`Patient/${id}`, []),
      await patchFhir(`Patient/${id}`, [operation('delete', 'Patient.photo')]),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('etag')).toBe('W/"1"');
    }
    expect(await versions(`Patient/${id}`)).toEqual(['1']);
  });

  it('lets one of two clients win that patch the same version, by If-Match', async () => {
    const { id } = await make({ resourceType: 'Patient' });
    const answers = await Promise.all(
      ['male', 'female', 'other'].map((code) =>
        patchJson(`Patient/${id}`, [{ op: 'add', path: '/gender', value: code }], { 'if-match': 'W/"1"' }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
    const winner = answers.find(({ status }) => status === 200)!;
    expect((await hub.get(`/fhir/Patient/${id}`)).json).toEqual(winner.json);
    expect(await versions(`Patient/${id}`)).toEqual(['2', '1']);
  });

  it('loses none of many patches that come at once', async () => {
    const { id } = await make({ resourceType: 'Patient', name: [{ given: ['0'] }] });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        patchJson(`Patient/${id}`, [{ op: 'add', path: '/name/0/given/-', value: String(i + 1) }]),
      ),
    );
    const { given } = (await hub.get(`/fhir/Patient/${id}`)).json.name[0];
    expect(given.map(Number).sort((a: number, b: number) => a - b)).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  it('changes nothing where a test fails, and says which operation it was', async () => {
    const { id } = await make({ resourceType: 'Patient', active: true });
    const answer = await patchJson(`Patient/${id}`, [
      { op: 'replace', path: '/active', value: false },
      { op: 'test', path: '/active', value: true },
    ]);
    expect(answer.status).toBe(422);
    expect(answer.json.issue[0].diagnostics).toContain('operation 2 (test): the test failed: /active');
    expect((await hub.get(`/fhir/Patient/${id}`)).json).toMatchObject({ active: true, meta: { versionId: '1' } });
  });

  it.each([
    ['a patch that is no JSON', '[', 400],
    ['what is no list of operations', '{}', 400],
    ['an operation of no kind', '[{"op":"set","path":"/active","value":true}]', 422],
    ['a path that leads nowhere', '[{"op":"replace","path":"/gender","value":"male"}]', 422],
    ['a result that is not valid', '[{"op":"add","path":"/gender","value":"m"}]', 422],
    ['a result with an unknown element', '[{"op":"add","path":"/__proto__","value":{"polluted":true}}]', 422],
    ['another id', '[{"op":"replace","path":"/id","value":"other"}]', 422],
    ['another type', '[{"op":"replace","path":"/resourceType","value":"Person"}]', 422],
    ['a result that is no resource', '[{"op":"replace","path":"","value":1}]', 422],
    ['no body', '', 400],
  ])('refuses %s', async (_what, body, status) => {
    const { id } = await make({ resourceType: 'Patient', active: true });
    const answer = await hub.send('PATCH', `/fhir/Patient/${id}`, body, type(jsonPatch));
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] });
    expect(await versions(`Patient/${id}`)).toEqual(['1']);
  });

  it('refuses other media types, with those it takes', async () => {
    const { id } = await make({ resourceType: 'Patient' });
    for (const contentType of ['application/json', 'text/plain', 'application/xml-patch+xml']) {
      const answer = await hub.send('PATCH', `/fhir/Patient/${id}`, '[]', type(contentType));
      expect(answer.status).toBe(415);
      expect(answer.headers.get('accept-patch')).toContain(jsonPatch);
    }
  });

  it('answers 404 and 410 for what is not there, and 403 for a role that may not change resources', async () => {
    expect((await patchJson('Patient/none', [])).status).toBe(404);
    const { id } = await make({ resourceType: 'Patient' });
    await hub.send('DELETE', `/fhir/Patient/${id}`);
    expect((await patchJson(`Patient/${id}`, [])).status).toBe(410);
    const options = { ...type(jsonPatch), role: 'viewer' };
    expect([401, 403]).toContain((await hub.send('PATCH', '/fhir/Patient/none', '[]', options)).status);
  });

  it('answers as Prefer says', async () => {
    const { id } = await make({ resourceType: 'Patient' });
    const add = [{ op: 'add', path: '/active', value: true }];
    const minimal = await patchJson(`Patient/${id}`, add, { prefer: 'return=minimal' });
    expect([minimal.status, minimal.text]).toEqual([200, '']);
    const outcome = await patchFhir(`Patient/${id}`, [gender('male')], { prefer: 'return=OperationOutcome' });
    expect(outcome.json.resourceType).toBe('OperationOutcome');
  });

  it('patches what a condition finds: one, not none and not several', async () => {
    const identifier = (code: string) => [{ system: 'urn:patch', value: code }];
    const { id } = await make({ resourceType: 'Patient', identifier: identifier('one') });
    for (let i = 0; i < 2; i++) await make({ resourceType: 'Patient', identifier: identifier('two') });
    const answer = await patchFhir('Patient?identifier=urn:patch|one', [gender('male')]);
    expect(answer.json).toMatchObject({ id, gender: 'male', meta: { versionId: '2' } });
    expect((await patchJson('Patient?identifier=urn:patch|none', [])).status).toBe(404);
    expect((await patchJson('Patient?identifier=urn:patch|two', [])).status).toBe(412);
    expect((await patchJson('Patient?identifier=urn:patch|one', [], { 'if-match': 'W/"1"' })).status).toBe(412);
    expect((await patchJson('Patient', [])).status).toBe(400);
  });

  it('carries out paths of any kind, also where others change the resource meanwhile, and for all the others of one that never ends', async () => {
    const { id } = await make({ resourceType: 'Patient', name: [{ family: 'Wide', given: ['A', 'B', 'C', 'D'] }] });
    const endless = operation('delete', `Patient.descendants()${'.select(%resource.descendants())'.repeat(14)}`);
    const evil = patchFhir(`Patient/${id}`, [endless]);
    const gone = ['A', 'B', 'C', 'D'].map((given) =>
      operation('delete', `Patient.descendants().where($this = '${given}')`),
    );
    const fair = gone.map((one, i) =>
      hub.send('PATCH', `/fhir/Patient/${id}`, JSON.stringify(parameters(one)), {
        role: i % 2 ? 'system' : 'clinician',
        ...type(fhir),
      }),
    );
    expect((await Promise.all(fair)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await evil;
    expect([refused.status, refused.json.issue[0].code]).toEqual([422, 'too-costly']);
    expect((await hub.get(`/fhir/Patient/${id}`)).json.name).toEqual([{ family: 'Wide' }]);
    expect(await versions(`Patient/${id}`)).toEqual(['5', '4', '3', '2', '1']);
  });

  it('takes Parameters in XML', async () => {
    const { id } = await make({ resourceType: 'Patient' });
    const part = (name: string, value: string) => `<part><name value="${name}"/>${value}</part>`;
    const body = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>
      ${part('type', '<valueCode value="add"/>')}${part('path', '<valueString value="Patient"/>')}
      ${part('name', '<valueString value="gender"/>')}${part('value', '<valueCode value="other"/>')}
    </parameter></Parameters>`;
    const answer = await hub.send('PATCH', `/fhir/Patient/${id}`, body, type('application/fhir+xml'));
    expect([answer.status, answer.json?.gender]).toEqual([200, 'other']);
  });

  it('is about what the client sees: of a merged Patient its own id, though each source keeps what it said', async () => {
    const twin = oneHuman('Patchtwin');
    const sources = [await make(twin), await make(twin)];
    const found = (await hub.get('/fhir/Patient?family=Patchtwin')).json.entry;
    expect(found).toHaveLength(1);
    const merged = `Patient/${found[0].resource.id}`;
    for (const { id } of sources) {
      const about = { subject: { reference: `Patient/${id}` }, status: 'final', code: { text: 'x' } };
      const observation = await make({ resourceType: 'Observation', ...about });
      const path = `Observation/${observation.id}`;
      expect((await hub.get(`/fhir/${path}`)).json.subject.reference).toBe(merged);
      const test = { op: 'test', path: '/subject/reference', value: merged };
      expect((await patchJson(path, [test])).headers.get('etag')).toBe('W/"1"');
      expect((await patchJson(path, [test, { op: 'replace', path: '/status', value: 'amended' }])).status).toBe(200);
      const where = `Observation.where(subject.reference = '${merged}').status`;
      expect((await patchFhir(path, [operation('replace', where, value('corrected'))])).status).toBe(200);
      const { rows } = await hub.test.database.query({
        text: `SELECT h.rid FROM resource r JOIN patient_home h ON h.home = r.home WHERE r.rid = $1`,
        values: [observation.id],
      });
      expect(rows).toEqual([{ rid: id }]);
      expect((await hub.get(`/fhir/${path}`)).json).toMatchObject({
        status: 'corrected',
        subject: { reference: merged },
      });
    }
  });

  describe('§3.1.0.11 in a bundle', () => {
    const bundle = (kind: string, ...entry: object[]) =>
      hub.send('POST', '/fhir', { resourceType: 'Bundle', type: kind, entry }, type(fhir));
    const binary = (operations: object[]) => ({
      resourceType: 'Binary',
      contentType: jsonPatch,
      data: Buffer.from(JSON.stringify(operations)).toString('base64'),
    });
    const patches = (url: string, resource: object, more: object = {}) => ({
      resource,
      request: { method: 'PATCH', url, ...more },
    });

    it.each(['batch', 'transaction'])('a %s patches by Binary and by Parameters', async (kind) => {
      const [a, b] = [await make({ resourceType: 'Patient' }), await make({ resourceType: 'Patient', active: true })];
      const answer = await bundle(
        kind,
        patches(`Patient/${a.id}`, binary([{ op: 'add', path: '/gender', value: 'other' }])),
        patches(`Patient/${b.id}`, parameters(gender('male')), { ifMatch: 'W/"1"' }),
      );
      expect(answer.json.entry.map((entry: Json) => entry.response.status)).toEqual(['200', '200']);
      expect((await hub.get(`/fhir/Patient/${a.id}`)).json).toMatchObject({ gender: 'other' });
      expect((await hub.get(`/fhir/Patient/${b.id}`)).json).toMatchObject({ gender: 'male', active: true });
    });

    it('a transaction changes nothing where one of its patches fails', async () => {
      const [a, b] = [await make({ resourceType: 'Patient' }), await make({ resourceType: 'Patient' })];
      const answer = await bundle(
        'transaction',
        patches(`Patient/${a.id}`, binary([{ op: 'add', path: '/gender', value: 'other' }])),
        patches(`Patient/${b.id}`, binary([{ op: 'test', path: '/gender', value: 'other' }])),
      );
      expect(answer.status).toBe(422);
      expect(answer.json.issue[0].expression[0]).toContain('Bundle.entry[1]');
      expect(await versions(`Patient/${a.id}`)).toEqual(['1']);
    });

    it('a transaction resolves what its patches refer to, and makes no version for a patch that changes nothing', async () => {
      const patient = await make({ resourceType: 'Patient' });
      const observation = await make({ resourceType: 'Observation', status: 'final', code: { text: 'x' } });
      const fullUrl = 'urn:uuid:00000000-0000-4000-8000-0000000000aa';
      const subject = { reference: fullUrl };
      const answer = await bundle(
        'transaction',
        { fullUrl, resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
        patches(`Observation/${observation.id}`, binary([{ op: 'add', path: '/subject', value: subject }])),
        patches(`Patient/${patient.id}`, parameters()),
      );
      expect(answer.json.entry.map((entry: Json) => entry.response.status)).toEqual(['201', '200', '200']);
      const made = answer.json.entry[0].response.location.split('/')[1];
      const stored = (await hub.get(`/fhir/Observation/${observation.id}`)).json;
      expect(stored.subject.reference).toBe(`Patient/${made}`);
      expect((await hub.get(`/fhir/Observation?patient=${made}`)).json.entry).toHaveLength(1);
      expect(await versions(`Patient/${patient.id}`)).toEqual(['1']);
    });

    it('a transaction patches a reference to a Patient that a condition finds', async () => {
      const identifier = [{ system: 'urn:patch', value: 'found' }];
      const patient = await make({ resourceType: 'Patient', identifier });
      const observation = await make({ resourceType: 'Observation', status: 'final', code: { text: 'x' } });
      const fullUrl = 'urn:uuid:00000000-0000-4000-8000-0000000000bb';
      const answer = await bundle(
        'transaction',
        {
          fullUrl,
          resource: { resourceType: 'Patient', identifier },
          request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:patch|found' },
        },
        patches(
          `Observation/${observation.id}`,
          binary([{ op: 'add', path: '/subject', value: { reference: fullUrl } }]),
        ),
      );
      expect(answer.json.entry.map((entry: Json) => entry.response.status)).toEqual(['200', '200']);
      const stored = (await hub.get(`/fhir/Observation/${observation.id}`)).json;
      expect(stored.subject.reference).toBe(`Patient/${patient.id}`);
    });

    it('refuses another resource as a patch', async () => {
      const { id } = await make({ resourceType: 'Patient' });
      for (const wrong of [
        { resourceType: 'Patient' },
        { resourceType: 'Binary', contentType: 'text/plain', data: '' },
      ]) {
        const answer = await bundle('transaction', patches(`Patient/${id}`, wrong));
        expect([400, 415, 422]).toContain(answer.status);
      }
    });
  });
});
