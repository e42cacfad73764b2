import { expect, it } from 'vitest';
import { firstPolicy, limitsOf, readPolicy } from './index.ts';

it('reads a policy whole, or says all that is wrong with it', () => {
  const good = {
    model: 'opt-in',
    zone: 'America/Chicago',
    rules: [{ label: 'reproduction', states: ['TX'], purposes: ['TREAT'], mode: 'withheld' }],
  };
  expect(readPolicy(good)).toEqual(good);
  expect(readPolicy(firstPolicy)).toEqual(firstPolicy);
  const bad = {
    model: 'opt',
    zone: 'Here',
    rules: [{ label: 'x', mode: 'y', states: [], proxyFromAge: 18, more: 1 }],
    more: 1,
  };
  const read = readPolicy(bad);
  expect('wrong' in read && read.wrong).toEqual([
    'The policy has a member that is not known: more.',
    'model must be opt-out or opt-in.',
    'zone must be the name of a time zone, as Europe/Berlin.',
    'rules[0]: more is not known.',
    expect.stringMatching(/^rules\[0\]: label must be one of/),
    'rules[0]: mode must be permission or withheld.',
    'rules[0]: states must be a list of codes.',
    'rules[0]: proxyFromAge must be a whole number from 0 to 17.',
  ]);
  for (const odd of [undefined, null, 3, [], { rules: [3] }, { ...good, rules: 'x' }]) {
    expect(readPolicy(odd)).toHaveProperty('wrong');
  }
});

it('reads the times of care and of loops, each of which may be left out', () => {
  const care = { chart: false, encounterDays: 30, criticalMinutes: 15 };
  expect(readPolicy({ ...firstPolicy, care })).toEqual({ ...firstPolicy, care });
  for (const odd of [3, [], { chart: 1 }, { encounterDays: -1 }, { orderDays: 1.5 }, { more: 1 }]) {
    expect(readPolicy({ ...firstPolicy, care: odd })).toHaveProperty('wrong');
  }
});

it('a rule of some states holds for an organisation whose state is not known', () => {
  const policy = (state: string | undefined) => ({
    ...firstPolicy,
    rules: [{ label: 'reproduction' as const, states: ['TX'], mode: 'withheld' as const }],
    stateOf: () => state,
  });
  const subject = { role: 'clinician', purpose: 'TREAT', organization: 'o', names: [], isConfined: false } as const;
  const withheld = (state: string | undefined) => limitsOf(subject, policy(state)).withheld & 256;
  expect([withheld('TX'), withheld('CA'), withheld(undefined)]).toEqual([256, 0, 256]);
});
