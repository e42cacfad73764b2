/**
 * Works off jobs: takes those that nobody works on, keeps their leases, and gives back what it cannot finish. A job
 * whose hub ended is taken by the next that finds its lease expired. Now and then removes what has expired.
 */
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import { faultText } from '../faults.ts';
import { RecordError } from '../record/index.ts';
import { type Job, type Jobs, LeaseLost } from './jobs.ts';
import { AccessEnded } from './standing.ts';

export type RunJob = (job: Job, signal: AbortSignal) => Promise<void>;

export interface WorkerParts {
  database: Database;
  jobs: Jobs;
  run: RunJob;
  /** Done now and then, beside all else; ends early where the signal says so. */
  tidy(signal: AbortSignal): Promise<void>;
  log: Logger;
}

const jobsAtOnce = 2;
const idleMs = 2_000;
const sweepMs = 60_000;
const firstRetryMs = 1_000;

export class Worker {
  readonly #parts: WorkerParts;
  readonly #running = new Map<string, { abort: AbortController; ended: Promise<void> }>();
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #tidied: Promise<void> = Promise.resolve();
  #ending = new AbortController();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#ending = new AbortController();
    const { signal } = this.#ending;
    const { jobs, tidy } = this.#parts;
    const sweep = () => {
      this.#look(() => jobs.sweep());
      this.#tidied = this.#tidied.then(() => tidy(signal)).catch((error) => this.#failed(error));
    };
    this.#sweeper = setInterval(sweep, sweepMs);
    sweep();
    this.wake();
  }

  /** Tells that there may be a job. */
  wake(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#look(() => this.#claim());
  }

  /** Ends what is done on a job here; it was cancelled. */
  abort(id: string): void {
    this.#running.get(id)?.abort.abort(new LeaseLost('The job was ended.'));
  }

  /** Gives all jobs back, to be gone on with by the next hub. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweeper);
    this.#ending.abort();
    await Promise.all([this.#turn, this.#tidied]);
    for (const { abort } of this.#running.values()) abort.abort(new Stopped());
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** One look at the table after the other; one that fails is made again. */
  #look(look: () => Promise<void>): void {
    this.#turn = this.#turn.then(look).catch((error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    this.#parts.log.warn({ error: faultText(error) }, 'jobs could not be looked for');
  }

  async #claim(): Promise<void> {
    while (!this.#stopped && this.#running.size < jobsAtOnce) {
      const job = await this.#parts.jobs.claim();
      if (!job) break;
      const abort = new AbortController();
      const ended = this.#carryOut(job, abort).finally(() => {
        this.#running.delete(job.id);
        this.wake();
      });
      this.#running.set(job.id, { abort, ended });
    }
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), idleMs);
  }

  async #carryOut(job: Job, abort: AbortController): Promise<void> {
    const { jobs, run, log } = this.#parts;
    const heartbeat = setInterval(() => {
      jobs.renew(job.id).catch((error) => {
        if (error instanceof LeaseLost) abort.abort(error);
      });
    }, jobs.limits.leaseMs / 3);
    try {
      await run(job, abort.signal);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      await this.#settle(job, abort.signal, error).catch((failure) => {
        if (!(failure instanceof LeaseLost)) log.error({ error: faultText(failure) }, 'a job could not be given back');
      });
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #settle(job: Job, signal: AbortSignal, error: unknown): Promise<void> {
    const { jobs, log } = this.#parts;
    if (signal.aborted) {
      if (signal.reason instanceof Stopped) await jobs.release(job.id, 0, false);
      return;
    }
    if (error instanceof AccessEnded) {
      await jobs.close(job.id, error.issues, error.status);
      return;
    }
    if (error instanceof RecordError && (error.status < 500 || job.kind === 'request')) {
      await jobs.fail(job.id, error.issues, error.status);
      return;
    }
    log.error({ error: faultText(error), job: job.id, attempts: job.attempts }, 'a job failed');
    if (job.attempts < jobs.limits.attempts) {
      await jobs.release(job.id, firstRetryMs * 2 ** job.attempts, true);
      return;
    }
    const diagnostics = 'The job failed several times for a reason that lies in the hub; its log says more.';
    await jobs.fail(job.id, [{ severity: 'error', code: 'exception', diagnostics }]);
  }
}

class Stopped extends Error {
  override name = 'Stopped';
}
