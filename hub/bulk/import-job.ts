/**
 * Carries out an import. Each part of the input is stored in one transaction that also takes the part away and counts
 * it, so that whatever happens no line is stored twice or lost, and any hub can go on with what is left.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Transaction } from '../database/index.ts';
import { faultReason } from '../faults.ts';
import { type FhirRecord, type Issue, RecordError } from '../record/index.ts';
import type { Access, Role } from '../trust/index.ts';
import { type BulkFile, filesOf, nextPart, type Part, putPart, removePart } from './files.ts';
import { problem, type ReadLines, readLines, storeLines } from './import-lines.ts';
import { fetchFile } from './import-source.ts';
import { type Job, type Jobs, LeaseLost } from './jobs.ts';
import { outcomeLine } from './messages.ts';
import { linesOf, spool } from './spool.ts';
import { AccessEnded } from './standing.ts';

export interface ImportLimits {
  /** Bytes of one file. */
  maximumBytes: number;
  lineBytes: number;
  /** Bytes, sealed, of everything that jobs keep. */
  keptBytes: number;
  /** Milliseconds without a byte from a server that a file is fetched from. */
  idleMs: number;
  /** Bad lines that are described; more are counted. */
  problems: number;
  /** Milliseconds between attempts to fetch a file, for each attempt but the last. */
  fetchPausesMs: readonly number[];
}

export interface ImportParts {
  database: Database;
  record: FhirRecord;
  jobs: Jobs;
  limits: ImportLimits;
}

/** The number of the file of problems with an input's lines. */
export function problemsFile(input: number, inputs: number): number {
  return inputs + input;
}

/**
 * Carries out a job, from where it stands.
 * @param now the access of who asked for it, decided anew
 * @throws LeaseLost, AccessEnded, and what the database throws
 */
export async function runImport(
  parts: ImportParts,
  job: Job,
  now: () => Promise<Access>,
  signal: AbortSignal,
): Promise<void> {
  const files = await filesOf(parts.database, job.id);
  const inputs = files.filter(({ category }) => category === 'input');
  for (const input of inputs) {
    if (!input.ready) await fetchInput(parts, job, input, inputs.length, now, signal);
    await storeInput(parts, job, input, inputs.length, now, signal);
  }
  await parts.database.transaction(async (transaction) => {
    const { rows } = await transaction.query('SELECT done FROM bulk_job WHERE id = $1 FOR UPDATE', [job.id]);
    await parts.jobs.complete(transaction, job.id, { seq: undefined, at: new Date(), done: rows[0]?.done ?? 0 });
  });
}

/** Fetches a file into parts, from its beginning; where that fails for good, the failure is the file's problem. */
async function fetchInput(
  parts: ImportParts,
  job: Job,
  input: BulkFile,
  inputs: number,
  now: () => Promise<Access>,
  signal: AbortSignal,
): Promise<void> {
  const { database, limits } = parts;
  let failure: RecordError | undefined;
  for (const pauseMs of [...limits.fetchPausesMs, undefined]) {
    await parts.jobs.removeParts(job.id, input.number);
    try {
      await spool(database, job, input.number, fetchFile(input.url!, limits, signal), limits, async () => {
        signal.throwIfAborted();
        await now();
      });
      failure = undefined;
      break;
    } catch (error) {
      if (!(error instanceof RecordError) || error instanceof AccessEnded) throw error;
      failure = error;
      if (error.status < 500) break;
      if (pauseMs !== undefined) await pause(pauseMs, undefined, { signal });
    }
  }
  if (failure) await parts.jobs.removeParts(job.id, input.number);
  await database.transaction(async (transaction) => {
    await parts.jobs.advance(transaction, job.id, 0, failure ? 1 : 0);
    if (failure) await putProblems(transaction, parts, job, input, inputs, 0, [failure.issues]);
    await transaction.query('UPDATE bulk_file SET ready = true WHERE job = $1 AND number = $2', [job.id, input.number]);
  });
}

/** Works off an input's parts; while one is being stored the next is read. */
async function storeInput(
  parts: ImportParts,
  job: Job,
  input: BulkFile,
  inputs: number,
  now: () => Promise<Access>,
  signal: AbortSignal,
): Promise<void> {
  const type = input.type === '' ? undefined : input.type;
  const read = async (access: Access, from: number): Promise<ReadPart | undefined> => {
    const part = await nextPart(parts.database, job, input.number, from);
    return part && { part, role: access.role, lines: readLines(access, part, type, parts.limits.lineBytes) };
  };
  let next = await read(await now(), 0);
  while (next) {
    signal.throwIfAborted();
    const access = await now();
    if (access.role !== next.role) next = (await read(access, 0))!;
    const { part, lines } = next;
    const stored = storePart(parts, { ...job, access }, input, inputs, part, lines);
    // A failure to read ahead comes again, and is told, when the part is read in its turn.
    const ahead = read(access, part.place + 1).catch(() => undefined);
    const whole = await stored;
    next = (whole ? await ahead : undefined) ?? (await read(access, 0));
  }
}

