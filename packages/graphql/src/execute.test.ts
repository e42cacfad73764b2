import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Change,
  executeGraphql,
  type GraphqlLimits,
  type GraphqlSource,
  type Resource,
  type SearchPage,
} from './index.ts';

const patient: Resource = {
  resourceType: 'Patient',
  id: 'p',
  active: true,
  birthDate: '1990-02-03',
  _birthDate: { extension: [{ url: 'urn:time', valueDateTime: '1990-02-03T04:05:06Z' }] },
  name: [
    { use: 'official', family: 'Ruiz', given: ['Ana', 'Luz'] },
    { use: 'usual', given: ['Anita', null, 'Nita'], _given: [null, { id: 'x' }, null] },
    { use: 'old', family: 'Sosa' },
  ],
  extension: [
    { url: 'urn:a', valueString: 'A' },
    { url: 'urn:b', valueQuantity: { value: 1 } },
  ],
  contact: [{ name: { family: 'Vega' }, organization: { reference: 'Organization/o' } }],
  generalPractitioner: [{ reference: 'Practitioner/d' }, { reference: '#c' }, { display: 'Somebody' }],
  managingOrganization: { reference: 'https://hub.example/fhir/Organization/o' },
  contained: [{ resourceType: 'PractitionerRole', id: 'c', organization: { reference: 'Organization/o' } }],
};
const organization: Resource = { resourceType: 'Organization', id: 'o', name: 'Clinic' };
const practitioner: Resource = { resourceType: 'Practitioner', id: 'd', active: true };

class Records implements GraphqlSource {
  readonly base = 'https://hub.example/fhir/';
  readonly asked: unknown[] = [];
  page: SearchPage = { entries: [{ resource: patient }] };

  async readMany(ids: readonly { type: string; id: string }[]) {
    this.asked.push(ids.map(({ type, id }) => `${type}/${id}`));
    return ids.map(({ type, id }) =>
      [patient, organization, practitioner].find((one) => one.resourceType === type && one.id === id),
    );
  }

  async read(type: string, id: string) {
    return (await this.readMany([{ type, id }]))[0];
  }

  async search(type: string, parameters: readonly [string, string][]) {
    this.asked.push([type, ...parameters.map((pair) => pair.join('='))]);
    return type === 'Patient' ? this.page : { entries: [{ resource: { resourceType: type, id: 'x' } }] };
  }
}

const run = (
  query: string,
  more: { start?: Resource; variables?: object; source?: Records; limits?: Partial<GraphqlLimits> } = {},
) =>
  executeGraphql({ query, variables: { ...more.variables } }, more.source ?? new Records(), more.start, {
    limits: more.limits,
  });

async function data(query: string, start: Resource | undefined = patient, variables: object = {}): Promise<unknown> {
  const { data, errors } = await run(query, { start, variables });
  expect(errors).toBe(undefined);
  return data;
}

async function refusal(query: string, start: Resource | undefined = patient, variables: object = {}): Promise<string> {
  const { data, errors, status } = await run(query, { start, variables });
  expect([data, status >= 400]).toEqual([null, true]);
  expect(errors).toHaveLength(1);
  return errors![0]!.message;
}

