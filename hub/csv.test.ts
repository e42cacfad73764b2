import { expect, it } from 'vitest';
import { csvText } from './csv.ts';

it.each([
  ['=1+2', `"'=1+2"`],
  ['+1', `"'+1"`],
  ['-1', `"'-1"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  [' =1', `"' =1"`],
  ['\u200B=1', `"'\u200B=1"`],
  ['＝1', `"'＝1"`],
  ['a "quoted", name\nof two lines', '"a ""quoted"", name\nof two lines"'],
  ['2026-11-26', '"2026-11-26"'],
  ['', '""'],
])('writes %j as text', (text, written) => {
  expect(csvText([[text, 'x']])).toBe(`\uFEFF${written},"x"\r\n`);
});
