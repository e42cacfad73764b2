/** Look-ups of persons for an emergency access: noted, and told of where no such access follows. */
import type { Database, Transaction } from '../database/index.ts';

/** Minutes in which an emergency access is to follow. */
const waitMinutes = 30;
const lookMs = 60_000;

export class EmergencyLookups {
  readonly #database: Database;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Looks each minute for those that nothing followed. @param fault is told where the database does not answer */
  watch(fault: (error: unknown) => void): void {
    this.#timer = setInterval(() => void this.settle().catch(fault), lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Notes one, with the Patients that it found. @param lookup its id made by the caller */
  note(
    { id, username, organization, found }: { id: string; username: string; organization: string; found: string[] },
    transaction: Transaction,
  ): void {
    transaction.send({
      text: 'INSERT INTO emergency_lookup (id, username, organization, found) VALUES ($1, $2, $3, $4)',
      values: [id, username, organization, found],
    });
  }

  /** Tells privacy officers of those whose time is over and that no emergency access to a person found followed; once. */
  async settle(): Promise<void> {
    await this.#database.query(
      `WITH due AS (
         UPDATE emergency_lookup SET is_settled = true
         WHERE NOT is_settled AND at < now() - interval '${waitMinutes} minutes' RETURNING *)
       INSERT INTO notice (recipient, kind, about)
       SELECT 'role:privacy-officer', 'emergency-lookup-unused', jsonb_build_object('lookup', id, 'by', username,
         'organization', organization, 'at', at, 'patients', to_jsonb(found)) FROM due
       WHERE NOT EXISTS (SELECT FROM emergency_access e WHERE e.username = due.username AND e.patient = ANY(due.found)
         AND e.begun BETWEEN due.at AND due.at + interval '${waitMinutes} minutes')`,
    );
  }
}
