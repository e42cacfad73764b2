import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessesOf } from '../audit/testing.ts';
import { type CallOptions, type Json, startTestHub, type TestHub } from '../testing.ts';
import { oneHuman } from '../testing-patients.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ bundleBytes: 4 * 1024 * 1024 });
  await store(
    { resourceType: 'Organization', id: 'org', name: 'Clinic' },
    {
      resourceType: 'Patient',
      id: 'ada',
      active: true,
      name: [
        { use: 'official', family: 'Lovelace', given: ['Ada', 'Augusta'] },
        { use: 'usual', given: ['Addie'] },
      ],
      birthDate: '1815-12-10',
      managingOrganization: { reference: 'Organization/org' },
    },
    { resourceType: 'Patient', id: 'ben', active: true, name: [{ family: 'Bell' }] },
    ...[1, 2, 3].map((n) => ({
      resourceType: 'Observation',
      id: `o${n}`,
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
      subject: { reference: 'Patient/ada' },
      effectiveDateTime: `2020-01-0${n}`,
      valueQuantity: { value: n, unit: 'kg' },
    })),
  );
  await hub.send(
    'PUT',
    '/fhir/Observation/exact',
    '{"resourceType":"Observation","id":"exact","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ben"},"valueQuantity":{"value":1.00}}',
    { headers: { 'content-type': 'application/fhir+json' } },
  );
});
afterAll(() => hub.stop());

async function store(...resources: ({ resourceType: string; id: string } & Json)[]): Promise<void> {
  const entry = resources.map((resource) => ({
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    resource,
  }));
  const body = { resourceType: 'Bundle', type: 'transaction', entry };
  const headers = { 'content-type': 'application/fhir+json' };
  expect((await hub.send('POST', '/fhir', body, { headers })).status).toBe(200);
}

const ask = (query: string, path = '/fhir/$graphql', options: CallOptions = {}) =>
  hub.send('POST', path, { query }, options);

async function data(query: string, path?: string): Promise<Json> {
  const answer = await ask(query, path);
  expect([answer.status, answer.json.errors]).toEqual([200, undefined]);
  return answer.json.data;
}

async function failure(query: string, options: CallOptions = {}, path?: string): Promise<[number, string]> {
  const { status, json } = await ask(query, path, options);
  expect(json.data).toBe(null);
  const [{ message, extensions }] = json.errors;
  expect(extensions.resource.issue[0]).toMatchObject({ severity: 'error', diagnostics: message });
  return [status, message];
}

async function lastAccess(): Promise<Json> {
  return (await accessesOf(hub)).at(-1)!;
}

