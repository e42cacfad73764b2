import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalQuantity } from './ucum.ts';

test.each([
  [5.4, 'mg', 0.0054, 'g'],
  [90, 'mg/dL', 900, 'g.m-3'],
  [0.9, 'g/L', 900, 'g.m-3'],
  [5, 'mmol/L', 5, 'm-3.mol'],
  [120, 'mm[Hg]', 15998640, 'g.m-1.s-2'],
  [37, 'Cel', 310.15, 'K'],
  [98.6, '[degF]', 310.15, 'K'],
  [4.5, '10*3/uL', 4.5e12, 'm-3'],
  [4.5, '10*9/L', 4.5e12, 'm-3'],
  [72, '/min', 1.2, 's-1'],
  [72, '{beats}/min', 1.2, 's-1'],
  [72, '{beats}', 72, '1'],
  [24.2, 'kg/m2', 24200, 'g.m-2'],
  [98, '%', 0.98, '1'],
  [70, '[in_i]', 1.778, 'm'],
  [3, 'm[iU]/L', 3, '[iU].m-3'],
  [60, 'U/L', 0.001, 'm-3.mol.s-1'],
  [90, 'mL/min/{1.73_m2}', 0.0000015, 'm3.s-1'],
  [1, 'cm', 0.01, 'm'],
  [1, '1', 1, '1'],
])('%d %s', (value, code, canonical, unit) => {
  expect(canonicalQuantity(value, code)).toEqual({ value: canonical, unit });
});

test.each(['', 'tablet', 'mg/', 'mg dL', '(mg)', 'mg//dL', '.mg', 'x'.repeat(100)])('no canonical form: %s', (code) => {
  expect(canonicalQuantity(1, code)).toBeUndefined();
});

test('any unit and value give a form or none', () => {
  const part = fc.constantFrom('m', 'mg', '/', '.', '{', '}', '10*', '3', '-', '[Hg]', '(', 'L', '0');
  fc.assert(
    fc.property(fc.array(part), fc.double(), (parts, value) => {
      const canonical = canonicalQuantity(value, parts.join(''));
      if (canonical !== undefined) expect(Number.isFinite(canonical.value)).toBe(true);
    }),
  );
});
