import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyFolds,
  Edge,
  emptyRoot,
  type Hash,
  inclusionFolds,
  isConsistent,
  isIncluded,
  leafHash,
  proofFrom,
  readTilePath,
  type TilePlace,
  tilePath,
  widthOf,
} from './index.ts';

/** MTH, PATH and PROOF word by word as RFC 6962, section 2.1 has them. */
const sha256 = (...parts: Uint8Array[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const split = (n: number) => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};
function mth(d: Buffer[]): Buffer {
  if (d.length === 0) return sha256();
  if (d.length === 1) return sha256(Buffer.of(0), d[0]!);
  const k = split(d.length);
  return sha256(Buffer.of(1), mth(d.slice(0, k)), mth(d.slice(k)));
}
function path(m: number, d: Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k ? [...path(m, d.slice(0, k)), mth(d.slice(k))] : [...path(m - k, d.slice(k)), mth(d.slice(0, k))];
}
function subproof(m: number, d: Buffer[], isWhole: boolean): Buffer[] {
  if (m === d.length) return isWhole ? [] : [mth(d)];
  const k = split(d.length);
  return m <= k
    ? [...subproof(m, d.slice(0, k), isWhole), mth(d.slice(k))]
    : [...subproof(m - k, d.slice(k), false), mth(d.slice(0, k))];
}

const entries = Array.from({ length: 700 }, (_, i) => Buffer.from(`entry ${i}`));

/** A log that keeps its tiles, grown by so many leaves at a time. */
function grown(steps: number[]) {
  const tiles = new Map<string, Buffer>();
  let edge = new Edge();
  for (const step of steps) {
    const leaves = entries.slice(edge.size, edge.size + step).map(leafHash);
    for (const { level, index, hashes } of edge.append(Buffer.concat(leaves))) tiles.set(`${level}/${index}`, hashes);
    // What is not in memory is begun anew from the tiles.
    const partial: Buffer[] = [];
    for (let level = 0; 256 ** level <= edge.size; level++) {
      const index = Math.floor(edge.size / 256 ** (level + 1));
      const width = widthOf({ level, index }, edge.size);
      partial.push(width === 0 ? Buffer.alloc(0) : tiles.get(`${level}/${index}`)!);
    }
    edge = new Edge(edge.size, partial);
  }
  const read = ({ level, index }: TilePlace) => tiles.get(`${level}/${index}`)!;
  return { size: edge.size, root: edge.root(), read };
}

const steps = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 }).map((found) => {
  let left = entries.length;
  return found.map((step) => {
    const taken = Math.min(step, left);
    left -= taken;
    return taken;
  });
});

