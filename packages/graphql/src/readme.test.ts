import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answer } from '../example.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8').trim();

test('the example of the README is the one that runs, and gives what it says', () => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(read('README.md'))!;
  const [, said] = /```json\n([\s\S]*?)```/.exec(read('README.md'))!;
  expect(code!.trim()).toBe(read('example.ts'));
  expect(answer).toEqual(JSON.parse(said!));
});
