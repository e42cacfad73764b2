/** Cuts a file of HL7 v2 into its messages while it is read: with or without the headers and trailers of a batch, or frames. */

/** A message is longer than may be, or the file is none of messages. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile';
}

const newline = /[\r\n\x0b\x1c]/;

/**
 * The messages of a file, each as it stood, without what a batch or a frame puts around it.
 * @throws UnreadableFile where one is longer than `longest` bytes, or the trailer of a batch counts other than there were
 */
export async function* splitV2(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  const tally = new Tally();
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    // latin1 keeps the places: one character a byte.
    const text = rest.toString('latin1');
    const cuts = [...text.matchAll(/(?<=[\r\n\x0b\x1c])MSH/g)].map(({ index }) => index);
    let from = 0;
    for (const to of cuts) {
      const message = tally.message(rest.subarray(from, to));
      if (message) yield message;
      from = to;
    }
    rest = rest.subarray(from);
    if (rest.length > longest) throw new UnreadableFile(`A message of the file has more than ${longest} bytes.`);
  }
  const message = tally.message(rest);
  if (message) yield message;
  tally.end();
}

/** Takes batch segments off and holds the trailers against what came. */
class Tally {
  #inBatch = 0;
  #fault: string | undefined;

  message(bytes: Buffer): Buffer | undefined {
    const text = bytes.toString('latin1');
    const start = text.startsWith('MSH') ? 0 : text.search(/(?<=[\r\n\x0b\x1c])MSH/);
    const end = text.search(/(?<=[\r\n])(BTS|FTS|BHS|FHS)/);
    const lines = text.slice(end < 0 ? (start < 0 ? 0 : text.length) : end).split(newline);
    if (start === 0) this.#inBatch++;
    for (const line of lines) this.#note(line);
    if (start !== 0) return undefined;
    const message = bytes.subarray(0, end < 0 ? bytes.length : end);
    return trimmed(message);
  }

  #note(line: string): void {
    if (line.startsWith('BHS')) this.#inBatch = 0;
    if (!line.startsWith('BTS')) return;
    const claimed = /^BTS.(\d+)/.exec(line)?.[1];
    if (claimed !== undefined && Number(claimed) !== this.#inBatch)
      this.#fault ??= `A batch of the file says that it has ${claimed} messages, and has ${this.#inBatch}.`;
    this.#inBatch = 0;
  }

  end(): void {
    if (this.#fault !== undefined) throw new UnreadableFile(this.#fault);
  }
}

/** Without the bytes of a frame and empty lines at its end. */
function trimmed(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && [0x0a, 0x0d, 0x0b, 0x1c].includes(bytes[end - 1]!)) end--;
  return Buffer.concat([bytes.subarray(0, end), Buffer.from('\r')]);
}
