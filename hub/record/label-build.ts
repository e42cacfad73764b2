/**
 * Labels what nobody has labelled yet, current and past versions: those stored before there were labels, and those for
 * which labelling was out of order. In steps of a transaction each; what is labelled is found no more, so that an
 * interrupted run goes on where it stopped. Until then the access decision counts them as restricted.
 */
import { daysOf, label } from '@causeway/access';
import { typeName } from '@causeway/fhir';
import type { Database, Transaction } from '../database/index.ts';
import type { HomeKeys } from './home-keys.ts';
import { openText, sealIdentity } from './sealing.ts';
import type { Labelling } from './write-set.ts';

const versionsPerStep = 500;
const tables = ['resource_history', 'resource'] as const;

/** @param progress is told how many versions are labelled by now */
export async function labelStored(
  database: Database,
  keys: HomeKeys,
  labelling: Labelling,
  progress: (done: number) => void,
): Promise<void> {
  let done = 0;
  // Past versions first: a version that says the resource was deleted has the labels of the one before it.
  for (const table of tables) {
    for (;;) {
      const labelled = await database.transaction((transaction) => labelStep(transaction, keys, labelling, table));
      if (labelled === 0) break;
      done += labelled;
      progress(done);
    }
  }
}

/** Says that all of an organisation's patients has to be labelled anew; until it is, it counts as not yet labelled. */
export async function forgetLabels(database: Database, source: string): Promise<void> {
  await database.transaction(async (transaction) => {
    for (const table of tables) {
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
  table: (typeof tables)[number],
): Promise<number> {
  const { rows } = await transaction.query({
    text: `SELECT r.home, r.rkey, r.version, r.type, r.rid, r.deleted, r.body,
             (SELECT h.labels FROM resource_history h
              WHERE r.deleted AND h.rid = r.rid AND h.type = r.type AND h.version = r.version - 1) AS before
           FROM ${table} r WHERE r.labels & ${label.unlabelled} <> 0
           ORDER BY r.home, r.rkey, r.version LIMIT ${versionsPerStep} FOR UPDATE OF r SKIP LOCKED`,
  });
  if (rows.length === 0) return 0;
  const homeKeys = await keys.load(
    transaction,
    rows.map((row) => row.home),
  );
  const made = rows.map(({ home, rkey, version, type: code, rid, deleted, body, before }) => {
    const key = homeKeys.get(home);
    const identity = sealIdentity({ type: typeName(code)!, rid, version });
    // Of what was deleted, or whose key was destroyed, there is no text.
    const text = !deleted && body && key ? openText(body, key, identity) : undefined;
    const resource = text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
    const labels = resource ? labelling(resource) : (before ?? 0) & ~label.unlabelled;
    return { home, rkey, version, labels, days: resource && daysOf(resource) };
  });
  await transaction.query({
    text: `UPDATE ${table} r SET labels = v.labels, first_day = v.first_day, last_day = v.last_day
           FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::date[], $6::date[])
             AS v (home, rkey, version, labels, first_day, last_day)
           WHERE r.home = v.home AND r.rkey = v.rkey AND r.version = v.version`,
    values: [
      made.map(({ home }) => home),
      made.map(({ rkey }) => rkey),
      made.map(({ version }) => version),
      made.map(({ labels }) => labels),
      made.map(({ days }) => days?.from ?? null),
      made.map(({ days }) => days?.to ?? null),
    ],
  });
  return rows.length;
}