/** A part, and its lines as somebody of a role may change what they say. */
interface ReadPart {
  part: Part;
  role: Role;
  lines: ReadLines;
}

/** Stores a part; false where it was cut in two instead, because something in it cannot be stored. */
async function storePart(
  parts: ImportParts,
  job: Job,
  input: BulkFile,
  inputs: number,
  part: Part,
  lines: ReadLines,
): Promise<boolean> {
  try {
    await commit(parts, job, input, inputs, part, lines);
    return true;
  } catch (error) {
    if (!isOfContent(error)) throw error;
    if (lines.good.length + lines.bad.length <= 1) {
      const bad = [problem(part.place + 1, 'processing', `cannot be stored: ${faultReason(error)}`)];
      await commit(parts, job, input, inputs, part, { good: [], bad, keys: [], patients: [] });
      return true;
    }
    await cut(parts, job, input, part);
    return false;
  }
}

async function commit(
  parts: ImportParts,
  job: Job,
  input: BulkFile,
  inputs: number,
  part: Part,
  lines: ReadLines,
): Promise<void> {
  const { good, keys, patients } = lines;
  let stored = 0;
  await parts.record.writer.write({
    keys,
    patients,
    texts: true,
    alone: true,
    size: good.length,
    apply: async (set, transaction) => {
      if (!(await removePart(transaction, job, input.number, part.place))) throw new LeaseLost('The part is stored.');
      const bad = [...lines.bad, ...(await storeLines(parts.record, set, good))];
      stored = good.length + lines.bad.length - bad.length;
      if (bad.length > 0) await putProblems(transaction, parts, job, input, inputs, part.place, bad);
      await transaction.query({
        name: 'bulk_file_count',
        text: 'UPDATE bulk_file SET lines = coalesce(lines, 0) + $3 WHERE job = $1 AND number = $2',
        values: [job.id, input.number, stored],
      });
      await parts.jobs.advance(transaction, job.id, stored, bad.length);
    },
    audit: () => ({
      access: job.access,
      entry: {
        action: 'import',
        what: `/$import ${job.id}: ${stored} resources from line ${part.place + 1}`,
        status: 200,
        patients,
      },
    }),
  });
}

/** Keeps what is wrong with lines, as far as it is described at all. */
async function putProblems(
  transaction: Transaction,
  parts: ImportParts,
  job: Job,
  input: BulkFile,
  inputs: number,
  place: number,
  problems: readonly Issue[][],
): Promise<void> {
  const file = problemsFile(input.number, inputs);
  const { rows } = await transaction.query('SELECT lines FROM bulk_file WHERE job = $1 AND number = $2', [
    job.id,
    file,
  ]);
  const room = parts.limits.problems - (rows[0]?.lines ?? 0);
  const kept = problems.slice(0, Math.max(0, room));
  if (kept.length === 0) return;
  const body = Buffer.from(kept.map((issues) => `${outcomeLine(issues)}\n`).join(''));
  await putPart(transaction, job, file, { place, lines: kept.length, body });
  await transaction.query('UPDATE bulk_file SET lines = lines + $3 WHERE job = $1 AND number = $2', [
    job.id,
    file,
    kept.length,
  ]);
}

/** Cuts a part in two, so that the lines that can be stored are. */
async function cut(parts: ImportParts, job: Job, input: BulkFile, part: Part): Promise<void> {
  const lines = linesOf(part.body);
  const middle = Math.ceil(lines.length / 2);
  const halves = [lines.slice(0, middle), lines.slice(middle)];
  await parts.database.transaction(async (transaction) => {
    await parts.jobs.advance(transaction, job.id, 0, 0);
    if (!(await removePart(transaction, job, input.number, part.place))) throw new LeaseLost('The part is stored.');
    let place = part.place;
    for (const half of halves) {
      const body = Buffer.from(Buffer.concat(half.flatMap((line) => [line, Buffer.from('\n')])));
      await putPart(transaction, job, input.number, { place, lines: half.length, body });
      place += half.length;
    }
  });
}

/** Whether a failure lies in what is stored, not in the database or the way to it: PostgreSQL's classes 22, 23 and 54. */
function isOfContent(error: unknown): boolean {
  if (error instanceof LeaseLost) return false;
  if (error instanceof RecordError) return error.status < 500;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return /^(22|23|54)[0-9A-Z]{3}$/.test(code);
  return error instanceof Error && error.constructor === Error;
}
