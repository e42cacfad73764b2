import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resourceTypes, typeCode, typeName } from '../resource-types.ts';
import { DATE_MAX, DATE_MIN, dateRange } from './dates.ts';
import { compartment, extract } from './extract.ts';
import { searchParameters, uncompiled } from './parameters.ts';
import { referenceValue } from './references.ts';
import { normalizeString } from './strings.ts';

/** The values of one parameter, without `param`, `kind` and what is undefined. */
function valuesOf(resource: object, code: string, base?: string): object[] {
  return extract(resource as Resource, base)
    .filter((value) => value.param === code)
    .map(({ param: _, kind: __, ...rest }) => JSON.parse(JSON.stringify(rest)) as object);
}

describe('searchParameters', () => {
  test('what is not compiled is known, with its reason', () => {
    const codes = new Set(uncompiled().map((parameter) => parameter.code));
    expect([...codes].sort()).toEqual(['_content', '_query', '_text']);
    expect(uncompiled().every((parameter) => parameter.reason !== '')).toBe(true);
  });

  test('lists base, common and US Core parameters of a type', () => {
    const patient = searchParameters('Patient');
    const find = (code: string) => patient.find((parameter) => parameter.code === code);
    expect(find('birthdate')).toMatchObject({ type: 'date', expression: 'Patient.birthDate' });
    expect(find('_tag')?.type).toBe('token');
    expect(find('race')?.type).toBe('token');
    expect(find('general-practitioner')?.target).toContain('Practitioner');
    expect(find('code')).toBeUndefined();
    expect(searchParameters('Hobbit')).toEqual([]);
    const composite = searchParameters('Observation').find((parameter) => parameter.code === 'code-value-quantity');
    expect(composite?.components?.map((component) => component.type)).toEqual(['token', 'quantity']);
  });

  test('tells which find what others find', () => {
    const unions = resourceTypes().flatMap((type) =>
      searchParameters(type).flatMap(({ code, unionOf }) =>
        unionOf ? [[`${type}.${code}`, ...unionOf].join(' ')] : [],
      ),
    );
    expect(unions).toEqual([
      'Observation.combo-code code component-code',
      'Observation.combo-code-value-concept code-value-concept component-code-value-concept',
      'Observation.combo-code-value-quantity code-value-quantity component-code-value-quantity',
      'Observation.combo-data-absent-reason component-data-absent-reason data-absent-reason',
      'Observation.combo-value-concept component-value-concept value-concept',
      'Observation.combo-value-quantity component-value-quantity value-quantity',
    ]);
    const part = (type: string, of: string) => searchParameters(type).find(({ code }) => code === of)?.partOf;
    expect(part('Observation', 'patient')).toEqual({ code: 'subject', target: 'Patient' });
    expect(part('Appointment', 'practitioner')).toEqual({ code: 'actor', target: 'Practitioner' });
    expect(part('Claim', 'patient')).toBeUndefined();
    const observation = {
      resourceType: 'Observation',
      code: { coding: [{ code: 'a' }] },
      valueQuantity: { value: 1 },
      component: [{ code: { coding: [{ code: 'b' }] }, valueQuantity: { value: 2 } }],
    };
    const found = new Set(extract(observation as Resource).map(({ param }) => param));
    for (const { code, unionOf } of searchParameters('Observation')) if (unionOf) expect(found).not.toContain(code);
    for (const code of ['code', 'component-code', 'component-code-value-quantity']) expect(found).toContain(code);
    // What is combined is looked for under the names of single parameters.
    const combined = resourceTypes().flatMap((type) =>
      searchParameters(type).flatMap(({ composite }) => (composite?.asParameters ?? []).map((code) => [type, code])),
    );
    for (const [type, code] of combined) {
      expect(searchParameters(type!).find((one) => one.code === code)?.unionOf).toBeUndefined();
    }
  });

  test('tells which dates a resource has once at most', () => {
    const isSingle = (type: string, code: string) =>
      searchParameters(type).find((parameter) => parameter.code === code)!.isSingle === true;
    for (const [type, code] of [
      ['Patient', 'birthdate'],
      ['Observation', 'date'],
      ['Condition', 'onset-date'],
      ['Encounter', 'date'],
      ['Medication', 'expiration-date'],
    ] as const) {
      expect([type, code, isSingle(type, code)]).toEqual([type, code, true]);
    }
    for (const [type, code] of [
      ['AllergyIntolerance', 'onset'],
      ['Encounter', 'location-period'],
      ['MedicationRequest', 'date'],
      ['Goal', 'target-date'],
      ['Condition', 'asserted-date'],
    ] as const) {
      expect([type, code, isSingle(type, code)]).toEqual([type, code, false]);
    }
  });
});

