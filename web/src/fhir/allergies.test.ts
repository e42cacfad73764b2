import type { AllergyIntolerance } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { summarizeAllergies } from './allergies.ts';

const SNOMED = 'http://snomed.info/sct';

function allergy(code: string, text: string, more: Partial<AllergyIntolerance> = {}): AllergyIntolerance {
  return {
    resourceType: 'AllergyIntolerance',
    id: `${code}-${Math.abs(JSON.stringify(more).length)}`,
    patient: {},
    code: { text, coding: [{ system: SNOMED, code }] },
    ...more,
  };
}

const refuted = { verificationStatus: { coding: [{ code: 'refuted' }] } };

describe('allergies', () => {
  it('nothing on record is no information, not "none known"', () => {
    expect(summarizeAllergies([]).state).toBe('no-information');
  });

  it.each([
    ['the SNOMED situation', allergy('716186003', 'No known allergy')],
    ['a denied allergy to any substance', allergy('419199007', 'Allergy to substance', refuted)],
    ['plain words', { ...allergy('x', 'x'), code: { text: 'NKA' } }],
  ])('none known: %s', (_, statement) => {
    const summary = summarizeAllergies([statement]);
    expect(summary.state).toBe('none-known');
    expect(summary.active).toEqual([]);
  });

  it('a denial of one kind does not speak for all kinds', () => {
    const summary = summarizeAllergies([allergy('409137002', 'No known drug allergy')]);
    expect(summary.state).toBe('no-information');
    expect(summary.noneKnown[0]).toMatchObject({ words: 'No known drug allergy', general: false });
  });

  it('a denied substance never shows as an allergy', () => {
    const summary = summarizeAllergies([allergy('91936005', 'Penicillin', refuted)]);
    expect(summary.active).toEqual([]);
    expect(summary.denied).toMatchObject([{ substance: 'Penicillin' }]);
    expect(summary.state).toBe('no-information');
  });

  it('a denial written as a sentence is told by its substance', () => {
    const coded = allergy('70618', 'x', {
      ...refuted,
      code: { text: 'Not allergic to penicillin', coding: [{ display: 'Penicillin' }] },
    });
    expect(summarizeAllergies([coded]).denied).toMatchObject([{ substance: 'Penicillin' }]);
    const plain = allergy('x', 'x', { ...refuted, code: { text: 'Not allergic to penicillin' } });
    expect(summarizeAllergies([plain]).denied).toMatchObject([{ substance: 'penicillin' }]);
  });

  it('an allergy stands against another source that denies it, and the denial is told', () => {
    const summary = summarizeAllergies([
      allergy('91936005', 'Penicillin', { criticality: 'low' }),
      allergy('91936005', 'penicillin', { ...refuted }),
      allergy('91936005', 'PENICILLIN', { criticality: 'high' }),
    ]);
    expect(summary.state).toBe('recorded');
    expect(summary.active).toHaveLength(1);
    expect(summary.active[0]).toMatchObject({ criticality: 'high' });
    expect(summary.active[0]!.deniedBy).toHaveLength(1);
  });

  it('a resolved allergy is not active; one without clinical status is', () => {
    const summary = summarizeAllergies([
      allergy('1', 'Latex', { clinicalStatus: { coding: [{ code: 'resolved' }] } }),
      allergy('2', 'Peanut'),
    ]);
    expect(summary.active.map((line) => line.substance)).toEqual(['Peanut']);
    expect(summary.inactive.map((line) => line.substance)).toEqual(['Latex']);
  });
});
