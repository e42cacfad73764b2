/**
 * Goes through the resources that were written before a custom search parameter began or ended, and adds or removes what
 * they are found by. In steps of a transaction each, which also notes the place, so that after an interruption it goes on
 * there and nothing is done twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parameterExtractor, parameterTypes, typeCode } from '@causeway/fhir';
import type { Database, LedWork, Transaction } from '../database/index.ts';
import {
  lockParameter,
  nextWork,
  noteEnd,
  noteProgress,
  type ParameterPlace,
  type ParameterRow,
} from './custom-parameter-rows.ts';
import type { HomeKeys } from './home-keys.ts';
import { entriesOf, type IndexEntries } from './index-entries.ts';
import { insertIndex } from './index-rows.ts';
import { openText, sealIdentity } from './sealing.ts';

const resourcesPerStep = 1_000;
const idleMs = 500;
/** Longer than hubs take to notice that a parameter ended: until then they still search by it. */
const restMs = 3_000;
/** Before the first home. */
const start = { home: -Number.MAX_SAFE_INTEGER, rkey: 0 };

interface Found {
  home: number;
  rkey: number;
  index: IndexEntries;
}

export class ParameterBuild implements LedWork {
  readonly #database: Database;
  readonly #keys: HomeKeys;
  readonly #changed: () => Promise<void>;
  readonly #fault: (error: unknown) => void;
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param changed is called after a parameter has become complete */
  constructor(database: Database, keys: HomeKeys, changed: () => Promise<void>, fault: (error: unknown) => void) {
    this.#database = database;
    this.#keys = keys;
    this.#changed = changed;
    this.#fault = fault;
  }

  start(): void {
    this.#ending = new AbortController();
    this.#running = this.#run(this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let isIdle = true;
      try {
        isIdle = !(await this.step());
      } catch (error) {
        this.#fault(error);
      }
      if (isIdle) await sleep(idleMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Goes through the next resources; whether there was anything to do. */
  async step(): Promise<boolean> {
    const work = await nextWork(this.#database, restMs);
    if (work === undefined || work === 'rest') return false;
    const isEnd = await this.#database.transaction((transaction) => this.#advance(transaction, work));
    if (isEnd) await this.#changed();
    return true;
  }

  /** Returns whether all resources were gone through. */
  async #advance(transaction: Transaction, work: ParameterRow): Promise<boolean> {
    const row = await lockParameter(transaction, work);
    if (!row) return false;
    const types = parameterTypes(row.definition);
    row.total ??= await countOf(transaction, types);
    const first = row.place ? types.findIndex((type) => typeCode(type) === row.place!.type) : 0;
    for (const type of types.slice(first)) {
      const code = typeCode(type)!;
      const from = row.place?.type === code ? row.place : { type: code, ...start };
      const { found, last, count } = await this.#read(transaction, row, type, from);
      if (!last) continue;
      if (row.state === 'retired') removeEntries(transaction, found);
      else addEntries(transaction, found);
      noteProgress(transaction, { ...row, place: last, done: row.done + count });
      return false;
    }
    noteEnd(transaction, row);
    return true;
  }

  /** What the next resources of a type are found by, those that are; locked, so that they stay as they are. */
  async #read(transaction: Transaction, { definition, since }: ParameterRow, type: string, from: ParameterPlace) {
    const { rows } = await transaction.query({
      name: 'parameter_read',
      text: `
        WITH places AS (
          SELECT home, rkey FROM (
            (SELECT home, rkey FROM resource WHERE type = $1 AND home = $2 AND rkey < $3
             ORDER BY rkey DESC LIMIT ${resourcesPerStep})
            UNION ALL
            (SELECT home, rkey FROM resource WHERE type = $1 AND home > $2
             ORDER BY home, rkey DESC LIMIT ${resourcesPerStep})
          ) both_parts ORDER BY home, rkey DESC LIMIT ${resourcesPerStep}
        )
        SELECT places.home, places.rkey, r.rid, r.version, r.body FROM places LEFT JOIN LATERAL (
          SELECT rid, version, body FROM resource
          WHERE home = places.home AND rkey = places.rkey AND seq <= $4 AND NOT deleted FOR UPDATE
        ) r ON true ORDER BY places.home, places.rkey DESC`,
      values: [from.type, from.home, from.rkey, since],
    });
    const written = rows.filter(({ body }) => body !== null);
    const keys = await this.#keys.load(
      transaction,
      written.map(({ home }) => home),
    );
    const valuesIn = parameterExtractor(definition, type);
    const found: Found[] = [];
    for (const { home, rkey, rid, version, body } of written) {
      const key = keys.get(home);
      if (!key) continue;
      const resource = JSON.parse(openText(body, key, sealIdentity({ type, rid, version })));
      const values = valuesIn(resource);
      if (values.length > 0) found.push({ home, rkey, index: entriesOf(type, values) });
    }
    const end = rows.at(-1);
    const last = end ? { type: from.type, home: end.home as number, rkey: end.rkey as number } : undefined;
    const keyed = this.#keys.index.keyedEntries(found.map(({ index }) => index));
    return { found: found.map((one, i) => ({ ...one, index: keyed[i]! })), last, count: rows.length };
  }
}

