import type { Resource } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { topicBase, topicOf } from './topics.ts';

const eventOf = (name: string, before: object | undefined, after: object | undefined) =>
  topicOf(`${topicBase}${name}`)!.isEvent(before as Resource | undefined, after as Resource | undefined);

const referral = { resourceType: 'ServiceRequest', status: 'active', category: [{ text: 'Cardiology' }] };
const order = {
  resourceType: 'ServiceRequest',
  status: 'active',
  code: { text: 'Potassium' },
  category: [{ text: 'Lab' }],
};
const task = { resourceType: 'Task', status: 'requested', focus: { reference: 'ServiceRequest/1' } };

test('a referral is one by its code, its category, or because it asks for no service by a code', () => {
  expect(eventOf('referral-sent', undefined, referral)).toBe(true);
  expect(eventOf('referral-sent', undefined, order)).toBe(false);
  const coded = { ...order, category: [{ coding: [{ system: 'http://snomed.info/sct', code: '3457005' }] }] };
  expect(eventOf('referral-sent', undefined, coded)).toBe(true);
  expect(eventOf('referral-sent', referral, { ...referral, note: [] })).toBe(false);
  expect(eventOf('referral-sent', { ...referral, status: 'draft' }, referral)).toBe(true);
});

test('a referral is accepted or declined by a Task, and closed by its own status', () => {
  expect(eventOf('referral-accepted', task, { ...task, status: 'accepted' })).toBe(true);
  expect(eventOf('referral-accepted', { ...task, status: 'accepted' }, { ...task, status: 'in-progress' })).toBe(false);
  const other = { ...task, focus: { reference: 'MedicationRequest/1' } };
  expect(eventOf('referral-accepted', other, { ...other, status: 'accepted' })).toBe(false);
  expect(eventOf('referral-declined', task, { ...task, status: 'rejected' })).toBe(true);
  expect(eventOf('referral-closed', referral, { ...referral, status: 'completed' })).toBe(true);
  expect(eventOf('referral-closed', order, { ...order, status: 'completed' })).toBe(false);
});

test('no change of a Patient alone is an event of persons', () => {
  expect(eventOf('person-merged', undefined, { resourceType: 'Patient' })).toBe(false);
  expect(topicOf(`${topicBase}person-split`)).toMatchObject({ type: 'Patient', link: 'unlinked' });
});
