/**
 * Labels what nobody has labelled yet, current and past versions: those stored before there were labels, and those for
 * which labelling was out of order. In steps of a transaction each; what is labelled is found no more, so that an
 * interrupted run goes on where it stopped. Until then the access decision counts them as restricted.
 */
import { label } from '@causeway/access';
import type { Database, Transaction } from '../database/index.ts';
import type { HomeKeys } from './home-keys.ts';
import {
  type LabelledTable,
  labelledColumns,
  labelledTables,
  labelRows,
  storeLabels,
  summingCodes,
} from './label-rows.ts';
import type { Labelling } from './write-set.ts';

const versionsPerStep = 500;

/** @param progress is told how many versions are labelled by now @param signal ends it; the next run goes on there */
export async function labelStored(
  database: Database,
  keys: HomeKeys,
  labelling: Labelling,
  progress: (done: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let done = 0;
  // Documents and reports last: they have the labels of what came with them.
  for (const isSumming of [false, true]) {
    for (const table of labelledTables) {
      for (;;) {
        const labelled = await database.transaction((transaction) =>
          labelStep(transaction, keys, labelling, table, isSumming),
        );
        if (labelled === 0 || signal?.aborted) break;
        done += labelled;
        progress(done);
      }
    }
  }
}

/** Says that all of an organisation's patients has to be labelled anew; until it is, it counts as not yet labelled. */
export async function forgetLabels(database: Database, source: string): Promise<void> {
  await database.transaction(async (transaction) => {
    for (const table of labelledTables) {
      await transaction.query({
        text: `UPDATE ${table} SET labels = labels | ${label.unlabelled}
               WHERE home IN (SELECT home FROM link WHERE source = $1)`,
        values: [source],
      });
    }
  });
}

async function labelStep(
  transaction: Transaction,
  keys: HomeKeys,
  labelling: Labelling,
  table: LabelledTable,
  isSumming: boolean,
): Promise<number> {
  const { rows } = await transaction.query({
    text: `SELECT ${labelledColumns} FROM ${table} r WHERE r.labels & ${label.unlabelled} <> 0
             AND (r.type = ANY($1::smallint[])) = $2
           ORDER BY r.home, r.rkey, r.version LIMIT ${versionsPerStep} FOR UPDATE OF r SKIP LOCKED`,
    values: [summingCodes, isSumming],
  });
  if (rows.length > 0) await storeLabels(transaction, table, await labelRows(transaction, keys, labelling, rows));
  return rows.length;
}