describe('fields', () => {
  test('are FHIR’s own, absent ones left out', async () => {
    expect(await data('{id active deceasedBoolean resourceType __typename contact {__typename gender}}')).toEqual({
      id: 'p',
      active: true,
      resourceType: 'Patient',
      __typename: 'Patient',
      contact: [{ __typename: 'PatientContact' }],
    });
  });

  test('say what extends a primitive, at its place in a list', async () => {
    expect(await data('{_birthDate {extension {valueDateTime}} name(use: usual) {given _given {id}}}')).toEqual({
      _birthDate: { extension: [{ valueDateTime: '1990-02-03T04:05:06Z' }] },
      name: [{ given: ['Anita', null, 'Nita'], _given: [null, { id: 'x' }, null] }],
    });
  });

  test('that a type has not are refused before anything is read', async () => {
    const source = new Records();
    const { errors } = await run('{PatientList {photo {nothing}}}', { source });
    expect(errors![0]).toEqual({
      message: 'Attachment has no field nothing.',
      locations: [{ line: 1, column: 22 }],
      extensions: {
        resource: {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'error', code: 'invalid', diagnostics: 'Attachment has no field nothing.' }],
        },
      },
    });
    expect(source.asked).toEqual([]);
    for (const query of [
      '{value}',
      '{toString}',
      '{constructor}',
      '{name {__proto__}}',
      '{PatientList {id}}',
      '{resource {id}}',
    ])
      await refusal(query);
    for (const query of ['{id}', '{patientList {id}}', '{List(id: 1) {nothing}}', '{PatientConnection {total}}'])
      expect((await run(query)).status).toBe(400);
  });

  test('have selections where they are objects, and only there', async () => {
    expect(await refusal('{name}')).toContain('braces');
    expect(await refusal('{id {x}}')).toContain('single value');
    expect(await refusal('{id(use: x)}')).toContain('single value');
    expect(await refusal('{id @flatten}')).toContain('single value');
  });

  test('of one name are merged, and conflict where they differ', async () => {
    expect(
      await data('{name {family} ...n ... on Patient {name {use}}} fragment n on Patient {name {family}}'),
    ).toEqual({
      name: [{ family: 'Ruiz', use: 'official' }, { use: 'usual' }, { family: 'Sosa', use: 'old' }],
    });
    expect(await refusal('{name(use: usual) {given} name {given}}')).toContain('two ways');
    expect(await refusal('{a: id a: birthDate}')).toContain('two ways');
    expect(await data('{a: name(use: usual) {use} b: name(use: old) {use}}')).toEqual({
      a: [{ use: 'usual' }],
      b: [{ use: 'old' }],
    });
  });

  test('may be called anything', async () => {
    const { data } = await run('{__proto__: id constructor: active}', { start: patient });
    expect(JSON.stringify(data)).toBe('{"__proto__":"p","constructor":true}');
  });
});

describe('arguments of lists', () => {
  test.each([
    ['use: official', ['official']],
    ['use: [old, "usual"]', ['usual', 'old']],
    ['given: "Anita"', ['usual']],
    ['fhirpath: "family.exists()"', ['official', 'old']],
    ['fhirpath: "$index > 0", _count: 1', ['usual']],
    ['_offset: 1', ['usual', 'old']],
    ['_offset: 1, _count: 1', ['usual']],
    ['fhirpath: "family.exists()", _offset: 1', ['old']],
  ])('%s', async (given, uses) => {
    expect(await data(`{name(${given}) @flatten {use}}`)).toEqual({ use: uses });
  });

  test('that find nothing leave the field out', async () => {
    expect(await data('{id name(use: nickname) {use}}')).toEqual({ id: 'p' });
  });

  test('that the type has not are refused', async () => {
    expect(await refusal('{name(period: 1) {use}}')).toContain('no argument period');
    expect(await refusal('{name(_count: -1) {use}}')).toContain('whole number');
    expect(await refusal('{name(use: null) {use}}')).toContain('no value');
    expect(await refusal('{name(fhirpath: "matches(\'a\')") {use}}')).toContain('matches()');
    expect(await refusal('{name(fhirpath: "given") {use}}')).toContain('several values');
  });
});

