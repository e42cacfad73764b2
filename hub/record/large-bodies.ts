/**
 * Large bodies are read by a thread before they are read here: one that is refused, of whatever kind it is, keeps nobody
 * waiting but its sender. What passes is read once more, by who works with it.
 */
import { Piscina } from 'piscina';
import { RecordError } from './errors.ts';
import type { BodyRead, BodyToRead } from './large-body-worker.ts';

/** Bodies below are read in a few milliseconds. */
export const largeBytes = 256 * 1024;
/** A body that takes longer is refused. */
const readMs = 20_000;
/** The thread holds the definitions, some 40 MiB; it goes when nothing large came for so long. */
const idleMs = 60_000;

export class LargeBodies {
  readonly #threads: Piscina<BodyToRead, BodyRead>;

  /** @param dataDir where the compiled definitions are */
  constructor(dataDir: string) {
    this.#threads = new Piscina({
      filename: new URL('./large-body-worker.ts', import.meta.url).href,
      workerData: dataDir,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: idleMs,
    });
  }

  /**
   * Reads a large body.
   * @returns its JSON text, where it came in another format
   * @throws RecordError as who reads it would; 413 where it takes too long, or is a resource with too many values
   */
  async read(asked: BodyToRead): Promise<string | undefined> {
    const read = await this.#threads.run(asked, { signal: AbortSignal.timeout(readMs) }).catch((error) => {
      if ((error as Error).name !== 'AbortError') throw error;
      throw new RecordError(413, 'too-costly', 'The body takes too long to read; send it in parts.');
    });
    if ('refused' in read) throw RecordError.of(read.refused.status, read.refused.issues);
    return read.converted;
  }

  close(): Promise<void> {
    return this.#threads.close({ force: true });
  }
}
