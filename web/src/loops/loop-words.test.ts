import { expect, it } from 'vitest';
import type { Loop } from '../api/contract.ts';
import { ageWords, loopNotice, loopState } from './loop-words.ts';

const now = new Date('2026-03-01T12:00:00Z');

it('says how old a loop is', () => {
  expect(ageWords('2026-03-01T11:59:00Z', now)).toBe('1 minute');
  expect(ageWords('2026-03-01T10:30:00Z', now)).toBe('90 minutes');
  expect(ageWords('2026-02-28T20:00:00Z', now)).toBe('16 hours');
  expect(ageWords('2026-02-20T12:00:00Z', now)).toBe('9 days');
});

it('says in which state it is', () => {
  const loop = (more: object) => loopState({ state: 'open', due: '2026-03-02T00:00:00Z', ...more } as Loop, now);
  expect(loop({})).toEqual({ words: 'Open', tone: 'warn' });
  expect(loop({ state: 'accepted' })).toEqual({ words: 'Accepted', tone: 'info' });
  expect(loop({ due: '2026-03-01T00:00:00Z' })).toEqual({ words: 'Late', tone: 'bad' });
  expect(loop({ state: 'closed', outcome: 'answered' })).toEqual({ words: 'Closed: the note came back', tone: 'good' });
});

it('tells of it', () => {
  expect(loopNotice({ kind: 'critical-result' })).toBe('There is a critical result to acknowledge.');
  expect(loopNotice({ kind: 'referral', isLate: true })).toBe('A loop is late: referral.');
});
