import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Choice, choiceFaults, choiceOf, consentOf, label, readConsent } from './index.ts';

const day = fc.constantFrom('2020-01-01', '2024-02-29');
const range = fc
  .record({ from: day, to: day }, { requiredKeys: ['from'] })
  .filter(({ from, to }) => to === undefined || from <= to);
const texts = (...values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 });
const kinds = Object.keys(label).filter((name) => name !== 'unlabelled');
const { choice } = fc.letrec<{ choice: Choice }>((tie) => ({
  choice: fc.record(
    {
      effect: fc.constantFrom('permit' as const, 'deny' as const),
      organizations: texts('harbor', 'millbrook'),
      purposes: texts('TREAT', 'HPAYMT'),
      kinds: texts(...kinds) as fc.Arbitrary<never>,
      days: range,
      holds: range,
      exceptions: fc.array(tie('choice'), { minLength: 1, maxLength: 2, depthIdentifier: 'choice' }),
    },
    { requiredKeys: ['effect'] },
  ) as fc.Arbitrary<Choice>,
}));

it('says a choice as a Consent that is understood whole, and reads it back', () => {
  fc.assert(
    fc.property(choice, fc.boolean(), (given, isVerified) => {
      const deep = JSON.parse(JSON.stringify(given, (_key, value) => value)) as Choice;
      const consent = consentOf({
        patient: 'Patient/p',
        choice: deep,
        at: '2026-01-01T00:00:00Z',
        verifiedWith: isVerified ? 'Patient/p' : undefined,
      });
      const read = readConsent(consent, 'UTC');
      if (!('unreadable' in read)) {
        expect(read.isVerified).toBe(isVerified);
        expect(read.provisions[0]!.permits).toBe(deep.effect === 'permit');
      } else expect(read.unreadable.join()).toMatch(/deep/);
      expect(choiceOf(consent)).toEqual(deep);
    }),
  );
});

it('says what is wrong with what is no choice', () => {
  expect(
    choiceFaults({ effect: 'deny', kinds: ['hiv'], exceptions: [{ effect: 'permit', organizations: ['x'] }] }),
  ).toEqual([]);
  const bad = {
    effect: 'maybe',
    organizations: [],
    purposes: [1],
    kinds: ['unlabelled'],
    days: {},
    holds: { from: '2020' },
    more: 1,
  };
  expect(choiceFaults(bad)).toHaveLength(7);
  expect(choiceFaults({ effect: 'deny', days: { from: '2024-01-02', to: '2024-01-01' } })).toHaveLength(1);
  expect(choiceFaults(undefined)).toEqual(['A choice must be an object.']);
});

it('reads no choice from a Consent that says more', () => {
  expect(choiceOf({ provision: { type: 'deny', class: [{}] } })).toBeUndefined();
  expect(
    choiceOf({ provision: { type: 'deny', actor: [{ reference: { reference: 'Organization/o' } }] } }),
  ).toBeUndefined();
  expect(choiceOf({})).toBeUndefined();
});
