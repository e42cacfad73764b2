/** A file system of its own for a hub's data, in memory and small, that can be filled and freed. Only root can mount one. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const stepBytes = 64 * 1_024;

export class SmallDisk {
  readonly #folder: string;
  readonly #filler: string;

  /** Undefined where this account may not mount any. */
  static mounted(folder: string, mib: number): SmallDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=0711`, 'tmpfs', folder], { stdio: 'pipe' });
    return new SmallDisk(folder);
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.#filler = join(folder, 'filler');
  }

  /** Takes all space but so many bytes. */
  fill(left: number): void {
    const file = openSync(this.#filler, 'w', 0o600);
    const { bavail, bsize } = statfsSync(this.#folder);
    const bytes = Buffer.alloc(stepBytes, 1);
    try {
      for (let size = bavail * bsize - left; size > 0; size -= stepBytes)
        writeSync(file, bytes, 0, Math.min(size, stepBytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.#folder], { stdio: 'pipe' });
  }
}
