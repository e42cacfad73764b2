/** A folder on the hub's own machine, below one that the operator allowed. */
import { createReadStream } from 'node:fs';
import { lstat, mkdir, readdir, realpath, rename } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Folder } from './files.ts';
import { sampleFiles, takeFiles } from './files.ts';
import { type Run, type Source, SourceFault } from './run.ts';
import type { FilesSettings } from './settings.ts';

/** @param allowed absolute paths of folders below which connectors may take files @param longest bytes of a message */
export function localFolderSource(allowed: readonly string[], longest: number): Source {
  return {
    run: async (run) =>
      takeFiles(run as Run<FilesSettings>, await openFolder(run.settings as FilesSettings, allowed), longest),
    sample: async (run) =>
      sampleFiles(run as Run<FilesSettings>, await openFolder(run.settings as FilesSettings, allowed), longest),
  };
}

async function openFolder({ path }: FilesSettings, allowed: readonly string[]): Promise<Folder> {
  const folder = await realpath(path).catch(() => {
    throw new SourceFault('The folder is not there, or the hub may not read it.');
  });
  const real = await Promise.all(allowed.map((one) => realpath(one).catch(() => undefined)));
  // Looked at where the folder really is: a link must not lead out of what was allowed.
  if (!real.some((one) => one !== undefined && (folder === one || folder.startsWith(one + sep)))) {
    throw new SourceFault('The folder lies below none that the operator allowed (--connector-folders).');
  }
  const look = async (name: string) => {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    return found && { name, size: found.size, modified: found.mtime };
  };
  return {
    async list() {
      const entries = await readdir(folder, { withFileTypes: true });
      const files = await Promise.all(entries.filter((entry) => entry.isFile()).map(({ name }) => look(name)));
      return files.filter((file) => file !== undefined);
    },
    look,
    open: async (name) => createReadStream(join(folder, name)),
    async move(name, to) {
      const below = join(folder, to);
      await mkdir(below, { recursive: true });
      const taken = new Set(await readdir(below));
      await rename(join(folder, name), join(below, taken.has(name) ? `${Date.now()}-${name}` : name));
    },
    close: async () => {},
  };
}
