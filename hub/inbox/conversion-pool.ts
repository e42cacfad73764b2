/** The threads that convert messages, and write documents. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { LedgerEntry } from '@causeway/mapping';
import type { CcdaOptions, SummaryOptions } from '@causeway/mapping/outbound';
import { Piscina } from 'piscina';
import { type ConvertedMessage, noConversion, type ToConvert } from './converted.ts';
import { type ThreadAnswer, unpackFacts } from './packed-facts.ts';

const threads = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Messages handed to a thread at once: few enough that the threads share a batch, many enough to spare round trips. */
const bytesPerTask = 64 * 1024;
/** A conversion that takes longer is given up, and its thread ended. */
const conversionMs = 120_000;
/** A thread takes some 40 MiB, and a quarter of a second to begin: there is one from the first message on, until none came for so long. */
const idleMs = 600_000;
/** MiB of a semi-space of a thread's young generation. Half of the hub's own: conversions take no longer, and 17 MiB less. */
const youngMib = 8;

export class ConversionPool {
  readonly #threads = new Piscina<
    ToConvert[] | { texts: string[]; options: CcdaOptions | SummaryOptions },
    ConvertedMessage[] | LedgerEntry[] | string
  >({
    filename: new URL('./conversion-worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMs,
  });

  #closing = false;

  /** @param fault told of a thread that failed when nothing waited for it any more */
  constructor(fault: (error: unknown) => void) {
    // Nobody listening, it would end the process.
    this.#threads.on('error', fault);
    // V8 looks at it when a thread begins; that of the main thread has its own already.
    setFlagsFromString(`--max-semi-space-size=${youngMib}`);
  }

  /**
   * Converts messages; the answers are in their order. One that ends its thread is told as not converted. Those above
   * a mebibyte are handed over with their bytes, which are gone here then.
   */
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
    return (await Promise.all(tasks.map((task) => this.#run(task)))).flat();
  }

  /** The whole ledger of a message; empty where it cannot be converted, or not in its time. */
  async ledger(message: ToConvert): Promise<LedgerEntry[]> {
    try {
      const options = { name: 'ledger', signal: AbortSignal.timeout(conversionMs) };
      return (await this.#threads.run([message], options)) as LedgerEntry[];
    } catch (error) {
      if (this.#closing) throw error;
      return [];
    }
  }

  /** A C-CDA document of the texts of resources. */
  async document(texts: string[], options: CcdaOptions): Promise<string> {
    const task = { name: 'document', signal: AbortSignal.timeout(conversionMs) };
    return (await this.#threads.run({ texts, options }, task)) as string;
  }

  /** The International Patient Summary of the texts of resources. */
  async summary(texts: string[], options: SummaryOptions): Promise<string> {
    const task = { name: 'summary', signal: AbortSignal.timeout(conversionMs) };
    return (await this.#threads.run({ texts, options }, task)) as string;
  }

  async #run(task: ToConvert[]): Promise<ConvertedMessage[]> {
    try {
      const signal = AbortSignal.timeout(conversionMs * task.length);
      const transferList = task.length === 1 ? movable(task[0]!) : [];
      const answers = (await this.#threads.run(task, { signal, transferList })) as ThreadAnswer[];
      return await Promise.all(answers.map(unpackFacts));
    } catch (error) {
      if (this.#closing) throw error;
      if (task.length === 1) return [noConversion('The conversion used up its time or memory.')];
      return (await Promise.all(task.map((message) => this.#run([message])))).flat();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#threads.close();
  }
}

const movedBytes = 1024 * 1024;

/** The memory of a large message that is nothing else's. */
function movable({ bytes }: ToConvert): ArrayBuffer[] {
  const { buffer } = bytes;
  return bytes.length > movedBytes && buffer.byteLength === bytes.length && buffer instanceof ArrayBuffer
    ? [buffer]
    : [];
}
