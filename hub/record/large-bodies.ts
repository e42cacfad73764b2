/**
 * Large bodies are read by a thread before they are read here: one that is refused, of whatever kind it is, keeps nobody
 * waiting but its sender. What passes is read once more, by who works with it.
 */
import type { LowPriority } from './low-priority.ts';

/** Bodies below are read in a few milliseconds. */
export const largeBytes = 256 * 1024;
/** A body that takes longer is refused. */
const readMs = 20_000;

/** A body that was read, and its JSON text where it came in another format. */
export interface ReadBody {
  body: Buffer;
  converted: string | undefined;
}

export class LargeBodies {
  readonly #thread: LowPriority;

  constructor(thread: LowPriority) {
    this.#thread = thread;
  }

  /**
   * Reads a large body, which is handed over to the thread and back.
   * @param isWritten whether it is a resource that is to be stored
   * @throws RecordError as who reads it would; 413 where it takes too long, or is a resource with too many values; 429
   */
  async read(who: string, body: Buffer, format: 'json' | 'xml' | undefined, isWritten: boolean): Promise<ReadBody> {
    const asked = { kind: 'body', body, format, isWritten } as const;
    const read = await this.#thread.run(who, asked, readMs, movable(body));
    return {
      body: Buffer.from(read.body.buffer, read.body.byteOffset, read.body.byteLength),
      converted: read.converted,
    };
  }
}

/** The memory of a body that is nothing else's. */
function movable({ buffer, byteLength }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
