/**
 * What is told at the terminal while a hub starts and ends: a line a sentence, and how far a long step is in place; and what
 * commands that other programs read come to, as JSON. None of it is the log.
 */
import type { Progress } from './lifecycle.ts';

/**
 * Tells at the terminal what a hub that starts is doing.
 * @param name of the hub, before each line, where several tell
 */
export function terminalProgress(name?: string): Progress {
  const of = name === undefined ? '' : `${name}: `;
  let counting = false;
  let shown = 0;
  const endCount = () => {
    if (counting) process.stdout.write('\n');
    counting = false;
  };
  // By the console, which goes on where nobody listens any more; what is told is no log, and holds nothing of a person.
  return {
    say: (text) => {
      endCount();
      console.log(`${of}${text}`);
    },
    count: (text, done, total) => {
      if (!process.stdout.isTTY) {
        if (done >= total) console.log(`${of}${text}: ${done} of ${total}`);
        return;
      }
      if (done < total && performance.now() - shown < 100) return;
      shown = performance.now();
      counting = true;
      process.stdout.write(`\r${of}${text}: ${done} of ${total}`);
      if (done >= total) endCount();
    },
    fail: () => {},
  };
}

/** Tells what a command came to, on standard output, a line of JSON. @param result without health data of anybody */
export function tellResult(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
