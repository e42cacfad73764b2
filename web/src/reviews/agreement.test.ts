import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldEvidence } from '../api/contract.ts';
import { probabilityText } from '../parts/numbers.ts';
import { agreementOf } from './agreement.ts';

const line = (field: string, level: string, meaning: string): FieldEvidence => ({
  field,
  label: `${field} name`,
  a: null,
  b: null,
  level,
  meaning,
  weight: 1,
});

describe('the agreement shown in a review', () => {
  it('is what the index found, not how the two are written', () => {
    expect(agreementOf([line('phone', 'same', 'same')], ['phone'])).toEqual({ agreement: 'same', words: ['same'] });
    expect(agreementOf([line('address', 'city', 'same city')], ['address'])).toEqual({
      agreement: 'close',
      words: ['same city'],
    });
  });
  it('is decided by the worst of the fields that a row shows', () => {
    const explanation = [line('family', 'different', 'different'), line('given', 'exact', 'same')];
    expect(agreementOf(explanation, ['family', 'given'])).toEqual({
      agreement: 'differs',
      words: ['family name: different', 'given name: same'],
    });
  });
  it('is no evidence where the index had none, such as with a placeholder', () => {
    expect(agreementOf([line('given', 'missing', 'no evidence')], ['given']).agreement).toBe('none');
    expect(agreementOf([], ['given']).agreement).toBe('none');
  });
});

it('a probability never reads as certain', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (probability) => {
      expect(probabilityText(probability)).not.toMatch(/^(100|0)(\.0+)? %/);
    }),
  );
  expect(probabilityText(0.99987)).toBe('> 99.9 %');
  expect(probabilityText(0.5)).toBe('50.0 %');
});
