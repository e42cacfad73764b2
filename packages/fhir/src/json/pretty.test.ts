import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prettyJson } from './pretty.ts';

describe('prettyJson', () => {
  test('changes white space only', () => {
    const text = '{"a":1.00,"b":[1e2,{"c":"x, {y} \\" \\n"}],"d":{},"e":[ ],"f":null}';
    expect(prettyJson(text)).toBe(
      [
        '{',
        '  "a": 1.00,',
        '  "b": [',
        '    1e2,',
        '    {',
        '      "c": "x, {y} \\" \\n"',
        '    }',
        '  ],',
        '  "d": {},',
        '  "e": [],',
        '  "f": null',
        '}',
      ].join('\n'),
    );
    expect(prettyJson(prettyJson(text))).toBe(prettyJson(text));
  });

  test('is as JSON.stringify writes it, for any value', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 1, '\t'), (text, indent) => {
        const value = JSON.parse(text);
        expect(prettyJson(JSON.stringify(value, null, indent))).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });

  test('never throws and stays in bounds', () => {
    fc.assert(fc.property(fc.string(), (text) => void prettyJson(text)));
    expect(prettyJson('['.repeat(20_000)).length).toBeLessThan(20_000 * 130);
  });
});
