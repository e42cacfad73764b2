import { validate } from '@causeway/fhir';
import { describe, expect, it } from 'vitest';
import type { ConversionContext } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { type ColumnMap, readColumnMap } from './column-map.ts';
import { convertTable } from './convert.ts';
import { proposeMap } from './propose.ts';

const context: ConversionContext = {
  source: 'mill-clinic',
  receivedAt: '2026-03-05T12:00:00Z',
  messageUri: 'urn:causeway:message:1',
  timeZone: 'America/New_York',
  identifierSystems: { MILL: 'https://mill.example/mrn' },
};

const results: ColumnMap = {
  kind: 'observation',
  dates: 'MDY',
  empty: ['NULL'],
  columns: {
    MRN: { field: 'patient.id', system: 'MILL' },
    LOINC: { field: 'observation.code', system: 'LN' },
    Test: { field: 'observation.display' },
    Result: { field: 'observation.value' },
    Units: { field: 'observation.unit' },
    Flag: { field: 'observation.flag' },
    Collected: { field: 'observation.date' },
    State: { field: 'observation.status', values: { R: 'final' } },
    Changed: { field: 'row.modified' },
    Operator: { leftOut: 'who typed it is of no use to others' },
  },
};

// biome-ignore lint/suspicious/noExplicitAny: resources of any type are looked into
type Any = any;

function convert(row: object, map: ColumnMap = results, more: object = {}) {
  const text = JSON.stringify({ table: 'results', time: '2026-03-04T00:00:00Z', row, ...more });
  const conversion = convertTable(text, { ...context, tables: { results: map } });
  if (typeof conversion === 'string') throw new Error(conversion);
  for (const { resource } of conversion.facts) {
    const errors = validate(JSON.parse(JSON.stringify(resource))).filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([]);
  }
  return conversion;
}

const row = {
  MRN: '1044',
  LOINC: '718-7',
  Test: 'Hemoglobin',
  Result: '13.20',
  Units: 'g/dL',
  Flag: 'L',
  Collected: '02/28/2026 2:05 PM',
  State: 'R',
  Changed: '2026-03-01 08:00',
  Operator: 'kb',
  Bench: '4',
  Remark: 'NULL',
};

