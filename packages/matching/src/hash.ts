/**
 * A 64-bit hash of text as two mixed 32-bit lanes (multiply-and-xor with the finaliser of MurmurHash3). Stable: stored
 * blocking keys depend on it, so a change of this file means that all keys are made anew.
 */

/** A signed 64-bit integer that fits PostgreSQL's int8. */
export function hash64(written: string): bigint {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < written.length; i++) {
    const unit = written.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
    b = (b << 13) | (b >>> 19);
  }
  const high = finish(a ^ (b >>> 16));
  const low = finish(b ^ (high >>> 11) ^ written.length);
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}

function finish(lane: number): number {
  let h = lane;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
