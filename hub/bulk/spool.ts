/**
 * Takes in a file of an import: its bytes are cut at the ends of lines into parts of some hundred lines, which are
 * sealed and stored as they come, so that a file may be of any length. A part's place is the number of its first line.
 */
import type { Database } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import { keptBytes, putPart } from './files.ts';
import type { Job } from './jobs.ts';

export interface SpoolLimits {
  /** Bytes of one file. */
  maximumBytes: number;
  /** Bytes, sealed, of everything that jobs keep. */
  keptBytes: number;
  /** Bytes of one line; a longer one is reported as such, and left out. */
  lineBytes: number;
}

const partBytes = 384 * 1024;
/** Of very short lines a part has no more: what is stored in one transaction is compared with one another. */
const partLines = 1_000;
/** How often it is looked whether there is room. */
const partsPerLook = 100;
const lineEnd = 0x0a;

/**
 * Stores a file's parts; resolves with the number of lines. `onPart` is called after each. A part without bytes stands
 * for a line that was too long.
 * @throws RecordError 413 where the file is too long, 507 where jobs keep too much already
 */
export async function spool(
  database: Database,
  job: Job,
  file: number,
  source: AsyncIterable<Buffer>,
  limits: SpoolLimits,
  onPart: () => Promise<void>,
): Promise<number> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  /** Those of them that belong to a line whose end has not come. */
  let tailBytes = 0;
  let total = 0;
  let line = 0;
  /** Within a line that is too long: its bytes are passed over. */
  let passing = false;
  let parts = 0;
  const store = async (body: Buffer, lines: number) => {
    if (parts++ % partsPerLook === 0 && (await keptBytes(database)) > limits.keptBytes) {
      throw new RecordError(507, 'no-store', 'Jobs keep as much as they may already; try again when some have ended.');
    }
    if (lines > 0) await putPart(database, job, file, { place: line, lines, body });
    line += lines;
    await onPart();
  };
  const storeAll = async (bytes: Buffer) => {
    for (let from = 0; from < bytes.length; ) {
      const { end, lines } = endOfLines(bytes, from, partLines);
      await store(bytes.subarray(from, end), lines);
      from = end;
    }
  };
  for await (let chunk of source) {
    total += chunk.length;
    if (total > limits.maximumBytes) {
      throw new RecordError(
        413,
        'too-long',
        `A file of an import may have ${limits.maximumBytes} bytes; send it in parts.`,
      );
    }
    if (passing) {
      const end = chunk.indexOf(lineEnd);
      if (end < 0) continue;
      await store(Buffer.alloc(0), 1);
      passing = false;
      chunk = chunk.subarray(end + 1);
    }
    held.push(chunk);
    heldBytes += chunk.length;
    const end = chunk.lastIndexOf(lineEnd);
    tailBytes = end < 0 ? tailBytes + chunk.length : chunk.length - end - 1;
    if (heldBytes < partBytes) continue;
    if (tailBytes < heldBytes) {
      const bytes = Buffer.concat(held, heldBytes);
      const whole = bytes.subarray(0, heldBytes - tailBytes);
      await storeAll(whole);
      held = tailBytes === 0 ? [] : [Buffer.from(bytes.subarray(whole.length))];
      heldBytes = tailBytes;
    }
    if (tailBytes > limits.lineBytes) {
      passing = true;
      held = [];
      heldBytes = 0;
      tailBytes = 0;
    }
  }
  if (passing) await store(Buffer.alloc(0), 1);
  await storeAll(Buffer.concat(held, heldBytes));
  return line;
}

/** The lines of a part, without their ends. */
export function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  while (from < body.length) {
    const end = body.indexOf(lineEnd, from);
    lines.push(body.subarray(from, end < 0 ? body.length : end));
    if (end < 0) break;
    from = end + 1;
  }
  return lines;
}

/** Where the next lines end, at most so many, and how many these are; the last one may be without its end. */
function endOfLines(bytes: Buffer, from: number, most: number): { end: number; lines: number } {
  let end = from;
  let lines = 0;
  while (lines < most && end < bytes.length) {
    const at = bytes.indexOf(lineEnd, end);
    end = at < 0 ? bytes.length : at + 1;
    lines++;
  }
  return { end, lines };
}