describe('directives', () => {
  test.each([
    ['{name @flatten {given @first}}', { given: ['Ana', 'Anita'] }],
    ['{name @first {family}}', { name: [{ family: 'Ruiz' }] }],
    ['{name @first @singleton {family}}', { name: { family: 'Ruiz' } }],
    ['{name @first @flatten {family given}}', { family: 'Ruiz', given: ['Ana', 'Luz'] }],
    ['{contact @flatten {name @flatten {family}}}', { family: ['Vega'] }],
    ['{contact @flatten {name {family}}}', { name: [{ family: 'Vega' }] }],
    [
      '{name @slice(path: "use") {family}}',
      { 'name.official': [{ family: 'Ruiz' }], 'name.usual': [{}], 'name.old': [{ family: 'Sosa' }] },
    ],
    [
      '{contact @flatten @slice(path: "$index") {name @flatten @slice(path: "family") {family @singleton}}}',
      { 'family.0.Vega': 'Vega' },
    ],
    ['{contact @flatten {organization @flatten {resource @flatten {name}}}}', { name: ['Clinic'] }],
  ])('%s', async (query, expected) => {
    expect(await data(query)).toEqual(expected);
  });

  test('refuse what they cannot do', async () => {
    expect(await refusal('{name @flatten {family @singleton}}')).toContain('several values');
    expect(await refusal('{name @flatten {use} extension @flatten {use: valueQuantity {value}}}')).toContain(
      'two kinds',
    );
    expect(await refusal('{id @unknown}')).toContain('@unknown');
    expect(await refusal('{id @skip(if: "true")}')).toContain('if: true');
    expect(await refusal('{id @skip}')).toContain('if: true');
    expect(await refusal('{name @slice(path: "given") {use}}')).toContain('one text');
  });

  test('leave out and take in by variables', async () => {
    const query = 'query ($with: Boolean = true) {id @include(if: $with) ... @skip(if: $with) {active}}';
    expect(await data(query)).toEqual({ id: 'p' });
    expect(await data(query, patient, { with: false })).toEqual({ active: true });
    expect(await refusal(query, patient, { with: 'yes' })).toContain('true or false');
  });
});

describe('references', () => {
  test('lead to resources of the source, of the base and contained ones', async () => {
    const query =
      '{generalPractitioner(fhirpath: "reference.exists()") {resource {...on Practitioner {active} ...on PractitionerRole {organization {resource {... on Organization {name}}}}}} managingOrganization {resource {id}}}';
    expect(await data(query)).toEqual({
      generalPractitioner: [
        { resource: { active: true } },
        { resource: { organization: { resource: { name: 'Clinic' } } } },
      ],
      managingOrganization: { resource: { id: 'o' } },
    });
  });

  test('that lead nowhere are an error, unless that is optional', async () => {
    const { status, errors } = await run('{generalPractitioner {resource {id}}}', { start: patient });
    expect([status, errors![0]!.extensions.resource.issue[0]!.code]).toEqual([404, 'not-found']);
    expect(await data('{generalPractitioner {display resource(optional: true) {id}}}')).toEqual({
      generalPractitioner: [{ resource: { id: 'd' } }, { resource: { id: 'c' } }, { display: 'Somebody' }],
    });
  });

  test('may be asked for by several types', async () => {
    const query = '{managingOrganization {resource(type: Patient) {birthDate} resource(type: Organization) {name}}}';
    expect(await data(query)).toEqual({ managingOrganization: { resource: { name: 'Clinic' } } });
    expect(await refusal('{managingOrganization {resource(type: Patient) {name {nothing}}}}')).toContain('nothing');
    expect(await refusal('{managingOrganization {resource(type: Nothing) {id}}}')).toContain('resource type');
    expect(await refusal('{managingOrganization {resource {...on Nothing {id}}}}')).toContain('no type');
    expect(await refusal('{managingOrganization {resource {nothing}}}')).toContain('nothing');
    expect(await refusal('{managingOrganization {resource {birthDate}}}')).toBe('Organization has no field birthDate.');
  });

  test('of one level are read together, each once', async () => {
    const source = new Records();
    await run(
      '{contact {organization {resource {id}}} managingOrganization {a: resource {id} b: resource {id}} generalPractitioner {resource(optional: true) {id}}}',
      { start: patient, source },
    );
    expect(source.asked).toEqual([['Organization/o', 'Practitioner/d']]);
  });
});

