/**
 * Texts that wait, compressed and outside of the JavaScript heap: resources of one document have much in common, and a
 * tenth of their size is left of them.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

const blockLength = 64 * 1024;
const openBlocks = 8;

export class StoredTexts {
  /** Blocks that are full, until all their texts were dropped. */
  readonly #packed: (Buffer | undefined)[] = [];
  /** Texts of each block that were not dropped. */
  readonly #left: number[] = [];
  /** Those that were read last. */
  readonly #open = new Map<number, string[]>();
  /** The last block. */
  #texts: string[] = [];
  #length = 0;

  /** Keeps a text; returns where. */
  put(text: string): TextPlace {
    if (this.#length + text.length > blockLength && this.#texts.length > 0) this.#pack();
    const block = this.#packed.length;
    this.#left[block] = (this.#left[block] ?? 0) + 1;
    this.#length += text.length;
    return { block, index: this.#texts.push(text) - 1 };
  }

  get({ block, index }: TextPlace): string {
    return (block === this.#packed.length ? this.#texts : this.#opened(block))[index]!;
  }

  /** Gives a text up. */
  drop({ block }: TextPlace): void {
    this.#left[block]! -= 1;
    if (this.#left[block] !== 0 || block === this.#packed.length) return;
    this.#packed[block] = undefined;
    this.#open.delete(block);
  }

  #pack(): void {
    const block = this.#packed.length;
    const isEmpty = this.#left[block] === 0;
    this.#packed.push(isEmpty ? undefined : deflateRawSync(JSON.stringify(this.#texts), { level: 1 }));
    this.#texts = [];
    this.#length = 0;
  }

  #opened(block: number): string[] {
    let texts = this.#open.get(block);
    if (texts === undefined) {
      texts = JSON.parse(inflateRawSync(this.#packed[block]!).toString()) as string[];
      this.#open.set(block, texts);
      if (this.#open.size > openBlocks) this.#open.delete(this.#open.keys().next().value!);
    }
    return texts;
  }
}

export interface TextPlace {
  block: number;
  index: number;
}
