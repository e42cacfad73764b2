import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from './pool.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let base: TestDatabase;

beforeAll(async () => {
  base = await testDatabase(null);
  await base.database.query('create table kept (n int primary key, bytes bytea)');
});

afterAll(() => base.drop());

describe('values', () => {
  test('int8, dates and bytes come back whole', async () => {
    const bytes = randomBytes(100_000);
    const { rows } = await base.database.query(
      `select 9007199254740991::int8 as big, array[1, null, 3]::int8[] as many, date '2024-02-29' as day,
              1.00::numeric as exact, $1::bytea as bytes`,
      [bytes],
    );
    expect(rows[0]).toEqual({ big: 9007199254740991, many: [1, null, 3], day: '2024-02-29', exact: '1.00', bytes });
  });

  test('a time is the millisecond it was, in any time zone of the connection', async () => {
    const said = [
      ...[
        '2026-01-31T08:00:00.000Z',
        '2024-02-29T23:59:59.999Z',
        '1969-12-31T23:59:59.100Z',
        '0099-03-01T00:00:00.010Z',
      ],
      ...['9999-12-31T23:59:59.999Z', '1582-10-15T00:00:00.001Z', '2026-07-01T12:00:00.020Z'],
    ];
    for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
      const times = await base.database.transaction(async (transaction) => {
        await transaction.query(`set local timezone = '${zone}'`);
        const { rows } = await transaction.query('select unnest($1::text[])::timestamptz as at', [said]);
        return rows.map(({ at }) => (at as Date).toISOString());
      });
      expect(times, zone).toEqual(said);
    }
    const { rows } = await base.database.query(
      `select '2026-01-31 08:00:00.123987Z'::timestamptz as fine, '0044-03-15 BC'::timestamptz as old, 'infinity'::timestamptz as never`,
    );
    expect((rows[0]!.fine as Date).toISOString()).toBe('2026-01-31T08:00:00.123Z');
    expect((rows[0]!.old as Date).getUTCFullYear()).toBe(-43);
    expect(rows[0]!.never).toBe(Number.POSITIVE_INFINITY);
  });

  test('an int8 that a number cannot hold is an error, and the connection lives on', async () => {
    await expect(base.database.query('select 9007199254740993::int8 as big')).rejects.toThrow(/::text/);
    expect((await base.database.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});

describe('transactions', () => {
  test('commit together or not at all', async () => {
    await base.database.transaction(async (transaction) => {
      await Promise.all([
        transaction.query('insert into kept (n) values (1)'),
        transaction.query('insert into kept (n) values (2)'),
      ]);
    });
    const failing = base.database.transaction(async (transaction) => {
      await transaction.query('insert into kept (n) values (3)');
      await transaction.query('insert into kept (n) values (1)');
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect((await base.database.query('select n from kept order by n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('a swallowed error does not pass for a commit', async () => {
    const swallowing = base.database.transaction(async (transaction) => {
      await transaction.query('insert into kept (n) values (1)').catch(() => {});
    });
    await expect(swallowing).rejects.toThrow(/rolled back/);
  });

  test('commit what nobody waits for, in its order; where it fails, so do they, with its error', async () => {
    await base.database.transaction(async (transaction) => {
      transaction.send({ text: 'insert into kept (n) values (20)' });
      transaction.send({ name: 'kept_move', text: 'update kept set n = n + 1 where n >= $1', values: [20] });
    });
    const failing = (then: string) =>
      base.database.transaction(async (transaction) => {
        transaction.send({ text: 'insert into kept (n) values (30)' });
        transaction.send({ text: 'insert into kept (n) values (21)' });
        if (then === 'waits') await transaction.query('select 1');
        if (then === 'throws') throw new Error('of its own');
      });
    await expect(failing('commits')).rejects.toMatchObject({ code: '23505' });
    await expect(failing('waits')).rejects.toMatchObject({ code: '23505' });
    await expect(failing('throws')).rejects.toThrow('of its own');
    expect((await base.database.query('select n from kept where n >= 20')).rows).toEqual([{ n: 21 }]);
  });

  test('are run again after a serialization failure', async () => {
    let runs = 0;
    const result = await base.database.transaction(
      async (transaction) => {
        runs++;
        if (runs < 3) await transaction.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$");
        return 'done';
      },
      { isolation: 'serializable' },
    );
    expect([result, runs]).toEqual(['done', 3]);
  });

  test('deadlocks are resolved by running one side again', async () => {
    await base.database.query('insert into kept (n) values (10), (11)');
    const update = (first: number, second: number) =>
      base.database.transaction(async (transaction) => {
        await transaction.query('update kept set bytes = $2 where n = $1', [first, Buffer.from([1])]);
        await transaction.query('select pg_sleep(0.05)');
        await transaction.query('update kept set bytes = $2 where n = $1', [second, Buffer.from([2])]);
      });
    await Promise.all([update(10, 11), update(11, 10)]);
  });
});

describe('roles', () => {
  test('a superuser is refused with what to do instead', async () => {
    await expect(openDatabase({ connection: base.superuser })).rejects.toThrow(
      /role postgres of DATABASE_URL is a superuser and would pass by row security: make a role/,
    );
  });

  test('a server that is not there is one sentence', async () => {
    await expect(openDatabase({ connection: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toThrow(
      /^The database cannot be used: nothing listens on 127\.0\.0\.1:1: check/,
    );
  });
});
