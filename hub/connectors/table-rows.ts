/** Rows of a CSV file while it is read, and each row as a message. */
import { Readable } from 'node:stream';
import type { Received } from '../inbox/index.ts';
import type { Run } from './run.ts';
import type { TableFormat } from './settings.ts';
import { UnreadableFile } from './split-v2.ts';

export interface TableRow {
  /** From 1, where the row begins. */
  line: number;
  row: { [column: string]: string };
}

const longestRow = 4 * 1024 * 1024;

/** @throws UnreadableFile where the file is none of rows, or not in the encoding that was told */
export async function* tableRows(chunks: AsyncIterable<Uint8Array>, format: TableFormat): AsyncGenerator<TableRow> {
  const { parse } = await import('csv-parse');
  const parser = parse({
    delimiter: format.delimiter,
    columns: false,
    bom: false,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: longestRow,
  });
  const decoded = Readable.from(decode(chunks, format.encoding));
  decoded.on('error', (error) => parser.destroy(error));
  decoded.pipe(parser);
  let columns = format.columns;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (columns === undefined) {
        columns = named(record);
        continue;
      }
      yield { line: info.lines, row: rowOf(columns, record) };
    }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    if (!code?.startsWith('CSV_')) throw error;
    // The library's own sentences repeat what stands there.
    throw new UnreadableFile(`The file is not written as was told: ${code} near line ${lines ?? '?'}.`);
  } finally {
    decoded.destroy();
  }
}

/** A row as a message of its own: what it says, by its columns, and where it stood. */
export function rowMessage(
  { key, participant }: Pick<Run, 'key' | 'participant'>,
  row: { [column: string]: unknown },
  place: { file?: string; line?: number; time?: string; id: string },
): Received {
  const { id, ...where } = place;
  const map = participant.settings.tables?.[key];
  const column = Object.entries(map?.columns ?? {}).find(
    ([, use]) => 'field' in use && use.field === 'patient.id',
  )?.[0];
  const patient = column === undefined ? '' : String(row[column] ?? '').trim();
  return {
    bytes: Buffer.from(JSON.stringify({ table: key, ...where, row })),
    dialect: 'table',
    source: participant.key,
    type: `Row of ${key}`,
    controlId: id.slice(0, 200),
    lane: `${participant.key} ${patient === '' ? id : patient}`,
  };
}

async function* decode(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const read = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnreadableFile(`The file is not in ${encoding}: it has bytes that are none of its characters.`);
    }
  };
  for await (const chunk of chunks) {
    const text = read(chunk);
    if (text !== '') yield text;
  }
  const last = read();
  if (last !== '') yield last;
}

/** Columns by their names in the header; those without get a number, and a name that comes twice gets one too. */
function named(header: readonly string[]): string[] {
  const taken = new Set<string>();
  return header.map((cell, i) => {
    const own = cell.trim() || `column ${i + 1}`;
    let name = own;
    for (let n = 2; taken.has(name); n++) name = `${own} (${n})`;
    taken.add(name);
    return name;
  });
}

/** Values beyond the columns are kept under numbers, so that nothing of a row is lost. */
function rowOf(columns: readonly string[], record: readonly string[]): { [column: string]: string } {
  return Object.fromEntries(
    record.flatMap((value, i) => (value === '' ? [] : [[columns[i] ?? `beyond ${i + 1}`, value] as const])),
  );
}
