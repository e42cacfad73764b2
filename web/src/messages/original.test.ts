import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldOf, viewSegments } from './er7-view.ts';
import { fieldName } from './field-names.ts';
import { entriesAt, isWithin } from './ledger-places.ts';
import { prettyJson, prettyXml } from './pretty.ts';

describe('originals', () => {
  it('HL7 v2 is cut into fields as HL7 counts them', () => {
    const [msh, pid, second] = viewSegments('MSH|^~\\&|APP\rPID|1||77^^^X\rPID|2\r');
    expect(msh!.fields[0]).toEqual({ number: 2, text: '^~\\&' });
    expect(pid!.fields[2]).toEqual({ number: 3, text: '77^^^X' });
    expect(second!.occurrence).toBe(2);
    expect(fieldOf('PID[2]-5[1].1.1')).toBe('PID[2]-5');
    expect(fieldOf('/ClinicalDocument/title')).toBeUndefined();
    expect(fieldName('PID', 5)).toBe('PID-5 Patient name');
    expect(fieldName('ZZZ', 5)).toBe('ZZZ-5');
  });
  it('a chosen place gathers the ledger entries within it, and no neighbour of a longer name', () => {
    expect(isWithin('PID[1]-5[1].1.1', 'PID[1]-5')).toBe(true);
    expect(isWithin('PID[1]-51[1]', 'PID[1]-5')).toBe(false);
    expect(isWithin('/Doc/id[2]/@root', '/Doc/id[2]')).toBe(true);
    expect(isWithin('/Doc/ident/@root', '/Doc/id')).toBe(false);
    expect(isWithin('Bundle.entry[1].resource.code', 'Bundle.entry[1]')).toBe(true);
  });
  it('a place finer than the ledger leads to the narrowest entry around it', () => {
    const ledger = ['Bundle.entry[0]', 'Bundle.entry[0].name', 'Bundle.entry[0].id'].map((source) => ({
      source,
      disposition: 'mapped' as const,
    }));
    expect(entriesAt(ledger, 'Bundle.entry[0].name[0].family')).toEqual([ledger[1]]);
    expect(entriesAt(ledger, 'Bundle.entry[1].id')).toEqual([]);
  });
  it('cutting loses no character of a segment', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[A-Z]{3}(\|[a-z^~&]*){0,6}$/)), (lines) => {
        const again = viewSegments(lines.join('\r')).map(({ name, fields }) =>
          [name, ...fields.map((f) => f.text)].join('|'),
        );
        expect(again).toEqual(lines);
      }),
    );
  });
  it('laid-out JSON means the same, digits included; what is no JSON stays', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(prettyJson(text))).toEqual(JSON.parse(text));
      }),
    );
    expect(prettyJson('{"a":1.00,"b":[]}')).toBe('{\n  "a": 1.00,\n  "b": []\n}');
    expect(prettyJson('{oops')).toBe('{oops');
  });
  it('XML gets one element a line', () => {
    expect(prettyXml('<a><b>1</b><c/></a>')).toBe('<a>\n  <b>1</b>\n  <c/>\n</a>');
  });
});
