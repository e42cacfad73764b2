/**
 * The register of erasures: a file beside the data that no restore of the database takes back. A line names an erasure and
 * those it was about by keyed hashes; nothing else of them.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type Line =
  | { v: 1; erasure: string; at: string; tokens: string[] }
  /** Since then what is sent about them is taken again. */
  | { v: 1; lifted: string; at: string };

/** A line of which only the beginning is there: what follows was begun on a line of its own. */
function isCut(line: string): boolean {
  return line.startsWith('{"v":1') && !line.endsWith('}');
}

export class Register {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'erasures');
  }

  lines(): Line[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, 'utf8')
      .split('\n')
      .flatMap((line, i, all) => {
        if (line === '') return [];
        try {
          return JSON.parse(line) as Line;
        } catch {
          // What a crash cut off was not carried out either, and is written anew; a line that is whole ends the file.
          if (i >= all.length - 2 || isCut(line)) return [];
          throw new Error(
            `The register of erasures ${this.#path} is damaged in line ${i + 1}: restore it from a copy.`,
          );
        }
      });
  }

  /** Adds a line; it is on disk when it returns. */
  add(line: Line): void {
    const descriptor = openSync(this.#path, 'a+', 0o600);
    try {
      const isWhole = !existsSync(this.#path) || /(^|\n)$/.test(readFileSync(this.#path, 'utf8'));
      writeSync(descriptor, `${isWhole ? '' : '\n'}${JSON.stringify(line)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}
