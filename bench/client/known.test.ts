import type { Observation } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { Spread } from './fill.ts';
import { chartOf } from './known.ts';
import { searches } from './searches.ts';
import { nextPath, sentenceOf } from './server.ts';

const observation = (code: string, bytes: number, more: Partial<Observation> = {}): Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 's', code }] },
  effectiveDateTime: '2020-05-06T07:08:09Z',
  note: [{ text: 'x'.repeat(bytes) }],
  ...more,
});

test('the code searched for is the one that fills a page of about 8 KB', () => {
  const chart = [
    ...Array.from({ length: 30 }, () => observation('many', 700)),
    ...Array.from({ length: 10 }, () => observation('some', 700)),
    observation('one', 700),
  ];
  expect(chartOf(chart)).toEqual({ code: 's|some', date: '2020-05-06', composite: undefined });
  expect(chartOf([])).toEqual({ code: undefined, date: undefined, composite: undefined });
});

test('a composite is made of a component where there is one, else of the value', () => {
  const valueQuantity = { value: 7, system: 'u', code: 'mg' };
  const whole = observation('a', 1, { valueQuantity });
  const parts = observation('b', 1, { component: [{ code: { coding: [{ system: 's', code: 'c' }] }, valueQuantity }] });
  expect(chartOf([whole]).composite).toEqual({ parameter: 'code-value-quantity', value: 's|a$ge7|u|mg' });
  expect(chartOf([whole, parts]).composite).toEqual({
    parameter: 'component-code-value-quantity',
    value: 's|c$ge7|u|mg',
  });
});

test('each shape of search asks for what is known, and for nothing that is not', () => {
  const known = {
    id: 'p1',
    family: "O'Brien & Söhne",
    birthDate: '1980-02-03',
    identifier: 's|1',
    ...{ code: 's|c', date: '2020-12-06', composite: { parameter: 'code-value-quantity', value: 's|c$ge7' } },
  };
  for (const [name, path] of Object.entries(searches)) {
    const url = new URL(`http://a/fhir${path(known)}`);
    expect([name, [...url.searchParams.values()]]).toEqual([name, expect.not.arrayContaining(['', 'undefined'])]);
  }
  expect(searches.search_code_date(known)).toContain('date=ge2020-12-01&date=lt2021-01-01');
  const unknown = { ...known, identifier: undefined, code: undefined, date: undefined, composite: undefined };
  expect(searches.search_identifier(unknown)).toBeUndefined();
  expect(searches.search_code_date(unknown)).toBeUndefined();
  expect(searches.search_composite(unknown)).toBeUndefined();
});

test('so many are kept, spread over the whole', () => {
  const spread = new Spread<number>(10);
  for (let i = 0; i < 1_000; i++) spread.add(i);
  expect(spread.kept.length).toBeLessThanOrEqual(10);
  expect(spread.kept.length).toBeGreaterThanOrEqual(5);
  expect(spread.kept[0]).toBe(0);
  expect(spread.kept.at(-1)).toBeGreaterThan(800);
});

test('a link to the next page lies below the base, whatever it is written like', () => {
  const bundle = (url: string) => ({
    resourceType: 'Bundle' as const,
    type: 'searchset' as const,
    link: [{ relation: 'next', url }],
  });
  const base = 'http://a:1/fhir';
  expect(nextPath(bundle('http://a:1/fhir/Patient?_cursor=3'), base)).toBe('/Patient?_cursor=3');
  expect(nextPath(bundle('http://a:1/fhir?_getpages=x'), base)).toBe('?_getpages=x');
  expect(nextPath({ resourceType: 'Bundle', type: 'searchset' }, base)).toBeUndefined();
});

test('what a server refused is told in its own sentence', () => {
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', diagnostics: 'No such thing.' }] };
  expect(sentenceOf(Buffer.from(JSON.stringify(outcome)))).toBe('No such thing.');
  expect(sentenceOf(Buffer.from('<html>'))).toBe('<html>');
  expect(sentenceOf(Buffer.from('{"resourceType":"OperationOutcome"}'))).toBe('{"resourceType":"OperationOutcome"}');
});
