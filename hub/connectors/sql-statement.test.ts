import { describe, expect, it } from 'vitest';
import { earlier, pageStatement } from './sql-statement.ts';

const asked = { query: 'SELECT * FROM labs -- all', watermark: 'changed at', key: 'id', pageRows: 500 } as const;

describe('the statement of a page', () => {
  it.each([
    [
      'postgresql',
      'SELECT q.*, q."changed at"::text AS causeway_watermark, q."id"::text AS causeway_key FROM (SELECT * FROM labs -- all\n) q WHERE (q."changed at", q."id") > ($1, $2) ORDER BY q."changed at", q."id" LIMIT 500',
      ['5', 'b'],
    ],
    [
      'mysql',
      'SELECT q.*, CAST(q.`changed at` AS CHAR) AS causeway_watermark, CAST(q.`id` AS CHAR) AS causeway_key FROM (SELECT * FROM labs -- all\n) q WHERE (q.`changed at` > ? OR (q.`changed at` = ? AND q.`id` > ?)) ORDER BY q.`changed at`, q.`id` LIMIT 500',
      ['5', '5', 'b'],
    ],
    [
      'sqlserver',
      'SELECT TOP (500) q.*, CONVERT(nvarchar(200), q.[changed at], 126) AS causeway_watermark, CONVERT(nvarchar(200), q.[id], 126) AS causeway_key FROM (SELECT * FROM labs -- all\n) q WHERE (q.[changed at] > @p1 OR (q.[changed at] = @p2 AND q.[id] > @p3)) ORDER BY q.[changed at], q.[id]',
      ['5', '5', 'b'],
    ],
  ] as const)('goes on behind a row (%s)', (engine, text, values) => {
    expect(pageStatement({ ...asked, engine }, { watermark: '5', key: 'b' })).toEqual({ text, values });
  });

  it('begins at the beginning, or at a watermark', () => {
    expect(pageStatement({ ...asked, engine: 'mysql' }, undefined).text).toContain('WHERE q.`changed at` IS NOT NULL');
    expect(pageStatement({ ...asked, engine: 'postgresql' }, { watermark: '5' })).toMatchObject({
      text: expect.stringContaining('WHERE q."changed at" >= $1 ORDER'),
      values: ['5'],
    });
  });

  it('names columns by their names, whatever they are', () => {
    const name = 'a"b`c]d';
    const texts = (['postgresql', 'mysql', 'sqlserver'] as const).map(
      (engine) => pageStatement({ ...asked, engine, key: name }, undefined).text,
    );
    expect(texts[0]).toContain('q."a""b`c]d"');
    expect(texts[1]).toContain('q.`a"b``c]d`');
    expect(texts[2]).toContain('q.[a"b`c]]d]');
  });
});

describe('a watermark that reaches back', () => {
  it.each([
    ['2026-01-02 03:04:05.5', '2026-01-02 03:03:35.500'],
    ['2026-01-02 03:04:05+00', '2026-01-02T03:03:35.000Z'],
    ['2026-01-02T03:04:05-05:00', '2026-01-02T08:03:35.000Z'],
    ['4711', '4711'],
  ])('is a time that is earlier, or stays: %s', (watermark, before) => {
    expect(earlier(watermark, 30)).toBe(before);
  });
});
