import { expect, it } from 'vitest';
import type { WitnessState } from '../audit/index.ts';
import { type CheckParts, check } from './checks.ts';

const status = {
  state: 'good' as const,
  size: 12,
  waiting: 0,
  signed: new Date(),
  verified: 10,
  verifiedAt: new Date(),
};
const look = (witnesses: WitnessState[], witnessAlarmMinutes = 60) => {
  const audit = { status: async () => ({ ...status, witnesses }) };
  return check({ audit, settings: { witnessAlarmMinutes } } as CheckParts, 'audit-log');
};
const north: WitnessState = { name: 'north', verifier: 'x', size: 12, cosigned: new Date() };

it('says who cosigns the audit log, who is behind, and who contradicts it', async () => {
  const whole = '12 events are signed; 10 were looked through and are whole.';
  expect(await look([])).toEqual({ state: 'good', says: whole });
  expect(await look([north])).toEqual({ state: 'good', says: `${whole} Witnesses that cosign it: 1 of 1.` });
  const short = { ...north, name: 'south', failing: new Date(), problem: 'It does not answer.' };
  expect(await look([north, short])).toMatchObject({ state: 'good' });
  const long = { ...short, failing: new Date(Date.now() - 2 * 3_600_000) };
  expect(await look([north, long])).toEqual({
    state: 'attention',
    says: `${whole} Witnesses that cosign it: 1 of 2. Behind for more than 60 minutes: south.`,
  });
  // As long as the hub waits before it tells of a witness, and no longer.
  expect(await look([north, long], 180)).toMatchObject({ state: 'good' });
  const soon = { ...short, failing: new Date(Date.now() - 6 * 60_000) };
  expect(await look([north, soon], 5)).toMatchObject({
    state: 'attention',
    says: expect.stringContaining('Behind for more than 5 minutes: south.'),
  });
  expect(await look([north, { ...long, contradiction: 'It has 20.' }])).toEqual({ state: 'bad', says: 'It has 20.' });
});
