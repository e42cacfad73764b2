/**
 * Makes all index rows anew where those of the database are of an older form (`indexFormat`), before the hub answers: a
 * search that finds only part would be worse than a start that takes its time. In steps of a transaction each, which
 * also notes how far it is, so that an interrupted build goes on where it stopped.
 */
import { isFhirError, scanResource, typeName } from '@causeway/fhir';
import { type Database, locks, type Transaction } from '../database/index.ts';
import { forgetCustomEntries } from './custom-parameter-rows.ts';
import type { HomeKeys } from './home-keys.ts';
import { type IndexEntries, indexEntries, indexFormat, noEntries } from './index-entries.ts';
import { insertIndex } from './index-rows.ts';
import { selfHash } from './keys.ts';
import { openText, sealIdentity } from './sealing.ts';

const resourcesPerStep = 1_000;

interface Place {
  home: number;
  rkey: number;
}

/**
 * Brings the index up to date. One hub builds; others that start meanwhile wait for it.
 * @param progress is told how many resources of how many are done
 */
export async function buildIndex(
  database: Database,
  keys: HomeKeys,
  progress: (done: number, total: number) => void,
): Promise<void> {
  if ((await stateOf(database)).format === indexFormat) return;
  const total = await countAll(database);
  for (let done = 0; ; ) {
    const step = await database.transaction(async (transaction) => {
      await transaction.query(`SELECT pg_advisory_xact_lock(${locks.indexBuild})`);
      return buildStep(transaction, keys);
    });
    if (step === 'done') return;
    done += step;
    progress(Math.min(done, total), total);
  }
}

async function buildStep(transaction: Transaction, keys: HomeKeys): Promise<number | 'done'> {
  const state = await stateOf(transaction);
  if (state.format === indexFormat) return 'done';
  if (!state.place) {
    await transaction.query('TRUNCATE index_token, index_range, index_string');
    await forgetCustomEntries(transaction);
  }
  const { rows } = await transaction.query({
    name: 'index_build_read',
    text: `SELECT home, rkey, type, rid, version, deleted, body FROM resource
           WHERE (home, rkey) > ($1::bigint, $2::bigint) ORDER BY home, rkey LIMIT ${resourcesPerStep} FOR UPDATE`,
    values: [state.place?.home ?? -Number.MAX_SAFE_INTEGER, state.place?.rkey ?? 0],
  });
  const last = rows.at(-1);
  if (!last) {
    await noteState(transaction, indexFormat, undefined);
    return 'done';
  }
  const homeKeys = await keys.load(
    transaction,
    rows.map((row) => row.home),
  );
  const built: { home: number; rkey: number; self: bigint; index: IndexEntries }[] = [];
  for (const { home, rkey, type: code, rid, version, deleted, body } of rows) {
    const type = typeName(code)!;
    const key = homeKeys.get(home);
    const text = !deleted && body && key ? openText(body, key, sealIdentity({ type, rid, version })) : undefined;
    const scanned = text === undefined ? undefined : scanResource(text);
    const index = scanned && !isFhirError(scanned) ? indexEntries(scanned) : noEntries;
    built.push({ home, rkey, self: selfHash(type, rid), index });
  }
  transaction.send({
    name: 'index_build_mark',
    text: `UPDATE resource r SET self = v.self, tokens = v.tokens::bigint[]
           FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS v (home, rkey, self, tokens)
           WHERE r.home = v.home AND r.rkey = v.rkey`,
    values: [
      `{${built.map(({ home }) => home).join(',')}}`,
      `{${built.map(({ rkey }) => rkey).join(',')}}`,
      `{${built.map(({ self }) => self).join(',')}}`,
      `{${built.map(({ index }) => `"{${[...index.tokens, ...index.markers].join(',')}}"`).join(',')}}`,
    ],
  });
  insertIndex(transaction, built);
  await noteState(transaction, 0, last as unknown as Place);
  return rows.length;
}

async function stateOf(database: Pick<Database, 'query'>): Promise<{ format: number; place: Place | undefined }> {
  const { rows } = await database.query('SELECT format, home, rkey FROM index_build');
  const [row] = rows;
  if (!row) return { format: 0, place: undefined };
  return { format: row.format, place: row.home === null ? undefined : { home: row.home, rkey: row.rkey } };
}

async function noteState(transaction: Transaction, format: number, place: Place | undefined): Promise<void> {
  await transaction.query({
    text: `INSERT INTO index_build (format, home, rkey) VALUES ($1, $2, $3)
           ON CONFLICT (one) DO UPDATE SET format = excluded.format, home = excluded.home, rkey = excluded.rkey`,
    values: [format, place?.home ?? null, place?.rkey ?? null],
  });
}

async function countAll(database: Database): Promise<number> {
  const { rows } = await database.query('SELECT count(*) AS count FROM resource');
  return Number(rows[0]!.count);
}
