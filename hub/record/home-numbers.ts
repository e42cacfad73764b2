/**
 * Numbers for the homes of patients that are made under ids of the hub's own: drawn from the database in blocks, so that
 * a created Patient need not wait for one. A number that is not used is never given again.
 */
import type { Queryable } from '../database/index.ts';

const block = 256;

export class HomeNumbers {
  #drawn: number[] = [];

  /** So many numbers that no patient has. */
  async take(database: Queryable, count: number): Promise<number[]> {
    while (this.#drawn.length < count) {
      const { rows } = await database.query<{ home: number }>({
        name: 'home_numbers',
        text: `SELECT nextval('home_number') AS home FROM generate_series(1, $1::integer)`,
        values: [Math.max(block, count)],
      });
      this.#drawn.push(...rows.map(({ home }) => home));
    }
    return this.#drawn.splice(0, count);
  }
}