describe('a row', () => {
  it('becomes what it tells, and says of each of its columns where it went', () => {
    const { facts, ledger, issues } = convert(row);
    const [patient, observation] = facts.map(({ resource }) => JSON.parse(JSON.stringify(resource)) as Any);
    expect(patient.id).toBe(factId('mill-clinic', 'Patient', 'https://mill.example/mrn', '1044'));
    expect(facts.map(({ mode, asOf }) => [mode, asOf])).toEqual([
      ['reference', '2026-03-01T08:00:00-05:00'],
      ['replace', '2026-03-01T08:00:00-05:00'],
    ]);
    expect(observation).toMatchObject({
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '718-7' }], text: 'Hemoglobin' },
      subject: { reference: `Patient/${patient.id}` },
      effectiveDateTime: '2026-02-28T14:05:00-05:00',
      valueQuantity: { unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
      interpretation: [{ coding: [{ code: 'L' }] }],
    });
    expect(JSON.stringify(facts[1]!.resource)).toContain('"value":13.20');
    expect(issues).toEqual([]);
    expect(ledger).toHaveLength(Object.keys(row).length - 1);
    const went = Object.fromEntries(ledger.map(({ source, disposition }) => [source, disposition]));
    expect(went).toMatchObject({
      'results/MRN': 'mapped',
      'results/Result': 'mapped',
      'results/Changed': 'consumed',
      'results/Operator': 'rejected',
      'results/Bench': 'kept',
    });
  });

  it('is the same fact when it comes again with another value, and another for another test', () => {
    const ids = [row, { ...row, Result: '12' }, { ...row, LOINC: '4548-4' }].map(
      (one) => convert(one).facts[1]!.resource.id,
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('says at the time of its file what it says at none of its own', () => {
    expect(convert({ ...row, Changed: '' }).facts[1]!.asOf).toBe('2026-03-04T00:00:00Z');
  });

  it('without a record number states nothing and says so', () => {
    const { facts, issues, ledger } = convert({ ...row, MRN: ' ' });
    expect(facts).toEqual([]);
    expect(issues).toMatchObject([{ severity: 'error', code: 'required' }]);
    expect(ledger.every(({ disposition }) => disposition === 'kept' || disposition === 'rejected')).toBe(true);
  });

  it('keeps what cannot be taken, with the reason, and guesses neither days nor words', () => {
    const { dates: _, ...unordered } = results;
    const { facts, ledger, issues } = convert({ ...row, State: 'zz', Flag: '?' }, unordered);
    expect(facts[1]!.resource).toMatchObject({ status: 'unknown' });
    expect(facts[1]!.resource).not.toHaveProperty('effectiveDateTime');
    expect(issues.map(({ source }) => source)).toEqual(['results/Collected', 'results/Flag', 'results/State']);
    expect(ledger.find(({ source }) => source === 'results/Collected')).toMatchObject({ disposition: 'kept' });
    for (const Collected of ['13/45/2026', '31.02.2026', '010226', 'yesterday', '01/02/26', '1/2/2026 25:00']) {
      expect(convert({ ...row, Collected }).facts[1]!.resource, Collected).not.toHaveProperty('effectiveDateTime');
    }
  });

  it('of demographics states the patient', () => {
    const map: ColumnMap = {
      kind: 'patient',
      columns: {
        id: { field: 'patient.id' },
        name: { field: 'patient.name' },
        born: { field: 'patient.birthDate' },
        sex: { field: 'patient.gender', values: { 2: 'female' } },
        street: { field: 'patient.line' },
        zip: { field: 'patient.postalCode' },
        tel: { field: 'patient.phone' },
      },
    };
    const { facts } = convert(
      {
        id: '7',
        name: 'Ruiz, Ana Maria',
        born: '1980-02-03',
        sex: '2',
        street: 'Elm 1',
        zip: '01001',
        tel: '555-0100',
      },
      map,
    );
    expect(facts).toMatchObject([
      {
        mode: 'merge',
        resource: {
          name: [{ family: 'Ruiz', given: ['Ana', 'Maria'] }],
          birthDate: '1980-02-03',
          gender: 'female',
          address: [{ line: ['Elm 1'], postalCode: '01001' }],
          telecom: [{ system: 'phone', value: '555-0100' }],
        },
      },
    ]);
  });

  it.each([
    ['encounter', { start: '2026-01-02 08:00', class: 'ER', status: 'closed' }, 'Encounter'],
    ['allergy', { display: 'Penicillin', reaction: 'Hives', severity: 'mild' }, 'AllergyIntolerance'],
    ['allergy', { display: 'Penicillin', status: 'deleted' }, 'AllergyIntolerance'],
    ['medication', { display: 'Metformin 500 mg', start: '2026-01-02', status: 'active' }, 'MedicationStatement'],
    ['immunization', { code: '140', display: 'Influenza', date: '20260102' }, 'Immunization'],
    ['appointment', { start: '2026-04-02T09:30', practitioner: 'Dr Oak', location: 'Room 2' }, 'Appointment'],
  ] as const)('of a kind (%s) is a valid resource of it', (kind, values, type) => {
    const fields = Object.keys(values).map((name) => [name, { field: `${kind}.${name}` }] as const);
    const map = { kind, columns: { mrn: { field: 'patient.id' }, ...Object.fromEntries(fields) } };
    expect(readColumnMap(map)).toBe(map);
    const { facts, issues } = convert({ mrn: '1', ...values }, map);
    expect(issues).toEqual([]);
    expect(facts[1]!.resource.resourceType).toBe(type);
  });

  it.each([
    ['immunization', { display: 'Influenza', date: '2026-01-02', status: 'maybe' }],
    ['immunization', { display: 'Influenza' }],
    ['appointment', { start: '2026-04-02' }],
    ['allergy', { reaction: 'Hives' }],
  ] as const)('that says too little for its kind (%s) states only whom it is about', (kind, values) => {
    const fields = Object.keys(values).map((name) => [name, { field: `${kind}.${name}` }] as const);
    const map = { kind, columns: { mrn: { field: 'patient.id' }, ...Object.fromEntries(fields) } };
    const { facts, issues } = convert({ mrn: '1', ...values }, map);
    expect(facts).toHaveLength(1);
    expect(issues.some(({ severity }) => severity === 'error')).toBe(true);
  });

  it('is not read without a map of its table', () => {
    expect(convertTable(JSON.stringify({ table: 'other', row }), context)).toMatch(/no column map/);
    expect(convertTable(JSON.stringify({ table: '__proto__', row }), { ...context, tables: {} })).toMatch(
      /no column map/,
    );
    expect(convertTable('MRN,Test', context)).toMatch(/not JSON/);
  });
});

describe('a map', () => {
  it.each([
    [{ kind: 'labs', columns: {} }, /kind must be/],
    [{ kind: 'patient', columns: { a: { field: 'patient.name' } } }, /record number/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id' }, b: { field: 'patient.id' } } }, /another column/],
    [{ kind: 'observation', columns: { a: { field: 'patient.id' } } }, /nothing of the observation|anything of the/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id' }, b: { field: 'allergy.code' } } }, /fills none/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id' } }, dates: 'YMD' }, /dates must be/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id', values: { x: 1 } } } }, /values/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id' } }, more: 1 }, /has no more/],
    [{ kind: 'patient', columns: { a: { field: 'patient.id' }, b: { leftOut: '' } } }, /why it is left out/],
    [[], /object/],
  ])('that is wrong is refused with the reason', (map, reason) => {
    expect(readColumnMap(map)).toMatch(reason);
  });

  it('is proposed from the names of columns and what is in them', () => {
    const { map, ambiguousDates } = proposeMap(
      [
        'Patient ID',
        'Last Name',
        'First Name',
        'DOB',
        'LOINC Code',
        'Test Name',
        'Result Value',
        'Units',
        'Collection Date',
        'Tech',
      ],
      [{ DOB: '02/03/1980', 'Collection Date': '01/31/2026' }],
    );
    expect(readColumnMap(map)).toBe(map);
    expect(map).toEqual({
      kind: 'observation',
      dates: 'MDY',
      columns: {
        'Patient ID': { field: 'patient.id' },
        'Last Name': { field: 'patient.family' },
        'First Name': { field: 'patient.given' },
        DOB: { field: 'patient.birthDate' },
        'LOINC Code': { field: 'observation.code', system: 'LOINC' },
        'Test Name': { field: 'observation.display' },
        'Result Value': { field: 'observation.value' },
        Units: { field: 'observation.unit' },
        'Collection Date': { field: 'observation.date' },
      },
    });
    expect(ambiguousDates).toEqual([]);
  });

  it('is proposed without an order of day and month where the sample does not show it', () => {
    const { map, ambiguousDates } = proposeMap(['mrn', 'dob', 'lastname'], [{ dob: '02/03/1980' }]);
    expect(map).toMatchObject({ kind: 'patient' });
    expect(map.dates).toBeUndefined();
    expect(ambiguousDates).toEqual(['dob']);
    expect(proposeMap(['mrn', 'vaccine', 'cvx', 'lot', 'date given'], []).map.kind).toBe('immunization');
    expect(proposeMap(['mrn', 'allergen', 'reaction', 'severity'], []).map.kind).toBe('allergy');
  });
});
