/** Bytes that are put together from many small pieces, none of which is held on to. */
export class GrowingBytes {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  push(piece: Buffer): void {
    const length = this.length + piece.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    piece.copy(this.#bytes, this.length);
    this.length = length;
  }

  /** All of them; valid until the next `push`. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}
