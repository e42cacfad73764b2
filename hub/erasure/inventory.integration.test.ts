/** docs/encryption.md tells of every table and every column that can hold a text, and nothing of others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testDatabase } from '../database/testing.ts';

it('every column that can hold a text of a person has its line', async () => {
  const test = await testDatabase();
  const { rows } = await test.database.query<{ name: string; columns: string[] }>(
    `SELECT c.relname AS name, coalesce(array_agg(a.attname::text ORDER BY a.attnum)
       FILTER (WHERE a.atttypid::regtype::text ~ '^(text|text\\[\\]|jsonb?|bytea|character varying)$'), '{}') AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname`,
  );
  await test.drop();
  const doc = readFileSync(join(import.meta.dirname, '../../docs/encryption.md'), 'utf8');
  const told = new Map(
    [...doc.matchAll(/^\| ((?:`[a-z_]+`(?:, )?)+) \|(.*)$/gm)].flatMap(([, tables, line]) =>
      [...tables!.matchAll(/`([a-z_]+)`/g)].map(([, table]) => [table!, line!] as const),
    ),
  );
  const untold = rows.flatMap(({ name, columns }) => {
    const line = told.get(name);
    if (line === undefined) return columns.length > 0 ? [`${name}: ${columns.join(', ')}`] : [];
    return columns.filter((column) => !line.includes(`\`${column}\``)).map((column) => `${name}.${column}`);
  });
  expect(untold).toEqual([]);
  const known = new Set(rows.map(({ name }) => name));
  expect([...told.keys()].filter((table) => !known.has(table))).toEqual([]);
});
