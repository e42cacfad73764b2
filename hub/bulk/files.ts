/** The rows of a job's files, and their sealed parts. */
import type { Queryable } from '../database/index.ts';
import { open, seal, type VersionKey } from '../record/index.ts';
import type { Job } from './jobs.ts';

export interface BulkFile {
  number: number;
  category: 'output' | 'deleted' | 'error' | 'input';
  /** What the parts hold, or, for a range, what is read from the record when it is downloaded. */
  content: 'range' | 'keys' | 'lines' | 'input';
  /** The type of the resources; for `deleted`, of those that were deleted. */
  type: string;
  from: number | undefined;
  to: number | undefined;
  /** How many lines it has; undefined where that is known only when it is read. */
  lines: number | undefined;
  /** Where an import's input comes from. */
  url: string | undefined;
  /** Whether all of an import's input is there. */
  ready: boolean;
}

export interface Part {
  place: number;
  lines: number;
  body: Buffer;
}

/** The files of a job, by number. */
export async function filesOf(database: Queryable, job: string): Promise<BulkFile[]> {
  const { rows } = await database.query({
    name: 'bulk_files',
    text: 'SELECT * FROM bulk_file WHERE job = $1 ORDER BY number',
    values: [job],
  });
  return rows.map((row) => ({
    number: row.number,
    category: row.category,
    content: row.content,
    type: row.type,
    from: row.from_home ?? undefined,
    to: row.to_home ?? undefined,
    lines: row.lines ?? undefined,
    url: row.url ?? undefined,
    ready: row.ready,
  }));
}

export async function insertFiles(database: Queryable, job: string, files: readonly BulkFile[]): Promise<void> {
  for (const file of files) {
    await database.query({
      name: 'bulk_file_insert',
      text: `INSERT INTO bulk_file (job, number, category, content, type, from_home, to_home, lines, url, ready)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      values: [
        job,
        file.number,
        file.category,
        file.content,
        file.type,
        file.from ?? null,
        file.to ?? null,
        file.lines ?? null,
        file.url ?? null,
        file.ready,
      ],
    });
  }
}

/** Stores a part, sealed. */
export async function putPart(database: Queryable, job: Job, file: number, part: Part): Promise<void> {
  await database.query({
    name: 'bulk_part_put',
    text: 'INSERT INTO bulk_part (job, file, place, lines, body) VALUES ($1, $2, $3, $4, $5)',
    values: [job.id, file, part.place, part.lines, seal(part.body, job.key, identity(job, file))],
  });
}

/** The first part of a file at or after a place. */
export async function nextPart(database: Queryable, job: Job, file: number, from: number): Promise<Part | undefined> {
  const { rows } = await database.query({
    name: 'bulk_part_next',
    text: `SELECT place, lines, body FROM bulk_part WHERE job = $1 AND file = $2 AND place >= $3
           ORDER BY place LIMIT 1`,
    values: [job.id, file, from],
  });
  const row = rows[0];
  return row && { place: row.place, lines: row.lines, body: open(row.body, job.key, identity(job, file)) };
}

/** Bytes of everything that jobs keep. */
export async function keptBytes(database: Queryable): Promise<number> {
  const { rows } = await database.query({
    name: 'bulk_kept',
    text: 'SELECT coalesce(sum(octet_length(body)), 0)::bigint AS bytes FROM bulk_part',
  });
  return rows[0]!.bytes;
}

/** Removes a part; false where somebody else did. */
export async function removePart(database: Queryable, job: Job, file: number, place: number): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'bulk_part_remove',
    text: 'DELETE FROM bulk_part WHERE job = $1 AND file = $2 AND place = $3',
    values: [job.id, file, place],
  });
  return rowCount === 1;
}

/** The parts of a file, one at a time. */
export async function* partsOf(database: Queryable, job: Job, file: number): AsyncGenerator<Part> {
  let from = 0;
  for (;;) {
    const part = await nextPart(database, job, file, from);
    if (!part) return;
    yield part;
    from = part.place + 1;
  }
}

const keyBytes = 20;

/** Versions as the bytes of a part: home, key and version of each. */
export function packKeys(keys: readonly VersionKey[]): Buffer {
  const bytes = Buffer.allocUnsafe(keys.length * keyBytes);
  keys.forEach(({ home, rkey, version }, i) => {
    bytes.writeBigInt64BE(BigInt(home), i * keyBytes);
    bytes.writeBigInt64BE(BigInt(rkey), i * keyBytes + 8);
    bytes.writeInt32BE(version, i * keyBytes + 16);
  });
  return bytes;
}

/** What `packKeys` packed. */
export function unpackKeys(bytes: Buffer): VersionKey[] {
  return Array.from({ length: bytes.length / keyBytes }, (_, i) => ({
    home: Number(bytes.readBigInt64BE(i * keyBytes)),
    rkey: Number(bytes.readBigInt64BE(i * keyBytes + 8)),
    version: bytes.readInt32BE(i * keyBytes + 16),
  }));
}

function identity(job: Job, file: number): string {
  return `bulk/${job.id}/${file}`;
}
