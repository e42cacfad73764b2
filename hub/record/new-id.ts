/** Ids of the hub's own making. */
import { randomFillSync } from 'node:crypto';

const block = Buffer.alloc(16 * 256);
let next = block.length;

/** A UUID of version 7 (RFC 9562 §5.7): ids made one after the other lie beside each other in an index. */
export function newId(now = Date.now()): string {
  if (next === block.length) {
    randomFillSync(block);
    next = 0;
  }
  const bytes = block.subarray(next, next + 16);
  next += 16;
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
