import type { Observation } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { parseKeepingDigits } from './decimals.ts';
import { readRecord } from './record.ts';
import { groupResults, observationKind } from './results.ts';

const LOINC = 'http://loinc.org';

function observation(id: string, value: string, unit: string, more: Partial<Observation> = {}): Observation {
  const text = JSON.stringify({
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'Glucose', coding: [{ system: LOINC, code: '2345-7' }] },
    effectiveDateTime: `2026-01-0${id}`,
    valueQuantity: { value: 0, unit },
    ...more,
  });
  return parseKeepingDigits(text.replace('"value":0', `"value":${value}`)) as Observation;
}

describe('results', () => {
  it('keep the digits of the source', () => {
    expect(groupResults([observation('1', '7.00', 'mmol/L')])[0]!.values[0]!.text).toBe('7.00 mmol/L');
  });

  it('are one group newest first, with one trend for each unit', () => {
    const [group] = groupResults([
      observation('1', '5.1', 'mmol/L'),
      observation('3', '99', 'mg/dL'),
      observation('2', '5.4', 'mmol/L'),
    ]);
    expect(group!.values.map((value) => value.text)).toEqual(['99 mg/dL', '5.4 mmol/L', '5.1 mmol/L']);
    expect(group!.trends.map(({ unit, points }) => [unit, points.map((point) => point.value)])).toEqual([
      ['mg/dL', [99]],
      ['mmol/L', [5.1, 5.4]],
    ]);
  });

  it('a value with a comparator is shown but not drawn', () => {
    const [group] = groupResults([
      observation('1', '1', 'mg/L', { valueQuantity: { value: 0, unit: 'mg/L', comparator: '<' } }),
    ]);
    expect(group!.values[0]!.text).toBe('< 1 mg/L');
    expect(group!.trends).toEqual([]);
  });

  it('corrected ones are marked, cancelled ones have no value, withdrawn ones are not there', () => {
    const all = [
      observation('1', '5', 'mmol/L', { status: 'corrected' }),
      observation('2', '6', 'mmol/L', { status: 'cancelled' }),
      observation('3', '7', 'mmol/L', { status: 'entered-in-error' }),
    ];
    const record = readRecord(all, 'p');
    expect(record.withdrawn.map((resource) => resource.id)).toEqual(['3']);
    const [group] = groupResults(record.byType.Observation as Observation[]);
    expect(group!.values.map(({ text, remark }) => [text, remark])).toEqual([
      ['cancelled', 'cancelled'],
      ['5 mmol/L', 'corrected'],
    ]);
    expect(group!.trends[0]!.points).toHaveLength(1);
  });

  it('components count for themselves, a mere heading does not', () => {
    const pressure: Observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: LOINC, code: '85354-9' }] },
      component: [
        { code: { text: 'Systolic' }, valueQuantity: { value: 120, unit: 'mm[Hg]' } },
        { code: { text: 'Diastolic' }, valueQuantity: { value: 80, unit: 'mm[Hg]' } },
      ],
    };
    const heading: Observation = {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'Vital signs' },
      hasMember: [{ reference: 'Observation/1' }],
    };
    expect(groupResults([pressure, heading]).map((group) => [group.name, group.values[0]!.text])).toEqual([
      ['Diastolic', '80 mmHg'],
      ['Systolic', '120 mmHg'],
    ]);
    expect(observationKind(pressure)).toBe('vital-signs');
  });

  it('say why a value is absent, and flag what is abnormal in words', () => {
    const absent = observation('1', '0', '', {
      valueQuantity: undefined,
      dataAbsentReason: { coding: [{ code: 'not-performed' }] },
    });
    expect(groupResults([absent])[0]!.values[0]).toMatchObject({ text: 'not performed', hasValue: false });
    const high = observation('1', '9', 'mmol/L', {
      interpretation: [{ coding: [{ code: 'HH' }] }],
      referenceRange: [{ low: { value: 3.9 }, high: { value: 5.5 } }],
    });
    expect(groupResults([high])[0]!.values[0]).toMatchObject({
      flag: { words: 'critically high', grade: 'critical' },
      range: '3.9 – 5.5',
    });
  });
});
