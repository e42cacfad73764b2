/**
 * What may take long is done by a thread that gives way to all else: one thing at a time, callers in turn, so that one who
 * asks for much waits for it alone. It has a limit on its memory, and what takes too long ends with it.
 */
import { Piscina } from 'piscina';
import { RecordError } from './errors.ts';
import type { Answered, Asked } from './low-priority-worker.ts';

/** The thread holds the definitions, some 40 MiB; it goes when nothing came for so long. */
const idleMs = 60_000;
/** What a caller may have waiting. */
const mostWaiting = 16;
/** MiB of its objects and texts: enough for the largest resource that a hub takes, unless told otherwise. */
const mostMib = 192;

interface Waiting {
  begin(): void;
}

export class LowPriority {
  readonly #threads: Piscina<Asked, Answered>;
  /** By caller, those who waited longest first. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** When callers were served last, as long as somebody waits. */
  readonly #served = new Map<string, number>();
  #isBusy = false;

  /**
   * @param dataDir where the compiled definitions are
   * @param fault told of a thread that failed when nothing waited for it any more, as one may that is ended while it runs out of memory
   */
  constructor(dataDir: string, fault: (error: unknown) => void, maxOldGenerationSizeMb = mostMib) {
    this.#threads = new Piscina({
      filename: new URL('./low-priority-worker.ts', import.meta.url).href,
      workerData: dataDir,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: idleMs,
      resourceLimits: { maxOldGenerationSizeMb, maxYoungGenerationSizeMb: 16 },
    });
    // Nobody listening, it would end the process.
    this.#threads.on('error', fault);
  }

  /**
   * Does something in the thread.
   * @param who for whom; of each only one thing is done before the others have their turn
   * @param moved memory that is handed over, and gone here
   * @throws RecordError as the thread says; 413 where it takes more time or memory than there is, 429 where too much of the caller waits
   */
  async run<Kind extends Asked['kind']>(
    who: string,
    asked: Extract<Asked, { kind: Kind }>,
    ms: number,
    moved: ArrayBuffer[] = [],
  ): Promise<Extract<Answered, { kind: Kind }>> {
    await this.#turn(who);
    try {
      const answered = await this.#threads.run(asked, { signal: AbortSignal.timeout(ms), transferList: moved });
      if (answered.kind === 'refused') throw RecordError.of(answered.status, answered.issues);
      return answered as Extract<Answered, { kind: Kind }>;
    } catch (error) {
      if (isOutOfTime(error)) {
        throw new RecordError(
          413,
          'too-costly',
          'What was sent takes too long to read, or too much memory; send it in parts.',
        );
      }
      throw error;
    } finally {
      this.#next();
    }
  }

  close(): Promise<void> {
    return this.#threads.close({ force: true });
  }

  /** Resolves when it is the caller's turn. */
  #turn(who: string): Promise<void> | undefined {
    if (!this.#isBusy) {
      this.#isBusy = true;
      this.#served.set(who, 1);
      return undefined;
    }
    const mine = this.#waiting.get(who) ?? [];
    if (mine.length >= mostWaiting) {
      const text = 'Too much of what you sent, and takes long, still waits; send one after the other.';
      throw new RecordError(429, 'throttled', text).with('retry-after', '1');
    }
    return new Promise((begin) => {
      this.#waiting.set(who, [...mine, { begin }]);
    });
  }

  /** It is the turn of who was not served for longest. */
  #next(): void {
    const servedAt = ([who]: [string, unknown]) => this.#served.get(who) ?? 0;
    const first = [...this.#waiting].sort((a, b) => servedAt(a) - servedAt(b))[0];
    if (!first) {
      this.#isBusy = false;
      this.#served.clear();
      return;
    }
    const [who, [next, ...later]] = first;
    this.#waiting.delete(who);
    this.#served.set(who, Math.max(...this.#served.values()) + 1);
    if (later.length > 0) this.#waiting.set(who, later);
    next!.begin();
  }
}

function isOutOfTime(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return name === 'AbortError' || code === 'ERR_WORKER_OUT_OF_MEMORY';
}
