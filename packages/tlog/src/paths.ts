/** What the proofs of RFC 6962, section 2.1, have to hash to, as checks. */
import { type Check, isEqual, sha256 } from './checks.ts';

export const hashBytes = 32;

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** MTH({d}) of a leaf's data. */
export function leafCheck(data: Uint8Array): Check<Uint8Array> {
  return sha256(leafPrefix, data);
}

/** Whether a proof shows that the leaf of this hash is at an index of the tree of this size and root. */
export function* inclusionCheck(
  leaf: Uint8Array,
  index: number,
  { size, root }: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): Check<boolean> {
  if (!isSize(size) || !isSize(index) || index >= size || !proof.every(isHash)) return false;
  const sides = sidesOf(index, size);
  if (proof.length !== sides.length) return false;
  let hash = leaf;
  for (const [i, sibling] of proof.entries())
    hash = yield* sides[i] === 'left' ? nodeOf(sibling, hash) : nodeOf(hash, sibling);
  return isHash(leaf) && isEqual(hash, root);
}

/** Whether a proof shows that the first of two trees is the beginning of the second. */
export function* consistencyCheck(
  from: { size: number; root: Uint8Array },
  to: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): Check<boolean> {
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size || !proof.every(isHash)) return false;
  if (from.size === 0) return proof.length === 0 && isEqual(from.root, yield* sha256());
  if (from.size === to.size) return proof.length === 0 && isEqual(from.root, to.root);
  const hashes = [...proof];
  const steps: ('left' | 'right')[] = [];
  let [low, high] = [0, to.size];
  while (from.size !== high) {
    const middle = low + powerBelow(high - low);
    if (from.size <= middle) {
      steps.push('right');
      high = middle;
    } else {
      steps.push('left');
      low = middle;
    }
  }
  const start = low === 0 ? from.root : hashes.shift();
  if (start === undefined || hashes.length !== steps.length) return false;
  let [before, after] = [start, start];
  for (const [i, side] of steps.reverse().entries()) {
    after = yield* side === 'left' ? nodeOf(hashes[i]!, after) : nodeOf(after, hashes[i]!);
    if (side === 'left') before = yield* nodeOf(hashes[i]!, before);
  }
  return isEqual(before, from.root) && isEqual(after, to.root);
}

function nodeOf(left: Uint8Array, right: Uint8Array): Check<Uint8Array> {
  return sha256(nodePrefix, left, right);
}

/** On which side of each step from a leaf to the root its sibling is, from the leaf up. */
function sidesOf(index: number, size: number): ('left' | 'right')[] {
  const sides: ('left' | 'right')[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + powerBelow(high - low);
    sides.push(index < middle ? 'right' : 'left');
    if (index < middle) high = middle;
    else low = middle;
  }
  return sides.reverse();
}

/** The largest power of two below a number of at least two. */
export function powerBelow(count: number): number {
  return 2 ** floorLog2(count - 1);
}

/** Math.log2 rounds up just below large powers. */
export function floorLog2(value: number): number {
  return value < 2 ** 32 ? 31 - Math.clz32(value) : 63 - Math.clz32(Math.floor(value / 2 ** 32));
}

export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isHash(value: Uint8Array): boolean {
  return value.length === hashBytes;
}
