/**
 * Labels anew what was stored before the latest label rules: by one hub, in steps of a transaction each that note how far
 * it is, so that it goes on where it stopped. Until its turn comes a version keeps the labels that it has.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { codingsOf } from '@causeway/access';
import type { Database, LedWork, Row, Transaction } from '../database/index.ts';
import type { HomeKeys } from './home-keys.ts';
import { type LabelledTable, labelledColumns, labelRows, storeLabels, summingCodes } from './label-rows.ts';
import type { LabelRules, RecordChange } from './label-rules.ts';
import type { Labelling } from './write-set.ts';

const versionsPerStep = 200;
/** A step rests as long as it took: others have their turn. */
const idleMs = 1_000;
const followMs = 30_000;

/**
 * Current versions before past ones, so that one that is replaced meanwhile is still come by; documents and reports, which
 * have the labels of what came with them, after those; and at the end what was deleted, which has those of the version before.
 */
const phases: readonly { table: LabelledTable; only: string }[] = [
  ...(['NOT r.type', 'r.type'] as const).flatMap((type) =>
    (['resource', 'resource_history'] as const).map((table) => ({ table, only: `${type} = ANY($4::smallint[])` })),
  ),
  { table: 'resource', only: 'r.deleted AND $4::smallint[] IS NOT NULL' },
];

export interface RelabellingParts {
  database: Database;
  keys: HomeKeys;
  rules: LabelRules;
  labelling: Labelling;
  /** The record of the accesses that changes by the hub itself are. */
  record: RecordChange;
  fault(error: unknown): void;
}

export class Relabelling implements LedWork {
  readonly #parts: RelabellingParts;
  #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #followed = 0;

  constructor(parts: RelabellingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#ending = new AbortController();
    this.#running = this.#run(this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Looks at the value sets at the next turn: one of them may have changed. */
  wake(): void {
    this.#followed = 0;
  }

  /** Labels the next versions; whether there was anything to do. */
  async step(): Promise<boolean> {
    const { database } = this.#parts;
    const { rows } = await database.query({
      name: 'relabelling_next',
      text: `SELECT version, total FROM label_rules
             WHERE finished IS NULL AND version = (SELECT max(version) FROM label_rules)`,
    });
    if (!rows[0]) return false;
    if (rows[0].total === null) await this.#count(rows[0].version);
    await database.transaction((transaction) => this.#advance(transaction, rows[0]!.version));
    return true;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { rules, record, fault } = this.#parts;
    while (!signal.aborted) {
      const began = performance.now();
      let isIdle = true;
      try {
        if (Date.now() - this.#followed > followMs) {
          this.#followed = Date.now();
          await rules.follow(record);
        }
        isIdle = !(await this.step());
      } catch (error) {
        fault(error);
      }
      const restMs = isIdle ? idleMs : performance.now() - began;
      await sleep(restMs, undefined, { signal }).catch(() => {});
    }
  }

  async #count(version: number): Promise<void> {
    await this.#parts.database.query(
      `UPDATE label_rules SET total = (SELECT count(*) FROM resource) + (SELECT count(*) FROM resource_history)
       WHERE version = $1`,
      [version],
    );
  }

  async #advance(transaction: Transaction, version: number): Promise<void> {
    const { keys, labelling, rules } = this.#parts;
    // What a hub that has not heard of these rules labels would be labelled by older ones.
    if (rules.version !== version) await rules.load();
    const codes = rules.codes;
    if (rules.version !== version) return;
    const { rows: places } = await transaction.query(
      'SELECT * FROM label_rules WHERE version = $1 AND finished IS NULL FOR UPDATE SKIP LOCKED',
      [version],
    );
    const place = places[0];
    if (!place) return;
    const { table } = phases[place.phase]!;
    const rows = await nextRows(transaction, place);
    const made = await labelRows(transaction, keys, labelling, rows);
    const others = made.filter(({ row, labels }) => labels !== row.labels);
    if (rules.codes !== codes) return;
    const changed = await storeLabels(transaction, table, others);
    await noteShown(transaction, others);
    await noteProgress(transaction, place, rows, changed);
  }
}

async function nextRows(transaction: Transaction, place: Row): Promise<Row[]> {
  const { table, only } = phases[place.phase]!;
  const { rows } = await transaction.query({
    text: `SELECT ${labelledColumns} FROM ${table} r
           WHERE (r.home, r.rkey, r.version) > ($1::bigint, $2::bigint, $3::integer)
             AND ${only} AND r.labels & 1 = 0
           ORDER BY r.home, r.rkey, r.version LIMIT ${versionsPerStep}`,
    values: [
      place.home ?? Number.MIN_SAFE_INTEGER,
      place.rkey ?? Number.MIN_SAFE_INTEGER,
      place.row_version ?? 0,
      summingCodes,
    ],
  });
  return rows;
}

/** Labels that are given out for the first time are told of by `$meta`. */
async function noteShown(transaction: Transaction, made: readonly { row: Row; labels: number }[]): Promise<void> {
  const shown = new Map(
    made.flatMap(({ row, labels }) =>
      codingsOf(labels).map(({ system, code }) => [`${row.type} ${system}|${code}`, { type: row.type, system, code }]),
    ),
  );
  if (shown.size === 0) return;
  const list = [...shown.keys()].sort().map((key) => shown.get(key)!);
  await transaction.query({
    text: `INSERT INTO label (type, kind, system, code)
           SELECT type, 'security', system, code FROM unnest($1::smallint[], $2::text[], $3::text[]) AS v (type, system, code)
           ON CONFLICT DO NOTHING`,
    values: [list.map(({ type }) => type), list.map(({ system }) => system), list.map(({ code }) => code)],
  });
}

async function noteProgress(
  transaction: Transaction,
  place: Row,
  rows: readonly Row[],
  changed: number,
): Promise<void> {
  const last = rows.length === versionsPerStep ? rows.at(-1)! : undefined;
  const phase = last ? place.phase : place.phase + 1;
  const isEnd = phase === phases.length;
  await transaction.query({
    text: `UPDATE label_rules SET phase = $2, home = $3, rkey = $4, row_version = $5, done = done + $6,
             changed = changed + $7, finished = CASE WHEN $8 THEN now() END WHERE version = $1`,
    values: [
      place.version,
      isEnd ? place.phase : phase,
      last?.home ?? null,
      last?.rkey ?? null,
      last?.version ?? null,
      rows.length,
      changed,
      isEnd,
    ],
  });
}
