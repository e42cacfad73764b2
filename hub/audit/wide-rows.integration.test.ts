import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Queryable } from '../database/index.ts';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey } from '../secrets/index.ts';
import { CheckpointFile, exported, Sequencer, verifyDatabase } from './index.ts';
import { testAudit } from './testing.ts';

const master = fixedMasterKey(Buffer.alloc(32, 7));
const directory = mkdtempSync(join(tmpdir(), 'causeway-wide-rows-'));
const rows = 12;
const perRow = 900;
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
  const audit = testAudit(test.database, master);
  const file = new CheckpointFile(directory);
  const sequencer = new Sequencer({ database: test.database, master, file, host: 'x', fault: () => {} });
  await sequencer.start();
  await sequencer.stop();
  for (let row = 0; row < rows; row++) {
    const entries = Array.from({ length: perRow }, (_, i) => ({
      ...{ at: new Date(1_700_000_000_000 + row).toISOString(), who: `user-${row}-${i}`, role: 'clinician' },
      ...{ organization: 'Clinic', action: 'read', what: '/Patient/ada', status: 200, patients: ['ada'] },
    }));
    await test.database.query(await audit.insertion(entries));
  }
  await sequencer.sequence();
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test.drop();
});

/** The database, and how many leaves the largest of its answers held. */
function watched(): { database: Queryable; largest(): number } {
  let largest = 0;
  const database: Queryable = {
    as: () => database,
    query: async (statement, values) => {
      const result = await test.database.query<{ leaves?: string }>(statement, values);
      const leaves = result.rows.reduce((sum, row) => sum + (row.leaves?.split('\n').length ?? 0), 0);
      largest = Math.max(largest, leaves);
      return result as never;
    },
  };
  return { database, largest: () => largest };
}

it('reads rows of many entries, as an import leaves them, a few at a time to verify and export them', async () => {
  const verifying = watched();
  const { finding, size } = await verifyDatabase(verifying.database);
  expect([finding, size]).toEqual([undefined, rows * perRow]);
  expect(verifying.largest()).toBeLessThanOrEqual(3 * perRow);
  const exporting = watched();
  let lines = 0;
  for await (const piece of exported(exporting.database)) lines += piece.match(/^\{"action"/gm)?.length ?? 0;
  expect(lines).toBe(rows * perRow);
  expect(exporting.largest()).toBeLessThanOrEqual(3 * perRow);
});
