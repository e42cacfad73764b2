/** Random bytes, drawn from the system in blocks: one call costs as much as sealing a short text. */
import { randomFillSync } from 'node:crypto';

const block = Buffer.alloc(8_192);
let next = block.length;

/** So many bytes (64 at most) that were given to nobody else; no copy of them is kept. */
export function drawBytes(count: number): Buffer {
  if (next + count > block.length) {
    randomFillSync(block);
    next = 0;
  }
  const bytes = Buffer.from(block.subarray(next, next + count));
  block.fill(0, next, next + count);
  next += count;
  return bytes;
}
