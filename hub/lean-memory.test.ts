import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const module = join(import.meta.dirname, 'bin', 'lean-memory.js');
const script = `
  const { useLittleMemory } = await import(${JSON.stringify(module)});
  console.log(process.pid);
  useLittleMemory();
  console.log(JSON.stringify({ pid: process.pid, options: process.execArgv, arenas: process.env.MALLOC_ARENA_MAX ?? null }));
`;

function run(options: string[], environment: Record<string, string> = {}) {
  const words = [...options, '--input-type=module', '-e', script];
  const said = execFileSync(process.execPath, words, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...environment },
  });
  const lines = said.trim().split('\n');
  return { begun: lines.length - 1, first: Number(lines[0]), ...JSON.parse(lines.at(-1)!) };
}

test('begins again as the same process, with little memory for what is young and one arena', () => {
  const { begun, first, pid, options, arenas } = run([]);
  expect([begun, pid, arenas]).toEqual([2, first, '1']);
  expect(options.slice(0, 2)).toEqual(['--no-memory-protection-keys', '--max-semi-space-size=16']);
});

test('leaves what the command line or the environment say', () => {
  const given = ['--no-memory-protection-keys', '--max-semi-space-size=64'];
  expect(run(given)).toMatchObject({ begun: 1, arenas: null });
  const { options } = run([], { NODE_OPTIONS: '--max-semi-space-size=64' });
  expect(options[0]).toBe('--no-memory-protection-keys');
  expect(options.join(' ')).not.toContain('--max-semi-space-size=16');
  expect(run([], { MALLOC_ARENA_MAX: '4' })).toMatchObject({ begun: 2, arenas: '4' });
});