describe('searches', () => {
  test('pass the parameters on as REST has them', async () => {
    const source = new Records();
    await run(
      'query ($c: [String]) {ConditionList(clinical_status: $c, patient: p, _count: 5, onset_age: 3) {id} ConditionConnection(_id: ["a", "b,c"]) {count}}',
      { source, variables: { c: ['x', 'y'] } },
    );
    expect(source.asked).toEqual([
      ['Condition', 'clinical-status=x,y', 'patient=p', '_count=5', 'onset-age=3'],
      ['Condition', '_id=a,b\\,c', '_total=accurate'],
    ]);
  });

  test('from a resource say how what they find refers to it', async () => {
    const source = new Records();
    await run(
      '{ObservationList(_reference: based_on) {id} a: ObservationConnection(_reference: subject, code: x) {next}}',
      { start: { resourceType: 'ServiceRequest', id: 's' }, source },
    );
    expect(source.asked).toEqual([
      ['Observation', 'based-on=ServiceRequest/s', '_count=1000'],
      ['Observation', 'code=x', 'subject=ServiceRequest/s'],
    ]);
  });

  test('give everything, or an error', async () => {
    const source = new Records();
    source.page = { entries: [{ resource: patient }], next: 'more' };
    expect((await run('{PatientList {id}}', { source })).errors![0]!.message).toContain('PatientConnection');
    expect((await run('{PatientList(_count: 1) {id}}', { source })).data).toEqual({ PatientList: [{ id: 'p' }] });
    source.page = { entries: [] };
    expect((await run('{PatientList {id} PatientConnection {edges {mode}}}', { source })).data).toEqual({
      PatientList: [],
      PatientConnection: { edges: [] },
    });
  });

  test('tell of themselves in a connection', async () => {
    const source = new Records();
    source.page = {
      entries: [{ resource: patient, mode: 'match', score: 0.5 }],
      total: 9,
      offset: 3,
      pageSize: 1,
      first: 'f',
      previous: 'p',
      next: 'n',
      last: 'l',
    };
    const query =
      '{PatientConnection(cursor: "x", fhirpath: "active") {count offset pagesize first previous next last edges {mode score resource {id}}}}';
    expect((await run(query, { source })).data).toEqual({
      PatientConnection: {
        count: 9,
        offset: 3,
        pagesize: 1,
        first: 'f',
        previous: 'p',
        next: 'n',
        last: 'l',
        edges: [{ mode: 'match', score: 0.5, resource: { id: 'p' } }],
      },
    });
    expect(source.asked).toEqual([['Patient', '_cursor=x']]);
    expect((await run('{PatientList(fhirpath: "active.not()") {id}}', { source: new Records() })).data).toEqual({
      PatientList: [],
    });
  });

  test.each([
    ['{PatientList(nothing: 1) {id}}', 'no search parameter'],
    ['{PatientList(name: "a", name: "b") {id}}', 'twice'],
    ['{PatientList(_include: "x") {id}}', '_include'],
    ['{PatientList(_reference: link) {id}}', '_reference'],
    ['{PatientList(cursor: "x") {id}}', 'cursor'],
    ['{Patient {id}}', 'one argument'],
    ['query ($n: String) {PatientList(name: $n) {id}}', 'no value'],
    ['{PatientList(name: $n) {id}}', 'not declared'],
  ])('%s is refused', async (query, why) => {
    expect((await run(query)).errors![0]!.message).toContain(why);
  });

  test.each([
    ['{ObservationList {id}}', '_reference'],
    ['{ObservationList(_reference: code) {id}}', 'reference parameter'],
    ['{ObservationList(_reference: subject, id: 1) {id}}', 'no id'],
    ['{ObservationConnection(_reference: subject, cursor: "x") {next}}', 'root'],
    ['{contained {...on PractitionerRole {PatientList(_reference: general_practitioner) {id}}}}', 'contained'],
  ])('%s is refused on a resource', async (query, why) => {
    expect(await refusal(query)).toContain(why);
  });
});

