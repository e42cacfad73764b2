import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../database/testing.ts';
import { fixedMasterKey, newDataKey } from '../secrets/index.ts';
import { accessOf } from '../trust/index.ts';
import { partsOf, putPart } from './files.ts';
import { type Job, Jobs } from './jobs.ts';
import { linesOf, spool } from './spool.ts';

let test: TestDatabase;
let jobs: Jobs;
const access = accessOf({ username: 'a', name: 'A', role: 'administrator', organization: 'o' });

beforeAll(async () => {
  test = await testDatabase();
  const limits = { keptMs: 60_000, perOwner: 1_000, atOnce: 1_000, leaseMs: 10_000, attempts: 3 };
  jobs = new Jobs(test.database, fixedMasterKey(newDataKey()), limits);
});
afterAll(() => test.drop());

const newJob = (): Promise<Job> =>
  jobs.create({ kind: 'import', state: 'waiting', access, request: '', parameters: {}, homes: undefined });

async function* inChunks(bytes: Buffer, sizes: number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

it('gives back every line with its number, however the bytes come, and counts lines that are too long', async () => {
  const line = fc.oneof(
    fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\n', '')),
    fc.integer({ min: 1, max: 600_000 }).map((length) => 'x'.repeat(length)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (lines, sizes, ends) => {
        const job = await newJob();
        const bytes = Buffer.from(lines.join('\n') + (ends && lines.length > 0 ? '\n' : ''));
        fc.pre(bytes.length / Math.min(...sizes) < 20_000);
        const lineBytes = 500_000;
        await spool(
          test.database,
          job,
          1,
          inChunks(bytes, sizes),
          { maximumBytes: 1e9, keptBytes: 1e9, lineBytes },
          async () => {},
        );
        const found = new Map<number, string>();
        for await (const part of partsOf(test.database, job, 1)) {
          if (part.body.length === 0) found.set(part.place, 'too long');
          for (const [i, one] of linesOf(part.body).entries()) found.set(part.place + i, one.toString());
        }
        const given = bytes.length === 0 ? [] : lines.slice(0, ends || lines.at(-1) !== '' ? undefined : -1);
        for (const [i, text] of given.entries()) {
          const same = found.get(i) === text || (text.length > lineBytes && found.get(i) === 'too long');
          expect([i, same]).toEqual([i, true]);
        }
        expect(found.size).toBe(given.length);
      },
    ),
    { numRuns: 40 },
  );
});

it('takes no longer for one endless line than for many, and ends where a file is too long', async () => {
  const job = await newJob();
  const endless = async function* () {
    for (let i = 0; i < 1_000; i++) yield Buffer.alloc(64 * 1024, 'x');
  };
  const begun = performance.now();
  const limits = { maximumBytes: 100 * 1024 * 1024, keptBytes: 1e9, lineBytes: 16 * 1024 * 1024 };
  expect(await spool(test.database, job, 1, endless(), limits, async () => {})).toBe(1);
  expect(performance.now() - begun).toBeLessThan(3_000);
  await expect(
    spool(test.database, job, 2, endless(), { ...limits, maximumBytes: 1024 * 1024 }, async () => {}),
  ).rejects.toMatchObject({ status: 413 });
  const full = spool(test.database, job, 3, endless(), { ...limits, keptBytes: 0 }, async () => {});
  await expect(full).rejects.toMatchObject({ status: 507 });
});

it('removes what has expired, and uploads that were broken off, with all of their parts', async () => {
  const rows = async (text: string) => (await test.database.query(text)).rows;
  await test.database.query('DELETE FROM bulk_part');
  const [kept, expired, broken] = [await newJob(), await newJob(), await newJob()];
  const part = { lines: 1, body: Buffer.from('x') };
  for (const job of [kept, expired, broken]) {
    for (let place = 0; place < 450; place++) await putPart(test.database, job, 1, { ...part, place });
  }
  await test.database.query(`UPDATE bulk_job SET state = 'complete', finished = now(), expires = now() WHERE id = $1`, [
    expired.id,
  ]);
  await test.database.query(`UPDATE bulk_job SET state = 'receiving', lease_until = now() WHERE id = $1`, [broken.id]);
  await expect(jobs.find(expired.id, access)).rejects.toMatchObject({ status: 404 });
  await jobs.sweep();
  expect((await rows('SELECT DISTINCT job FROM bulk_part')).map(({ job }) => job)).toEqual([kept.id]);
  expect(await rows(`SELECT 1 FROM bulk_job WHERE state IN ('complete', 'receiving')`)).toEqual([]);
});

it('puts no more than a thousand lines in a part, however short they are', async () => {
  const job = await newJob();
  const lines = Array.from({ length: 2_500 }, (_, i) => String(i));
  const limits = { maximumBytes: 1e9, keptBytes: 1e9, lineBytes: 1_000 };
  await spool(test.database, job, 1, inChunks(Buffer.from(lines.join('\n')), [7_000]), limits, async () => {});
  const parts: { place: number; lines: string[] }[] = [];
  for await (const { place, body } of partsOf(test.database, job, 1)) {
    parts.push({ place, lines: linesOf(body).map(String) });
  }
  expect(parts.map((part) => [part.place, part.lines.length])).toEqual([
    [0, 1_000],
    [1_000, 1_000],
    [2_000, 500],
  ]);
  expect(parts.flatMap((part) => part.lines)).toEqual(lines);
});
