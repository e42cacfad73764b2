/**
 * The table of jobs. A job belongs to who asked for it; one hub at a time works on it, holding a lease that it renews.
 * Whoever lost its lease can change nothing any more: each change of a job names the holder.
 */
import { type Database, locks, type Queryable, type Row } from '../database/index.ts';
import { type Issue, newId, RecordError } from '../record/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import { type Access, accessOf } from '../trust/index.ts';

export type JobKind = 'export' | 'import' | 'request';
export type JobState = 'receiving' | 'waiting' | 'running' | 'complete' | 'failed' | 'cancelled';

export interface Job {
  id: string;
  kind: JobKind;
  state: JobState;
  owner: string;
  /** The owner's access when the job was asked for. */
  access: Access;
  /** The address that was asked, whole. */
  request: string;
  /** An ExportRequest or ImportRequest. */
  parameters: unknown;
  /** The homes that an export is confined to. */
  homes: number[] | undefined;
  created: Date;
  finished: Date | undefined;
  expires: Date;
  attempts: number;
  seq: number | undefined;
  transactionTime: Date | undefined;
  done: number;
  total: number | undefined;
  errors: number;
  /** Seals the job's parts. */
  key: Buffer;
  problem: Issue[] | undefined;
  /** HTTP status of a request that was refused. */
  status: number | undefined;
}

/** What is limited. Times in milliseconds. */
export interface JobLimits {
  /** How long a job and its files are kept after its end. */
  keptMs: number;
  /** Jobs of one owner that are not ended. */
  perOwner: number;
  /** Jobs that are not ended, of all owners. */
  atOnce: number;
  /** How long a hub that says nothing is waited for. */
  leaseMs: number;
  /** Attempts of a job that makes no progress. */
  attempts: number;
}

