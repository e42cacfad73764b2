/** The files of a cases folder, walked in a steady order; archives are opened and their members told as files. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isArchive, tarMembers } from './tar.ts';

export interface CaseFile {
  /** Path from the cases folder; a member of an archive after the archive's own path and `!`. */
  id: string;
  bytes: Buffer;
}

/** Every file below the named folders of the cases folder; a folder that is not there has none. */
export function* caseFiles(cases: string, folders: readonly string[]): Generator<CaseFile> {
  for (const folder of folders) yield* filesUnder(cases, join(cases, folder));
}

function* filesUnder(cases: string, folder: string): Generator<CaseFile> {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(cases, path);
    else if (entry.isFile()) yield* contentOf(relative(cases, path), path);
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function* contentOf(id: string, path: string): Generator<CaseFile> {
  const bytes = readFileSync(path);
  if (!isArchive(path)) {
    yield { id, bytes };
    return;
  }
  for (const member of tarMembers(path, bytes)) yield { id: `${id}!${member.path}`, bytes: member.bytes };
}
