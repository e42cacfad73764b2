/**
 * The Merkle tree of RFC 6962, section 2.1, over SHA-256. A tree is never held whole: whatever is asked of it (its root, a
 * proof) is first told as the complete subtrees that it is made of, which the caller reads from wherever they are kept.
 * Sizes and indexes are safe integers.
 */
import { hash as digest } from 'node:crypto';
import { consistencyCheck, floorLog2, hashBytes, inclusionCheck, isSize, powerBelow } from './paths.ts';
import { answered } from './platform.ts';

export { hashBytes } from './paths.ts';

/** 32 bytes. */
export type Hash = Buffer;

/** The complete subtree over the leaves `index * 2 ** level` up to `(index + 1) * 2 ** level`, the latter excluded. */
export interface Subtree {
  level: number;
  index: number;
}

/** One hash of a proof, or a root: the complete subtrees that `fold` makes it of, from left to right. */
export type Fold = readonly Subtree[];

/** The root of the tree without leaves. */
export const emptyRoot: Hash = sha256(Buffer.alloc(0));

/** MTH({d}) of a leaf's data. */
export function leafHash(data: Uint8Array): Hash {
  const prefixed = Buffer.allocUnsafe(data.length + 1);
  prefixed[0] = 0;
  prefixed.set(data, 1);
  return sha256(prefixed);
}

const node = Buffer.alloc(1 + 2 * hashBytes);
node[0] = 1;

/** The hash over two subtrees. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  node.set(left, 1);
  node.set(right, 1 + hashBytes);
  return sha256(node);
}

/** The hash of neighbouring complete subtrees, each at most as large as the one before it. */
export function fold(hashes: readonly Uint8Array[]): Hash {
  const last = hashes.at(-1);
  if (last === undefined) return emptyRoot;
  return hashes.slice(0, -1).reduceRight<Hash>((right, left) => nodeHash(left, right), Buffer.from(last));
}

/** The root of a tree. */
export function rootFold(size: number): Fold {
  return rangeFold(0, checkedSize(size));
}

/**
 * The proof that a leaf is in a tree (PATH, section 2.1.1), from the leaf's sibling up.
 * @throws RangeError where the tree has no such leaf
 */
export function inclusionFolds(index: number, size: number): Fold[] {
  checkLeaf(index, size);
  const folds: Fold[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + powerBelow(high - low);
    if (index < middle) {
      folds.push(rangeFold(middle, high));
      high = middle;
    } else {
      folds.push(rangeFold(low, middle));
      low = middle;
    }
  }
  return folds.reverse();
}

/**
 * The proof that a tree is the beginning of another (PROOF, section 2.1.2); empty for equal ones and the tree without
 * leaves. @throws RangeError where the first is the larger one
 */
export function consistencyFolds(from: number, to: number): Fold[] {
  checkGrowth(from, to);
  if (from === 0) return [];
  const folds: Fold[] = [];
  let [low, high] = [0, to];
  while (from !== high) {
    const middle = low + powerBelow(high - low);
    if (from <= middle) {
      folds.push(rangeFold(middle, high));
      high = middle;
    } else {
      folds.push(rangeFold(low, middle));
      low = middle;
    }
  }
  if (low > 0) folds.push(rangeFold(low, high));
  return folds.reverse();
}

/** Whether a proof shows that the leaf of this hash is at an index of the tree of this size and root. */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  tree: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  return answered(inclusionCheck(leaf, index, tree, proof));
}

/** Whether a proof shows that the first of two trees is the beginning of the second. */
export function isConsistent(
  from: { size: number; root: Uint8Array },
  to: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  return answered(consistencyCheck(from, to, proof));
}

function sha256(data: Uint8Array): Hash {
  // A buffer that Node makes of each digest takes longer than the digest.
  return Buffer.from(digest('sha256', data, 'binary'), 'latin1');
}

/** The complete subtrees over the leaves from `low`, which is a multiple of the largest of them, up to `high`. */
function rangeFold(low: number, high: number): Fold {
  const subtrees: Subtree[] = [];
  let rest = high - low;
  let start = low;
  while (rest > 0) {
    const level = floorLog2(rest);
    const width = 2 ** level;
    subtrees.push({ level, index: start / width });
    start += width;
    rest -= width;
  }
  return subtrees;
}

function checkedSize(size: number): number {
  if (!isSize(size)) throw new RangeError(`A tree has a whole number of leaves, not ${size}.`);
  return size;
}

function checkLeaf(index: number, size: number): void {
  checkedSize(size);
  if (!isSize(index) || index >= size) throw new RangeError(`A tree of ${size} leaves has no leaf ${index}.`);
}

function checkGrowth(from: number, to: number): void {
  checkedSize(to);
  if (!isSize(from) || from > to) throw new RangeError(`A tree of ${from} leaves does not grow into one of ${to}.`);
}
