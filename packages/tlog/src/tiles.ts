/**
 * A tree as tiles (C2SP tlog-tiles): 256 neighbouring hashes of a level that is a multiple of eight, as one value that
 * never changes once it is full.
 */
import { type Fold, fold, type Hash, hashBytes, nodeHash, rootFold, type Subtree } from './merkle.ts';

/** Levels of the tree in a tile. */
const height = 8;
export const tileWidth = 2 ** height;

/** A tile's place: level 0 holds hashes of leaves, each level above the roots of full tiles below. */
export interface TilePlace {
  level: number;
  index: number;
}

export interface Tile extends TilePlace {
  /** Between 1 and 256 hashes, one after the other. */
  hashes: Buffer;
}

/** How many hashes the tile at this place has in a tree of this size; 0 where it is not there. */
export function widthOf({ level, index }: TilePlace, size: number): number {
  const there = Math.floor(size / tileWidth ** level) - index * tileWidth;
  return Math.max(0, Math.min(tileWidth, there));
}

/** The tile that a complete subtree is read from. */
export function tileOf({ level, index }: Subtree): TilePlace {
  const below = level % height;
  return { level: Math.floor(level / height), index: Math.floor((index * 2 ** below) / tileWidth) };
}

/** The hash of a complete subtree, from the tile that `tileOf` names. @throws RangeError where the tile is too narrow */
export function hashIn(tile: Buffer, { level, index }: Subtree): Hash {
  const width = 2 ** (level % height);
  const first = (index * width) % tileWidth;
  if ((first + width) * hashBytes > tile.length) {
    throw new RangeError(`A tile of ${tile.length / hashBytes} hashes does not hold those up to ${first + width}.`);
  }
  return completeRoot(tile.subarray(first * hashBytes, (first + width) * hashBytes));
}

/**
 * The hashes of a proof, from tiles.
 * @param read gives the hashes of a tile of the tree that the proof is about
 */
export async function proofFrom(
  folds: readonly Fold[],
  read: (place: TilePlace) => Promise<Buffer> | Buffer,
): Promise<Hash[]> {
  const tiles = new Map<string, Promise<Buffer>>();
  const tileAt = (place: TilePlace) => {
    const key = `${place.level}/${place.index}`;
    const tile = tiles.get(key) ?? Promise.resolve(read(place));
    tiles.set(key, tile);
    return tile;
  };
  const hashOf = async (subtree: Subtree) => hashIn(await tileAt(tileOf(subtree)), subtree);
  return Promise.all(folds.map(async (subtrees) => fold(await Promise.all(subtrees.map(hashOf)))));
}

/** `tile/<L>/<N>[.p/<W>]`, the address of a tile below that of its log. @param width hashes in it */
export function tilePath(place: TilePlace, width = tileWidth): string {
  return `tile/${place.level}/${indexPath(place.index)}${width === tileWidth ? '' : `.p/${width}`}`;
}

/** The tile that an address below that of a log names; undefined where it is not written as the specification has it. */
export function readTilePath(path: string): (TilePlace & { width: number }) | undefined {
  const parts = /^tile\/(\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (!parts) return undefined;
  const [, level, digits, partial] = parts;
  const index = Number(digits!.replace(/[x/]/g, ''));
  const width = partial === undefined ? tileWidth : Number(partial);
  const isOne =
    Number.isSafeInteger(index) && indexPath(index) === digits && (partial === undefined || width < tileWidth);
  return isOne ? { level: Number(level), index, width } : undefined;
}

/** 1234067 as `x001/x234/067`. */
function indexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  return groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join('/');
}

/** The growing side of a tree: the tiles that are not full, one a level. */
export class Edge {
  #size: number;
  /** The partial tile of each level. */
  readonly #partial: Buffer[];

  /** @param partial the hashes of the tiles of a tree of this size that are not full, from level 0; empty where there is none */
  constructor(size = 0, partial: readonly Uint8Array[] = []) {
    this.#size = size;
    this.#partial = partial.map((hashes) => Buffer.from(hashes));
    for (let level = 0; level < Math.max(partial.length, 1) || tileWidth ** level <= size; level++) {
      const wanted = (Math.floor(size / tileWidth ** level) % tileWidth) * hashBytes;
      const there = this.#partial[level]?.length ?? 0;
      if (there !== wanted) {
        throw new RangeError(`A tree of ${size} leaves ends in ${wanted} bytes at level ${level}, not in ${there}.`);
      }
    }
  }

  get size(): number {
    return this.#size;
  }

  /** The root of the tree. */
  root(): Hash {
    return fold(rootFold(this.#size).map((subtree) => hashIn(this.#partial[tileOf(subtree).level]!, subtree)));
  }

  /**
   * Adds leaves; returns the tiles that hold something new, full ones and the partial ones that are left.
   * @param leaves the hashes of the leaves, one after the other
   */
  append(leaves: Buffer): Tile[] {
    if (leaves.length % hashBytes !== 0) throw new RangeError('Hashes of leaves have 32 bytes each.');
    const tiles: Tile[] = [];
    const size = this.#size + leaves.length / hashBytes;
    let added = leaves;
    for (let level = 0; added.length > 0; level++) {
      const before = Math.floor(this.#size / tileWidth ** level);
      let hashes = Buffer.concat([this.#partial[level] ?? Buffer.alloc(0), added]);
      const roots: Hash[] = [];
      for (let index = Math.floor(before / tileWidth); hashes.length >= tileWidth * hashBytes; index++) {
        const full = hashes.subarray(0, tileWidth * hashBytes);
        tiles.push({ level, index, hashes: full });
        roots.push(completeRoot(full));
        hashes = hashes.subarray(tileWidth * hashBytes);
      }
      this.#partial[level] = hashes;
      if (hashes.length > 0) {
        tiles.push({ level, index: Math.floor(Math.floor(size / tileWidth ** level) / tileWidth), hashes });
      }
      added = Buffer.concat(roots);
    }
    this.#size = size;
    return tiles;
  }
}

/** The root over as many hashes as a power of two. */
function completeRoot(hashes: Buffer): Hash {
  let level = Buffer.from(hashes);
  while (level.length > hashBytes) {
    for (let i = 0; i < level.length; i += 2 * hashBytes) {
      nodeHash(level.subarray(i, i + hashBytes), level.subarray(i + hashBytes, i + 2 * hashBytes)).copy(level, i / 2);
    }
    level = level.subarray(0, level.length / 2);
  }
  return Buffer.from(level);
}
