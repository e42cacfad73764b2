/** What the outbox's own questions cost with few deliveries waiting and with very many: they lie on the disk. */
import { claim, nextDue } from '../../hub/outbox/testing.ts';
import { withDatabase } from '../parts/database.ts';

const destinations = 50;
const recipients = 20_000;
const times = 30;

export interface QueueResult {
  /** Median milliseconds with so many waiting. */
  [waiting: string]: { claim_ms: number; claim_all_held_ms: number; next_due_ms: number };
}

export function queue(sizes: readonly number[]): Promise<QueueResult> {
  return withDatabase(async (database) => {
    const result: QueueResult = {};
    for (const waiting of sizes) {
      await database.query('TRUNCATE delivery');
      await database.query(
        `INSERT INTO delivery (id, created, destination, dialect, kind, topic, home, source, person, focus_type, focus_rid,
           focus_version, recipient, recipient_home, round, state, next_attempt)
         SELECT gen_random_uuid(), now(), 'site-' || i % ${destinations}, 'hl7v2', 'new', 'result', i, 'lab', gen_random_uuid(), 1,
           gen_random_uuid(), 1, md5('r' || i % ${recipients})::uuid, 1, 1, 'waiting', now()
         FROM generate_series(1, ${waiting}) AS i`,
      );
      await database.query('VACUUM ANALYZE delivery');
      const lane = { destination: 'site-7', route: 'main' };
      const claims: number[] = [];
      const nexts: number[] = [];
      const helds: number[] = [];
      for (let i = 0; i < times; i++) {
        claims.push(await took(() => claim(database, lane, 32)));
        nexts.push(await took(() => nextDue(database, lane, new Date())));
        await database.query(`UPDATE delivery SET leased = false, attempts = 0, next_attempt = now() WHERE leased`);
      }
      // Somebody who is tried again later, with all that waits behind them.
      await database.query(
        `UPDATE delivery d SET state = 'failed', next_attempt = now() + interval '1 hour' WHERE d.seq IN (
           SELECT min(seq) FROM delivery WHERE destination = 'site-8' GROUP BY recipient)`,
      );
      const held = { destination: 'site-8', route: 'main' };
      for (let i = 0; i < times; i++) helds.push(await took(() => claim(database, held, 1)));
      const [claim_ms, next_due_ms, claim_all_held_ms] = [claims, nexts, helds].map(median) as [number, number, number];
      result[waiting] = { claim_ms, claim_all_held_ms, next_due_ms };
    }
    return result;
  });
}

async function took(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return performance.now() - begun;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
