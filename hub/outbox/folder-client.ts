/** Puts each message as a file into a folder of the machine: on disk under another name first, then under its own. */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, Client, FileOutgoing } from './answer.ts';
import { fileName } from './file-name.ts';

export class FolderClient implements Client {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(outgoing: FileOutgoing): Promise<Answer> {
    const path = join(this.#folder, fileName(outgoing));
    const part = join(this.#folder, `.${fileName(outgoing)}.part`);
    try {
      const file = await open(part, 'w');
      try {
        await file.writeFile(outgoing.bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, path);
      const folder = await open(this.#folder, 'r');
      await folder.sync().finally(() => folder.close());
      return { kind: 'delivered' };
    } catch (error) {
      return { kind: 'unreachable', reason: `The file cannot be written (${(error as NodeJS.ErrnoException).code}).` };
    }
  }

  close(): void {}
}
