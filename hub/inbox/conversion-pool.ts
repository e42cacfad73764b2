/** The threads that convert messages. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { ConvertedMessage, ToConvert } from './converted.ts';

const threads = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Messages handed to a thread at once: few enough that the threads share a batch, many enough to spare round trips. */
const bytesPerTask = 64 * 1024;

export class ConversionPool {
  readonly #threads = new Piscina<ToConvert[], ConvertedMessage[]>({
    filename: new URL('./conversion-worker.ts', import.meta.url).href,
    minThreads: 1,
    maxThreads: threads,
  });

  /** Converts messages; the answers are in their order. Rejects when a thread dies. */
  async convert(messages: ToConvert[]): Promise<ConvertedMessage[]> {
    const tasks: ToConvert[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const message of messages) {
      if (bytes + message.bytes.length > bytesPerTask) {
        tasks.push([]);
        bytes = 0;
      }
      tasks.at(-1)!.push(message);
      bytes += message.bytes.length;
    }
    return (await Promise.all(tasks.map((task) => this.#threads.run(task)))).flat();
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }
}
