import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';

const json = { 'content-type': 'application/fhir+json' };

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ bundleBytes: 16 * 1024 * 1024 });
});
afterAll(() => hub.stop());

async function store(...resources: { resourceType: string; id: string }[]): Promise<void> {
  const entry = resources.map((resource) => ({
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    resource,
  }));
  const answer = await post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
  expect([answer.status, answer.json.issue]).toEqual([200, undefined]);
}

const post = (path: string, body: string | object, options: CallOptions = {}) =>
  hub.send('POST', path, body, { ...options, headers: { ...json, ...options.headers } });
const parameters = (...parameter: object[]) => ({ resourceType: 'Parameters', parameter });

async function get(path: string): Promise<Json> {
  const answer = await hub.get(path);
  expect([path, answer.status, answer.json.issue]).toEqual([path, 200, undefined]);
  return answer.json;
}

const ids = (bundle: Json, mode = 'match'): string[] =>
  (bundle.entry ?? []).filter(({ search }: Json) => search.mode === mode).map(({ resource }: Json) => resource.id);

describe('Observation/$lastn (https://hl7.org/fhir/R4/observation-operation-lastn.html)', () => {
  const category = [{ coding: [{ system: 'urn:category', code: 'vital' }] }];
  const observed = (id: string, patient: string, code: object, effectiveDateTime: string | undefined) => ({
    resourceType: 'Observation',
    id,
    status: 'final',
    category,
    code,
    subject: { reference: `Patient/${patient}` },
    ...(effectiveDateTime ? { effectiveDateTime } : {}),
  });
  const coded = (...codes: string[]) => ({ coding: codes.map((code) => ({ system: 'urn:x', code })) });

  it('gives the last of each code, newest first, ties included', async () => {
    await store(
      observed('l-a1', 'l', coded('a'), '2020-01-01'),
      observed('l-a2', 'l', coded('a'), '2020-03-01'),
      observed('l-a3', 'l', coded('a'), '2020-02-01'),
      observed('l-a4', 'l', coded('a'), '2020-02-01'),
      observed('l-b1', 'l', coded('b'), '2021-01-01'),
      observed('l-b2', 'l', coded('b'), undefined),
      observed('l-other', 'other', coded('a'), '2022-01-01'),
    );
    const of = async (query: string) => ids(await get(`/fhir/Observation/$lastn?${query}`));
    expect(await of('patient=l&category=vital')).toEqual(['l-b1', 'l-a2']);
    expect(await of('patient=Patient/l&category=vital&max=1')).toEqual(['l-b1', 'l-a2']);
    const two = await of('subject=Patient/l&category=urn:category|vital&max=2');
    expect(two.slice(0, 2)).toEqual(['l-b1', 'l-a2']);
    expect(two.slice(2, 4).sort()).toEqual(['l-a3', 'l-a4']);
    expect(two.slice(4)).toEqual(['l-b2']);
    expect(await of('patient=l&code=urn:x|a')).toEqual(['l-a2']);
    expect(await of('patient=l&category=vital&date=lt2020-03-01')).toEqual(expect.arrayContaining(['l-a3', 'l-a4']));
    const none = await get('/fhir/Observation/$lastn?patient=l&code=nothing');
    expect([none.total, none.entry]).toEqual([0, undefined]);
  });

  it('takes codes as equal that share a coding, also by way of a third, and texts as they stand', async () => {
    await store(
      observed('e-1', 'e1', coded('a'), '2020-01-01'),
      observed('e-2', 'e1', coded('b'), '2020-01-02'),
      observed('e-3', 'e1', coded('c'), '2020-01-03'),
      observed('e-4', 'e1', coded('a', 'c'), '2019-01-01'),
      observed('e-5', 'e1', { text: 'Text' }, '2018-01-01'),
      observed('e-6', 'e1', { text: 't e x t' }, '2018-01-02'),
      observed('e-7', 'e1', { text: 'Text' }, '2018-01-03'),
    );
    expect(ids(await get('/fhir/Observation/$lastn?patient=e1&category=vital'))).toEqual(['e-3', 'e-2', 'e-7', 'e-6']);
  });

  it('says what it needs', async () => {
    for (const [query, expression] of [
      ['category=vital', 'patient'],
      ['patient=l', 'category'],
      ['patient=l&subject=l&code=a', 'patient'],
      ['patient=l,m&code=a', 'patient'],
      ['patient=l&code=a&max=0', 'max'],
      ['patient=l&code=a&_count=3', '_count'],
      ['patient=l&code=a&_sort=date', '_sort'],
      ['patient=l&code=a&cod=b', 'cod'],
    ]) {
      const answer = await hub.get(`/fhir/Observation/$lastn?${query}`);
      expect([query, answer.status, answer.json.issue?.[0].expression]).toEqual([query, 400, [expression]]);
    }
    const byPost = await post(
      '/fhir/Observation/$lastn',
      parameters(
        { name: 'max', valuePositiveInt: 1 },
        { name: 'patient', valueString: 'l' },
        { name: 'code', valueString: 'a' },
      ),
    );
    expect(ids(byPost.json)).toEqual(['l-a2']);
  });

  it('agrees with a plain model of it', async () => {
    let patient = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            codes: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 2 }),
            day: fc.integer({ min: 1, max: 9 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
        fc.integer({ min: 1, max: 3 }),
        async (drawn, max) => {
          const name = `model-${patient++}`;
          const made = drawn.map(({ codes, day }, i) =>
            observed(`${name}-${i}`, name, coded(...codes), `2020-01-0${day}`),
          );
          await store(...made);
          const bundle = await get(`/fhir/Observation/$lastn?patient=${name}&category=vital&max=${max}`);
          expect(ids(bundle).sort()).toEqual(
            modelled(drawn, max)
              .map((i) => `${name}-${i}`)
              .sort(),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  /** Groups by repeated joining, then takes of each what is not older than its `max`-th. */
  function modelled(drawn: { codes: string[]; day: number }[], max: number): number[] {
    let groups = drawn.map(({ codes }, i) => ({ codes: new Set(codes), members: [i] }));
    for (let before = 0; before !== groups.length; ) {
      before = groups.length;
      const joined: typeof groups = [];
      for (const group of groups) {
        const same = joined.find(({ codes }) => [...group.codes].some((code) => codes.has(code)));
        if (!same) joined.push(group);
        else {
          for (const code of group.codes) same.codes.add(code);
          same.members.push(...group.members);
        }
      }
      groups = joined;
    }
    return groups.flatMap(({ members }) => {
      const days = members.map((i) => drawn[i]!.day).sort((a, b) => b - a);
      const least = days[Math.min(max, days.length) - 1]!;
      return members.filter((i) => drawn[i]!.day >= least);
    });
  }
});

describe('$graph (https://hl7.org/fhir/R4/resource-operation-graph.html)', () => {
  const graph = (id: string, link: object[], start = 'Patient') => ({
    resourceType: 'GraphDefinition',
    id,
    url: `urn:graph:${id}`,
    name: 'Graph',
    status: 'active',
    start,
    link,
  });

  it('follows paths and params, ends in cycles, and tells what was not met', async () => {
    await store(
      { resourceType: 'Organization', id: 'g-org', partOf: { reference: 'Organization/g-top' } } as never,
      { resourceType: 'Organization', id: 'g-top', partOf: { reference: 'Organization/g-org' } } as never,
      { resourceType: 'Patient', id: 'g', managingOrganization: { reference: 'Organization/g-org' } } as never,
      ...['1', '2', '3'].map((n) => ({
        resourceType: 'Observation',
        id: `g-${n}`,
        status: 'final',
        code: { text: n },
        subject: { reference: 'Patient/g' },
        performer: [{ reference: 'Practitioner/g-doc' }, { reference: 'Organization/g-org' }],
      })),
      { resourceType: 'Practitioner', id: 'g-doc' },
      graph('g-all', [
        {
          path: 'Patient.managingOrganization',
          target: [{ type: 'Organization', link: [{ path: 'partOf', target: [{ type: 'Organization' }] }] }],
        },
        {
          min: 5,
          target: [
            {
              type: 'Observation',
              params: 'patient={ref}&_count=2',
              link: [{ path: 'performer', sliceName: 'doc', target: [{ type: 'Practitioner' }] }],
            },
          ],
        },
      ]) as never,
      graph('g-two', [{ max: '2', target: [{ type: 'Observation', params: 'subject={ref}' }] }]) as never,
      graph('g-wrong', [{ path: 'name.where(use=1)', target: [{ type: 'Organization' }] }]) as never,
      graph('g-refless', [{ target: [{ type: 'Observation', params: 'status=final' }] }]) as never,
    );
    const bundle = await get('/fhir/Patient/g/$graph?graph=urn:graph:g-all');
    expect(ids(bundle)).toEqual(['g']);
    expect(ids(bundle, 'include').sort()).toEqual(['g-1', 'g-2', 'g-3', 'g-doc', 'g-org', 'g-top']);
    const warnings = bundle.entry.at(-1).resource.issue.map(({ expression }: Json) => expression[0]);
    expect(warnings.sort()).toEqual(['GraphDefinition.link[1]', 'GraphDefinition.link[1].target[0].link[0]']);
    const byPost = await post(
      '/fhir/Patient/g/$graph',
      parameters({ name: 'graph', valueUri: 'GraphDefinition/g-two' }),
    );
    expect(ids(byPost.json, 'include')).toHaveLength(2);
    expect(byPost.json.entry.at(-1).resource.issue[0].diagnostics).toContain('max');
    for (const [path, status] of [
      ['/fhir/Patient/g/$graph', 400],
      ['/fhir/Patient/g/$graph?graph=urn:graph:none', 404],
      ['/fhir/Patient/none/$graph?graph=g-all', 404],
      ['/fhir/Organization/g-org/$graph?graph=g-all', 422],
      ['/fhir/Patient/g/$graph?graph=g-wrong', 422],
      ['/fhir/Patient/g/$graph?graph=g-refless', 422],
    ] as const) {
      expect([path, (await hub.get(path)).status]).toEqual([path, status]);
    }
  });
});

describe('$validate (https://hl7.org/fhir/R4/resource-operation-validate.html)', () => {
  const issues = async (path: string, body?: string | object, options: CallOptions = {}) => {
    const answer = body === undefined ? await hub.get(path, options) : await post(path, body, options);
    expect([path, answer.status, answer.json.resourceType]).toEqual([path, 200, 'OperationOutcome']);
    return answer.json.issue as Json[];
  };
  const errors = async (path: string, body?: string | object, options: CallOptions = {}) =>
    (await issues(path, body, options)).filter(({ severity }) => severity === 'error').map(({ code }) => code);
  const right = { resourceType: 'Patient', gender: 'male' };

  it('answers 200 with an outcome, whether the resource is valid or not', async () => {
    expect(await issues('/fhir/Patient/$validate', right)).toMatchObject([
      { severity: 'information', code: 'informational' },
    ]);
    expect(await errors('/fhir/Patient/$validate', { ...right, gender: 'x' })).toHaveLength(1);
    expect(await errors('/fhir/Patient/$validate', { ...right, nickname: 'x' })).toHaveLength(1);
    expect(await errors('/fhir/Patient/$validate', '{"resourceType":"Patient",')).toHaveLength(1);
    expect(await errors('/fhir/Patient/$validate', '{"resourceType":"Patient","id":"a","id":"b"}')).toHaveLength(1);
    expect(await errors('/fhir/Observation/$validate', right)).toEqual(['invariant']);
    const wrapped = parameters({ name: 'resource', resource: { ...right, birthDate: 'x' } });
    expect(await errors('/fhir/Patient/$validate', wrapped)).toHaveLength(1);
  });

  it('reads and writes XML too', async () => {
    const xml = { headers: { 'content-type': 'application/fhir+xml' } };
    const patient = (gender: string) => `<Patient xmlns="http://hl7.org/fhir"><gender value="${gender}"/></Patient>`;
    const wrapped = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="resource"/><resource>${patient('x')}</resource></parameter></Parameters>`;
    for (const [body, wrong] of [
      [patient('male'), 0],
      [patient('x'), 1],
      [wrapped, 1],
      ['<Patient xmlns="http://hl7.org/fhir"><gender', 1],
    ] as const) {
      const answer = await hub.send('POST', '/fhir/Patient/$validate', body, xml);
      const found = answer.json.issue.filter(({ severity }: Json) => severity === 'error');
      expect([body, answer.status, found.length]).toEqual([body, 200, wrong]);
    }
    await store({ ...right, id: 'val-xml' });
    const meta = await hub.get('/fhir/Patient/val-xml/$meta?_format=xml');
    expect(meta.text).toMatch(/<Parameters [^>]*><parameter><name value="return"\/><valueMeta><versionId value="1"\/>/);
    const everything = await hub.get('/fhir/Patient/val-xml/$everything?_elements=gender');
    expect(Object.keys(everything.json.entry[0].resource).sort()).toEqual(['gender', 'id', 'meta', 'resourceType']);
    expect(everything.json.link[0].url).toContain('_elements=gender');
  });

  it('says that profiles are not checked', async () => {
    const profile = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient';
    expect(await errors(`/fhir/Patient/$validate?profile=${profile}`, right)).toEqual(['not-supported']);
    const claims = await issues('/fhir/Patient/$validate', { ...right, meta: { profile: [profile] } });
    expect(claims.map(({ severity }) => severity)).toEqual(['information', 'information']);
  });

  it('tells whether an interaction would be carried out', async () => {
    await store({ ...right, id: 'val' });
    expect(await errors('/fhir/Patient/val/$validate?mode=update', { ...right, id: 'val' })).toEqual([]);
    expect(await errors('/fhir/Patient/val/$validate?mode=update', { ...right, id: 'other' })).toEqual(['invariant']);
    expect(await errors('/fhir/Patient/$validate?mode=create', right, { role: 'steward' })).toEqual(['forbidden']);
    expect(await errors('/fhir/Patient/val/$validate?mode=delete')).toEqual([]);
    expect((await issues('/fhir/Patient/none/$validate?mode=delete')).map(({ code }) => code)).toContain('not-found');
    expect(await errors('/fhir/Patient/val/$validate')).toEqual([]);
    expect((await post('/fhir/Patient/$validate?mode=update', right)).status).toBe(400);
    expect((await post('/fhir/Patient/$validate?mode=destroy', right)).status).toBe(400);
    expect((await post('/fhir/Patient/$validate', parameters({ name: 'mode', valueCode: 'create' }))).status).toBe(400);
    expect((await post('/fhir/Patient/$validate?mod=create', right)).json.issue[0].diagnostics).toContain('mode');
  });
});

describe('$meta, $meta-add, $meta-delete (https://hl7.org/fhir/R4/resource-operation-meta.html)', () => {
  const labels = (meta: object) => parameters({ name: 'meta', valueMeta: meta });
  const metaIn = (answer: { json: Json }) => answer.json.parameter[0].valueMeta;
  const tag = (code: string, more: object = {}) => ({ system: 'urn:tag', code, ...more });

  it('are sets, make a version where they change something, and are found by searches', async () => {
    const text =
      '{"resourceType":"Observation","id":"m","meta":{"tag":[{"system":"urn:tag","code":"a"}]},"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}';
    expect((await hub.send('PUT', '/fhir/Observation/m', text, { headers: json })).status).toBe(201);
    const find = async (query: string) => ids(await get(`/fhir/Observation?${query}`));
    const same = await post('/fhir/Observation/m/$meta-add', labels({ tag: [tag('a', { display: 'A' })] }));
    expect(metaIn(same)).toMatchObject({ versionId: '1', tag: [tag('a')] });
    const added = await post(
      '/fhir/Observation/m/$meta-add',
      labels({
        tag: [tag('a'), tag('b'), tag('b')],
        profile: ['urn:profile'],
        security: [{ system: 'urn:sec', code: 'R' }],
      }),
    );
    expect(metaIn(added)).toMatchObject({ versionId: '2', tag: [tag('a'), tag('b')], profile: ['urn:profile'] });
    expect((await hub.get('/fhir/Observation/m')).text).toContain('"valueQuantity":{"value":1.00}');
    expect(await find('_tag=urn:tag|b')).toEqual(['m']);
    expect(await find('_profile=urn:profile')).toEqual(['m']);
    expect(await find('_security=urn:sec|R')).toEqual(['m']);
    const removed = await post(
      '/fhir/Observation/m/$meta-delete',
      labels({ tag: [tag('a', { version: '9' }), tag('never')], profile: ['urn:profile'] }),
    );
    expect(metaIn(removed)).toMatchObject({ versionId: '3', tag: [tag('b')] });
    expect(metaIn(removed).profile).toBeUndefined();
    expect(await find('_tag=urn:tag|a')).toEqual([]);
    expect(await find('_profile=urn:profile')).toEqual([]);
    expect(metaIn(await hub.get('/fhir/Observation/m/$meta'))).toEqual(metaIn(removed));
    expect(metaIn(await hub.get('/fhir/Observation/m/_history/1/$meta')).tag).toEqual([tag('a')]);
    const changes = (await accessesOf(hub)).filter(
      ({ action, what }) => /^meta-(add|delete)$/.test(action) && what.startsWith('/Observation/m/'),
    );
    expect(changes).toHaveLength(3);
  });

  it('keep both of two labels that are added at once', async () => {
    await store({ resourceType: 'Basic', id: 'm-race', code: { text: 'x' } } as never);
    const codes = Array.from({ length: 12 }, (_, i) => `t${i}`);
    await Promise.all(codes.map((code) => post('/fhir/Basic/m-race/$meta-add', labels({ tag: [tag(code)] }))));
    const { tag: found } = metaIn(await hub.get('/fhir/Basic/m-race/$meta'));
    expect(found.map(({ code }: Json) => code).sort()).toEqual(codes.sort());
  });

  it('tell what is in use, of a type and of all, to whom may see it', async () => {
    const meta = { profile: ['urn:p|1'], tag: [tag('in,use', { display: 'In use' })], security: [{ code: 'bare' }] };
    const subject = { subject: { reference: 'Patient/x' } };
    const flag = { resourceType: 'Flag', id: 'm-flag', meta, status: 'active', code: { text: 'x' }, ...subject };
    await store(flag as never, { ...flag, id: 'm-gone', meta: { tag: [tag('gone')] } } as never);
    await hub.send('DELETE', '/fhir/Flag/m-gone');
    expect(metaIn(await hub.get('/fhir/Flag/$meta'))).toEqual(meta);
    const all = metaIn(await post('/fhir/$meta', ''));
    expect(all.tag).toEqual(expect.arrayContaining([meta.tag[0], tag('b')]));
    expect(all.profile).toEqual(['urn:p|1']);
    expect(metaIn(await hub.get('/fhir/Flag/$meta', { role: 'integration-engineer' }))).toEqual({});
    expect(metaIn(await hub.get('/fhir/Account/$meta'))).toEqual({});
  });

  it('say what is wrong', async () => {
    expect((await post('/fhir/Basic/none/$meta-add', labels({ tag: [tag('a')] }))).status).toBe(404);
    expect((await post('/fhir/Basic/m-race/$meta-add', { resourceType: 'Parameters' })).status).toBe(400);
    expect((await post('/fhir/Basic/m-race/$meta-add', labels({ tags: [] }))).status).toBe(422);
    expect((await post('/fhir/Basic/m-race/$meta-add', labels({ tag: [] }), { role: 'steward' })).status).toBe(403);
    expect((await hub.get('/fhir/Basic/m-race/$meta-add')).status).toBe(405);
    expect((await hub.get('/fhir/Nonsense/$meta')).status).toBe(404);
    expect((await hub.get('/fhir/Basic/m-race/$meta?x=1')).json.issue[0].diagnostics).toContain('takes none');
  });
});
