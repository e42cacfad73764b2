/**
 * Reprocessings as jobs: one at a time over all hubs, lane after lane, giving way while messages arrive. One that was
 * interrupted goes on after the last lane that was done; a lane that is done twice changes nothing the second time.
 */
import type { Database, LedWork, Row } from '../database/index.ts';
import { newId, RecordError, ridOf } from '../record/index.ts';
import type { LaneOutcome, Reprocess, ReprocessFilter } from './reprocess.ts';

const idleMs = 2_000;
const wayMs = 200;
const shown = 20;
const running = 'reprocess_running';
const columns = `id, filter, requested_by, requested, state, lanes, lanes_done, messages, added, changed, removed, left_out,
  left_because, finished`;

export class ReprocessJobs implements LedWork {
  readonly #database: Database;
  readonly #reprocess: Reprocess;
  readonly #isPressed: () => boolean;
  readonly #fault: (error: unknown) => void;
  #stopped = true;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /**
   * @param isPressed whether messages arrive that should go first
   * @param fault is told when the work fails; it is tried again
   */
  constructor(database: Database, reprocess: Reprocess, isPressed: () => boolean, fault: (error: unknown) => void) {
    this.#database = database;
    this.#reprocess = reprocess;
    this.#isPressed = isPressed;
    this.#fault = fault;
  }

  /** Begins a reprocessing. @throws RecordError 409 while one is running */
  async create(filter: ReprocessFilter, by: string): Promise<object> {
    const id = newId();
    const { lanes } = await this.#reprocess.size(filter);
    try {
      const { rows } = await this.#database.query(
        `INSERT INTO reprocess (id, filter, requested_by, requested, state, lanes)
         VALUES ($1, $2, $3, now(), 'running', $4) RETURNING ${columns}`,
        [id, JSON.stringify(filter), by, lanes],
      );
      this.#wake?.();
      return describe(rows[0]!);
    } catch (error) {
      if ((error as { constraint?: string }).constraint !== running) throw error;
      throw new RecordError(409, 'conflict', 'A reprocessing is running; wait for its end, or cancel it.');
    }
  }

  /** The latest reprocessings, newest first. */
  async list(): Promise<object[]> {
    const { rows } = await this.#database.query(
      `SELECT ${columns} FROM reprocess ORDER BY requested DESC LIMIT ${shown}`,
    );
    return rows.map(describe);
  }

  /** Ends a reprocessing after the lane it is at; what is done stays. @throws RecordError 409 where none is running */
  async cancel(id: string): Promise<object> {
    const { rows } = await this.#database.query(
      `UPDATE reprocess SET state = 'cancelled', finished = now() WHERE id = $1 AND state = 'running' RETURNING ${columns}`,
      [ridOf(id)],
    );
    if (!rows[0]) throw new RecordError(409, 'conflict', 'No reprocessing of this id is running.');
    return describe(rows[0]);
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (await this.#nextLane()) continue;
      } catch (error) {
        this.#fault(error);
      }
      await this.#wait(idleMs);
    }
  }

  /** Brings one lane up to date. Returns whether there may be another. */
  async #nextLane(): Promise<boolean> {
    const { rows } = await this.#database.query(
      `SELECT id, filter, after_lane::text FROM reprocess WHERE state = 'running'`,
    );
    const job = rows[0];
    if (!job) return false;
    const [lane] = await this.#reprocess.lanes(job.filter, job.after_lane, 1);
    if (lane === undefined) {
      await this.#database.query(
        `UPDATE reprocess SET state = 'complete', finished = now() WHERE id = $1 AND state = 'running'`,
        [job.id],
      );
      return true;
    }
    while (this.#isPressed() && !this.#stopped) await this.#wait(wayMs);
    if (this.#stopped) return false;
    await this.#note(job.id, lane, await this.#reprocess.carryOut(lane));
    return true;
  }

  async #note(id: string, lane: string, outcome: LaneOutcome): Promise<void> {
    await this.#database.query(
      `UPDATE reprocess SET after_lane = $2, lanes_done = lanes_done + 1, messages = messages + $3, added = added + $4,
         changed = changed + $5, removed = removed + $6, left_out = left_out + ($7::text IS NOT NULL)::integer,
         left_because = coalesce($7, left_because) WHERE id = $1`,
      [id, lane, outcome.messages, outcome.added, outcome.changed, outcome.removed, outcome.leftBecause ?? null],
    );
  }

  #wait(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function describe(row: Row): object {
  const { id, filter, requested, state, lanes, messages, added, changed, removed, finished } = row;
  return {
    id,
    filter,
    requestedBy: row.requested_by,
    requestedAt: requested,
    state,
    lanes,
    lanesDone: row.lanes_done,
    messages,
    added,
    changed,
    removed,
    leftOut: row.left_out,
    leftBecause: row.left_because,
    finishedAt: finished,
  };
}
