/**
 * Makes all index rows anew where those of the database are of an older form (`indexFormat`) or under another key
 * (`IndexKey`), before the hub answers: a search that finds only part would be worse than a start that takes its time. In
 * steps of a transaction each, which also notes how far it is, so that an interrupted build goes on where it stopped. Hubs
 * that go on by the index of before learn of it first, and stop: what they wrote would not be found.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isFhirError, scanResource, typeName } from '@causeway/fhir';
import { type Database, locks, type Transaction } from '../database/index.ts';
import { forgetCustomEntries } from './custom-parameter-rows.ts';
import type { HomeKeys } from './home-keys.ts';
import { type IndexEntries, indexEntries, indexFormat, noEntries } from './index-entries.ts';
import { insertIndex } from './index-rows.ts';
import { selfHash } from './keys.ts';
import { openText, sealIdentity } from './sealing.ts';

const resourcesPerStep = 1_000;
/** How often a hub looks whether the index is still its own, and how long one that makes it anew lets others look. */
const lookMs = 1_000;
const noticeMs = 3_000;

/** Patients whose index rows are made anew, in the transaction that does so. */
export interface PatientsIndexed {
  /** Those of all are made anew from now on. */
  begin(transaction: Transaction): Promise<void>;
  some(transaction: Transaction, patients: { home: number; text: string }[]): Promise<void>;
}

interface Place {
  home: number;
  rkey: number;
}

/**
 * Brings the index up to date. One hub builds; others that start meanwhile wait for it.
 * @param progress is told how many resources of how many are done
 * @param patients what else is made of Patients under the key
 */
export async function buildIndex(
  database: Database,
  keys: HomeKeys,
  progress: (done: number, total: number) => void,
  patients?: PatientsIndexed,
): Promise<void> {
  if (isCurrent(await stateOf(database), keys)) return;
  await giveNotice(database, keys);
  const total = await countAll(database);
  for (let done = 0; ; ) {
    const step = await database.transaction(async (transaction) => {
      await transaction.query(`SELECT pg_advisory_xact_lock(${locks.indexBuild})`);
      return buildStep(transaction, keys, patients);
    });
    if (step === 'done') return;
    done += step;
    progress(Math.min(done, total), total);
  }
}

/** Says that the index is made anew, where it was whole until now, and gives hubs that use it time to stop. */
async function giveNotice(database: Database, keys: HomeKeys): Promise<void> {
  const wasWhole = await database.transaction(async (transaction) => {
    await transaction.query(`SELECT pg_advisory_xact_lock(${locks.indexBuild})`);
    const state = await stateOf(transaction);
    if (state.format === 0 || isCurrent(state, keys)) return false;
    await noteState(transaction, { format: 0, key: keys.index.id, place: undefined });
    return true;
  });
  if (wasWhole) await delay(noticeMs);
}

/**
 * Looks again and again whether the index is of this hub's form and under its key.
 * @param lost called once, when it is not: another hub makes it anew
 * @returns ends the looking
 */
export function watchIndex(
  database: Database,
  keys: HomeKeys,
  lost: () => void,
  fault: (error: unknown) => void,
): () => Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const looking = (async () => {
    while (!signal.aborted) {
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        if (!isCurrent(await stateOf(database), keys)) return lost();
      } catch (error) {
        fault(error);
      }
    }
  })();
  return () => {
    ending.abort();
    return looking;
  };
}

async function buildStep(
  transaction: Transaction,
  keys: HomeKeys,
  patients: PatientsIndexed | undefined,
): Promise<number | 'done'> {
  const state = await stateOf(transaction);
  if (isCurrent(state, keys)) return 'done';
  // What was made under another key is no beginning.
  const place = state.key === keys.index.id ? state.place : undefined;
  if (!place) {
    await transaction.query('TRUNCATE index_token, index_range, index_string');
    await forgetCustomEntries(transaction);
    await patients?.begin(transaction);
  }
  const { rows } = await transaction.query({
    name: 'index_build_read',
    text: `SELECT home, rkey, type, rid, version, deleted, body FROM resource
           WHERE (home, rkey) > ($1::bigint, $2::bigint) ORDER BY home, rkey LIMIT ${resourcesPerStep} FOR UPDATE`,
    values: [place?.home ?? -Number.MAX_SAFE_INTEGER, place?.rkey ?? 0],
  });
  const last = rows.at(-1);
  if (!last) {
    await noteState(transaction, { format: indexFormat, key: keys.index.id, place: undefined });
    return 'done';
  }
  const homeKeys = await keys.load(
    transaction,
    rows.map((row) => row.home),
  );
  const found: { home: number; rkey: number; self: bigint; index: IndexEntries }[] = [];
  const persons: { home: number; text: string }[] = [];
  for (const { home, rkey, type: code, rid, version, deleted, body } of rows) {
    const type = typeName(code)!;
    const key = homeKeys.get(home);
    const text = !deleted && body && key ? openText(body, key, sealIdentity({ type, rid, version })) : undefined;
    const scanned = text === undefined ? undefined : scanResource(text);
    const index = scanned && !isFhirError(scanned) ? indexEntries(scanned) : noEntries;
    found.push({ home, rkey, self: selfHash(type, rid), index });
    if (type === 'Patient' && text !== undefined) persons.push({ home, text });
  }
  const keyed = keys.index.keyedEntries(found.map(({ index }) => index));
  const built = found.map((one, i) => ({ ...one, index: keyed[i]! }));
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
  if (persons.length > 0) await patients?.some(transaction, persons);
  await noteState(transaction, { format: 0, key: keys.index.id, place: last as unknown as Place });
  return rows.length;
}

interface State {
  format: number;
  /** The id of the key under which rows were made. */
  key: number | undefined;
  place: Place | undefined;
}

function isCurrent({ format, key }: State, { index }: HomeKeys): boolean {
  return format === indexFormat && key === index.id;
}

async function stateOf(database: Pick<Database, 'query'>): Promise<State> {
  const { rows } = await database.query('SELECT format, key, home, rkey FROM index_build');
  const [row] = rows;
  if (!row) return { format: 0, key: undefined, place: undefined };
  const place = row.home === null ? undefined : { home: row.home, rkey: row.rkey };
  return { format: row.format, key: row.key ?? undefined, place };
}

async function noteState(transaction: Transaction, { format, key, place }: State): Promise<void> {
  await transaction.query({
    text: `INSERT INTO index_build (format, key, home, rkey) VALUES ($1, $2, $3, $4)
           ON CONFLICT (one) DO UPDATE SET format = excluded.format, key = excluded.key, home = excluded.home,
             rkey = excluded.rkey`,
    values: [format, key ?? null, place?.home ?? null, place?.rkey ?? null],
  });
}

async function countAll(database: Database): Promise<number> {
  const { rows } = await database.query('SELECT count(*) AS count FROM resource');
  return Number(rows[0]!.count);
}