async function countOf(transaction: Transaction, types: string[]): Promise<number> {
  const { rows } = await transaction.query('SELECT count(*) AS count FROM resource WHERE type = ANY($1::smallint[])', [
    types.map((type) => typeCode(type)),
  ]);
  return Number(rows[0]!.count);
}

function addEntries(transaction: Transaction, found: Found[]): void {
  if (found.length === 0) return;
  transaction.send({
    name: 'parameter_add',
    text: `UPDATE resource r SET tokens = r.tokens || v.tokens::bigint[]
           FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS v (home, rkey, tokens)
           WHERE r.home = v.home AND r.rkey = v.rkey`,
    values: columnsOf(found, keptHashes),
  });
  insertIndex(transaction, found);
}

function removeEntries(transaction: Transaction, found: Found[]): void {
  if (found.length === 0) return;
  transaction.send({
    name: 'parameter_remove',
    text: `
      WITH v AS (
        SELECT home, rkey, tokens::bigint[] AS tokens, params::bigint[] AS params
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS v (home, rkey, tokens, params)
      ), tokens AS (
        DELETE FROM index_token i USING (SELECT home, rkey, unnest(tokens) AS value FROM v) o
        WHERE i.value = o.value AND i.home = o.home AND i.rkey = o.rkey
      ), ranges AS (
        DELETE FROM index_range i USING v WHERE i.home = v.home AND i.rkey = v.rkey AND i.param = ANY(v.params)
      ), strings AS (
        DELETE FROM index_string i USING v WHERE i.home = v.home AND i.rkey = v.rkey AND i.param = ANY(v.params)
      )
      UPDATE resource r SET tokens = ARRAY(SELECT t FROM unnest(r.tokens) t WHERE t <> ALL(v.tokens))
      FROM v WHERE r.home = v.home AND r.rkey = v.rkey`,
    values: [...columnsOf(found, keptHashes), ...columnsOf(found, parametersOf).slice(2)],
  });
}

function keptHashes({ tokens, markers }: IndexEntries): bigint[] {
  return [...tokens, ...markers];
}

function parametersOf({ ranges, strings }: IndexEntries): bigint[] {
  return [...new Set([...ranges, ...strings].map(({ param }) => param))];
}

function columnsOf(found: Found[], hashes: (index: IndexEntries) => bigint[]): string[] {
  return [
    `{${found.map(({ home }) => home).join(',')}}`,
    `{${found.map(({ rkey }) => rkey).join(',')}}`,
    `{${found.map(({ index }) => `"{${hashes(index).join(',')}}"`).join(',')}}`,
  ];
}
