/**
 * The compiled R4 definitions, kept beside the data: compiling them reads some 60 MB of JSON, loading what was compiled
 * takes a few milliseconds. Compiled in a process of its own, so that the hub never holds that memory.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  ARTIFACT_FORMAT,
  definitionsSource,
  loadDefinitions,
  TERMINOLOGY_FORMAT,
  useTerminology,
} from '@causeway/fhir';

/** Loads the definitions from `<dataDir>/cache`; compiles them there first when they are missing or of another version. */
export async function useDefinitions(dataDir: string): Promise<void> {
  const asked = join(dataDir, 'cache');
  mkdirSync(asked, { recursive: true });
  // The place itself: a link to it may be gone when a published value set is first asked for.
  const folder = realpathSync(asked);
  const source = definitionsSource().replace(/[^a-z0-9.]+/g, '-');
  const definitions = join(folder, `${source}-${ARTIFACT_FORMAT}.json`);
  const terminology = join(folder, `${source}-terminology-${TERMINOLOGY_FORMAT}.ndjson`);
  useTerminology(() => readFile(terminology));
  if (existsSync(terminology) && load(definitions)) return;
  const files = [terminology, definitions];
  const unfinished = files.map((path) => `${path}.${process.pid}`);
  await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'compile-definitions.ts'), ...unfinished]);
  for (const [i, path] of files.entries()) renameSync(unfinished[i]!, path);
  load(definitions);
}

function load(path: string): boolean {
  try {
    return loadDefinitions(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return false;
  }
}
