/**
 * Requests that are answered later (FHIR R4 asynchronous request pattern, https://hl7.org/fhir/R4/async.html): carried
 * out as their owner, and their answer kept as the one line of a file.
 */
import { Readable } from 'node:stream';
import type { Database } from '../database/index.ts';
import { type Issue, RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { type BulkFile, insertFiles, type Part, partsOf, putPart } from './files.ts';
import type { Job, Jobs } from './jobs.ts';

/** A request as it came, without who made it. */
export interface DeferredRequest {
  method: string;
  /** From the slash on. */
  url: string;
  headers: Record<string, string>;
  /** Whether it must not be carried out twice. */
  once: boolean;
}

/** Carries a request out as somebody; the body of the answer is JSON on one line. */
export type Perform = (
  access: Access,
  request: DeferredRequest & { body: Readable | undefined },
) => Promise<{ status: number; body: string }>;

const sliceBytes = 1024 * 1024;
const bodyFile = 1;
const answerFile = 2;

/** Keeps a request's body. */
export async function putBody(database: Database, job: Job, body: AsyncIterable<Buffer>): Promise<void> {
  await putSlices(database, job, bodyFile, body);
}

/** Carries out a job. @throws RecordError where the request was refused, LeaseLost, and what the database throws */
export async function runDeferred(
  parts: { database: Database; jobs: Jobs; perform: Perform },
  job: Job,
  now: () => Promise<Access>,
): Promise<void> {
  const { database, jobs, perform } = parts;
  const request = job.parameters as DeferredRequest;
  if (request.once && job.attempts > 1) {
    const text =
      'The hub ended while it carried the request out; look whether what it changes was changed before sending it again.';
    throw new RecordError(500, 'incomplete', text);
  }
  const slices = partsOf(database, job, bodyFile);
  const first = await slices.next();
  const body = first.done ? undefined : Readable.from(bytesOf(first.value, slices), { objectMode: false });
  const at = new Date();
  const answer = await perform(await now(), { ...request, body });
  if (answer.status >= 400) throw RecordError.of(answer.status, issuesOf(answer.body));
  await now();
  await jobs.removeParts(job.id);
  await putSlices(database, job, answerFile, [Buffer.from(`${answer.body}\n`)]);
  await database.transaction(async (transaction) => {
    await insertFiles(transaction, job.id, [answerOf(answer.body)]);
    await jobs.complete(transaction, job.id, { seq: undefined, at, done: 1 });
  });
}

/** The answer that a job keeps. */
export async function keptAnswer(database: Database, job: Job): Promise<string> {
  const slices: Buffer[] = [];
  for await (const { body } of partsOf(database, job, answerFile)) slices.push(body);
  return Buffer.concat(slices).toString();
}

function answerOf(body: string): BulkFile {
  const type = /^\{"resourceType":"([A-Za-z]+)"/.exec(body)?.[1] ?? 'Bundle';
  const own = { from: undefined, to: undefined, url: undefined, ready: true };
  return { ...own, number: answerFile, category: 'output', content: 'lines', type, lines: 1 };
}

async function* bytesOf(first: Part, others: AsyncIterable<Part>): AsyncGenerator<Buffer> {
  yield first.body;
  for await (const { body } of others) yield body;
}

async function putSlices(
  database: Database,
  job: Job,
  file: number,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<void> {
  await database.query('DELETE FROM bulk_part WHERE job = $1 AND file = $2', [job.id, file]);
  let place = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const put = async () => {
    const bytes = Buffer.concat(held);
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      await putPart(database, job, file, { place: place + at, lines: 0, body: bytes.subarray(at, at + sliceBytes) });
    }
    place += bytes.length;
    held = [];
    heldBytes = 0;
  };
  for await (const chunk of chunks) {
    held.push(chunk);
    heldBytes += chunk.length;
    if (heldBytes >= sliceBytes) await put();
  }
  await put();
}

function issuesOf(body: string): Issue[] {
  try {
    const { issue } = JSON.parse(body) as {
      issue?: { severity: string; code: string; diagnostics?: string; expression?: string[] }[];
    };
    return (issue ?? []).map(({ code, diagnostics, expression }) => ({
      severity: 'error',
      code,
      diagnostics: diagnostics ?? 'The request was refused.',
      ...(expression?.[0] === undefined ? {} : { expression: expression[0] }),
    }));
  } catch {
    return [{ severity: 'error', code: 'exception', diagnostics: 'The request was not answered.' }];
  }
}
