import { factId } from '@causeway/mapping/facts';
import { expect, it } from 'vitest';
import { readPage } from './answers.ts';

const page = (members: object) =>
  readPage(Buffer.from(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', ...members })), 'there');

it('says what of an answer is missing, where it goes on, and what will be known of it here', () => {
  const meta = { lastUpdated: '2026-01-02T00:00:00.000Z' };
  const { patients, stated, missing, next, last } = page({
    link: [{ relation: 'next', url: 'https://there.example/fhir/Patient/p/$everything?_cursor=c' }],
    entry: [
      { resource: { resourceType: 'Patient', id: 'p', meta }, search: { mode: 'match' } },
      { resource: { resourceType: 'Flag', id: 'f', meta: { lastUpdated: '2026-01-03T00:00:00.000Z' } } },
      {
        resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', diagnostics: 'No room for 3.' }] },
        search: { mode: 'outcome' },
      },
    ],
  });
  expect(patients).toEqual(['p']);
  expect(stated).toEqual([`Patient/${factId('there', 'Patient', 'p')}`, `Flag/${factId('there', 'Flag', 'f')}`]);
  expect(missing).toEqual(['No room for 3.']);
  expect(next).toMatch(/_cursor=c$/);
  expect(last).toEqual(new Date('2026-01-03T00:00:00Z'));
});

it('is marked as a hub’s, and otherwise what came', () => {
  const { bytes } = page({ entry: [] });
  expect(JSON.parse(bytes.toString())).toEqual({
    resourceType: 'Bundle',
    meta: { tag: [{ system: 'urn:causeway:network', code: 'answer' }] },
    type: 'searchset',
    entry: [],
  });
});

it('takes nothing but the Bundle of a search', () => {
  for (const body of ['', 'null', '{"resourceType":"Patient"}', '{"resourceType":"Bundle","type":"transaction"}'])
    expect(() => readPage(Buffer.from(body), 'there')).toThrow('no Bundle of a search');
});
