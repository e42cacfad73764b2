import { describe, expect, it } from 'vitest';
import { binaryPath, contentOf } from '../chart/attachment.ts';
import { searchParameters, typedBirthDate } from '../people/find-people.ts';
import { safeReturn, textParams } from './search-params.ts';

describe('what comes in with a URL', () => {
  it('only named text is kept', () => {
    expect(textParams('name')({ name: 'a', other: 'b' })).toEqual({ name: 'a' });
    expect(textParams('name')({ name: { $ne: 1 } })).toEqual({});
  });
  it('no return to another site', () => {
    expect(['/people?a=1', '//evil', '/\\evil', 'https://evil', '/sign-in', 3].map(safeReturn)).toEqual([
      '/people?a=1',
      ...Array(5).fill(undefined),
    ]);
  });
  it('only Binaries of this hub are fetched', () => {
    expect(binaryPath('Binary/1')).toBe('/fhir/Binary/1');
    expect(binaryPath('http://hub.local/fhir/Binary/a-1')).toBe('/fhir/Binary/a-1');
    expect(['https://evil/x', 'Binary/../Patient/1', undefined].map(binaryPath)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('searching', () => {
  it('birth dates as people type them', () => {
    expect(['1962', '1962-4-9', '04/09/1962', '9.4.1962', '2023-02-30', 'x'].map(typedBirthDate)).toEqual([
      '1962',
      '1962-04-09',
      '1962-04-09',
      '1962-04-09',
      undefined,
      undefined,
    ]);
  });
  it('each word of the name narrows, nothing asked is no search', () => {
    expect(searchParameters({ name: 'Lopez,  Ana' })?.getAll('name')).toEqual(['Lopez', 'Ana']);
    expect(searchParameters({ name: ' ' })).toBeUndefined();
  });
});

describe('attachments', () => {
  it('text is decoded by its charset, what is not text is a link, rubbish is nothing', () => {
    expect(contentOf(btoa('caf\xe9'), 'text/plain; charset=ISO-8859-1')).toEqual({ kind: 'text', text: 'café' });
    expect(contentOf('AAAA', 'application/pdf').kind).toBe('link');
    expect(contentOf('%%%').kind).toBe('none');
  });
});
