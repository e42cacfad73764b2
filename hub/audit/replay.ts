/**
 * Replays entries into the tree and holds each against the hashes that were stored when it was added. The first one that
 * is not what it was is named, and what was done to it.
 */
import { type Edge, type Hash, hashBytes, leafHash, type Tile } from '@causeway/tlog';

/** What is wrong, and from which entry on. */
export interface Finding {
  kind:
    | 'changed'
    | 'removed'
    | 'inserted'
    | 'reordered'
    | 'cut'
    | 'hashes'
    | 'fork'
    | 'older'
    | 'signature'
    | 'witness'
    | 'unnumbered'
    | 'about'
    | 'sealed';
  /** The number of the first wrong entry, where it is known. */
  index?: number;
  text: string;
}

/** The stored hashes of level 0 over a range of entries; fewer where they end. */
export type StoredHashes = (from: number, to: number) => Promise<Buffer>;

/** So many entries beyond a wrong one are looked at to tell what was done to it. */
const around = 64;

export class Replay {
  readonly #edge: Edge;
  readonly #stored: StoredHashes;
  /** Sizes at which the root is wanted, and the roots. */
  readonly #wanted: number[];
  readonly roots = new Map<number, Hash>();
  /** Hashes of entries that are not compared yet, from the number on that the edge has as its size. */
  #waiting: Buffer[] = [];
  #tiles: (tiles: Tile[]) => Promise<Finding | undefined>;

  /**
   * @param edge of the tree that was verified before
   * @param sizes at which roots are wanted
   * @param tiles told of the tiles that come of the entries
   */
  constructor(
    edge: Edge,
    stored: StoredHashes,
    sizes: readonly number[] = [],
    tiles: (tiles: Tile[]) => Promise<Finding | undefined> = async () => undefined,
  ) {
    this.#edge = edge;
    this.#stored = stored;
    this.#tiles = tiles;
    this.#wanted = sizes.filter((size) => size >= edge.size).toSorted((a, b) => a - b);
    this.#noteRoot();
  }

  get size(): number {
    return this.#edge.size;
  }

  root(): Hash {
    return this.#edge.root();
  }

  add(leaf: Uint8Array): void {
    this.#waiting.push(leafHash(leaf));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Compares what was added; keeps a little back until the end, so that what is wrong can be told from what follows. */
  async compare(isEnd: boolean): Promise<Finding | undefined> {
    const ready = isEnd ? this.#waiting.length : Math.max(0, this.#waiting.length - around);
    if (ready === 0) return undefined;
    const from = this.#edge.size;
    const computed = Buffer.concat(this.#waiting.slice(0, ready));
    const stored = await this.#stored(from, from + ready);
    if (!computed.equals(stored)) return this.#located(from);
    for (let at = 0; at < computed.length; ) {
      // The root is wanted at some sizes on the way.
      const next = this.#wanted[0] === undefined ? computed.length : (this.#wanted[0] - from) * hashBytes;
      const end = Math.min(computed.length, next);
      const wrong = await this.#tiles(this.#edge.append(computed.subarray(at, end)));
      if (wrong) return wrong;
      this.#noteRoot();
      at = end;
    }
    this.#waiting = this.#waiting.slice(ready);
    return undefined;
  }

  #noteRoot(): void {
    while (this.#wanted[0] === this.#edge.size) this.roots.set(this.#wanted.shift()!, this.#edge.root());
  }

  /** What is wrong with the first of the waiting entries that is not as it was stored. */
  async #located(from: number): Promise<Finding> {
    const stored = await this.#stored(from, from + this.#waiting.length + around);
    const was = (i: number) => stored.subarray(i * hashBytes, (i + 1) * hashBytes);
    const count = Math.floor(stored.length / hashBytes);
    let at = 0;
    while (at < count && this.#waiting[at]?.equals(was(at))) at++;
    const index = from + at;
    const here = this.#waiting[at];
    if (at >= count) {
      return { kind: 'inserted', index, text: `Entry ${index} is one more than the log has.` };
    }
    const hereWasBefore = here !== undefined && has(count, was, here, at);
    const isStillThere = this.#waiting.slice(at).some((hash) => hash.equals(was(at)));
    if (hereWasBefore && isStillThere) {
      // Where an entry was put in, all after it are later by one; where it changed places, others stand as they did.
      const isShifted =
        this.#waiting[at + 1]?.equals(was(at)) &&
        !this.#waiting.slice(at + 2).some((hash, i) => hash.equals(was(at + 2 + i)));
      return isShifted
        ? { kind: 'inserted', index, text: `Entry ${index} was put in: it is one that stands elsewhere.` }
        : { kind: 'reordered', index, text: `Entry ${index} stands where another stood: the order was changed.` };
    }
    if (hereWasBefore) return { kind: 'removed', index, text: `Entry ${index} is not there any more.` };
    if (isStillThere) return { kind: 'inserted', index, text: `Entry ${index} was put in: it was not there.` };
    if (here === undefined) return { kind: 'cut', index, text: `Entries end before entry ${index}.` };
    return { kind: 'changed', index, text: `Entry ${index} is not what it was.` };
  }
}

function has(count: number, was: (i: number) => Buffer, hash: Buffer, after: number): boolean {
  for (let i = after; i < count; i++) if (was(i).equals(hash)) return true;
  return false;
}
