/** Where a simulated site keeps what it was sent: a file for each control id, the same file when it is sent again. */
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

export class KeptFiles {
  readonly #folder: string;
  #made: Promise<unknown> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Resolves once the file is on disk. @param name a control id; it must be 1 to 64 letters, digits and dashes */
  async keep(name: string, extension: string, bytes: Uint8Array): Promise<void> {
    this.#made ??= mkdir(this.#folder, { recursive: true });
    await this.#made;
    const path = join(this.#folder, `${name}.${extension}`);
    const file = await open(`${path}.part`, 'w');
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
  }
}

/** Whether a control id can name a file. */
export function canName(controlId: string): boolean {
  return /^[A-Za-z0-9-]{1,64}$/.test(controlId);
}
