import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamedStatement, Transaction } from './pool.ts';
import { type TestDatabase, testDatabase } from './testing.ts';

let base: TestDatabase;

beforeAll(async () => {
  base = await testDatabase(null);
  await base.database.query('create table noted (n int primary key, place int generated always as identity)');
});

afterAll(() => base.drop());

const insert = (n: number): NamedStatement => ({
  name: 'note',
  text: 'insert into noted (n) values ($1)',
  values: [n],
});

/** How often PostgreSQL says that it is ready while a transaction runs. */
async function answers(run: (transaction: Transaction) => Promise<unknown>): Promise<number> {
  let count = 0;
  const heard = () => {
    count++;
  };
  let stop = () => {};
  await base.database.transaction(async (transaction) => {
    const { connection } = transaction.client as unknown as { connection: NodeJS.EventEmitter };
    connection.on('readyForQuery', heard);
    stop = () => connection.off('readyForQuery', heard);
    await run(transaction);
  });
  stop();
  return count;
}

test('statements that are prepared leave with the next that is waited for, and share its answer', async () => {
  const five = (from: number) =>
    answers(async (transaction) => {
      for (let n = from; n < from + 3; n++) transaction.send(insert(n));
      const { rows } = await transaction.query({ name: 'count_noted', text: 'select count(*) as count from noted' });
      expect(rows).toEqual([{ count: from + 3 }]);
      transaction.send(insert(from + 3));
      transaction.send({ name: 'lock_noted', text: 'select pg_advisory_xact_lock(7)' });
    });
  await five(0);
  await five(4);
  // That of `begin`, of the count, and of the commit.
  expect(await five(8)).toBe(3);
  await base.database.query('delete from noted');
});

test('what is wrong with one that is carried is told to the one that is waited for, and to the transaction', async () => {
  await base.database.transaction(async (transaction) => transaction.send(insert(1)));
  let told: unknown;
  const swallowing = base.database.transaction(async (transaction) => {
    transaction.send(insert(2));
    transaction.send(insert(1));
    transaction.send(insert(3));
    await transaction.query({ name: 'count_noted', text: 'select count(*) as count from noted' }).catch((error) => {
      told = error;
    });
  });
  await expect(swallowing).rejects.toMatchObject({ code: '23505' });
  expect(told).toMatchObject({ code: '23505' });
  const unsendable = base.database.transaction(async (transaction) => {
    transaction.send(insert(4));
    transaction.send({
      ...insert(5),
      values: [
        {
          toPostgres: () => {
            throw new Error('cannot be sent');
          },
        },
      ],
    });
    transaction.send(insert(6));
  });
  await expect(unsendable).rejects.toThrow('cannot be sent');
  const { rows } = await base.database.query('select n from noted order by n');
  expect(rows).toEqual([{ n: 1 }]);
  await base.database.query('delete from noted');
});

test('nothing leaves for a transaction that ends before it asks for anything', async () => {
  const ending = base.database.transaction(async (transaction) => {
    transaction.send(insert(1));
    throw new Error('of its own');
  });
  await expect(ending).rejects.toThrow('of its own');
  expect((await base.database.query('select n from noted order by place')).rows).toEqual([]);
});

const step = fc.record({
  /** Numbers repeat, so that some insertions fail. */
  n: fc.integer({ min: 0, max: 30 }),
  as: fc.constantFrom('sent', 'sent unnamed', 'sent plain', 'waited for', 'waited for plain', 'in a savepoint'),
});

test('whichever way statements go, all are carried out in their order, or none', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      await base.database.query('truncate noted');
      const done: number[] = [];
      let fails = false;
      for (const { n, as } of steps) {
        if (!done.includes(n)) done.push(n);
        else if (as !== 'in a savepoint') fails = true;
      }
      const seen: number[] = [];
      const outcome = await base.database
        .transaction(async (transaction) => {
          for (const { n, as } of steps) {
            const plain = `insert into noted (n) values (${n})`;
            if (as === 'sent') transaction.send(insert(n));
            if (as === 'sent unnamed') transaction.send({ text: 'insert into noted (n) values ($1)', values: [n] });
            if (as === 'sent plain') transaction.send({ text: plain });
            if (as === 'waited for') await transaction.query({ ...insert(n), name: 'note_waited' });
            if (as === 'waited for plain') await transaction.query(plain);
            if (as === 'in a savepoint') {
              await transaction.query('savepoint one');
              await transaction.query(insert(n)).catch(() => transaction.query('rollback to savepoint one'));
            }
            if (as.startsWith('sent')) continue;
            const { rows } = await transaction.query({ name: 'all_noted', text: 'select n from noted order by place' });
            seen.push(rows.length);
          }
        })
        .then(
          () => 'committed',
          (error) => error.code,
        );
      const { rows } = await base.database.query('select n from noted order by place');
      expect(outcome).toBe(fails ? '23505' : 'committed');
      expect(rows.map(({ n }) => n)).toEqual(fails ? [] : done);
      if (!fails) expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});
