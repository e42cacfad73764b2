import { expect, it } from 'vitest';
import { giveBack } from './give-back.ts';

it('what has memory of its own is none afterwards', () => {
  const own = Buffer.alloc(300_000, 1);
  giveBack(own);
  expect([own.length, own.buffer.byteLength]).toEqual([0, 0]);
});

it('what shares its memory stays as it is, and so does all that shares it', () => {
  const pooled = Array.from({ length: 5_000 }, (_, i) => Buffer.from(`number ${i}`));
  const whole = Buffer.alloc(300_000, 1);
  const [start, end] = [whole.subarray(0, 299_999), whole.subarray(1)];
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  for (const one of [...pooled, start, end, shared, Buffer.alloc(0)]) giveBack(one);
  expect(pooled.map(String)).toEqual(pooled.map((_, i) => `number ${i}`));
  expect([start.length, end.length, whole.length, shared.length]).toEqual([299_999, 299_999, 300_000, 10]);
});
