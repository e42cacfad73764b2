/** Lengths of fields: texts are cut, codes and numbers are whole or absent. */
import { describe, expect, it } from 'vitest';
import { SegmentFields } from './fields.ts';

function fitted(segment: string, field: number, value: Parameters<SegmentFields['add']>[1]) {
  const fields = new SegmentFields();
  fields.add(field, value);
  const told = fields.fit(segment);
  return { value: fields.values[field], told };
}

describe('a value longer than its field', () => {
  it('is cut when it is a text, no character in half', () => {
    const { value, told } = fitted('AL1', 5, '12345678901234\u{1F600}');
    expect(value).toBe('12345678901234');
    expect(told).toEqual(['AL1-5 is cut']);
  });

  it('is left out when it is a code or a number', () => {
    const { value, told } = fitted('RXA', 15, 'L'.repeat(21));
    expect(value).toBeUndefined();
    expect(told[0]).toMatch(/^RXA-15 is left out/);
  });

  it('is the code alone where that fits', () => {
    expect(fitted('PV1', 36, ['01', 'Home', 'HL70112']).value).toBe('01');
  });

  it('stays when it fits, and where no length is known', () => {
    expect(fitted('PID', 8, 'F')).toEqual({ value: 'F', told: [] });
    expect(fitted('OBX', 5, 'x'.repeat(1000)).told).toEqual([]);
  });
});
