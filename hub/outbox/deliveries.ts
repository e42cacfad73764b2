/** The deliveries as people see them: what went to whom, in which state. */
import type { Database } from '../database/index.ts';
import type { Participants } from '../trust/index.ts';

export class Deliveries {
  readonly #database: Database;
  readonly #participants: Participants;

  constructor(database: Database, participants: Participants) {
    this.#database = database;
    this.#participants = participants;
  }

  /** What a message caused to be sent. */
  async ofMessage(message: string): Promise<object[]> {
    const { rows } = await this.#database.query(
      `SELECT id, destination, dialect, kind, topic, state, attempts, last_error, created, delivered FROM delivery
       WHERE message = $1 ORDER BY seq`,
      [message],
    );
    return rows.map((row) => ({
      id: row.id,
      destination: row.destination,
      destinationName: this.#participants.byKey(row.destination).name,
      dialect: row.dialect,
      kind: row.kind,
      topic: row.topic,
      state: row.state,
      attempts: row.attempts,
      lastError: row.last_error,
      createdAt: row.created,
      deliveredAt: row.delivered,
    }));
  }

  async status(): Promise<{ delivered: number; deliveriesWaiting: number; deliveriesDead: number }> {
    const { rows } = await this.#database.query('SELECT state, count(*) AS count FROM delivery GROUP BY state');
    const count = (...states: string[]) =>
      rows.filter((row) => states.includes(row.state)).reduce((sum, row) => sum + Number(row.count), 0);
    return { delivered: count('delivered'), deliveriesWaiting: count('waiting', 'failed'), deliveriesDead: count('dead') };
  }
}
