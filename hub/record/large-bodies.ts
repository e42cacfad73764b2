/**
 * Large bodies are read by a thread before they are read here: one that is refused, of whatever kind it is, keeps nobody
 * waiting but its sender. What passes is read once more, by who works with it.
 */
import type { ParseError } from '@causeway/hl7v2';
import type { BundleHead } from './bundle-head.ts';
import type { Issue } from './errors.ts';
import type { LowPriority } from './low-priority.ts';
import type { ValidationRequest } from './validation.ts';

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
    return { body: again(read.body), converted: read.converted };
  }

  /** What is to be known of a Bundle that is sent as a message; it is handed over and back. @throws RecordError 413, 429 */
  async bundle(who: string, body: Buffer): Promise<{ body: Buffer; head: BundleHead }> {
    const { head, ...read } = await this.#thread.run(who, { kind: 'bundle', body }, readMs, movable(body));
    return { body: again(read.body), head };
  }

  /** Why an HL7 v2 message cannot be read; it is handed over and back. @throws RecordError 413, 429 */
  async message(
    who: string,
    body: Buffer,
    charset?: string,
  ): Promise<{ body: Buffer; unreadable: ParseError | undefined }> {
    const { unreadable, ...read } = await this.#thread.run(who, { kind: 'v2', body, charset }, readMs, movable(body));
    return { body: again(read.body), unreadable };
  }

  /** As `validationIssues`. @throws RecordError 413, 429 */
  async validation(who: string, text: string, request: ValidationRequest): Promise<Issue[]> {
    return (await this.#thread.run(who, { kind: 'validation', text, request }, readMs)).issues;
  }
}

function again({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The memory of a body that is nothing else's. */
function movable({ buffer, byteLength }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
