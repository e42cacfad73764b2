import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { useDefinitions } from './definitions.ts';
import { LowPriority } from './low-priority.ts';

const endless = JSON.stringify({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'delete' },
        { name: 'path', valueString: `Patient.descendants()${'.select(%resource.descendants())'.repeat(14)}` },
      ],
    },
  ],
});
const resource = '{"resourceType":"Patient","name":[{"family":"A"}]}';
const quick = endless.replace(/"Patient[^"]*"/, '"Patient.name"');

const faults: unknown[] = [];
let thread: LowPriority;
beforeAll(async () => {
  // As the tests with a hub have them.
  const dataDir = join(tmpdir(), `causeway-low-priority-${process.getuid?.() ?? 0}`);
  mkdirSync(dataDir, { recursive: true });
  await useDefinitions(dataDir);
  thread = new LowPriority(dataDir, (error) => faults.push(error), 64);
}, 120_000);
afterAll(() => thread.close());

const fhirPath = (text: string) => ({ kind: 'fhirpath', text }) as const;
const patch = (who: string, text: string) =>
  thread.run(who, { kind: 'patch', resource, patch: fhirPath(text) }, 30_000);

it('serves callers in turn: whoever asks for much waits for it alone', async () => {
  const ends: string[] = [];
  const told = (who: string, text: string) => patch(who, text).then(() => ends.push(who));
  const all = [...Array.from({ length: 2 }, () => told('greedy', endless)), told('other', quick), told('third', quick)];
  await Promise.all(all);
  expect(ends).toEqual(['greedy', 'other', 'third', 'greedy']);
}, 60_000);

it('lets nobody have more than some wait', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => patch('greedy', quick)));
  const refused = asked.filter(({ status }) => status === 'rejected');
  expect(refused.map((one) => (one as PromiseRejectedResult).reason)).toEqual(
    Array.from({ length: 3 }, () => expect.objectContaining({ status: 429, headers: { 'retry-after': '1' } })),
  );
}, 60_000);

it('ends what takes too long, and goes on with the next', async () => {
  const long = thread.run('greedy', { kind: 'patch', resource, patch: fhirPath(endless) }, 50);
  await expect(long).rejects.toMatchObject({ status: 413 });
  expect((await patch('other', quick)).patched).toBe('{"resourceType":"Patient"}');
}, 60_000);

it('ends what takes too much memory, and goes on with the next', async () => {
  // Many small arrays: one of so many values would grow by more at once than a thread has left when it is told to end.
  const group = `{"concept":[${'{"code":"a"},'.repeat(999)}{}]}`;
  const body = Buffer.from(`{"resourceType":"CodeSystem","concept":[${`${group},`.repeat(4_000)}{}]}`);
  const read = thread.run('greedy', { kind: 'body', body, format: 'json', isWritten: false }, 30_000);
  // Not the answer, which would be shown with all its bytes.
  expect(
    await read.then(
      ({ kind }) => kind,
      (error) => error.status,
    ),
  ).toBe(413);
  expect((await patch('other', quick)).patched).toBe('{"resourceType":"Patient"}');
}, 60_000);

it('a thread that fails when nothing waits for it any more is told of, and does not end the process', async () => {
  const run = vi.spyOn(Piscina.prototype, 'run');
  await patch('other', quick);
  const pool = run.mock.contexts[0] as Piscina;
  run.mockRestore();
  const error = new Error('out of memory');
  pool.emit('error', error);
  expect(faults).toEqual([error]);
}, 60_000);

it('what fills memory at once is refused before it is tried', async () => {
  const doubled = (path: string) =>
    JSON.stringify({
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'operation',
          part: [
            { name: 'type', valueCode: 'delete' },
            { name: 'path', valueString: path },
          ],
        },
      ],
    });
  const long = JSON.stringify({ resourceType: 'Patient', name: [{ family: 'A'.repeat(30 * 1024 * 1024) }] });
  for (const path of [
    `Patient.name.where(family${'.select($this&$this)'.repeat(20)}.contains('zz'))`,
    "Patient.name.where(family.replace('A', 'AAAAAAAA').length() > 1)",
    'Patient.name.where(family.toChars().count() > 1)',
  ]) {
    const asked = { kind: 'patch', resource: long, patch: fhirPath(doubled(path)) } as const;
    expect((await thread.run('greedy', asked, 30_000)).patched).toMatchObject({ code: 'not-supported' });
  }
}, 60_000);