describe('the tree', () => {
  it('has the root of RFC 6962 however it grew, and with it that without leaves', () => {
    expect(new Edge().root()).toEqual(emptyRoot);
    fc.assert(
      fc.property(steps, (some) => {
        const { size, root } = grown(some);
        expect(root).toEqual(mth(entries.slice(0, size)));
      }),
      { numRuns: 40 },
    );
  });

  it('gives the proofs of RFC 6962 from its tiles', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.nat(), async (some, a, b) => {
        const { size, root, read } = grown([1, ...some]);
        const index = a % size;
        const before = b % (size + 1);
        const there = entries.slice(0, size);
        const inclusion = await proofFrom(inclusionFolds(index, size), read);
        expect(inclusion).toEqual(path(index, there));
        expect(isIncluded(leafHash(entries[index]!), index, { size, root }, inclusion)).toBe(true);
        const consistency = await proofFrom(consistencyFolds(before, size), read);
        expect(consistency).toEqual(before === 0 ? [] : subproof(before, there, true));
        const old = { size: before, root: mth(entries.slice(0, before)) };
        expect(isConsistent(old, { size, root }, consistency)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('believes no proof in which one thing is otherwise', async () => {
    const { size, root, read } = grown([300, 223]);
    const tree = { size, root };
    const flipped = (hash: Hash, at: number) => {
      const other = Buffer.from(hash);
      other[at % 32]! ^= 1 << (at % 8);
      return other;
    };
    for (const index of [0, 1, 255, 256, 299, 511, 512, 521, 522]) {
      const leaf = leafHash(entries[index]!);
      const proof = await proofFrom(inclusionFolds(index, size), read);
      expect(isIncluded(leaf, index, tree, proof)).toBe(true);
      expect(isIncluded(leaf, (index + 1) % size, tree, proof)).toBe(false);
      expect(isIncluded(flipped(leaf, index), index, tree, proof)).toBe(false);
      expect(isIncluded(leaf, index, { size, root: flipped(root, index) }, proof)).toBe(false);
      expect(isIncluded(leaf, index, tree, proof.slice(1))).toBe(false);
      expect(isIncluded(leaf, index, tree, [...proof, root])).toBe(false);
      for (const i of proof.keys())
        expect(isIncluded(leaf, index, tree, proof.with(i, flipped(proof[i]!, i)))).toBe(false);
      const old = { size: index, root: mth(entries.slice(0, index)) };
      const growth = await proofFrom(consistencyFolds(index, size), read);
      expect(isConsistent(old, tree, growth)).toBe(true);
      expect(isConsistent({ ...old, root: flipped(old.root, index) }, tree, growth)).toBe(false);
      expect(isConsistent(old, { size, root: flipped(root, index) }, growth)).toBe(index === 0);
      if (index > 0) expect(isConsistent({ ...old, size: index + 1 }, tree, growth)).toBe(false);
      for (const i of growth.keys())
        expect(isConsistent(old, tree, growth.with(i, flipped(growth[i]!, i)))).toBe(false);
    }
    expect(isConsistent(tree, { size: 300, root: mth(entries.slice(0, 300)) }, [])).toBe(false);
  });

  it('counts exactly where numbers are large', () => {
    const size = 2 ** 49 - 1;
    const folds = inclusionFolds(size - 1, size);
    expect(folds.length).toBe(48);
    expect(folds.at(-1)).toEqual([{ level: 48, index: 0 }]);
    expect(() => inclusionFolds(size, size)).toThrow(RangeError);
    expect(() => consistencyFolds(3, 2)).toThrow(RangeError);
  });
});

describe('tiles', () => {
  it('are found under their addresses, and under those alone', () => {
    expect(tilePath({ level: 0, index: 1_234_067 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 2, index: 5 }, 17)).toBe('tile/2/005.p/17');
    const places = fc.record({ level: fc.nat(63), index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(
      fc.property(places, (place) => {
        expect(readTilePath(tilePath(place, place.width))).toEqual(place);
      }),
    );
    for (const path of [
      'tile/0/1',
      'tile/00/001',
      'tile/64/001',
      'tile/0/x000/001',
      'tile/0/001.p/256',
      'tile/0/001.p/0',
      'tile/0/../001',
    ])
      expect(readTilePath(path), path).toBeUndefined();
  });

  it('are as wide as a tree of a size has them', () => {
    const widths = (level: number) => [0, 1, 272, 273].map((index) => widthOf({ level, index }, 70_000));
    expect([widths(0), widths(1), widths(2)]).toEqual([
      [256, 256, 256, 112],
      [256, 17, 0, 0],
      [1, 0, 0, 0],
    ]);
    expect([widthOf({ level: 0, index: 0 }, 256), widthOf({ level: 1, index: 0 }, 256)]).toEqual([256, 1]);
  });

  it('that do not belong to a size begin no edge', () => {
    expect(() => new Edge(3, [Buffer.alloc(64)])).toThrow('ends in 96 bytes at level 0, not in 64');
    expect(() => new Edge(256, [Buffer.alloc(0)])).toThrow('level 1');
    expect(() => new Edge(1, [Buffer.alloc(32), Buffer.alloc(32)])).toThrow('level 1');
  });
});
