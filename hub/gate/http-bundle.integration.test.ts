import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

describe('http §3.1.0.11 batch/transaction', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ bundleBytes: 32 * 1024 * 1024 });
  });
  afterAll(() => hub.stop());

  const post = (body: object | string, headers: Record<string, string> = {}, options: CallOptions = {}) =>
    hub.send('POST', '/fhir', typeof body === 'string' ? body : JSON.stringify(body), {
      ...options,
      headers: { ...json, ...headers },
    });
  const bundle = (type: string, ...entry: object[]) => ({ resourceType: 'Bundle', type, entry });
  const batch = (...entry: object[]) => post(bundle('batch', ...entry));
  const transaction = (...entry: object[]) => post(bundle('transaction', ...entry));
  const statuses = (answer: Answer) => answer.json.entry?.map((entry: Json) => entry.response.status);
  const patient = (value: string, more: object = {}) => ({
    resourceType: 'Patient',
    identifier: [{ system: 'urn:bundle', value }],
    ...more,
  });
  const creates = (resource: Json, request: object = {}) => ({
    resource,
    request: { method: 'POST', url: resource.resourceType, ...request },
  });
  const puts = (resource: Json, request: object = {}) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...request },
  });
  const reads = (url: string, request: object = {}) => ({ request: { method: 'GET', url, ...request } });
  const deletes = (url: string, request: object = {}) => ({ request: { method: 'DELETE', url, ...request } });
  const make = async (resource: Json) =>
    (await hub.send('POST', `/fhir/${resource.resourceType}`, JSON.stringify(resource), { headers: json })).json;
  const count = async (query: string) => (await hub.get(`/fhir/${query}&_summary=count`)).json.total;
  const idOf = (answer: Answer, i: number) => answer.json.entry[i].response.location.split('/')[1] as string;

  describe('§3.1.0.11.1 batch processing rules', () => {
    it('answers 200 whatever becomes of the entries, each with its own outcome, in the order of the request', async () => {
      const { id } = await make(patient('batch'));
      const answer = await batch(
        reads(`Patient/${id}`),
        creates(patient('batch-new')),
        creates({ resourceType: 'Patient', gender: 'nonsense' }),
        reads('Patient/none'),
        deletes('Patient/none'),
        puts({ resourceType: 'Patient', id: 'batch-put' }),
        reads('Nonsense/1'),
        reads('Patient?identifier=urn:bundle|batch'),
        creates({ resourceType: 'Patient' }, { url: 'Observation' }),
        reads(`Patient/${id}/_history`),
        reads(`Patient/${id}/$everything`),
        reads(`Patient/${id}`, { ifNoneMatch: 'W/"1"' }),
        { request: { method: 'HEAD', url: `Patient/${id}` } },
      );
      expect(answer.status).toBe(200);
      expect(answer.json.type).toBe('batch-response');
      expect(statuses(answer)).toEqual([
        '200',
        '201',
        '422',
        '404',
        '204',
        '201',
        '404',
        '200',
        '400',
        '200',
        '200',
        '304',
        '200',
      ]);
      const entries = answer.json.entry;
      expect(entries[0].resource.id).toBe(id);
      expect(entries[7].resource.total).toBe(1);
      expect(entries[9].resource.type).toBe('history');
      expect(entries[10].resource.type).toBe('searchset');
      expect([entries[11].resource, entries[12].resource]).toEqual([undefined, undefined]);
      for (const i of [2, 3, 6, 8]) {
        expect(entries[i].response.outcome).toMatchObject({ resourceType: 'OperationOutcome' });
        expect(entries[i].response.outcome.issue[0].diagnostics).toMatch(/\w+ \w+/);
      }
      expect(entries[1].response).toMatchObject({
        location: expect.stringMatching(/^Patient\/[\w-]+\/_history\/1$/),
        etag: 'W/"1"',
        lastModified: expect.stringMatching(/^\d{4}-/),
      });
    });

    it('lets an entry that is malformed fail alone, with the place and the reason', async () => {
      const answer = await post(
        `{"resourceType":"Bundle","type":"batch","entry":[
          {"resource":{"resourceType":"Patient","active":true,"active":false},"request":{"method":"POST","url":"Patient"}},
          {"resource":{"resourceType":"Nonsense"},"request":{"method":"POST","url":"Nonsense"}},
          {"request":{"method":"POST"}},
          {"resource":{"resourceType":"Patient"}},
          {"request":{"method":"EAT","url":"Patient/1"}},
          {"request":{"method":"GET","url":"https://elsewhere.example/fhir/Patient/1"}},
          {"request":{"method":"POST","url":"Patient"}},
          {"request":{"method":"GET","url":""}},
          {"request":{"method":7,"url":"Patient"}},
          {"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"/Patient"}}]}`,
      );
      expect(answer.status).toBe(200);
      expect(statuses(answer)).toEqual(['400', '400', '400', '400', '400', '400', '400', '400', '400', '201']);
      const places = answer.json.entry.slice(0, 4).map((one: Json) => one.response.outcome.issue[0].expression[0]);
      expect(places).toEqual([
        'Bundle.entry[0].resource.active',
        'Bundle.entry[1].resource.resourceType',
        'Bundle.entry[2].request',
        'Bundle.entry[3].request',
      ]);
    });

    it('refuses an entry that refers to what another one makes', async () => {
      const fullUrl = 'urn:uuid:44444444-4444-4444-8444-444444444444';
      const subject = { reference: fullUrl };
      const answer = await batch(
        { fullUrl, ...creates(patient('batch-dependent')) },
        creates({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject }),
      );
      expect(statuses(answer)).toEqual(['201', '400']);
      expect(answer.json.entry[1].response.outcome.issue[0].expression).toEqual(['Bundle.entry[1].resource.subject']);
    });

    it('carries out conditional entries and hands operations to the routes that answer them alone', async () => {
      const body = patient('batch-conditional');
      const made = await batch(creates(body, { ifNoneExist: 'identifier=urn:bundle|batch-conditional' }));
      const again = await batch(
        creates(body, { ifNoneExist: 'identifier=urn:bundle|batch-conditional' }),
        { resource: { ...body, active: true }, request: { method: 'PUT', url: 'Patient?identifier=urn:bundle|other' } },
        puts({ ...body, id: idOf(made, 0) }, { ifMatch: 'W/"9"' }),
        deletes('Patient?identifier=urn:bundle|nothing-there'),
        { request: { method: 'POST', url: 'Patient/_search?identifier=urn:bundle|batch-conditional' } },
        reads('Patient/$nonsense'),
        reads('metadata'),
      );
      expect(statuses(again)).toEqual(['200', '201', '412', '204', '200', '404', '200']);
      expect(idOf(again, 0)).toBe(idOf(made, 0));
      expect(again.json.entry[4].resource.total).toBe(2);
      expect(again.json.entry[6].resource.resourceType).toBe('CapabilityStatement');
    });
  });

  describe('§3.1.0.11.2 transaction processing rules', () => {
    it('takes a transaction without entries', async () => {
      for (const body of ['{"resourceType":"Bundle","type":"transaction"}', bundle('transaction')]) {
        const answer = await post(body);
        expect([answer.status, answer.json.type, answer.json.entry]).toEqual([200, 'transaction-response', undefined]);
      }
    });

    it('processes deletes, creates, updates and reads in this order, whatever the order of the entries', async () => {
      const { id } = await make(patient('order-old'));
      const answer = await transaction(
        reads('Patient?identifier=urn:bundle|order-old,urn:bundle|order-new,urn:bundle|order-put'),
        puts({ ...patient('order-put'), id: 'order-put' }),
        creates(patient('order-new')),
        deletes(`Patient/${id}`),
        reads('Patient/order-put'),
      );
      expect(statuses(answer)).toEqual(['200', '201', '201', '204', '200']);
      expect(answer.json.entry[0].resource.entry).toHaveLength(2);
      expect(answer.json.entry[4].resource.id).toBe('order-put');
      expect((await hub.get(`/fhir/Patient/${id}`)).status).toBe(410);
    });

    it.each([
      ['a precondition that does not hold', puts({ resourceType: 'Patient', id: 'atomic' }, { ifMatch: 'W/"7"' }), 412],
      ['a resource that is wrong', creates({ resourceType: 'Patient', gender: 'x' }), 422],
      ['another type than the address', creates({ resourceType: 'Patient' }, { url: 'Observation' }), 400],
      ['another id than the address', puts({ resourceType: 'Patient', id: 'a' }, { url: 'Patient/b' }), 400],
      ['a read of what is not there', reads('Patient/never-there'), 404],
      ['a search that is not understood', reads('Patient?nonsense=1'), 400],
      ['a method that is none', { request: { method: 'EAT', url: 'Patient/1' } }, 400],
      ['an entry without request', { resource: { resourceType: 'Patient' } }, 400],
      [
        'a conditional reference that finds nothing',
        creates({
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: 'Patient?identifier=urn:bundle|nobody' },
        }),
        412,
      ],
      ['a condition that filters nothing', creates(patient('x'), { ifNoneExist: '' }), 412],
      ['a condition with a parameter that does not filter', creates(patient('x'), { ifNoneExist: '_count=1' }), 400],
      ['an operation', { resource: patient('x'), request: { method: 'POST', url: 'Patient/$validate' } }, 400],
    ])('rejects all because of %s, with one OperationOutcome', async (_, wrong, status) => {
      const before = await count('Patient?identifier=urn:bundle|atomic');
      const answer = await transaction(creates(patient('atomic')), wrong);
      expect([answer.status, answer.json.resourceType]).toEqual([status, 'OperationOutcome']);
      expect(answer.json.issue[0].diagnostics).toMatch(/\w+ \w+/);
      expect(await count('Patient?identifier=urn:bundle|atomic')).toBe(before);
    });

    it('fails where two entries are about the same resource, also by conditions', async () => {
      const { id } = await make(patient('twice'));
      const twice = 'Patient?identifier=urn:bundle|twice';
      const fresh = 'Patient?identifier=urn:bundle|twice-fresh';
      const conditional = (url: string, more: object) => ({
        resource: patient('twice', more),
        request: { method: 'PUT', url },
      });
      for (const entries of [
        [puts({ resourceType: 'Patient', id }), deletes(`Patient/${id}`)],
        [puts({ resourceType: 'Patient', id }), puts({ resourceType: 'Patient', id, active: true })],
        [conditional(twice, {}), conditional(twice, { active: true })],
        [conditional(twice, {}), puts({ resourceType: 'Patient', id })],
        [conditional(fresh, {}), conditional(fresh, { active: true })],
        [conditional(fresh, {}), conditional('Patient?identifier=urn%3Abundle%7Ctwice-fresh', {})],
        [deletes(twice), conditional(twice, {})],
        [
          creates(patient('twice-fresh'), { ifNoneExist: 'identifier=urn:bundle|twice-fresh' }),
          creates(patient('twice-fresh'), { ifNoneExist: 'identifier=urn:bundle|twice-fresh' }),
        ],
      ]) {
        const answer = await transaction(...entries);
        expect([JSON.stringify(entries).slice(0, 200), answer.status]).toEqual([
          JSON.stringify(entries).slice(0, 200),
          400,
        ]);
        expect(answer.json.issue[0].diagnostics).toContain('once');
      }
      expect((await hub.get(`/fhir/Patient/${id}`)).json.meta.versionId).toBe('1');
      expect(await count(fresh)).toBe(0);
    });

    it('names what it gives an id by that id everywhere: references, circles, versions, links, the narrative', async () => {
      const [a, b] = ['urn:uuid:11111111-1111-4111-8111-111111111111', 'urn:uuid:22222222-2222-4222-8222-222222222222'];
      const observation = {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        text: {
          status: 'generated',
          div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${a}">who</a> urn:uuid as text: ${a}</div>`,
        },
        subject: { reference: a },
        focus: [{ reference: `${a}/_history/1` }, { reference: 'Patient/elsewhere' }],
        identifier: [{ system: a, value: a }],
        valueQuantity: { value: 1.0 },
      };
      const composition = {
        ...patient('circle'),
        generalPractitioner: [{ reference: 'urn:uuid:33333333-3333-4333-8333-333333333333' }],
        link: [{ other: { reference: a }, type: 'seealso' }],
      };
      const answer = await transaction(
        { fullUrl: b, ...creates(observation) },
        { fullUrl: a, ...creates(composition) },
        {
          fullUrl: 'urn:uuid:33333333-3333-4333-8333-333333333333',
          ...creates({ resourceType: 'Practitioner', id: 'ignored' }),
        },
      );
      expect(statuses(answer)).toEqual(['201', '201', '201']);
      const [one, two, three] = [0, 1, 2].map((i) => idOf(answer, i));
      const stored = (await hub.get(`/fhir/Observation/${one}`)).json;
      expect(stored.subject.reference).toBe(`Patient/${two}`);
      expect(stored.focus).toEqual([{ reference: `Patient/${two}/_history/1` }, { reference: 'Patient/elsewhere' }]);
      expect(stored.text.div).toContain(`href="Patient/${two}"`);
      expect(stored.text.div).toContain(`as text: ${a}`);
      expect(stored.identifier[0]).toEqual({ system: `Patient/${two}`, value: a });
      const circle = (await hub.get(`/fhir/Patient/${two}`)).json;
      expect(circle.link[0].other.reference).toBe(`Patient/${two}`);
      expect(circle.generalPractitioner[0].reference).toBe(`Practitioner/${three}`);
      expect(three).not.toBe('ignored');
    });

    it('reads relative references as those of the server that an entry comes from', async () => {
      const answer = await transaction(
        { fullUrl: 'http://other.example/fhir/Patient/17', ...creates({ ...patient('absolute'), id: '17' }) },
        {
          fullUrl: 'http://other.example/fhir/Observation/18',
          ...creates({
            resourceType: 'Observation',
            status: 'final',
            code: { text: 'x' },
            subject: { reference: 'Patient/17' },
            performer: [{ reference: 'http://other.example/fhir/Patient/17' }],
          }),
        },
      );
      const stored = (await hub.get(`/fhir/Observation/${idOf(answer, 1)}`)).json;
      expect(stored.subject.reference).toBe(`Patient/${idOf(answer, 0)}`);
      expect(stored.performer[0].reference).toBe(`Patient/${idOf(answer, 0)}`);
    });

    it('resolves conditional references, also to what the transaction makes under the same condition', async () => {
      const { id } = await make(patient('referred'));
      const refer = (reference: string) =>
        creates({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference } });
      const answer = await transaction(
        refer('Patient?identifier=urn:bundle|referred'),
        refer('Patient?identifier=urn:bundle|referred-new'),
        creates(patient('referred-new'), { ifNoneExist: 'identifier=urn:bundle|referred-new' }),
      );
      expect(statuses(answer)).toEqual(['201', '201', '201']);
      const subject = async (i: number) =>
        (await hub.get(`/fhir/Observation/${idOf(answer, i)}`)).json.subject.reference;
      expect(await subject(0)).toBe(`Patient/${id}`);
      expect(await subject(1)).toBe(`Patient/${idOf(answer, 2)}`);
      await make(patient('referred'));
      expect((await transaction(refer('Patient?identifier=urn:bundle|referred'))).status).toBe(412);
    });

    it('creates, updates and deletes by condition', async () => {
      const condition = 'identifier=urn:bundle|conditional';
      const put = (more: object) =>
        transaction({
          resource: patient('conditional', more),
          request: { method: 'PUT', url: `Patient?${condition}` },
        });
      const first = await transaction(creates(patient('conditional'), { ifNoneExist: condition }));
      const second = await transaction(creates(patient('conditional'), { ifNoneExist: condition }));
      expect([statuses(first), statuses(second)]).toEqual([['201'], ['200']]);
      expect(second.json.entry[0].response).toMatchObject({
        location: `Patient/${idOf(first, 0)}/_history/1`,
        etag: 'W/"1"',
      });
      expect(statuses(await put({ active: true }))).toEqual(['200']);
      expect((await put({ id: 'another' })).status).toBe(400);
      expect(statuses(await transaction(deletes(`Patient?${condition}`)))).toEqual(['204']);
      expect(statuses(await transaction(deletes(`Patient?${condition}`)))).toEqual(['204']);
      expect((await hub.get(`/fhir/Patient/${idOf(first, 0)}`)).status).toBe(410);
      expect(statuses(await put({}))).toEqual(['201']);
      await make(patient('conditional'));
      expect((await put({})).status).toBe(412);
      expect(statuses(await transaction(deletes(`Patient?${condition}`)))).toEqual(['204']);
      expect(await count(`Patient?${condition}`)).toBe(0);
    });

    it('ignores an id and a version that a new resource brings, and keeps the digits of what was sent', async () => {
      const answer = await post(
        '{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Observation","id":"mine","meta":{"versionId":"9"},"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}},"request":{"method":"POST","url":"Observation"}}]}',
      );
      const stored = await hub.get(`/fhir/Observation/${idOf(answer, 0)}`);
      expect(stored.json.id).not.toBe('mine');
      expect(stored.json.meta.versionId).toBe('1');
      expect(stored.text).toContain('"value":1.00}');
    });
  });

  describe('§3.1.0.11.3 batch/transaction response', () => {
    it('returns resources and outcomes as Prefer says', async () => {
      for (const type of ['batch', 'transaction']) {
        const body = bundle(type, creates(patient('prefer')));
        const plain = await post(body);
        expect([plain.json.entry[0].resource, plain.json.entry[0].response.outcome]).toEqual([undefined, undefined]);
        const whole = await post(body, { prefer: 'return=representation' });
        expect(whole.json.entry[0].resource).toMatchObject({ ...patient('prefer'), meta: { versionId: '1' } });
        const outcome = await post(body, { prefer: 'return=OperationOutcome' });
        expect(outcome.json.entry[0].response.outcome.issue[0].severity).toBe('information');
        expect(outcome.headers.get('preference-applied')).toBe('return=OperationOutcome');
      }
    });
  });

  describe('§3.1.0.11.4 accepting other Bundle types', () => {
    it.each(['collection', 'document', 'history', 'searchset', 'message', 'nonsense', undefined])(
      'refuses a Bundle of type %s with the reason',
      async (type) => {
        const answer = await post({ resourceType: 'Bundle', ...(type ? { type } : {}) });
        expect(answer.status).toBe(400);
        expect(answer.json.issue[0]).toMatchObject({
          expression: ['Bundle.type'],
          diagnostics: expect.stringContaining('batch or transaction'),
        });
      },
    );

    it('refuses what is no Bundle, and more entries than it takes', async () => {
      expect((await post({ resourceType: 'Patient' })).status).toBe(400);
      expect((await post('{"resourceType":"Bundle","type":"batch","entry":[1]}')).status).toBe(400);
      const many = Array.from({ length: 10_001 }, () => reads('Patient/1'));
      const answer = await post(bundle('batch', ...many));
      expect([answer.status, answer.json.issue[0].code]).toEqual([413, 'too-costly']);
    });
  });

  describe('hostile bundles', () => {
    it('keeps a batch inside the base, whatever an entry calls its address', async () => {
      const urls = [
        '../api/status',
        'Patient/../../api/status',
        '%2e%2e/api/status',
        '..\\\\api/status',
        '//evil/x',
        './x',
      ];
      const answer = await batch(...urls.map((url) => reads(url)));
      expect(statuses(answer)).toEqual(urls.map(() => '400'));
    });

    it('lets what is too deep, doubled or no resource fail alone, and pollutes nothing', async () => {
      const deep = `{"resourceType":"Basic","code":{"text":"x"},"extension":${'[{"url":"u","extension":'.repeat(80)}[]${'}]'.repeat(80)}}`;
      const entry = (resource: string) => `{"resource":${resource},"request":{"method":"POST","url":"Basic"}}`;
      const resources = [
        deep,
        '{"resourceType":"Basic","__proto__":{"polluted":true},"code":{"text":"x"}}',
        '{"resourceType":"Basic","constructor":{"prototype":{"polluted":true}},"code":{"text":"x"}}',
        '[]',
        'null',
        '"text"',
        '{"resourceType":"Basic","code":{"text":"\\u0000"}}',
        '{"resourceType":"Basic","code":{"text":"fine"}}',
      ];
      const answer = await post(`{"resourceType":"Bundle","type":"batch","entry":[${resources.map(entry).join()}]}`);
      expect(answer.status).toBe(200);
      const found = statuses(answer);
      expect(found.slice(0, -1).every((status: string) => status === '400' || status === '422')).toBe(true);
      expect(found.at(-1)).toBe('201');
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });

    it('answers thousands of malformed entries, and of conditions, in bounded time', async () => {
      const many = (entry: (i: number) => string) =>
        `{"resourceType":"Bundle","type":"batch","entry":[${Array.from({ length: 3_000 }, (_, i) => entry(i)).join()}]}`;
      const start = performance.now();
      const malformed = await post(
        many(() => '{"resource":{"resourceType":"Patient","a":1,"a":2},"request":{"method":"POST","url":"Patient"}}'),
      );
      expect(new Set(statuses(malformed))).toEqual(new Set(['400']));
      const condition = Array.from({ length: 40 }, (_, i) => `identifier=urn:x|${i}`).join('&');
      const conditions = await transaction(
        ...Array.from({ length: 50 }, () => creates(patient('many'), { ifNoneExist: condition })),
      );
      expect(conditions.status).toBe(400);
      expect(performance.now() - start).toBeLessThan(30_000);
    }, 60_000);
  });

  it('takes a transaction of 10 000 entries that refer to each other, in time that grows with their number', async () => {
    const timed = async (entries: number) => {
      const urn = (i: number) =>
        `urn:uuid:${String(i).padStart(8, '0')}-0000-4000-8000-${String(entries).padStart(12, '0')}`;
      const observations = Array.from({ length: entries - 1 }, (_, i) => ({
        fullUrl: urn(i + 1),
        ...creates({
          resourceType: 'Observation',
          status: 'final',
          code: { text: `${i}` },
          subject: { reference: urn(0) },
          ...(i > 0 ? { derivedFrom: [{ reference: urn(i) }] } : {}),
        }),
      }));
      const body = JSON.stringify(
        bundle('transaction', ...observations, { fullUrl: urn(0), ...creates(patient(`many-${entries}`)) }),
      );
      const start = performance.now();
      const answer = await post(body);
      const took = performance.now() - start;
      expect(answer.status).toBe(200);
      expect(answer.json.entry).toHaveLength(entries);
      const id = idOf(answer, entries - 1);
      expect(await count(`Observation?patient=${id}`)).toBe(entries - 1);
      return took;
    };
    const small = await timed(1_000);
    const large = await timed(10_000);
    expect(large / small).toBeLessThan(30);
  }, 120_000);
});
