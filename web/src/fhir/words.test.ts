import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conceptText } from './concepts.ts';
import { mergeConditions } from './conditions.ts';
import { ageAt, formatDate, formatDateTime, formatPeriod, newestFirst } from './dates.ts';
import {
  birthDateText,
  identifierAssigner,
  identifierLabel,
  identifierText,
  patientName,
  preferredName,
  telecomTexts,
} from './people.ts';
import { gatherSame } from './same-fact.ts';

describe('dates', () => {
  it('are as precise as the source', () => {
    expect(['1962', '1962-04', '1962-04-09', undefined].map(formatDate)).toEqual([
      '1962',
      'Apr 1962',
      '9 Apr 1962',
      '',
    ]);
    expect(formatDateTime('2026-04-09')).toBe('9 Apr 2026');
    expect(formatPeriod({ start: '2026-03-03', end: '2026-03-03' })).toBe('3 Mar 2026');
  });
  it('ages come in the unit that fits', () => {
    const now = new Date(2026, 3, 9);
    expect(
      ['1962-04-09', '1962-04-10', '1962', '2026-04-01', '2025-12-01', '2030-01-01'].map((d) => ageAt(d, now)),
    ).toEqual(['64 y', '63 y', 'about 64 y', '8 d', '4 mo', '']);
  });
  it('what has no date sorts last', () => {
    expect([undefined, '2020', '2021-05'].toSorted(newestFirst)).toEqual(['2021-05', '2020', undefined]);
  });
  it('never throw', () => {
    fc.assert(
      fc.property(
        fc.string(),
        (text) => typeof formatDateTime(text) === 'string' && typeof ageAt(text, new Date(0)) === 'string',
      ),
    );
  });
});

describe('people', () => {
  it('go by the name in use, in mixed case where there is one', () => {
    expect(patientName({ resourceType: 'Patient', name: [{ use: 'maiden', family: 'Old' }, { family: 'New' }] })).toBe(
      'New',
    );
    expect(preferredName([{ use: 'official', family: 'WREN' }, { family: 'Wren' }])?.family).toBe('Wren');
    expect(patientName({ resourceType: 'Patient' })).toBe('Name not recorded');
  });
  it('a missing birth date says why', () => {
    const url = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
    const patient = {
      resourceType: 'Patient' as const,
      _birthDate: { extension: [{ url, valueCode: 'asked-declined' }] },
    };
    expect(birthDateText(patient)).toBe('asked, declined to say');
  });
  it('a number is told by whose it is, never by an OID or an address', () => {
    const names = { 'urn:oid:2.999.1': 'Harbor General Hospital' };
    const assigners = [
      'urn:oid:2.999.1',
      'http://hl7.org/fhir/sid/us-ssn',
      'urn:id:HGHMRN',
      'urn:oid:2.999.2',
      'https://a.example/mrn',
      'constructor',
      undefined,
    ].map((system) => identifierAssigner({ system }, names));
    expect(assigners).toEqual(['Harbor General Hospital', 'SSN', 'HGHMRN', '', '', 'constructor', '']);
    const assigner = { display: 'HGHMRN' };
    expect(identifierAssigner({ system: 'urn:oid:2.999.1', assigner }, names)).toBe('Harbor General Hospital');
    expect(identifierAssigner({ system: 'urn:oid:2.999.2', assigner }, names)).toBe('HGHMRN');
    expect([identifierLabel({ type: { coding: [{ code: 'MR' }] } }), identifierLabel({})]).toEqual([
      'Record number',
      'Identifier',
    ]);
  });
  it('where records are held against each other, equal numbers of two systems that nobody knows are told apart', () => {
    const texts = ['urn:oid:2.999.1', 'urn:oid:2.999.2', 'urn:oid:2.999.3', undefined].map((system) =>
      identifierText({ system, value: '7' }, { 'urn:oid:2.999.1': 'Harbor General Hospital' }),
    );
    expect(texts).toEqual(['Harbor General Hospital 7', 'urn:oid:2.999.2 7', 'urn:oid:2.999.3 7', 'Identifier 7']);
  });
  it('one telephone number in two spellings is one', () => {
    expect(telecomTexts([{ value: '(207) 555-0100' }, { value: '+1-207-555-0100', use: 'home' }])).toHaveLength(1);
  });
});

describe('concepts and conditions', () => {
  it('text before display before code before the reason for absence', () => {
    expect(conceptText({ text: 'a', coding: [{ display: 'b' }] })).toBe('a');
    expect(conceptText({ coding: [{ code: 'c' }, { display: 'b' }] })).toBe('b');
    expect(conceptText(undefined, 'none')).toBe('none');
  });
  it('one diagnosis of two sources is one line; sources that differ about its end are told', () => {
    const of = (source: string, status: string, code: string) => ({
      resourceType: 'Condition' as const,
      subject: {},
      meta: { tag: [{ system: 'urn:causeway:source', code: source }] },
      clinicalStatus: { coding: [{ code: status }] },
      code: { text: 'Asthma', coding: [{ system: 's', code }] },
    });
    const [line, ...rest] = mergeConditions([of('a', 'active', '1'), of('b', 'resolved', '2')]);
    expect(rest).toEqual([]);
    expect(line).toMatchObject({ standing: 'active', disputed: true });
  });
  it('gathering loses nothing and joins all that share a key', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 })), (items) => {
        const groups = gatherSame(items, (keys) => keys);
        expect(groups.flat()).toHaveLength(items.length);
        const owner = new Map<string, number>();
        groups.forEach((group, at) => {
          for (const key of group.flat()) expect(owner.get(key) ?? at).toBe(at);
          for (const key of group.flat()) owner.set(key, at);
        });
      }),
    );
  });
});
