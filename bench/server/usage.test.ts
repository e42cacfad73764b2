import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { postmasterOf, usageOf } from './usage.ts';

const burn = 'const end = Date.now() + 120; while (Date.now() < end);';

test('CPU time of the process itself grows with its work', () => {
  const before = usageOf(process.pid, undefined);
  const end = performance.now() + 80;
  while (performance.now() < end);
  const after = usageOf(process.pid, undefined);
  expect(after.hubCpuMs).toBeGreaterThan(before.hubCpuMs);
  expect(after.hubRssMib).toBeGreaterThan(10);
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
