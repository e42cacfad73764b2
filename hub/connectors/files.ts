/**
 * Taking files from a folder, wherever it is: those that did not change for a while, the oldest first, one after the
 * other. A file is read as it streams; how far it was taken is noted, so that after a break it is gone on with there.
 * What is wrong with a file goes to a list with its reason; what is wrong with the source ends the run.
 */

import type { Received } from '../inbox/index.ts';
import { fileMessages } from './file-messages.ts';
import { digestOf, type Item } from './items.ts';
import type { Run, Sample } from './run.ts';
import type { FilesSettings } from './settings.ts';
import { UnreadableFile } from './split-v2.ts';
import { rowMessage, tableRows } from './table-rows.ts';

export interface FoundFile {
  name: string;
  size: number;
  modified: Date;
}

/** A folder that is reached. Names are of files directly in it. */
export interface Folder {
  list(): Promise<FoundFile[]>;
  open(name: string): Promise<AsyncIterable<Uint8Array>>;
  /** A file as it is now; undefined where there is none any more. */
  look(name: string): Promise<FoundFile | undefined>;
  /** Moves a file to a folder below; where there is one of the name, under another. */
  move(name: string, to: 'done' | 'failed'): Promise<void>;
  close(): Promise<void>;
}

/** How far a file was taken. */
interface FileProgress {
  file?: string;
  digest?: string;
  done?: number;
  refused?: number;
  reason?: string;
}

const atOnce = 200;
const bytesAtOnce = 8 * 1024 * 1024;
const sampled = 20;

/** Takes all files that are whole. */
export async function takeFiles(run: Run<FilesSettings>, folder: Folder, longest: number): Promise<void> {
  const wait = run.settings.stableSeconds * 1_000;
  const files = await chosen(run.settings, folder);
  const whole = files.filter(({ modified }) => Date.now() - modified.getTime() >= wait);
  const items = whole.map((file) => ({ file, item: file.name, digest: digestOfFile(file) }));
  // What was taken or failed as it is now lies there still because it could not be moved, or is only remembered.
  for (const one of await run.items.changed(items)) {
    run.signal.throwIfAborted();
    await takeFile(run, folder, one, longest);
  }
}

/** What the first files hold. */
export async function sampleFiles(
  run: Omit<Run<FilesSettings>, 'save' | 'take'>,
  folder: Folder,
  longest: number,
): Promise<Sample> {
  const files = await chosen(run.settings, folder);
  const first = files[0];
  const names = files.slice(0, 10).map(({ name }) => name);
  if (!first) return { found: 'There is no such file in the folder.', names, messages: [] };
  const count = files.length === 1 ? 'There is one file' : `There are ${files.length} files`;
  const found = `${count}; this is what ${first.name} begins with.`;
  const content = await folder.open(first.name);
  if (run.settings.content === 'messages') {
    const messages: Received[] = [];
    for await (const message of fileMessages(run, first.name, content, longest)) {
      messages.push(message);
      if (messages.length === 3) break;
    }
    return { found, names, messages };
  }
  const rows: Sample['rows'] = [];
  const messages: Received[] = [];
  for await (const { line, row } of tableRows(content, run.settings.table!)) {
    rows.push(row);
    messages.push(rowMessage(run, row, placeOf(first, line)));
    if (rows.length === sampled) break;
  }
  return { found, names, rows, messages };
}

async function takeFile(
  run: Run<FilesSettings>,
  folder: Folder,
  { file, item, digest }: Item & { file: FoundFile },
  longest: number,
): Promise<void> {
  const progress = run.progress as FileProgress;
  const isBegun = progress.file === item && progress.digest === digest.toString('hex');
  const at: Required<Pick<FileProgress, 'done' | 'refused'>> & FileProgress = isBegun
    ? { ...progress, done: progress.done ?? 0, refused: progress.refused ?? 0 }
    : { file: item, digest: digest.toString('hex'), done: 0, refused: 0 };
  let fault: string | undefined;
  try {
    await takeContent(run, file, await folder.open(file.name), at, longest);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    fault = error.message;
  }
  const now = await folder.look(file.name);
  if (now === undefined || !digestOfFile(now).equals(digest)) {
    // Somebody writes to it: what came meanwhile is taken by the next run, which begins it anew.
    await run.save({});
    return;
  }
  const reason =
    fault ?? (at.refused > 0 ? `${at.refused} of ${at.done} were refused, the first: ${at.reason}` : undefined);
  await run.items.note([{ item, digest }], reason === undefined ? 'taken' : 'failed', reason);
  if (run.settings.after === 'move') await folder.move(file.name, reason === undefined ? 'done' : 'failed');
  await run.save({});
}

/** Takes what is in a file, from where it was left. */
async function takeContent(
  run: Run<FilesSettings>,
  file: FoundFile,
  content: AsyncIterable<Uint8Array>,
  at: { done: number; refused: number } & FileProgress,
  longest: number,
): Promise<void> {
  let some: Received[] = [];
  let bytes = 0;
  const flush = async () => {
    if (some.length === 0) return;
    await run.pace(some.length);
    const taken = await run.take(some);
    const refused = taken.filter((one) => one.refused !== undefined);
    at.done += some.length;
    at.refused += refused.length;
    at.reason ??= refused[0]?.refused;
    const unchanged = taken.filter((one) => one.refused === undefined && one.duplicate).length;
    const did = { taken: some.length - refused.length - unchanged, unchanged, refused: refused.length };
    await run.save({ ...at }, did);
    some = [];
    bytes = 0;
  };
  let number = 0;
  const before = at.done;
  try {
    for await (const message of messagesOf(run, file, content, longest)) {
      if (++number <= before) continue;
      run.signal.throwIfAborted();
      some.push(message);
      bytes += message.bytes.length;
      if (some.length === atOnce || bytes > bytesAtOnce) await flush();
    }
  } catch (error) {
    // What stands before the place that is wrong is as good as in a file of its own.
    if (error instanceof UnreadableFile) await flush();
    throw error;
  }
  await flush();
}

async function* messagesOf(
  run: Run<FilesSettings>,
  file: FoundFile,
  content: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<Received> {
  if (run.settings.content === 'messages') {
    yield* fileMessages(run, file.name, content, longest);
    return;
  }
  for await (const { line, row } of tableRows(content, run.settings.table!)) {
    yield rowMessage(run, row, placeOf(file, line));
  }
}

function placeOf({ name, modified }: FoundFile, line: number) {
  return { file: name, line, time: modified.toISOString(), id: `${name}:${line}` };
}

/** The files that are asked for, the oldest first. */
async function chosen({ pattern }: FilesSettings, folder: Folder): Promise<FoundFile[]> {
  const form = pattern === undefined ? /^[^.]/ : new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's');
  const files = (await folder.list()).filter(({ name }) => form.test(name));
  return files.sort((a, b) => a.modified.getTime() - b.modified.getTime() || (a.name < b.name ? -1 : 1));
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function digestOfFile({ size, modified }: FoundFile): Buffer {
  return digestOf(`${size} ${modified.toISOString()}`);
}