describe('a mutation', () => {
  class Changing extends Records {
    readonly changes: unknown[] = [];

    async change(change: Change) {
      this.changes.push(change);
      return change.kind === 'delete' ? undefined : { ...change.resource, id: 'made' };
    }
  }

  const change = async (query: string, variables: object = {}) => {
    const source = new Changing();
    const answer = await run(query, { source, variables });
    return { ...answer, changes: JSON.parse(JSON.stringify(source.changes)) };
  };

  test('takes a resource as it is written, or as a variable', async () => {
    const literal = await change(
      'mutation ($g: String) {new: PatientCreate(res: {active: true, gender: $g, name: [{family: "A", use: old}], multipleBirthInteger: 2}) {id gender}}',
      { g: 'male' },
    );
    expect(literal.data).toEqual({ new: { id: 'made', gender: 'male' } });
    const resource = {
      resourceType: 'Patient',
      active: true,
      gender: 'male',
      name: [{ family: 'A', use: 'old' }],
      multipleBirthInteger: 2,
    };
    expect(literal.changes).toEqual([{ kind: 'create', type: 'Patient', resource }]);
    const variable = await change('mutation ($r: Any!, $i: ID!) {PatientUpdate(id: $i, res: $r) {id}}', {
      r: resource,
      i: 'x',
    });
    expect(variable.changes).toEqual([{ kind: 'update', type: 'Patient', id: 'x', resource }]);
    expect(await change('mutation {PatientDelete(id: "x")}')).toMatchObject({
      data: { PatientDelete: null },
      changes: [{ kind: 'delete', type: 'Patient', id: 'x' }],
    });
  });

  test.each([
    'mutation {PatientCreate {id}}',
    'mutation {PatientCreate(res: {}, id: 1) {id}}',
    'mutation {PatientCreate(res: "x") {id}}',
    'mutation {PatientCreate(res: {a: 1, a: 2}) {id}}',
    'mutation {PatientCreate(res: {}, res: {}) {id}}',
    'mutation {PatientCreate(res: $r) {id}}',
    'mutation {PatientCreate(res: {})}',
    'mutation {PatientCreate(res: {}) {nothing}}',
    'mutation {PatientDelete(id: 1) {id}}',
    'mutation {PatientDelete(id: 1) @skip(if: true)}',
    'mutation {PatientDelete}',
    'mutation {NothingDelete(id: 1)}',
    'mutation {PatientPatch(id: 1)}',
    'mutation {PatientDelete(id: 1) PersonDelete(id: 2)}',
    'mutation {...f} fragment f on Mutation {PatientDelete(id: 1)}',
    'query ($r: Any) {PatientList(name: $r) {id}}',
  ])('%s changes nothing', async (query) => {
    const { status, data, changes } = await change(query, query.includes('Any') ? { r: {} } : {});
    expect([status, data, changes]).toEqual([400, null, []]);
  });

  test('that was made says so, though its answer could not be', async () => {
    const { status, data, errors, changes } = await change(
      'mutation {PatientCreate(res: {managingOrganization: {reference: "Organization/none"}}) {managingOrganization {resource {id}}}}',
    );
    expect([status, data, changes.length]).toEqual([200, { PatientCreate: null }, 1]);
    expect(errors![0]!.message).toContain('The change was made');
  });
});

