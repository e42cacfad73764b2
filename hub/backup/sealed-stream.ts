/**
 * A stream sealed in pieces (AES-256-GCM, NIST SP 800-38D): each piece is 4 bytes of length and the sealed bytes, under a
 * key that seals one stream only and the number of the piece as nonce. The last piece is marked in its nonce, so that a
 * piece that was changed, moved or left out is noticed, and so is a stream that was cut.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';

const pieceBytes = 256 * 1024;
const tagBytes = 16;

/** Why a sealed stream does not open; one sentence. */
export class SealedStreamError extends Error {
  override name = 'SealedStreamError';
}

/** Seals what is written to it. @param head is authenticated with each piece */
export class SealingStream extends Transform {
  readonly #key: Buffer;
  readonly #head: Buffer;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #number = 0;

  constructor(key: Buffer, head: Buffer) {
    super();
    this.#key = key;
    this.#head = head;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    // A piece is given out once there is more, since the last one is marked.
    while (this.#heldBytes > pieceBytes) {
      const all = Buffer.concat(this.#held, this.#heldBytes);
      this.#give(all.subarray(0, pieceBytes), false);
      this.#held = [all.subarray(pieceBytes)];
      this.#heldBytes -= pieceBytes;
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#give(Buffer.concat(this.#held, this.#heldBytes), true);
    done();
  }

  #give(piece: Buffer, isLast: boolean): void {
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#number++, isLast)).setAAD(this.#head);
    const sealed = Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(sealed.length);
    this.push(Buffer.concat([length, sealed]));
  }
}

/** Opens what `SealingStream` sealed. */
export class OpeningStream extends Transform {
  readonly #key: Buffer;
  readonly #head: Buffer;
  #held: Buffer = Buffer.alloc(0);
  #number = 0;
  #isEnded = false;

  constructor(key: Buffer, head: Buffer) {
    super();
    this.#key = key;
    this.#head = head;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    try {
      while (this.#held.length >= 4) {
        const length = this.#held.readUInt32BE(0);
        if (length < tagBytes || length > pieceBytes + tagBytes) throw damaged(this.#number);
        if (this.#held.length < 4 + length) break;
        this.push(this.#open(this.#held.subarray(4, 4 + length)));
        this.#held = this.#held.subarray(4 + length);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#isEnded && this.#held.length === 0) done();
    else done(new SealedStreamError(`The file was cut short after ${this.#number} pieces.`));
  }

  #open(sealed: Buffer): Buffer {
    if (this.#isEnded) throw new SealedStreamError('Something was added to the file after its end.');
    const number = this.#number++;
    for (const isLast of [false, true]) {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(number, isLast));
      decipher.setAAD(this.#head).setAuthTag(sealed.subarray(-tagBytes));
      const opened = decipher.update(sealed.subarray(0, -tagBytes));
      try {
        decipher.final();
      } catch {
        continue;
      }
      this.#isEnded = isLast;
      return opened;
    }
    throw damaged(number);
  }
}

function damaged(number: number): SealedStreamError {
  return new SealedStreamError(`The file is damaged in its piece ${number + 1} (of ${pieceBytes / 1024} KiB each).`);
}

function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
