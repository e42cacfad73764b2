import { expect, it } from 'vitest';
import type { Route } from '../api/contract.ts';
import { codeLines, placeOf, readCodeLines, textsOf, wayOf } from './route-fields.ts';

it.each<Route['to']>([
  { dialect: 'hl7v2', host: 'a.example', port: 2575, version: '2.3', tls: { ca: '/ca.pem' } },
  { dialect: 'hl7v2', folder: '/out' },
  { dialect: 'fhir', form: 'message', url: 'https://a.example', services: { clientId: 'c' } },
  {
    dialect: 'ccda',
    sftp: { host: 'a', port: 22, username: 'u', fingerprint: 'SHA256:x', keyFile: '/k', path: '/in' },
  },
  { dialect: 'ccda', direct: { address: 'a@direct.example', certificate: '/c.pem' } },
  { dialect: 'ccda', pickup: { address: 'a@example.org', pinFile: '/pin' } },
])('a route is the same after the form as before: %j', (to) => {
  expect(placeOf(wayOf(to), textsOf(to))).toEqual(to);
});

it('what belongs to another way is left out', () => {
  const texts = textsOf({ dialect: 'hl7v2', host: 'a', port: 1, version: '2.4' });
  expect(placeOf('ccda-folder', { ...texts, folder: '/out' })).toEqual({ dialect: 'ccda', folder: '/out' });
});

it('codes are lines, and a line that is none is named', () => {
  const text = 'http://loinc.org|2823-3 = L|KAL|Potassium\nhttp://loinc.org|718-7 = L|HB';
  const codes = readCodeLines(`${text}\n`);
  expect(codes).toEqual([
    { from: { system: 'http://loinc.org', code: '2823-3' }, to: { system: 'L', code: 'KAL', display: 'Potassium' } },
    { from: { system: 'http://loinc.org', code: '718-7' }, to: { system: 'L', code: 'HB' } },
  ]);
  expect(codeLines(codes as [])).toBe(text);
  expect(readCodeLines('http://loinc.org|2823-3 = L|KAL\n2823-3 = KAL')).toBe(2);
});