describe('a request', () => {
  test('chooses one of its operations', async () => {
    const query = 'query a {id} query b {active}';
    const of = (operationName?: string) => executeGraphql({ query, operationName }, new Records(), patient);
    expect((await of('b')).data).toEqual({ active: true });
    expect((await of()).errors![0]!.message).toContain('operationName');
    expect((await of('c')).errors).toHaveLength(1);
    expect((await run('{id} {id}', { start: patient })).errors).toHaveLength(1);
  });

  test('that is no query is refused', async () => {
    for (const query of [
      'mutation {a}',
      'subscription {a}',
      '',
      '{',
      'type A {b: C}',
      'fragment a on Patient {id}',
      '{__schema {types {name}}}',
      'query @x {id}',
    ])
      expect((await run(query, { start: patient })).status).toBe(400);
  });

  test('ends when it is told to', async () => {
    const controller = new AbortController();
    const source = new Records();
    source.search = () => new Promise(() => {});
    const answer = executeGraphql({ query: '{PatientList {id}}' }, source, undefined, { signal: controller.signal });
    controller.abort(new Error('too late'));
    await expect(answer).rejects.toThrow('too late');
  });

  test.each([
    ['queryLength', '{id id id id id id}'],
    ['nesting', '{name {period {start}}}'],
    ['fields', '{a: id ...f ...f} fragment f on Patient {id birthDate}'],
    ['aliases', '{a: id b: id c: id d: id e: id}'],
    ['reads', '{a: managingOrganization {resource {id}} generalPractitioner {resource(optional: true) {id}}}'],
    [
      'searches',
      '{a: ObservationList(_reference: subject) {id} b: ConditionList(_reference: subject) {id} c: EncounterList(_reference: subject) {id}}',
    ],
    [
      'resources',
      '{a: ObservationList(_reference: subject) {id} b: ConditionList(_reference: subject) {id} c: EncounterList(_reference: subject) {id}}',
    ],
    ['steps', '{name {given}}'],
    ['resultLength', '{name {given family}}'],
  ] as const)('keeps within the limit of %s', async (limit, query) => {
    const limits = {
      queryLength: 15,
      nesting: 2,
      fields: 4,
      aliases: 4,
      reads: 1,
      searches: 2,
      resources: 2,
      steps: 4,
      resultLength: 8,
    };
    const { errors } = await run(query, { start: patient, limits: { [limit]: limits[limit] } });
    expect(['too-costly', 'too-long']).toContain(errors![0]!.extensions.resource.issue[0]!.code);
    expect((await run(query, { start: patient })).errors?.[0]?.message).toBe(undefined);
  });
});

describe('whatever is asked', () => {
  /** Selections that name everything in a resource. */
  function selectionsOf(values: readonly unknown[]): string {
    const members = new Map<string, unknown[]>();
    for (const value of values) {
      for (const [name, member] of Object.entries((value ?? {}) as object)) {
        members.set(name, [...(members.get(name) ?? []), ...(Array.isArray(member) ? member : [member])]);
      }
    }
    return [...members]
      .map(([name, inner]) =>
        inner.some((one) => typeof one === 'object' && one !== null) ? `${name} {${selectionsOf(inner)}}` : name,
      )
      .join(' ');
  }

  const text = fc.string({ minLength: 1 });
  const coding = fc.record({ system: text, code: text }, { requiredKeys: ['code'] });
  const concept = fc.record({ coding: fc.array(coding, { minLength: 1 }), text }, { requiredKeys: ['coding'] });
  const observation = fc.record(
    {
      resourceType: fc.constant('Observation'),
      id: fc.constant('o'),
      status: text,
      code: concept,
      category: fc.array(concept, { minLength: 1 }),
      valueQuantity: fc.record({
        value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n || 0),
        unit: text,
      }),
      component: fc.array(fc.record({ code: concept, valueString: text }, { requiredKeys: ['code'] }), {
        minLength: 1,
      }),
    },
    { requiredKeys: ['resourceType', 'id'] },
  );

  test('selecting everything of a resource gives the resource', async () => {
    await fc.assert(
      fc.asyncProperty(observation, async (resource) => {
        expect(await data(`{${selectionsOf([resource])}}`, resource)).toEqual(resource);
      }),
    );
  });

  test('any text is answered, with data or with errors', async () => {
    const word = fc.constantFrom(
      ...'{ } ( ) [ ] : ... on @ $ ! " # , id name given family use PatientList Patient ObservationConnection edges resource fragment f query mutation first flatten singleton slice path skip include if true 1 "x" fhirpath _count null'.split(
        ' ',
      ),
    );
    const query = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
    );
    await fc.assert(
      fc.asyncProperty(query, fc.boolean(), async (query, hasStart) => {
        const answer = await run(query, { start: hasStart ? patient : undefined });
        expect(answer.data === null).toBe(answer.errors !== undefined);
      }),
      { numRuns: 1_000 },
    );
  });
});
