/**
 * Writes to files by a thread of its own: Node's few threads for files, which passwords that are hashed, names that are looked
 * up and folders that do not answer may keep busy for long, are not waited for.
 */
import { Worker } from 'node:worker_threads';
import type { Asked, Done } from './disk-writer-thread.ts';

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

let thread: Worker | undefined;
let last = 0;
const waiting = new Map<number, Waiting>();

/**
 * Resolves once all bytes are written. @param bytes with memory of their own, which is given away
 * @throws where the file does not take them
 */
export function writtenApart(descriptor: number, bytes: Buffer<ArrayBuffer>, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked: Asked = { number: ++last, descriptor, bytes, at };
    thread ??= begun();
    // Alone it keeps no process from ending; while something is written it does.
    if (waiting.size === 0) thread.ref();
    waiting.set(asked.number, { resolve, reject });
    thread.postMessage(asked, [bytes.buffer]);
  });
}

function begun(): Worker {
  const made = new Worker(new URL('disk-writer-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  });
  made.on('message', ({ number, failure }: Done) => {
    const one = waiting.get(number);
    waiting.delete(number);
    if (waiting.size === 0) made.unref();
    if (failure === undefined) one?.resolve();
    else one?.reject(Object.assign(new Error(failure.message), { code: failure.code }));
  });
  const ended = (error: Error) => {
    if (thread === made) thread = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  made.once('error', ended);
  made.once('exit', () => ended(new Error('The thread that writes the journal has ended.')));
  return made;
}