describe('invoking (https://hl7.org/fhir/R4/graphql.html#invoking)', () => {
  const query = 'query Who($id: ID!) { Patient(id: $id) { id active } }';
  const expected = { data: { Patient: { id: 'ada', active: true } } };
  const variables = { id: 'ada' };

  it('takes a query by GET, as a body of its own, as JSON and as Parameters', async () => {
    const address = `/fhir/$graphql?query=${encodeURIComponent(query)}&variables=${encodeURIComponent(JSON.stringify(variables))}`;
    const answers = [
      await hub.get(`${address}&operationName=Who`),
      await hub.send('POST', '/fhir/$graphql', '{Patient(id: "ada") {id active}}', {
        headers: { 'content-type': 'application/graphql' },
      }),
      await hub.send('POST', '/fhir/$graphql', { query, variables, operationName: 'Who' }),
      await hub.send('POST', '/fhir/$graphql', {
        resourceType: 'Parameters',
        parameter: [{ name: 'query', valueString: '{Patient(id: ada) {id active}}' }],
      }),
    ];
    for (const { status, json, headers } of answers) {
      expect([status, json]).toEqual([200, expected]);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
  });

  it('starts from a resource where the address names one', async () => {
    expect(
      await data(
        '{name(use: usual) {given} managingOrganization {resource {...on Organization {name}}}}',
        '/fhir/Patient/ada/$graphql',
      ),
    ).toEqual({
      name: [{ given: ['Addie'] }],
      managingOrganization: { resource: { name: 'Clinic' } },
    });
    expect((await failure('{id}', {}, '/fhir/Patient/nobody/$graphql'))[0]).toBe(404);
  });

  it('says what is wrong as GraphQL errors', async () => {
    expect(await failure('{Patient(id: ada) {something}}')).toEqual([400, 'Patient has no field something.']);
    expect(await failure('{Patient(id: nobody) {id}}')).toEqual([404, expect.stringContaining('no Patient')]);
    expect(await failure('{PatientList(birthdate: "then") {id}}')).toEqual([400, expect.stringContaining('birthdate')]);
    expect((await failure('{'))[0]).toBe(400);
    expect((await failure('subscription {PatientList {id}}'))[1]).toContain('subscription');
    const plain = await hub.send('POST', '/fhir/$graphql', '{id}', { headers: { 'content-type': 'text/plain' } });
    expect([plain.status, plain.json.data]).toEqual([415, null]);
    expect((await hub.send('POST', '/fhir/$graphql', { query: '{a}', variable: {} })).json.errors[0].message).toContain(
      'variable is no parameter',
    );
    expect((await hub.get('/fhir/$graphql')).status).toBe(400);
  });

  it('is listed among what the server does', async () => {
    const { rest } = (await hub.get('/fhir/metadata')).json;
    const named = expect.objectContaining({ name: 'graphql' });
    expect(rest[0].operation).toContainEqual(named);
    expect(rest[0].resource.find(({ type }: Json) => type === 'Basic').operation).toContainEqual(named);
  });
});

describe('searching (https://hl7.org/fhir/R4/graphql.html#searching)', () => {
  it('finds by the parameters of REST, alternatives as a list', async () => {
    expect(await data('{PatientList(family: ["lovel", "bel"]) {id}}')).toEqual({
      PatientList: [{ id: 'ada' }, { id: 'ben' }],
    });
    expect(
      await data(
        '{ObservationList(patient: ada, date: "ge2020-01-03", code: "http://loinc.org|29463-7") {id valueQuantity {value}}}',
      ),
    ).toEqual({ ObservationList: [{ id: 'o3', valueQuantity: { value: 3 } }] });
  });

  it('finds what refers to a resource', async () => {
    expect(
      await data(
        '{id ObservationList(_reference: subject) {id} ConditionList(_reference: patient) {id}}',
        '/fhir/Patient/ada/$graphql',
      ),
    ).toEqual({
      id: 'ada',
      ObservationList: [{ id: 'o3' }, { id: 'o2' }, { id: 'o1' }],
      ConditionList: [],
    });
  });

  it('pages by cursors that hold the whole search', async () => {
    const seen: string[] = [];
    let next = '';
    for (let page = 0; page < 5; page++) {
      const given = next === '' ? 'patient: ada, _count: 2' : `cursor: "${next}"`;
      const { ObservationConnection: found } = await data(
        `{ObservationConnection(${given}) {count offset pagesize first next edges {mode resource {id}}}}`,
      );
      expect([found.count, found.offset, found.pagesize]).toEqual([3, page * 2, 2]);
      seen.push(...found.edges.map(({ resource }: Json) => resource.id));
      expect(found.first === undefined).toBe(page === 0);
      if (!found.next) break;
      next = found.next;
    }
    expect(seen).toEqual(['o3', 'o2', 'o1']);
    expect((await failure(`{PatientConnection(cursor: "${next}") {count}}`))[0]).toBe(400);
    expect((await failure('{ObservationConnection(cursor: "bm90aGluZw") {count}}'))[0]).toBe(400);
    expect((await failure(`{ObservationConnection(cursor: "${next}", patient: ben) {count}}`))[0]).toBe(400);
  });

  it('keeps the digits of decimals', async () => {
    const { text } = await ask('{valueQuantity {value}}', '/fhir/Observation/exact/$graphql');
    expect(text).toBe('{"data":{"valueQuantity":{"value":1.00}}}');
  });
});

describe('a person known from several sources', () => {
  it('is one Patient, with what each source says', async () => {
    const twin = oneHuman('Merged');
    const about = (id: string, patient: string) => ({
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { text: 'x' },
      subject: { reference: `Patient/${patient}` },
    });
    await store({ ...twin, id: 'twin-a' });
    await store({ ...twin, id: 'twin-b' }, about('of-a', 'twin-a'), about('of-b', 'twin-b'));
    const { PatientList: found } = await data('{PatientList(family: "Merged") {id link {other {resource {id}}}}}');
    expect(found).toHaveLength(1);
    const [{ id, link }] = found;
    expect(link.map(({ other }: Json) => other.resource.id).sort()).toEqual(['twin-a', 'twin-b']);
    const query = '{ObservationList(_reference: patient) {id subject {resource {id}}}}';
    for (const start of [id, 'twin-a', 'twin-b']) {
      const { ObservationList } = await data(query, `/fhir/Patient/${start}/$graphql`);
      expect(ObservationList).toEqual([
        { id: 'of-a', subject: { resource: { id } } },
        { id: 'of-b', subject: { resource: { id } } },
      ]);
    }
    expect((await failure(`mutation {PatientDelete(id: "${id}")}`))[0]).toBe(409);
  });
});

describe('changing (https://hl7.org/fhir/R4/graphql.html#mutations)', () => {
  const read = (id: string) => hub.get(`/fhir/Patient/${id}`);

  it('creates, updates and deletes, each recorded with its change', async () => {
    const create = 'mutation ($res: Patient_Input!) {PatientCreate(res: $res) {id name {family} meta {versionId}}}';
    const res = { id: 'not-kept', name: [{ family: 'Curie' }] };
    const made = await hub.send('POST', '/fhir/$graphql', { query: create, variables: { res } });
    expect([made.status, made.json.errors]).toEqual([200, undefined]);
    const { id, ...others } = made.json.data.PatientCreate;
    expect([id === 'not-kept', others]).toEqual([false, { name: [{ family: 'Curie' }], meta: { versionId: '1' } }]);
    const update = `mutation {PatientUpdate(id: "${id}", res: {active: true, gender: female}) {active gender}}`;
    expect(await data(update)).toEqual({ PatientUpdate: { active: true, gender: 'female' } });
    expect((await read(id)).json).toMatchObject({ active: true, meta: { versionId: '2' } });
    expect(await data(`mutation {gone: PatientDelete(id: "${id}")}`)).toEqual({ gone: null });
    expect((await read(id)).status).toBe(410);
    const changes = (await accessesOf(hub)).filter(
      ({ what, patients = [] }) => patients.includes(id) && what.startsWith('/$graphql'),
    );
    expect(changes.map(({ action, what }) => ({ action, what }))).toEqual([
      { action: 'create', what: '/$graphql Patient' },
      { action: 'update', what: `/$graphql Patient/${id}` },
      { action: 'delete', what: `/$graphql Patient/${id}` },
    ]);
  });

  it('keeps the digits of what is sent, in the query and in variables', async () => {
    const literal = await ask(
      'mutation {ObservationCreate(res: {status: final, code: {text: "x"}, valueQuantity: {value: 2.50}}) {valueQuantity {value}}}',
    );
    expect(literal.text).toBe('{"data":{"ObservationCreate":{"valueQuantity":{"value":2.50}}}}');
    const query = 'mutation ($o: Observation_Input) {ObservationCreate(res: $o) {valueQuantity {value}}}';
    const body = `{"query":"${query}","variables":{"o":{"status":"final","code":{"text":"x"},"valueQuantity":{"value":3.10}}}}`;
    const variable = await hub.send('POST', '/fhir/$graphql', body, {
      headers: { 'content-type': 'application/json' },
    });
    expect(variable.text).toBe('{"data":{"ObservationCreate":{"valueQuantity":{"value":3.10}}}}');
  });

  it('changes nothing that may not be changed', async () => {
    const update = 'mutation {PatientUpdate(id: ben, res: {gender: female}) {id}}';
    expect((await failure(update, { role: 'steward' }))[0]).toBe(403);
    expect((await failure(update, { role: 'integration-engineer' }))[0]).toBe(403);
    const get = await hub.get(`/fhir/$graphql?query=${encodeURIComponent(update)}`);
    expect([get.status, get.json.data]).toEqual([400, null]);
    expect((await failure(update, {}, '/fhir/Patient/ada/$graphql'))[0]).toBe(400);
    const wrong = [
      'mutation {PatientUpdate(id: ben, res: {gender: "sideways"}) {id}}',
      'mutation {PatientUpdate(id: ben, res: {id: "ada"}) {id}}',
      'mutation {PatientUpdate(id: ben, res: {nothing: 1}) {id}}',
      'mutation {PatientUpdate(id: ben, res: {gender: female}) {nothing}}',
      'mutation {PatientUpdate(id: ben, res: {resourceType: "Observation"}) {id}}',
      'mutation {a: PatientDelete(id: ben) b: PatientDelete(id: ada)}',
    ];
    for (const query of wrong) expect((await failure(query))[0]).toBeGreaterThanOrEqual(400);
    expect((await read('ben')).json).toMatchObject({ meta: { versionId: '1' } });
  });
});

describe('who may see what', () => {
  const role = 'integration-engineer';

  it('shows a role without business in records nothing', async () => {
    const { json } = await ask('{PatientList {id} PatientConnection {count edges {resource {id}}}}', undefined, {
      role,
    });
    expect(json.data).toEqual({ PatientList: [], PatientConnection: { count: 0, edges: [] } });
    expect((await failure('{Patient(id: ada) {id}}', { role }))[0]).toBe(404);
    expect((await failure('{id}', { role }, '/fhir/Patient/ada/$graphql'))[0]).toBe(404);
    expect((await ask('{Patient(id: ada) {id}}', undefined, { role: null })).status).toBe(401);
  });

  it('records who asked what, and whose records were given out', async () => {
    await data('{ObservationList(code: "29463-7") {subject {resource {id}}}}');
    expect(await lastAccess()).toMatchObject({
      action: 'graphql',
      who: 'test-administrator',
      what: '/$graphql {ObservationList(code: "29463-7") {subject {resource {id}}}}',
      status: 200,
      patients: expect.arrayContaining(['ada']),
    });
    await failure('{Patient(id: nobody) {id}}');
    expect(await lastAccess()).toMatchObject({ action: 'graphql', status: 404 });
  });
});

describe('a hostile query ends soon, with an error', () => {
  beforeAll(async () => {
    const many = Array.from({ length: 1_200 }, (_, n) => ({
      resourceType: 'Basic',
      id: `basic-${n}`,
      code: { text: 'x' },
      subject: { reference: 'Patient/ben' },
    }));
    await store(...many);
  });

  const aliases = Array.from({ length: 10_000 }, (_, n) => `a${n}:id`).join(' ');
  const nested = (of: string, levels: number, inner: string) => `${of}{`.repeat(levels) + inner + '}'.repeat(levels);
  const bomb = `{Patient(id: ada){...f0}} ${Array.from({ length: 30 }, (_, n) => `fragment f${n} on Patient {...f${n + 1} ...f${n + 1}}`).join(' ')} fragment f30 on Patient {id}`;

  it.each([
    ['ten thousand aliases', `{Patient(id: ada) {${aliases}}}`, /too long|aliases/],
    [
      'aliases that just fit',
      `{${Array.from({ length: 600 }, (_, n) => `a${n}:PatientList{id}`).join(' ')}}`,
      /aliases/,
    ],
    [
      'many searches',
      `{${Array.from({ length: 400 }, (_, n) => `a${n}:PatientList(_count: ${n}) {id}`).join(' ')}}`,
      /searches/,
    ],
    ['deep nesting', nested('{a', 1_000, 'id'), /nested too deep/],
    ['deep nesting of values', `{PatientList(name: ${'['.repeat(500)}${']'.repeat(500)}) {id}}`, /nested too deep/],
    [
      'a cycle of fragments',
      '{Patient(id: ada) {...a}} fragment a on Patient {...b} fragment b on Patient {...a}',
      /itself/,
    ],
    ['fragments that multiply', bomb, /too much/],
    ['a list that is too long', '{BasicList {id}}', /BasicConnection/],
    [
      'lists inside lists',
      '{BasicConnection(_count: 1000) {edges {resource {subject {resource {...on Patient {BasicList(_reference: subject) {subject {reference}}}}}}}}}',
      /BasicConnection/,
    ],
    [
      'searches for each of many',
      '{BasicConnection(_count: 1000) {edges {resource {BasicList(_reference: subject) {id}}}}}',
      /search/,
    ],
    [
      'much of many',
      `{BasicConnection(_count: 1000) {edges {resource {${Array.from({ length: 400 }, (_, n) => `a${n}:code{text}`).join(' ')}}}}}`,
      /looks at too much/,
    ],
    ['a regular expression', `{Patient(id: ada) {name(fhirpath: "family.matches('(a+)+$')") {family}}}`, /matches/],
    [
      'an expression without end',
      `{Patient(id: ada) {name(fhirpath: "${'('.repeat(400)}1${')'.repeat(400)}") {family}}}`,
      /nested too deep/,
    ],
    ['a wrong type of everything', '{Patient(id: {a: 1}) {id}}', /object/],
  ])('%s', async (_, query, expected) => {
    const began = performance.now();
    const [status, message] = await failure(query);
    expect(status).toBe(400);
    expect(message).toMatch(expected);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