/** The lease was lost: another hub works on the job, or it was cancelled. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

const partsPerDelete = 200;
const jobsPerSweep = 20;
const jobsPerLook = 1_000;
const retryAfterSeconds = 60;

export class Jobs {
  readonly limits: JobLimits;
  readonly #database: Database;
  readonly #master: MasterKey;
  /** This hub, as the holder of leases. */
  readonly #holder = newId();

  constructor(database: Database, master: MasterKey, limits: JobLimits) {
    this.#database = database;
    this.#master = master;
    this.limits = limits;
  }

  /** Makes a job. @throws RecordError 429 where its owner, or all together, have too many that are not ended */
  async create(
    job: Pick<Job, 'kind' | 'access' | 'request' | 'parameters' | 'homes'> & { state: 'receiving' | 'waiting' },
  ): Promise<Job> {
    const id = newId();
    return this.#database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [locks.bulkJobs]);
      const { rows: open } = await transaction.query({
        name: 'bulk_open',
        text: `SELECT count(*) AS everybody, count(*) FILTER (WHERE owner = $1) AS own FROM bulk_job
               WHERE state IN ('receiving', 'waiting', 'running')`,
        values: [job.access.who],
      });
      if (open[0]!.own >= this.limits.perOwner || open[0]!.everybody >= this.limits.atOnce) throw tooMany();
      const { rows } = await transaction.query({
        name: 'bulk_create',
        text: `INSERT INTO bulk_job (id, kind, state, owner, access, request, parameters, homes, expires, lease_until,
                                     sealing_key)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 ms', ${lease('$10')}, $11) RETURNING *`,
        values: [
          id,
          job.kind,
          job.state,
          job.access.who,
          JSON.stringify(job.access),
          job.request,
          JSON.stringify(job.parameters),
          job.homes ? `{${job.homes.join(',')}}` : null,
          this.limits.keptMs,
          job.state === 'receiving' ? this.limits.leaseMs : 0,
          wrapDataKey(this.#master, newDataKey(), keyContext(id)),
        ],
      });
      return this.#job(rows[0]!);
    });
  }

  /** A job of the caller's, or any for an administrator. @throws RecordError 404 */
  async find(id: string, access: Access): Promise<Job> {
    if (uuid.test(id)) {
      const { rows } = await this.#database.query({
        name: 'bulk_find',
        text: `SELECT * FROM bulk_job WHERE id = $1 AND state <> 'cancelled' AND (expires > now() OR finished IS NULL)`,
        values: [id],
      });
      const row = rows[0];
      if (row && (row.owner === access.who || access.role === 'administrator')) return this.#job(row);
    }
    throw new RecordError(404, 'not-found', 'There is no job at this address; it may have expired or been deleted.');
  }

  /** Ends a job and lets its files go. */
  async cancel(id: string): Promise<void> {
    await this.#database.query({
      name: 'bulk_cancel',
      text: `UPDATE bulk_job SET state = 'cancelled', lease_holder = NULL, finished = now(), expires = now()
             WHERE id = $1`,
      values: [id],
    });
  }

  /** Says that an upload goes on, or, with `state`, that it is whole. @throws LeaseLost where the job was ended */
  async receiving(id: string, state: 'receiving' | 'waiting'): Promise<void> {
    const { rowCount } = await this.#database.query({
      name: 'bulk_receiving',
      text: `UPDATE bulk_job SET state = $2, lease_until = ${lease('$3')} WHERE id = $1 AND state = 'receiving'`,
      values: [id, state, state === 'receiving' ? this.limits.leaseMs : 0],
    });
    if (rowCount === 0) throw new LeaseLost('The job was ended while it was received.');
  }

  /** Keeps files for those who are downloading them. */
  async extend(id: string, ms: number): Promise<void> {
    await this.#database.query({
      name: 'bulk_extend',
      text: `UPDATE bulk_job SET expires = now() + $2 * interval '1 ms'
             WHERE id = $1 AND state = 'complete' AND expires < now() + $2 * interval '1 ms'`,
      values: [id, ms],
    });
  }

  /** Takes the next job that nobody works on. */
  async claim(): Promise<Job | undefined> {
    const { rows } = await this.#database.query({
      name: 'bulk_claim',
      text: `UPDATE bulk_job SET state = 'running', lease_holder = $1, lease_until = ${lease('$2')},
               attempts = attempts + 1
             WHERE id = (SELECT id FROM bulk_job WHERE state IN ('waiting', 'running') AND lease_until <= now()
                         ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING *`,
      values: [this.#holder, this.limits.leaseMs],
    });
    return rows[0] && this.#job(rows[0]);
  }

  /** Keeps a lease. @throws LeaseLost */
  renew(id: string, done?: number): Promise<void> {
    return this.#change(this.#database, id, `done = coalesce($4, done), lease_until = ${lease('$3')}`, [
      this.limits.leaseMs,
      done ?? null,
    ]);
  }

  /** Counts progress in the transaction that makes it. @throws LeaseLost */
  advance(transaction: Queryable, id: string, done: number, errors: number): Promise<void> {
    return this.#change(
      transaction,
      id,
      `done = done + $4, errors = errors + $5, attempts = 1, lease_until = ${lease('$3')}`,
      [this.limits.leaseMs, done, errors],
    );
  }

  /** Ends a job well. @throws LeaseLost */
  complete(
    transaction: Queryable,
    id: string,
    moment: { seq: number | undefined; at: Date; done: number },
  ): Promise<void> {
    return this.#change(
      transaction,
      id,
      `state = 'complete', lease_holder = NULL, finished = now(), expires = now() + $3 * interval '1 ms', seq = $4,
       transaction_time = $5, done = $6`,
      [this.limits.keptMs, moment.seq ?? null, moment.at, moment.done],
    );
  }

  /** Ends a job that cannot be carried out. @throws LeaseLost */
  fail(id: string, problem: Issue[], status = 500): Promise<void> {
    return this.#change(
      this.#database,
      id,
      `state = 'failed', lease_holder = NULL, finished = now(), expires = now() + $3 * interval '1 ms', problem = $4,
       status = $5`,
      [this.limits.keptMs, JSON.stringify(problem), status],
    );
  }

  /** Ends a job whose owner may not ask any more, whoever works on it, and takes its files away. */
  async close(id: string, problem: Issue[], status: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction.query({
        name: 'bulk_close',
        text: `UPDATE bulk_job SET state = 'failed', lease_holder = NULL, finished = coalesce(finished, now()),
                 expires = now() + $2 * interval '1 ms', problem = $3, status = $4
               WHERE id = $1 AND state IN ('waiting', 'running', 'complete')`,
        values: [id, this.limits.keptMs, JSON.stringify(problem), status],
      });
      await transaction.query('DELETE FROM bulk_file WHERE job = $1', [id]);
    });
    await this.removeParts(id);
  }

  /** All jobs that somebody may still get something of, the oldest first. @param atOnce how many are in memory */
  async *open(atOnce = jobsPerLook): AsyncGenerator<Job> {
    // Ids follow the time at which they were made.
    for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
      const { rows } = await this.#database.query({
        name: 'bulk_open_jobs',
        text: `SELECT * FROM bulk_job WHERE state = 'complete' AND expires > now() AND id > $1 ORDER BY id LIMIT $2`,
        values: [after, atOnce],
      });
      for (const row of rows) yield this.#job(row);
      if (rows.length < atOnce) return;
      after = rows.at(-1)!.id;
    }
  }

  /** Gives a job back, to be taken again after a pause. `counts`: the attempt counts. @throws LeaseLost */
  release(id: string, pauseMs: number, counts: boolean): Promise<void> {
    return this.#change(
      this.#database,
      id,
      `state = 'waiting', lease_holder = NULL, lease_until = ${lease('$3')}, attempts = attempts - $4`,
      [pauseMs, counts ? 0 : 1],
    );
  }

  /** Removes some of what has expired, and uploads that were broken off. */
  async sweep(): Promise<void> {
    const { rows } = await this.#database.query({
      name: 'bulk_expired',
      text: `SELECT id FROM bulk_job
             WHERE (finished IS NOT NULL AND expires <= now()) OR (state = 'receiving' AND lease_until < now())
             ORDER BY expires LIMIT ${jobsPerSweep}`,
    });
    for (const { id } of rows) await this.remove(id);
  }

  /** Removes a job and all of its files. */
  async remove(id: string): Promise<void> {
    await this.removeParts(id);
    await this.#database.transaction(async (transaction) => {
      await transaction.query('DELETE FROM bulk_file WHERE job = $1', [id]);
      await transaction.query('DELETE FROM bulk_job WHERE id = $1', [id]);
    });
  }

  /** Removes the parts of a job, or of one of its files, some at a time. */
  async removeParts(id: string, file?: number): Promise<void> {
    for (;;) {
      const { rowCount } = await this.#database.query({
        text: `DELETE FROM bulk_part WHERE job = $1 AND (file, place) IN (
                 SELECT file, place FROM bulk_part WHERE job = $1 ${file === undefined ? '' : 'AND file = $2'}
                 LIMIT ${partsPerDelete})`,
        values: file === undefined ? [id] : [id, file],
      });
      if ((rowCount ?? 0) < partsPerDelete) return;
    }
  }

  async #change(on: Queryable, id: string, assignments: string, values: unknown[]): Promise<void> {
    const { rowCount } = await on.query({
      text: `UPDATE bulk_job SET ${assignments} WHERE id = $1 AND lease_holder = $2 AND state = 'running'`,
      values: [id, this.#holder, ...values],
    });
    if (rowCount === 0) throw new LeaseLost('The job is another hub’s by now, or was ended.');
  }

  #job(row: Row): Job {
    return {
      id: row.id,
      kind: row.kind,
      state: row.state,
      owner: row.owner,
      access: accessIn(row.access),
      request: row.request,
      parameters: row.parameters,
      homes: row.homes ?? undefined,
      created: row.created,
      finished: row.finished ?? undefined,
      expires: row.expires,
      attempts: row.attempts,
      seq: row.seq ?? undefined,
      transactionTime: row.transaction_time ?? undefined,
      done: row.done,
      total: row.total ?? undefined,
      errors: row.errors,
      key: unwrapDataKey(this.#master, row.sealing_key, keyContext(row.id)),
      problem: row.problem ?? undefined,
      status: row.status ?? undefined,
    };
  }
}

/** The access of a job; that of one which was begun before accesses had limits is made anew. */
function accessIn(stored: Access & { limits?: Access['limits'] }): Access {
  return stored.limits ? stored : { ...accessOf({ ...stored, username: stored.who, homes: [] }), ...stored };
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function lease(parameter: string): string {
  return `now() + ${parameter}::bigint * interval '1 ms'`;
}

/** Where the wrapped keys of jobs are. */
export const jobKeyColumn: WrappedColumn = {
  table: 'bulk_job',
  column: 'sealing_key',
  key: 'id',
  type: 'uuid',
  context: keyContext,
};

function keyContext(id: string): string {
  return `bulk/${id}`;
}

function tooMany(): RecordError {
  const text = 'As many jobs as may be under way are; wait for one to end, or delete one at its status address.';
  return new RecordError(429, 'throttled', text).with('retry-after', String(retryAfterSeconds));
}
