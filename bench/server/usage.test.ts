import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { memoryOf, postmasterOf, usageOf, watchMemory } from './usage.ts';

const burn = 'const end = Date.now() + 120; while (Date.now() < end);';

test('CPU time of the process itself grows with its work', () => {
  const before = usageOf(process.pid, undefined);
  const end = performance.now() + 80;
  while (performance.now() < end);
  const after = usageOf(process.pid, undefined);
  expect(after.hubCpuMs).toBeGreaterThan(before.hubCpuMs);
});

test('what a child used is not lost when it ends', async () => {
  const before = usageOf(process.pid, process.pid).postgresCpuMs;
  await once(spawn(process.execPath, ['-e', burn]), 'exit');
  expect(usageOf(process.pid, process.pid).postgresCpuMs - before).toBeGreaterThanOrEqual(50);
});

test('a process that is not there has used nothing', () => {
  expect(usageOf(2 ** 22 + 1, undefined)).toMatchObject({ hubCpuMs: 0, postgresCpuMs: 0 });
  expect(postmasterOf(2 ** 22 + 1)).toBeUndefined();
});

test('the most memory that was held while it was watched', async () => {
  const told = watchMemory(process.pid, undefined);
  let held: Buffer | undefined = Buffer.alloc(150 * 1024 * 1024, 1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(held.length).toBeGreaterThan(0);
  held = undefined;
  const peak = told();
  expect(peak.hubMib).toBeGreaterThan(150);
  expect(peak.postgresMib).toBe(0);
  expect(memoryOf(2 ** 22 + 1, undefined)).toEqual({ hubMib: 0, postgresMib: 0, kind: 'pss' });
});
