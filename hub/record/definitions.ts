/**
 * The compiled R4 definitions, kept beside the data: compiling them reads some 55 MB of JSON, loading what was compiled
 * takes a few milliseconds. Compiled in a process of its own, so that the hub never holds that memory.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ARTIFACT_FORMAT, definitionsSource, loadDefinitions } from '@causeway/fhir';

/** Loads the definitions from `<dataDir>/cache`; compiles them there first when they are missing or of another version. */
export async function useDefinitions(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'cache');
  const path = join(folder, `${definitionsSource().replace(/[^a-z0-9.]+/g, '-')}-${ARTIFACT_FORMAT}.json`);
  if (load(path)) return;
  mkdirSync(folder, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'compile-definitions.ts'), unfinished]);
  renameSync(unfinished, path);
  load(path);
}

function load(path: string): boolean {
  try {
    return loadDefinitions(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return false;
  }
}
