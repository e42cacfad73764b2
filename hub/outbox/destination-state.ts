/**
 * Whether a destination takes messages by a route, told in the log once when it stops and once when it is back, and in the hub's
 * status as long as it lasts. Stored, so that a hub that starts anew does not tell it again.
 */
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import type { Lane } from './queue.ts';

/** Attempts in a row that must fail before a destination counts as down: one lost connection is no stop. */
const failuresUntilDown = 3;

export class DestinationState {
  readonly #lane: Lane;
  readonly #database: Database;
  readonly #log: Logger;
  /** Undefined while nothing is known of it. */
  #isDown: boolean | undefined;
  #isGone = false;

  constructor(lane: Lane, database: Database, log: Logger) {
    this.#lane = lane;
    this.#database = database;
    this.#log = log;
  }

  /** It was not reached, so many times in a row. */
  async failed(failures: number, reason: string): Promise<void> {
    this.#isGone = false;
    if (failures < failuresUntilDown || this.#isDown) return;
    const { destination, route } = this.#lane;
    const { rowCount } = await this.#database.query(
      `INSERT INTO destination_down (destination, route, since, reason) VALUES ($1, $2, now(), $3) ON CONFLICT DO NOTHING`,
      [destination, route, reason.replaceAll('\0', '')],
    );
    this.#isDown = true;
    if (rowCount) this.#log.error({ destination, route, reason }, 'a destination takes no messages');
  }

  /** There is no such route any more: it is not down, either. Answers whether that is news. */
  async gone(): Promise<boolean> {
    if (this.#isGone) return false;
    const { destination, route } = this.#lane;
    await this.#database.query('DELETE FROM destination_down WHERE destination = $1 AND route = $2', [
      destination,
      route,
    ]);
    this.#isDown = undefined;
    this.#isGone = true;
    return true;
  }

  /** It was reached. */
  async up(): Promise<void> {
    this.#isGone = false;
    if (this.#isDown === false) return;
    const { destination, route } = this.#lane;
    const { rows } = await this.#database.query(
      'DELETE FROM destination_down WHERE destination = $1 AND route = $2 RETURNING since',
      [destination, route],
    );
    this.#isDown = false;
    if (rows[0]) this.#log.warn({ destination, route, since: rows[0].since }, 'a destination takes messages again');
  }
}
