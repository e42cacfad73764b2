/**
 * Whether a destination takes messages, told in the log once when it stops and once when it is back, and in the hub's
 * status as long as it lasts. Stored, so that a hub that starts anew does not tell it again.
 */
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';

/** Attempts in a row that must fail before a destination counts as down: one lost connection is no stop. */
const failuresUntilDown = 3;

export class DestinationState {
  readonly #key: string;
  readonly #database: Database;
  readonly #log: Logger;
  #isDown: boolean | undefined;

  constructor(key: string, database: Database, log: Logger) {
    this.#key = key;
    this.#database = database;
    this.#log = log;
  }

  /** It was not reached, so many times in a row. */
  async failed(failures: number, reason: string): Promise<void> {
    if (failures < failuresUntilDown || this.#isDown) return;
    const { rowCount } = await this.#database.query(
      `INSERT INTO destination_down (destination, since, reason) VALUES ($1, now(), $2) ON CONFLICT DO NOTHING`,
      [this.#key, reason.replaceAll('\0', '')],
    );
    this.#isDown = true;
    if (rowCount) this.#log.error({ destination: this.#key, reason }, 'a destination takes no messages');
  }

  /** It was reached. */
  async up(): Promise<void> {
    if (this.#isDown === false) return;
    const { rows } = await this.#database.query('DELETE FROM destination_down WHERE destination = $1 RETURNING since', [
      this.#key,
    ]);
    this.#isDown = false;
    if (rows[0]) this.#log.warn({ destination: this.#key, since: rows[0].since }, 'a destination takes messages again');
  }
}
