import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordError } from '../record/index.ts';
import { type ExportLevel, readExportRequest, readParameters } from './export-request.ts';

const read = (query: string, level: ExportLevel = 'system', lenient = false) =>
  readExportRequest(level, new URLSearchParams(query), lenient);

it('reads lists that come at once or one by one, and searches with commas in their values', () => {
  expect(read('_type=Patient,Observation&_type=Patient').types).toEqual(['Patient', 'Observation']);
  const filters = [
    { type: 'Observation', query: 'code=a,b&date=ge2020' },
    { type: 'Condition', query: 'code=c' },
  ];
  const both = 'Observation?code=a,b&date=ge2020,Condition?code=c';
  expect(read(`_typeFilter=${encodeURIComponent(both)}`).filters).toEqual(filters);
  expect(read('_since=2026-01-31T10:00:00%2B01:00').since).toBe('2026-01-31T09:00:00.000Z');
});

it('knows which types go with patients', () => {
  for (const level of ['patient', 'group'] as const) {
    expect(read('_type=Observation,Organization', level).types).toHaveLength(2);
    for (const type of ['ValueSet', 'Binary', 'StructureDefinition']) {
      expect(() => read(`_type=${type}`, level)).toThrow(/system-level/);
    }
  }
  expect(read('_type=Binary,ValueSet').types).toHaveLength(2);
});

it('never exports more than was asked for because of leniency', () => {
  expect(() => read('_type=Nonsense', 'system', true)).toThrow(/no type/);
  expect(() => read('_since=nonsense', 'system', true)).toThrow(/instant/);
  expect(() => read('patient=nonsense', 'patient', true)).toThrow(/reference/);
  expect(() => read('_outputFormat=csv', 'system', true)).toThrow(/ndjson/);
});

it('reads or refuses whatever comes, and nothing else happens', () => {
  const name = fc.constantFrom(
    '_type',
    '_typeFilter',
    '_since',
    '_elements',
    'patient',
    '_outputFormat',
    '__proto__',
    'x',
  );
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('Patient', 'Observation?code=a', ',', '?', 'Patient?', 'constructor'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.boolean(), (pairs, lenient) => {
      try {
        const { types, since } = readExportRequest('patient', pairs, lenient);
        expect(types?.includes('') ?? false).toBe(false);
        if (since !== undefined) expect(new Date(since).toISOString()).toBe(since);
      } catch (error) {
        expect(error).toBeInstanceOf(RecordError);
      }
    }),
  );
});

it('reads Parameters, and refuses what is none', () => {
  const parameter = [
    { name: '_type', valueString: 'Patient' },
    { name: 'patient', valueReference: { reference: 'Patient/1' } },
  ];
  expect(readParameters(JSON.stringify({ resourceType: 'Parameters', parameter }))).toEqual([
    ['_type', 'Patient'],
    ['patient', 'Patient/1'],
  ]);
  expect(readParameters('{"resourceType":"Parameters"}')).toEqual([]);
  for (const text of ['', '[]', 'null', '{"resourceType":"Patient"}', '{"resourceType":"Parameters","parameter":{}}']) {
    expect(() => readParameters(text)).toThrow(RecordError);
  }
  for (const one of ['null', '{}', '{"name":"a"}', '{"name":1,"valueString":"x"}', '{"name":"a","valueString":{}}']) {
    expect(() => readParameters(`{"resourceType":"Parameters","parameter":[${one}]}`)).toThrow(RecordError);
  }
});
