import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from './migrate.ts';
import { openDatabase } from './pool.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let base: TestDatabase;
let directory: string;

beforeEach(async () => {
  base = await testDatabase(null);
  directory = mkdtempSync(join(tmpdir(), 'causeway-migrations-'));
});

afterEach(async () => {
  await base.drop();
  rmSync(directory, { recursive: true, force: true });
});

function file(name: string, sql: string): void {
  writeFileSync(join(directory, name), sql);
}

describe('migrations', () => {
  test('are applied in order, once', async () => {
    file('0002-second.sql', 'insert into first values (2);');
    file('0001-first.sql', 'create table first (n int); insert into first values (1);');
    expect(await migrate(base.database, directory)).toEqual(['0001-first', '0002-second']);
    expect(await migrate(base.database, directory)).toEqual([]);
    const { rows } = await base.database.query('select n from first order by n');
    expect(rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('go on after a failed one where they stopped', async () => {
    file('0001-good.sql', 'create table kept (n int);');
    file('0002-bad.sql', 'create table half (n int);\ninsert into nowhere values (1);');
    await expect(migrate(base.database, directory)).rejects.toThrow(
      /0002-bad failed \(line 2\) and was rolled back: relation "nowhere" does not exist/,
    );
    const tables = await base.database.query("select to_regclass('kept') as kept, to_regclass('half') as half");
    expect(tables.rows).toEqual([{ kept: 'kept', half: null }]);
    file('0002-bad.sql', 'create table half (n int);');
    expect(await migrate(base.database, directory)).toEqual(['0002-bad']);
  });

  test('refuse a file changed after it was applied, and a database of a newer hub', async () => {
    file('0001-first.sql', 'create table first (n int);');
    file('0002-second.sql', 'create table second (n int);');
    await migrate(base.database, directory);
    const older = mkdtempSync(join(tmpdir(), 'causeway-migrations-'));
    cpSync(join(directory, '0001-first.sql'), join(older, '0001-first.sql'));
    await expect(migrate(base.database, older)).rejects.toThrow(/brought to migration 0002-second by a newer hub/);
    rmSync(older, { recursive: true });
    file('0001-first.sql', 'create table first (n bigint);');
    await expect(migrate(base.database, directory)).rejects.toThrow(/0001-first was changed after it had been applied/);
  });

  test('refuse a wrong name and a doubled number', async () => {
    file('1-first.sql', 'select 1;');
    await expect(migrate(base.database, directory)).rejects.toThrow(/1-first.sql is misnamed/);
    rmSync(join(directory, '1-first.sql'));
    file('0001-a.sql', 'select 1;');
    file('0001-b.sql', 'select 1;');
    await expect(migrate(base.database, directory)).rejects.toThrow(/Two migrations have the number of 0001-b/);
  });

  test('of two hubs starting together run once', async () => {
    file('0001-first.sql', 'select pg_sleep(0.2); create table first (n int);');
    const other = await openDatabase({ connection: base.connection });
    const applied = await Promise.all([migrate(base.database, directory), migrate(other, directory)]);
    await other.close();
    expect(applied.flat()).toEqual(['0001-first']);
  });
});
