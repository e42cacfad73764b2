/**
 * The latest checkpoint as a file beside the data, `<dataDir>/audit/checkpoint`: a database that was restored from before
 * it, or is another one, is noticed by it. A witness keeps what it cosigned likewise, a file a log.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export class CheckpointFile {
  readonly #path: string;

  /** @param place below the folder of the audit log */
  constructor(dataDir: string, ...place: string[]) {
    this.#path = join(dataDir, 'audit', ...(place.length > 0 ? place : ['checkpoint']));
  }

  /** The checkpoint; undefined where none was written. */
  async read(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whole and on disk when it resolves; until then the one before stands there. */
  async write(checkpoint: string): Promise<void> {
    const folder = dirname(this.#path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const next = `${this.#path}.next`;
    await written(next, 'w', checkpoint);
    await rename(next, this.#path);
    await written(folder, 'r');
  }
}

async function written(path: string, flags: 'r' | 'w', text?: string): Promise<void> {
  const file = await open(path, flags, 0o644);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
