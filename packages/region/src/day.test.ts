import { expect, test } from 'vitest';
import { dayMessages } from './index.ts';

const now = Date.parse('2027-03-04T15:00:00Z');

test('a critical result, a discharge and a referral are told on the day, and nothing of what is still to come', () => {
  const told = dayMessages({ people: 60 }, now);
  expect(told.map(({ type }) => type)).toEqual(['ADT^A01', 'ADT^A08', 'REF^I12', 'ADT^A03', 'ORU^R01']);
  expect(told.every(({ at }) => Date.parse(at) <= now && Date.parse(at) > now - 4 * 24 * 3_600_000)).toBe(true);
  expect(told.at(-1)!.body).toContain('|HH|');
  expect(new Set(told.map(({ controlId }) => controlId)).size).toBe(5);
  const people = told.map(({ body }) => /\rPID\|[^|]*\|[^|]*\|([^^|]+)/.exec(body)![1]);
  expect(new Set(people).size).toBe(3);
});

test('the same day gives the same messages, another day others', () => {
  expect(dayMessages({ people: 60 }, now)).toEqual(dayMessages({ people: 60 }, now));
  const next = dayMessages({ people: 60 }, now + 24 * 3_600_000);
  const ids = new Set(dayMessages({ people: 60 }, now).map(({ controlId }) => controlId));
  expect(next.some(({ controlId }) => ids.has(controlId))).toBe(false);
});
