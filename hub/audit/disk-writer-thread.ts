/** Runs in a thread of its own: writes what it is given, one after the other, and tells how it ended. */
import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

export interface Asked {
  number: number;
  descriptor: number;
  bytes: Uint8Array;
  at: number;
}

export interface Done {
  number: number;
  failure?: { message: string; code: string | undefined };
}

const port = parentPort!;
port.on('message', ({ number, descriptor, bytes, at }: Asked) => {
  try {
    for (let done = 0; done < bytes.length; )
      done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
    port.postMessage({ number } satisfies Done);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    port.postMessage({ number, failure: { message, code } } satisfies Done);
  }
});
