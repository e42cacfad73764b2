/**
 * The retention of old versions, by type, as the table `retention` says; what it does not name is kept for ever. One hub
 * at a time carries it out, in small steps over the whole history, a pass every hour.
 */
import { setTimeout } from 'node:timers/promises';
import { isResourceType, typeCode } from '@causeway/fhir';
import { type Database, type LedWork, Rounds, type Transaction } from '../database/index.ts';
import { type AccessNote, accessOf } from '../trust/index.ts';
import { RecordError } from './errors.ts';
import type { Expunger, OldVersion } from './expunge.ts';

/** What a type keeps; undefined where that does not count. */
export interface RetentionPolicy {
  type: string;
  /** How many versions, the current one included. */
  keepVersions: number | undefined;
  /** How many days after a version was replaced. */
  keepDays: number | undefined;
}

/** A policy with who set it, when and why. */
export interface SetPolicy extends RetentionPolicy {
  changed: Date;
  by: string;
  reason: string;
}

/** How the last pass over the history ended. */
export interface RetentionPass {
  ended: string;
  removed: number;
}

/** What another room keeps for a time only. */
export interface RetentionPart {
  /**
   * Takes away some of what no policy keeps.
   * @param after the `next` of the step before; 0 at first
   * @returns `next`: undefined where this was the last step of the pass
   */
  step(transaction: Transaction, after: number): Promise<{ removed: number; next: number | undefined }>;
}

const rowsPerStep = 2_000;
const usual = { betweenPassesMs: 3_600_000, betweenStepsMs: 200 };

/** What is said in the record of accesses: the hub itself acts, by the policy. */
const note: AccessNote = {
  access: accessOf({ username: 'retention', name: 'Retention', role: 'system', organization: 'local' }),
  entry: { action: 'expunge', what: 'retention', status: 200 },
};

export class Retention implements LedWork {
  readonly #database: Database;
  readonly #expunger: Expunger;
  readonly #timing: typeof usual;
  readonly #parts: RetentionPart[] = [];
  readonly #rounds: Rounds;

