/**
 * The table of connectors. One hub at a time runs a connector, holding a lease that it renews; whoever lost its lease
 * changes nothing any more: each change of a run names the holder.
 */
import type { Database, Row } from '../database/index.ts';
import { newId } from '../record/index.ts';
import { type MasterKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import type { ConnectorKind, ConnectorSecrets, ConnectorSettings } from './settings.ts';

/** What a run did, in messages or resources; `gone`: deleted at the source. */
export interface Counts {
  taken: number;
  unchanged: number;
  refused: number;
  gone: number;
}

/** Its own for each kind; an empty object at first. */
export type Progress = { [name: string]: unknown };

export interface Connector {
  key: string;
  participant: string;
  kind: ConnectorKind;
  settings: ConnectorSettings;
  hasSecrets: boolean;
  paused: boolean;
  progress: Progress;
  isRunning: boolean;
  nextRun: Date;
  started: Date | undefined;
  ended: Date | undefined;
  succeeded: Date | undefined;
  failures: number;
  error: string | undefined;
  last: Counts;
  all: Counts;
}

/** Another hub runs the connector, or it was paused, changed or removed. */
export class RunLost extends Error {
  override name = 'RunLost';
}

export const noCounts: Counts = { taken: 0, unchanged: 0, refused: 0, gone: 0 };

const leaseMs = 30_000;
/** A connector that failed is tried again after so long, doubled each time, at most as often as it runs anyway. */
const firstRetryMs = 30_000;
const columns = `key, participant, kind, settings, secrets IS NOT NULL AS has_secrets, paused, progress,
  lease_holder IS NOT NULL AND lease_until > now() AS running, next_run, started, ended, succeeded, failures, error,
  last_counts, all_counts`;

export class ConnectorStore {
  readonly renewMs = leaseMs / 3;
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #holder = newId();

  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  async list(): Promise<Connector[]> {
    const { rows } = await this.#database.query(`SELECT ${columns} FROM connector ORDER BY key`);
    return rows.map(connectorOf);
  }

  async find(key: string): Promise<Connector | undefined> {
    const { rows } = await this.#database.query(`SELECT ${columns} FROM connector WHERE key = $1`, [key]);
    return rows[0] && connectorOf(rows[0]);
  }

  /** Those of which somebody was told, as long as they do not succeed. */
  async failing(): Promise<{ key: string; error: string; since: Date | null }[]> {
    const { rows } = await this.#database.query(
      'SELECT key, error, succeeded FROM connector WHERE alarmed AND NOT paused ORDER BY key',
    );
    return rows.map((row) => ({ key: row.key, error: row.error, since: row.succeeded }));
  }

  async secretsOf(key: string): Promise<ConnectorSecrets> {
    const { rows } = await this.#database.query('SELECT secrets FROM connector WHERE key = $1', [key]);
    const sealed = rows[0]?.secrets;
    return sealed ? JSON.parse(unwrapDataKey(this.#master, sealed, context(key)).toString()) : {};
  }

  /**
   * Makes a connector or changes it; a run under way ends.
   * @param secrets left out: as they were, or none where it begins anew @param begins whether it does, since it is of another source
   */
  async put(
    connector: Pick<Connector, 'key' | 'participant' | 'kind' | 'settings'>,
    secrets: ConnectorSecrets | undefined,
    begins: boolean,
  ): Promise<void> {
    const { key, participant, kind, settings } = connector;
    const sealed = secrets && wrapDataKey(this.#master, Buffer.from(JSON.stringify(secrets)), context(key));
    await this.#database.transaction(async (transaction) => {
      if (begins) await transaction.query('DELETE FROM connector_item WHERE connector = $1', [key]);
      await transaction.query(
        `INSERT INTO connector (key, participant, kind, settings, secrets) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key) DO UPDATE SET participant = $2, kind = $3, settings = $4,
           secrets = CASE WHEN $6 THEN $5 ELSE coalesce($5, connector.secrets) END, lease_holder = NULL, lease_until = now(), next_run = now(),
           failures = 0, error = NULL, alarmed = false,
           progress = CASE WHEN $6 THEN '{}'::jsonb ELSE connector.progress END`,
        [key, participant, kind, JSON.stringify(settings), sealed ?? null, begins],
      );
    });
  }

  async remove(key: string): Promise<boolean> {
    const { rowCount } = await this.#database.query('DELETE FROM connector WHERE key = $1', [key]);
    return rowCount === 1;
  }

  /** A run under way ends at its next step. */
  async pause(key: string, paused: boolean): Promise<boolean> {
    const { rowCount } = await this.#database.query(
      `UPDATE connector SET paused = $2, next_run = now(), failures = 0,
         lease_holder = NULL, lease_until = now() WHERE key = $1`,
      [key, paused],
    );
    return rowCount === 1;
  }

  /** Has it run as soon as a hub is free. */
  async due(key: string): Promise<boolean> {
    const { rowCount } = await this.#database.query(
      'UPDATE connector SET next_run = now() WHERE key = $1 AND NOT paused',
      [key],
    );
    return rowCount === 1;
  }

  /** Takes the next connector that is due and that nobody runs. */
  async claim(): Promise<Connector | undefined> {
    const { rows } = await this.#database.query({
      name: 'connector_claim',
      text: `UPDATE connector SET lease_holder = $1, lease_until = now() + ${leaseMs} * interval '1 ms',
               started = now(), last_counts = '{}'
             WHERE key = (SELECT key FROM connector WHERE NOT paused AND next_run <= now() AND lease_until <= now()
                          ORDER BY next_run LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING ${columns}`,
      values: [this.#holder],
    });
    return rows[0] && connectorOf(rows[0]);
  }

  /** @throws RunLost */
  renew(key: string): Promise<void> {
    return this.#change(key, `lease_until = now() + ${leaseMs} * interval '1 ms'`, []);
  }

  /** Notes how far a run is, and what it did since it was noted last. @throws RunLost */
  advance(key: string, progress: Progress, did: Counts): Promise<void> {
    return this.#change(
      key,
      `progress = $3, lease_until = now() + ${leaseMs} * interval '1 ms',
       last_counts = ${added('last_counts')}, all_counts = ${added('all_counts')}`,
      [JSON.stringify(progress), JSON.stringify(did)],
    );
  }

  /** Ends a run that took what there was. @param pauseMs until the next @throws RunLost */
  succeed(key: string, pauseMs: number): Promise<void> {
    return this.#change(
      key,
      `lease_holder = NULL, lease_until = now(), ended = now(), succeeded = now(), failures = 0, error = NULL,
       alarmed = false, next_run = now() + $3 * interval '1 ms'`,
      [pauseMs],
    );
  }

  /** Ends a run that is to go on later: the source asks to be left alone, or the hub stops. @throws RunLost */
  putOff(key: string, pauseMs: number): Promise<void> {
    return this.#change(
      key,
      `lease_holder = NULL, lease_until = now(), ended = now(), next_run = now() + $3 * interval '1 ms'`,
      [pauseMs],
    );
  }

  /** Ends a run that failed. Returns whether somebody has to be told: once, until it succeeds again. @throws RunLost */
  async fail(key: string, error: string, longestPauseMs: number, alarmAfter: number): Promise<boolean> {
    const { rows } = await this.#database.query(
      `UPDATE connector c SET lease_holder = NULL, lease_until = now(), ended = now(), failures = c.failures + 1,
         error = $3, alarmed = c.alarmed OR c.failures + 1 >= $5,
         next_run = now() + least($4, ${firstRetryMs} * 2 ^ least(c.failures, 20)) * interval '1 ms'
       FROM (SELECT key, alarmed FROM connector WHERE key = $1 FOR UPDATE) before
       WHERE c.key = before.key AND c.lease_holder = $2
       RETURNING c.alarmed AND NOT before.alarmed AS alarms`,
      [key, this.#holder, error.slice(0, 1_000), longestPauseMs, alarmAfter],
    );
    if (rows.length === 0) throw new RunLost('The connector is run by another hub, or was changed.');
    return rows[0]!.alarms;
  }

  async #change(key: string, assignments: string, values: unknown[]): Promise<void> {
    const { rowCount } = await this.#database.query(
      `UPDATE connector SET ${assignments} WHERE key = $1 AND lease_holder = $2`,
      [key, this.#holder, ...values],
    );
    if (rowCount === 0) throw new RunLost('The connector is run by another hub, or was changed.');
  }
}

/** Where sealed secrets are. */
export const connectorSecretColumn: WrappedColumn = {
  table: 'connector',
  column: 'secrets',
  key: 'key',
  type: 'text',
  context,
};

function context(key: string): string {
  return `connector/${key}`;
}

/** The counts of a column with those of the fourth parameter added. */
function added(column: string): string {
  return `(SELECT jsonb_object_agg(key, coalesce((${column} ->> key)::bigint, 0) + value::bigint) FROM jsonb_each_text($4::jsonb))`;
}

function connectorOf(row: Row): Connector {
  return {
    key: row.key,
    participant: row.participant,
    kind: row.kind,
    settings: row.settings,
    hasSecrets: row.has_secrets,
    paused: row.paused,
    progress: row.progress,
    isRunning: row.running,
    nextRun: row.next_run,
    started: row.started ?? undefined,
    ended: row.ended ?? undefined,
    succeeded: row.succeeded ?? undefined,
    failures: row.failures,
    error: row.error ?? undefined,
    last: { ...noCounts, ...row.last_counts },
    all: { ...noCounts, ...row.all_counts },
  };
}
