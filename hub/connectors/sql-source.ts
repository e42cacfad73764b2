/** Taking the rows of a query on a legacy database, in the order of a watermark that only grows, page by page. */
import type { Run, Sample, Source } from './run.ts';
import { SourceFault } from './run.ts';
import type { SqlSettings } from './settings.ts';
import { openSql, type SqlConnection, type SqlRow, statementFault } from './sql-engines.ts';
import { earlier, keyColumn, type Place, pageStatement, watermarkColumn } from './sql-statement.ts';
import { rowMessage } from './table-rows.ts';

/** The last row that was taken, and whether the run that took it came to the end. */
interface SqlProgress {
  watermark?: string;
  key?: string;
  isWhole?: boolean;
}

const sampled = 20;

export const sqlSource: Source = {
  async run(given) {
    const run = given as Run<SqlSettings>;
    const connection = await openSql(run.settings, run.secrets);
    try {
      await takeRows(run, connection);
    } finally {
      await connection.close();
    }
  },
  async sample(given) {
    const run = given as Run<SqlSettings>;
    const settings = { ...run.settings, pageRows: sampled };
    const connection = await openSql(settings, run.secrets);
    try {
      const found = await page(
        connection,
        settings,
        settings.from === undefined ? undefined : { watermark: settings.from },
      );
      const rows = found.map(withoutPlace);
      const sample: Sample = { found: `The query gives rows; these are the first ${rows.length}.`, rows, messages: [] };
      return { ...sample, messages: found.map((row) => messageOf(run, row)) };
    } finally {
      await connection.close();
    }
  },
};

async function takeRows(run: Run<SqlSettings>, connection: SqlConnection): Promise<void> {
  const { settings } = run;
  let after = firstPlace(settings, run.progress as SqlProgress);
  for (;;) {
    run.signal.throwIfAborted();
    const rows = await page(connection, settings, after);
    if (rows.length > 0) {
      await run.pace(rows.length);
      const taken = await run.take(rows.map((row) => messageOf(run, row)));
      const refused = taken.filter((one) => one.refused !== undefined).length;
      const unchanged = taken.filter((one) => one.refused === undefined && one.duplicate).length;
      after = placeOf(rows.at(-1)!);
      const did = { taken: rows.length - refused - unchanged, unchanged, refused };
      await run.save({ ...after, isWhole: rows.length < settings.pageRows }, did);
    }
    if (rows.length < settings.pageRows) break;
  }
  if (after?.key !== undefined) await run.save({ ...after, isWhole: true });
}

/** Where a run begins: where the last one broke off, else behind its last row, or so much earlier. */
function firstPlace(
  { from, overlapSeconds }: SqlSettings,
  { watermark, key, isWhole }: SqlProgress,
): Place | undefined {
  if (watermark === undefined) return from === undefined ? undefined : { watermark: from };
  const back = isWhole ? earlier(watermark, overlapSeconds) : watermark;
  return back === watermark ? { watermark, key } : { watermark: back };
}

async function page(connection: SqlConnection, settings: SqlSettings, after: Place | undefined): Promise<SqlRow[]> {
  const { text, values } = pageStatement(settings, after);
  return connection.rows(text, values).catch((error) => {
    throw statementFault(error);
  });
}

function messageOf(run: Pick<Run, 'key' | 'participant'>, row: SqlRow) {
  const { watermark, key } = placeOf(row);
  return rowMessage(run, withoutPlace(row), { id: `${watermark}:${key}` });
}

function placeOf(row: SqlRow): Required<Place> & { key: string } {
  const { [watermarkColumn]: watermark, [keyColumn]: key } = row;
  if (watermark && key) return { watermark, key };
  throw new SourceFault('A row has no watermark or no key: both columns must always hold something.');
}

function withoutPlace(row: SqlRow): { [column: string]: string } {
  return Object.fromEntries(
    Object.entries(row).filter(
      (pair): pair is [string, string] => pair[1] !== null && pair[0] !== watermarkColumn && pair[0] !== keyColumn,
    ),
  );
}