describe('extract', () => {
  test('tokens', () => {
    const patient = {
      resourceType: 'Patient',
      active: true,
      gender: 'female',
      identifier: [{ system: 'urn:x', value: '7', type: { text: 'MRN' } }, { value: '8' }, { system: 'urn:x' }],
      telecom: [
        { system: 'phone', value: '555' },
        { system: 'email', value: 'a@b' },
      ],
      maritalStatus: { text: 'married' },
    };
    expect(valuesOf(patient, 'active')).toEqual([{ code: 'true' }]);
    expect(valuesOf(patient, 'gender')).toEqual([{ code: 'female' }]);
    expect(valuesOf(patient, 'identifier')).toEqual([{ system: 'urn:x', code: '7', text: 'MRN' }, { code: '8' }]);
    expect(valuesOf(patient, 'phone')).toEqual([{ code: '555' }]);
    expect(valuesOf(patient, 'telecom')).toHaveLength(2);
    expect(valuesOf(patient, 'deceased')).toEqual([{ code: 'false' }]);
    expect(valuesOf({ ...patient, deceasedDateTime: '2020' }, 'deceased')).toEqual([{ code: 'true' }]);
    expect(valuesOf({ ...patient, deceasedBoolean: false }, 'deceased')).toEqual([{ code: 'false' }]);
    const condition = {
      resourceType: 'Condition',
      code: { text: 'c', coding: [{ system: 's', code: '1', display: 'd' }] },
    };
    expect(valuesOf(condition, 'code')).toEqual([{ system: 's', code: '1', text: 'd' }, { text: 'c' }]);
  });

  test('extensions of US Core', () => {
    const url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race';
    const coding = { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3' };
    const extension = [
      { url, extension: [{ url: 'ombCategory', valueCoding: coding }] },
      { url: 'other', valueCode: 'no' },
    ];
    expect(valuesOf({ resourceType: 'Patient', extension }, 'race')).toEqual([{ code: '2106-3' }]);
  });

  test('strings are normalised', () => {
    const patient = { resourceType: 'Patient', name: [{ family: ' Müller-Groß', given: ['ANN'] }] };
    expect(valuesOf(patient, 'family')).toEqual([{ value: ' Müller-Groß', normalized: 'muller-gross' }]);
    expect(valuesOf(patient, 'name')).toHaveLength(2);
    expect(normalizeString('  Ñandú\t ｆｕｌｌ  ')).toBe('nandu full');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = normalizeString(text);
        expect(normalizeString(once)).toBe(once);
        expect(once).not.toContain('\0');
      }),
    );
  });

  test('dates, periods and schedules', () => {
    const day = Date.UTC(2020, 1, 29);
    const encounter = (period: object) => valuesOf({ resourceType: 'Encounter', period }, 'date');
    expect(encounter({ start: '2020-02-29' })).toEqual([{ low: day, high: DATE_MAX }]);
    expect(encounter({ end: '2020-02-28' })).toEqual([{ low: DATE_MIN, high: day }]);
    expect(encounter({ start: '2020-02-30' })).toEqual([]);
    const effectiveTiming = { event: ['2020-02-29T10:00:00Z', '2020-02-29'] };
    expect(valuesOf({ resourceType: 'Observation', effectiveTiming }, 'date')).toEqual([
      { low: day, high: day + 86_400_000 },
    ]);
  });

  test('references', () => {
    const subjectOf = (subject: object, base?: string) =>
      valuesOf({ resourceType: 'Observation', subject }, 'subject', base);
    expect(subjectOf({ reference: 'Patient/7/_history/2' })).toEqual([{ type: 'Patient', id: '7' }]);
    expect(subjectOf({ reference: 'http://a/fhir/Patient/7' })).toEqual([
      { type: 'Patient', url: 'http://a/fhir/Patient/7' },
    ]);
    expect(subjectOf({ reference: 'http://a/fhir/Patient/7' }, 'http://a/fhir/')).toEqual([
      { type: 'Patient', id: '7' },
    ]);
    expect(subjectOf({ reference: 'urn:uuid:7' })).toEqual([{ url: 'urn:uuid:7' }]);
    expect(subjectOf({ reference: '#p' })).toEqual([]);
    expect(subjectOf({ type: 'Patient', identifier: { system: 's', value: 'v' } })).toEqual([
      { type: 'Patient', identifier: { system: 's', value: 'v' } },
    ]);
    const group = { resourceType: 'Observation', subject: { reference: 'Group/1' } };
    expect(valuesOf(group, 'patient')).toEqual([]);
    expect(valuesOf(group, 'subject')).toEqual([{ type: 'Group', id: '1' }]);
    expect(referenceValue('Hobbit/1')).toEqual({ kind: 'reference', type: undefined, url: 'Hobbit/1' });
    const plan = { resourceType: 'CarePlan', instantiatesCanonical: ['http://x/PlanDefinition/1|2.0'] };
    expect(valuesOf(plan, 'instantiates-canonical')).toEqual([
      { type: 'PlanDefinition', url: 'http://x/PlanDefinition/1', canonicalVersion: '2.0' },
    ]);
  });

  test('quantities, numbers and URIs', () => {
    const valueQuantity = { value: 5.4, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg', comparator: '<' };
    expect(valuesOf({ resourceType: 'Observation', valueQuantity }, 'value-quantity')).toEqual([
      {
        value: 5.4,
        low: -Number.MAX_VALUE,
        high: 5.4,
        system: 'http://unitsofmeasure.org',
        code: 'mg',
        unit: 'mg',
        canonicalValue: 0.0054,
        canonicalUnit: 'g',
      },
    ]);
    const risk = { resourceType: 'RiskAssessment', prediction: [{ probabilityDecimal: 0.5 }] };
    expect(valuesOf(risk, 'probability')).toEqual([{ value: 0.5, low: 0.5, high: 0.5 }]);
    expect(valuesOf({ resourceType: 'ValueSet', url: 'http://x|1' }, 'url')).toEqual([{ value: 'http://x|1' }]);
  });

  test('composites combine the values of one element', () => {
    const component = [
      { code: { coding: [{ code: 'a' }] }, valueQuantity: { value: 1 } },
      { code: { coding: [{ code: 'b' }] }, valueQuantity: { value: 2 } },
      { code: { coding: [{ code: 'c' }] } },
    ];
    const values = extract({ resourceType: 'Observation', component } as Resource)
      .filter((value) => value.param === 'component-code-value-quantity' && value.kind === 'composite')
      .map((value) => (value.kind === 'composite' ? value.components : []))
      .map(([code, quantity]) => [
        code?.kind === 'token' && code.code,
        quantity?.kind === 'quantity' && quantity.value,
      ]);
    expect(values).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('never throws, whatever a resource holds', () => {
    const names = fc.constantFrom(
      'subject',
      'code',
      'coding',
      'valueQuantity',
      'value',
      'period',
      'start',
      'effectivePeriod',
      'component',
      'identifier',
      'name',
      'given',
      'telecom',
      'extension',
      'url',
      'meta',
      'reference',
      'entry',
      'resource',
      '__proto__',
      'event',
      'boundsPeriod',
      'low',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(names, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(names, tree), fc.constantFrom(...resourceTypes(), 'Hobbit'), (any, resourceType) => {
        const resource = { ...any, resourceType } as unknown as Resource;
        extract(resource);
        compartment(resourceType, resource);
      }),
      { numRuns: 500 },
    );
  });
});

describe('dateRange', () => {
  test.each([
    ['2020', '2020-01-01T00:00:00Z', '2021-01-01T00:00:00Z'],
    ['2020-12', '2020-12-01T00:00:00Z', '2021-01-01T00:00:00Z'],
    ['0033-04-03', '0033-04-03T00:00:00Z', '0033-04-04T00:00:00Z'],
    ['2020-01-01T10:30', '2020-01-01T10:30:00Z', '2020-01-01T10:31:00Z'],
    ['2020-01-01T10:30:15+02:00', '2020-01-01T08:30:15Z', '2020-01-01T08:30:16Z'],
    ['2020-01-01T10:30:15.5-00:30', '2020-01-01T11:00:15.500Z', '2020-01-01T11:00:15.600Z'],
    ['2020-01-01T10:30:15.123456Z', '2020-01-01T10:30:15.123Z', '2020-01-01T10:30:15.124Z'],
    ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59Z', '2017-01-01T00:00:00Z'],
  ])('%s', (text, low, high) => {
    expect(dateRange(text)).toEqual({ low: Date.parse(low), high: Date.parse(high) });
  });

  test.each([
    '',
    '20200101',
    '2020-13',
    '2020-00',
    '2019-02-29',
    '2020-01-01T25:00',
    '2020-01-01T10:61',
    '0000',
    '2020-01-01T10:00:00+99:00',
  ])('no date: %s', (text) => {
    expect(dateRange(text)).toBeUndefined();
  });
});

describe('compartment', () => {
  test('is found by the parameters of the definition', () => {
    expect(
      compartment('Patient', {
        resourceType: 'Patient',
        id: '1',
        link: [{ type: 'seealso', other: { reference: 'Patient/2' } }],
      }),
    ).toEqual(['1', '2']);
    const subject = { reference: 'Patient/7' };
    const observation = {
      resourceType: 'Observation',
      subject,
      performer: [subject, { reference: 'Patient/8' }],
    } as Resource;
    expect(compartment('Observation', observation)).toEqual(['7', '8']);
    expect(compartment('Organization', { resourceType: 'Organization' })).toEqual([]);
  });
});

describe('resource types', () => {
  test('keep their numbers', () => {
    expect([typeCode('Account'), typeCode('Patient'), typeCode('SubscriptionStatus'), typeCode('Hobbit')]).toEqual([
      0,
      102,
      146,
      undefined,
    ]);
    expect(resourceTypes().every((name, code) => typeName(code) === name && typeCode(name) === code)).toBe(true);
  });
});
