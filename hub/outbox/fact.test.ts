import type { DiagnosticReport, Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { numbersOf, substanceOf } from './fact.ts';

const loinc = { system: 'http://loinc.org', code: '2823-3' };
const amount = { value: 4.4, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' };
const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

function told(report: Partial<DiagnosticReport> = {}, result: Partial<Observation> = {}, n = 1) {
  const observation = {
    resourceType: 'Observation',
    id: id(n),
    status: 'final',
    code: { coding: [loinc], text: 'Potassium' },
    subject: { reference: `Patient/${id(n)}` },
    effectiveDateTime: '2026-03-01T10:00:00+01:00',
    valueQuantity: amount,
    ...result,
  } as Observation;
  const focus = {
    resourceType: 'DiagnosticReport',
    id: id(n),
    status: 'final',
    code: { coding: [loinc] },
    subject: { reference: `Patient/${id(n)}` },
    result: [{ reference: `Observation/${id(n)}` }],
    ...report,
  } as DiagnosticReport;
  return { focus, beside: [observation] };
}

describe('the numbers of a fact', () => {
  const of = (system: string, value: string) =>
    numbersOf('result', { resourceType: 'DiagnosticReport', identifier: [{ system, value }] } as DiagnosticReport);

  it('are those of an authority that the whole world names alike', () => {
    expect(of('urn:oid:2.999.7', 'F-1')).toHaveLength(1);
    expect(of('https://lab.example/filler', 'F-1')).toHaveLength(1);
    expect(of('urn:ietf:rfc:3986', 'urn:uuid:5d3c3a9e-0000-4000-8000-000000000001')).toHaveLength(1);
    expect(of('urn:oid:2.999.7', 'F-1')).not.toEqual(of('urn:oid:2.999.8', 'F-1'));
  });

  it('are never those of the own namespace of a site, nor of a person', () => {
    expect(of('urn:causeway:authority:ellery-lab:LIS', 'F-1')).toEqual([]);
    expect(of('urn:ietf:rfc:3986', 'F-1')).toEqual([]);
    expect(of('urn:oid:2.999.7', ' ')).toEqual([]);
    const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:oid:2.999.7', value: '1' }] } as never;
    expect(numbersOf('person', patient)).toEqual([]);
    expect(numbersOf('result', undefined)).toEqual([]);
  });
});

describe('the numbers of a report', () => {
  const of = (...types: string[]) =>
    numbersOf('result', {
      resourceType: 'DiagnosticReport',
      identifier: types.map((code) => ({ type: { coding: [{ code }] }, system: `urn:oid:2.999.7`, value: code })),
    } as DiagnosticReport);

  it('are its filler’s alone, and never those of its order or its group', () => {
    expect(of('PLAC', 'FILL', 'ACSN')).toEqual(of('FILL'));
    expect(of('PLAC', 'PGN', 'FGN')).toEqual([]);
    expect(of('PLAC', 'ACSN')).toEqual(of('ACSN'));
  });
});

describe('the substance of what is told', () => {
  const same = (other: Parameters<typeof substanceOf>[0]) => substanceOf(told()) === substanceOf(other);

  it('is the same by whatever path: ids, record, who handed it on, zone, words, own codes beside shared ones', () => {
    expect(same(told({}, {}, 2))).toBe(true);
    expect(same(told({ issued: '2026-03-02T00:00:00Z', performer: [{ display: 'Relay' }] }))).toBe(true);
    expect(same(told({}, { effectiveDateTime: '2026-03-01T09:00:00Z' }))).toBe(true);
    const own = { coding: [{ system: 'urn:causeway:authority:x:L', code: 'K' }, loinc], text: 'K+' };
    expect(same(told({ code: own }, { code: own }))).toBe(true);
    expect(same(told({ identifier: [{ system: 'urn:oid:2.999.7', value: 'F-1' }] }))).toBe(true);
  });

  it.each<[string, Partial<DiagnosticReport>, Partial<Observation>]>([
    ['value', {}, { valueQuantity: { ...amount, value: 4.5 } }],
    ['unit', {}, { valueQuantity: { ...amount, unit: 'mg/dL', code: 'mg/dL' } }],
    ['comparator', {}, { valueQuantity: { ...amount, comparator: '<' } }],
    ['status of a result', {}, { status: 'corrected' }],
    ['status', { status: 'preliminary' }, {}],
    ['code', {}, { code: { coding: [{ ...loinc, code: '2951-2' }] } }],
    ['time', {}, { effectiveDateTime: '2026-03-01T10:00:01+01:00' }],
    ['interpretation', {}, { interpretation: [{ coding: [{ code: 'HH' }] }] }],
    ['note', {}, { note: [{ text: 'haemolytic' }] }],
    ['conclusion', { conclusion: 'Normal' }, {}],
    ['label', { meta: { security: [{ code: 'R' }] } }, {}],
    ['word for a value', {}, { valueQuantity: undefined as never, valueString: '4.4' }],
  ])('differs by the %s', (_, report, result) => {
    expect(same(told(report, result))).toBe(false);
  });

  it('differs where a result is missing, or there are two', () => {
    expect(same({ ...told(), beside: [] })).toBe(false);
    const { focus, beside } = told();
    const results = [{ reference: `Observation/${id(1)}` }, { reference: `Observation/${id(2)}` }];
    const both = [...beside, ...told({}, {}, 2).beside];
    expect(same({ focus: { ...focus, result: results } as DiagnosticReport, beside: both })).toBe(false);
  });

  it('has the specimen by what it is, and whatever else is referred to by its name', () => {
    const specimen = (n: number, code: string) => {
      const { focus, beside } = told({}, { specimen: { reference: `Specimen/${id(n)}` } }, n);
      return { focus, beside: [...beside, { resourceType: 'Specimen', id: id(n), type: { text: code } } as never] };
    };
    expect(substanceOf(specimen(1, 'serum'))).toBe(substanceOf(specimen(2, 'serum')));
    expect(substanceOf(specimen(1, 'serum'))).not.toBe(substanceOf(specimen(2, 'urine')));
    const unread = (n: number) => told({}, { bodySite: {}, focus: [{ reference: `Device/${id(n)}` }] }, n);
    expect(substanceOf(unread(1))).not.toBe(substanceOf(unread(2)));
  });

  it('of a document is what it holds', () => {
    const document = (n: number, data: string) => ({
      focus: {
        resourceType: 'DocumentReference',
        id: id(n),
        status: 'current',
        masterIdentifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:2.999.${n}` },
        content: [{ attachment: { contentType: 'application/pdf', data } }],
      } as never,
      beside: [],
    });
    expect(substanceOf(document(1, 'AAAA'))).toBe(substanceOf(document(2, 'AAAA')));
    expect(substanceOf(document(1, 'AAAA'))).not.toBe(substanceOf(document(2, 'AAAB')));
  });
});
