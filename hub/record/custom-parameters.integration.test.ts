import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestDatabase } from '../database/testing.ts';
import { clinician, custodian, testRecord } from '../testing-record.ts';
import { ParameterBuild } from './custom-parameter-build.ts';
import type { FhirRecord } from './index.ts';

const at = (name: string) => `urn:test:${name}`;
const inExtension = (name: string, type: string) => `Observation.extension('${at(name)}').value.ofType(${type})`;

let test: TestDatabase;
let record: FhirRecord;
let hubOver: () => FhirRecord;
let build: ParameterBuild;

beforeAll(async () => {
  ({ test, record, another: hubOver } = await testRecord());
  build = buildOf(record);
  for (let from = 0; from < 2_500; from += 250) {
    await Promise.all(Array.from({ length: 250 }, (_, i) => putObservation(record, from + i)));
  }
});
afterAll(() => test.drop());

function buildOf({ keys, parameters }: FhirRecord): ParameterBuild {
  const fail = (error: unknown) => {
    throw error;
  };
  return new ParameterBuild(test.database, keys, () => parameters.refreshed(), fail);
}

function putObservation(to: FhirRecord, i: number, grade = `g${i % 100}`) {
  const text = JSON.stringify({
    resourceType: 'Observation',
    id: `o${i}`,
    extension: [
      { url: at('grade'), valueCoding: { system: 'urn:grades', code: grade } },
      { url: at('device'), valueReference: { reference: `Device/d${i % 50}` } },
      { url: at('seen'), valueDateTime: `20${String(10 + (i % 10))}-05-01` },
      { url: at('dose'), valueQuantity: { value: i, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' } },
      { url: at('remark'), valueString: `Remark ${i} here` },
      { url: at('rank'), valueInteger: i },
      { url: at('source'), valueUri: `urn:source:${i % 25}` },
    ],
    status: 'final',
    code: { coding: [{ code: 'x' }] },
    subject: { reference: `Patient/p${i % 40}` },
    component: [
      { code: { coding: [{ code: 'left' }] }, valueQuantity: { value: i, unit: 'mm' } },
      { code: { coding: [{ code: 'right' }] }, valueQuantity: { value: -1, unit: 'mm' } },
    ],
  });
  return to.update(custodian, to.scan(text, 'Observation'), `o${i}`);
}

function putParameter(code: string, type: string, expression: string, more: object = {}, id = code) {
  const text = JSON.stringify({
    resourceType: 'SearchParameter',
    id,
    url: at(code),
    name: code,
    status: 'active',
    description: code,
    code,
    base: ['Observation'],
    type,
    expression,
    ...more,
  });
  return record.update(custodian, record.scan(text, 'SearchParameter'), id);
}

async function count(name: string, value: string, on = record): Promise<number> {
  const request = on.readSearch('Observation', [[name, value]], false);
  return (await on.search(clinician, { ...request, summaryCount: true })).total!;
}

async function complete(of = build): Promise<number> {
  let steps = 0;
  while (await of.step()) steps++;
  return steps;
}

const rowsOf = async () => {
  const { rows } = await test.database.query(
    `SELECT (SELECT count(*) FROM index_token) AS tokens, (SELECT count(*) FROM index_range) AS ranges,
            (SELECT count(*) FROM index_string) AS strings,
            (SELECT sum(cardinality(tokens)) FROM resource) AS kept`,
  );
  return rows[0]!;
};

const rested = () => test.database.query(`UPDATE search_parameter SET changed = changed - interval '1 minute'`);

describe('custom search parameters', () => {
  it('indexes what was written before, is refused until then, goes on after an interruption, and ends without a trace', async () => {
    const before = await rowsOf();
    await putParameter('grade', 'token', inExtension('grade', 'Coding'));
    await expect(async () => count('grade', 'g7')).rejects.toMatchObject({ status: 503 });
    expect(() => record.readSearch('Observation', [['grade', 'g7']], true)).toThrow('not complete yet');
    expect(await record.parameters.progress('grade')).toEqual({ state: 'indexing', done: 0, total: undefined });
    await putObservation(record, 7, 'g7');
    await putObservation(record, 2_500, 'g7');
    expect(await build.step()).toBe(true);
    expect(await record.parameters.progress('grade')).toEqual({ state: 'indexing', done: 1_000, total: 2_501 });
    await expect(async () => count('grade', 'g7')).rejects.toThrow('1000 of 2501');
    await putObservation(record, 107, 'other');
    const other = buildOf(hubOver());
    await complete(other);
    await record.parameters.refreshed();
    expect(await record.parameters.progress('grade')).toEqual({ state: 'active', done: 2_501, total: 2_501 });
    expect(await count('grade', 'g7')).toBe(25);
    expect(await count('grade', 'urn:grades|g7')).toBe(25);
    expect(await count('grade', 'urn:grades|')).toBe(2_501);
    expect(await count('grade', 'other')).toBe(1);
    expect(await count('grade:missing', 'true')).toBe(0);
    const { rows } = await test.database.query(
      'SELECT count(*) AS doubled FROM (SELECT FROM index_token GROUP BY value, home, rkey HAVING count(*) > 1) d',
    );
    expect(rows[0]!.doubled).toBe(0);
    await putObservation(record, 2_500, 'new');
    expect(await count('grade', 'new')).toBe(1);
    expect(await count('grade', 'g7')).toBe(24);

    await record.remove(custodian, 'SearchParameter', 'grade');
    expect(() => record.readSearch('Observation', [['grade', 'g7']], false)).toThrow('is not a search parameter');
    expect(await build.step()).toBe(false);
    await rested();
    expect(await complete()).toBe(4);
    await record.remove(custodian, 'Observation', 'o2500');
    const after = await rowsOf();
    // The SearchParameter itself is gone as well; nothing else was added meanwhile.
    expect(after).toEqual(before);
  });

  it.each([
    ['machine', 'reference', inExtension('device', 'Reference'), 'Device/d7', 50],
    ['seen', 'date', inExtension('seen', 'dateTime'), 'ge2019', 250],
    ['dose', 'quantity', inExtension('dose', 'Quantity'), 'lt0.1|http://unitsofmeasure.org|g', 100],
    ['remark', 'string', inExtension('remark', 'string'), 'remark 77 here', 1],
    ['rank', 'number', inExtension('rank', 'integer'), 'ge2400', 100],
    ['source', 'uri', inExtension('source', 'uri'), 'urn:source:3', 100],
  ])('finds by %s, a %s', async (code, type, expression, value, found) => {
    await putParameter(code, type, expression);
    await complete();
    expect(await count(code, value)).toBe(found);
  });

  it('finds by a composite', async () => {
    const of = 'http://hl7.org/fhir/SearchParameter/';
    await putParameter('part', 'composite', 'Observation.component', {
      component: [
        { definition: `${of}clinical-code`, expression: 'code' },
        { definition: `${of}Observation-component-value-quantity`, expression: 'value.ofType(Quantity)' },
      ],
    });
    await complete();
    expect(await count('part', 'left$ge2400')).toBe(100);
    expect(await count('part', 'right$ge0')).toBe(0);
  });

  it('finds by a chain over a custom reference', async () => {
    const device = JSON.stringify({ resourceType: 'Device', id: 'd7', manufacturer: 'Maker' });
    await record.update(custodian, record.scan(device, 'Device'), 'd7');
    expect(await count('machine:Device.manufacturer', 'maker')).toBe(50);
  });

  it('indexes anew when the expression changes', async () => {
    await putParameter('remark', 'string', inExtension('source', 'uri'));
    await expect(async () => count('remark', 'x')).rejects.toMatchObject({ status: 503 });
    await rested();
    await complete();
    expect(await count('remark', 'remark 77 here')).toBe(0);
    expect(await count('remark', 'urn:source:3')).toBe(100);
    await putParameter('remark', 'string', inExtension('source', 'uri'), { description: 'other words' });
    expect(await count('remark', 'urn:source:3')).toBe(100);
    await putParameter('remark', 'string', inExtension('source', 'uri'), { status: 'retired' });
    expect(() => record.readSearch('Observation', [['remark', 'x']], false)).toThrow('is not a search parameter');
    await rested();
    await complete();
  });

  it('indexes writes of a hub that has not heard of the parameter', async () => {
    const second = hubOver();
    await putParameter('late', 'token', inExtension('grade', 'Coding'));
    await complete();
    expect(second.parameters.version).toBeLessThan(record.parameters.version);
    await putObservation(second, 3_000, 'late');
    expect(second.parameters.version).toBe(record.parameters.version);
    expect(await count('late', 'late')).toBe(1);
  });

  it.each([
    ['expression', 'token', "Observation.code.memberOf('x')", {}, 'outside of the subset'],
    ['expression', 'token', 'Observation.nothing', {}, 'no element fits the step nothing'],
    ['expression', 'date', 'Observation.code', {}, 'a date parameter cannot be found in elements'],
    ['expression', 'token', 'Patient.gender', {}, 'no element fits'],
    ['expression', 'token', `${'('.repeat(3_000)}Observation`, {}, 'at most'],
    ['code', 'token', 'Observation.code', { code: 'code' }, 'has a parameter code already'],
    ['code', 'token', 'Observation.code', { code: '_mine' }, 'A code is'],
    ['code', 'token', 'Observation.code', { code: 'rank' }, 'already'],
    ['type', 'special', 'Observation.code', {}, 'special'],
    ['component[0].definition', 'composite', 'Observation.component', { component: parts('urn:none') }, 'canonical'],
  ])('refuses what cannot be used, at its %s: case %#', async (element, type, expression, more, reason) => {
    const refused = putParameter('bad', type, expression, more);
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({
      status: 422,
      issues: [{ expression: `SearchParameter.${element}` }],
    });
    await expect(record.read(clinician, 'SearchParameter', 'bad')).rejects.toMatchObject({ status: 404 });
  });

  it('stores drafts and what is built in, without effect', async () => {
    await putParameter('draft', 'token', 'Observation.nothing', { status: 'draft' });
    await putParameter('code', 'token', 'Observation.code', {
      url: 'http://hl7.org/fhir/SearchParameter/clinical-code',
    });
    expect(await record.parameters.progress('draft')).toMatchObject({ state: 'none' });
    expect(await record.parameters.progress('code')).toMatchObject({ state: 'none' });
  });
});

function parts(definition: string) {
  return [
    { definition, expression: 'code' },
    { definition, expression: 'value' },
  ];
}