  constructor(
    database: Database,
    expunger: Expunger,
    log: (error: unknown) => void,
    timing: Partial<typeof usual> = {},
  ) {
    this.#database = database;
    this.#expunger = expunger;
    this.#timing = { ...usual, ...timing };
    const { betweenPassesMs } = this.#timing;
    this.#rounds = new Rounds({
      round: async (signal) => {
        await this.pass(signal);
        return betweenPassesMs;
      },
      afterFaultMs: betweenPassesMs,
      fault: log,
    });
  }

  /** Adds what another room keeps for a time only, to be looked at in every pass. */
  also(part: RetentionPart): void {
    this.#parts.push(part);
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** The policies there are. */
  async policies(): Promise<SetPolicy[]> {
    const { rows } = await this.#database.query('SELECT * FROM retention ORDER BY type');
    return rows.map((row) => ({
      type: row.type,
      keepVersions: row.keep_versions ?? undefined,
      keepDays: row.keep_days ?? undefined,
      changed: row.changed,
      by: row.by_whom,
      reason: row.reason,
    }));
  }

  async lastPass(): Promise<RetentionPass | undefined> {
    const { rows } = await this.#database.query(`SELECT value FROM hub_state WHERE key = 'retention'`);
    return rows[0]?.value as RetentionPass | undefined;
  }

  /** Sets what a type keeps; without a number it keeps everything again. @throws RecordError 400 */
  async set(policy: RetentionPolicy, by: string, reason: string, record: (transaction: Transaction) => Promise<void>) {
    const { type, keepVersions, keepDays } = policy;
    if (!isResourceType(type)) {
      throw new RecordError(400, 'value', 'The parameter type names no FHIR R4 resource type.', 'type');
    }
    await this.#database.transaction(async (transaction) => {
      await transaction.query('DELETE FROM retention WHERE type = $1', [type]);
      if (keepVersions !== undefined || keepDays !== undefined) {
        await transaction.query(
          `INSERT INTO retention (type, keep_versions, keep_days, changed, by_whom, reason)
           VALUES ($1, $2, $3, now(), $4, $5)`,
          [type, keepVersions ?? null, keepDays ?? null, by, reason],
        );
      }
      await record(transaction);
    });
  }

  /** One pass over the history, and over what other rooms keep; returns how many versions went. */
  async pass(ending?: AbortSignal): Promise<number> {
    for (const part of this.#parts) await this.#passOver(part, ending);
    const policies = await this.policies();
    if (policies.length === 0) return 0;
    let removed = 0;
    let place: OldVersion | undefined = { home: Number.MIN_SAFE_INTEGER, rkey: 0, version: 0 };
    while (place !== undefined && !ending?.aborted) {
      const from: OldVersion = place;
      const step = await this.#database.transaction((transaction) => this.#step(transaction, policies, from));
      removed += step.removed;
      place = step.next;
      if (place) await pause(this.#timing.betweenStepsMs, ending);
    }
    const pass: RetentionPass = { ended: new Date().toISOString(), removed };
    await this.#database.query(
      `INSERT INTO hub_state (key, value) VALUES ('retention', $1) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [JSON.stringify(pass)],
    );
    return removed;
  }

  async #passOver(part: RetentionPart, ending: AbortSignal | undefined): Promise<void> {
    for (let place: number | undefined = 0; place !== undefined && !ending?.aborted; ) {
      const from: number = place;
      place = (await this.#database.transaction((transaction) => part.step(transaction, from))).next;
      if (place !== undefined) await pause(this.#timing.betweenStepsMs, ending);
    }
  }

  /** Looks at the next versions in the order of their places, and removes those that no policy keeps. */
  async #step(
    transaction: Transaction,
    policies: readonly RetentionPolicy[],
    after: OldVersion,
  ): Promise<{ removed: number; next: OldVersion | undefined }> {
    const { rows } = await transaction.query({
      name: 'retention_step',
      text: `SELECT h.home, h.rkey, h.version,
               p.type IS NOT NULL
               AND (p.keep_versions IS NULL OR r.version - h.version >= p.keep_versions)
               AND (p.keep_days IS NULL OR coalesce(n.updated, r.updated) < now() - p.keep_days * interval '1 day') AS goes
             FROM (SELECT home, rkey, version, type, rid FROM resource_history
                   WHERE (home, rkey, version) > ($1::bigint, $2::bigint, $3::integer)
                   ORDER BY home, rkey, version LIMIT ${rowsPerStep}) h
             LEFT JOIN resource r ON r.rid = h.rid AND r.type = h.type
             LEFT JOIN resource_history n ON n.rid = h.rid AND n.type = h.type AND n.version = h.version + 1
             LEFT JOIN unnest($4::smallint[], $5::integer[], $6::integer[]) AS p (type, keep_versions, keep_days)
               ON p.type = h.type
             ORDER BY h.home, h.rkey, h.version`,
      values: [
        after.home,
        after.rkey,
        after.version,
        policies.map(({ type }) => typeCode(type)),
        policies.map(({ keepVersions }) => keepVersions ?? null),
        policies.map(({ keepDays }) => keepDays ?? null),
      ],
    });
    const goes = rows
      .filter((row) => row.goes)
      .map(({ home, rkey, version }) => ({ home, rkey, version }) as OldVersion);
    const removed = goes.length > 0 ? await this.#expunger.removeVersions(transaction, goes, note) : 0;
    const last = rows.length === rowsPerStep ? rows.at(-1) : undefined;
    return { removed, next: last && { home: last.home, rkey: last.rkey, version: last.version } };
  }
}

/** Resolves after a time, or at once when the signal says so. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(ms, undefined, signal ? { signal } : {}).catch(() => {});
}
