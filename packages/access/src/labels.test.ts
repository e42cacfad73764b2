import { expect, it } from 'vitest';
import { codingsOf, daysOf, label, labelOfCode, labelsOf, namesOf } from './index.ts';

const icd10 = 'http://hl7.org/fhir/sid/icd-10-cm';
const condition = (...coding: object[]) => ({ resourceType: 'Condition', code: { coding } });

it('labels by what codes mean, wherever they stand, with or without the dot', () => {
  expect(namesOf(labelsOf(condition({ system: icd10, code: 'F11.20' })))).toEqual(['substanceUse']);
  expect(namesOf(labelsOf(condition({ system: icd10, code: 'f1120' })))).toEqual(['substanceUse']);
  expect(namesOf(labelsOf(condition({ system: icd10, code: 'F17.210' })))).toEqual([]);
  expect(namesOf(labelsOf(condition({ system: icd10, code: 'I10' }, { system: icd10, code: 'B20' })))).toEqual(['hiv']);
  const deep = { resourceType: 'Encounter', reasonCode: [{ coding: [{ system: icd10, code: 'T74.11XA' }] }] };
  expect(namesOf(labelsOf(deep))).toEqual(['violence']);
  expect(labelsOf(condition({ system: 'http://example.org', code: 'F11.20' }))).toBe(0);
  expect(labelsOf(condition({ code: 'F11.20' }))).toBe(0);
});

it('labels by what the source says, and gives the labels out under the codes it knows', () => {
  const [act, confidentiality] = ['v3-ActCode', 'v3-Confidentiality'].map(
    (name) => `http://terminology.hl7.org/CodeSystem/${name}`,
  );
  const security = [
    { system: act, code: 'SUD' },
    { system: confidentiality, code: 'V' },
    { system: 'http://example.org', code: 'HIV' },
    null,
  ];
  const labels = labelsOf({ resourceType: 'Observation', meta: { security }, text: { div: 'HIV' } });
  expect(namesOf(labels)).toEqual(['substanceUse', 'veryRestricted']);
  expect(codingsOf(labels)).toEqual([
    { system: act, code: 'ETHUD' },
    { system: confidentiality, code: 'V' },
  ]);
  for (const { system, code } of codingsOf(~label.unlabelled & 0xfff))
    expect(labelOfCode(system, code)).toBeGreaterThan(0);
  expect(labelOfCode(confidentiality, 'N')).toBe(0);
  expect(labelOfCode(act, 'NOSUCH')).toBeUndefined();
});

it('is widened by a network’s value sets', () => {
  const widened = new Map([['http://example.org|X1', label.genetics]]);
  expect(namesOf(labelsOf(condition({ system: 'http://example.org', code: 'X1' }), widened))).toEqual(['genetics']);
  expect(labelsOf(condition({ system: 'http://example.org', code: 'X1' }))).toBe(0);
});

it('knows the days of what happened, else of what was noted', () => {
  expect(daysOf({ effectiveDateTime: '2024-02-03T23:00:00-05:00', issued: '2024-03-01T00:00:00Z' })).toEqual({
    from: '2024-02-03',
    to: '2024-02-03',
  });
  expect(daysOf({ onsetPeriod: { start: '2020' } })).toEqual({ from: '2020-01-01', to: '9999-12-31' });
  expect(daysOf({ period: { start: '2020-02', end: '2020-02' } })).toEqual({ from: '2020-02-01', to: '2020-02-29' });
  expect(daysOf({ recordedDate: '2021' })).toEqual({ from: '2021-01-01', to: '2021-12-31' });
  for (const date of ['0000-01-01', '2021-02-29', '2021-13', 'x'])
    expect(daysOf({ recordedDate: date })).toBeUndefined();
});
