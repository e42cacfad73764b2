/**
 * Starting an app from the hub's own pages for the patient that is open (SMART App Launch 2.2, "Launch App: EHR Launch").
 * The `launch` value is good for one app, one user, once, and for a few minutes.
 */
import { randomBytes } from 'node:crypto';
import type { Database } from '../database/index.ts';
import { handleDigest } from './handles.ts';

const minutes = 10;

export interface Launch {
  patient: string;
  encounter: string | undefined;
  /** What else is open, as `Type/id`. */
  about: readonly string[];
  /** What the app is opened for, in a word that it knows. */
  intent: string | undefined;
}

export class Launches {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The value that the app hands back with its request. */
  async begin(client: string, username: string, launch: Launch): Promise<string> {
    const handle = randomBytes(32).toString('base64url');
    await this.#database.query(
      `INSERT INTO oauth_launch (id, client, username, patient, encounter, about, intent, expires)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 minute')`,
      [
        handleDigest(handle),
        client,
        username,
        launch.patient,
        launch.encounter ?? null,
        launch.about,
        launch.intent ?? null,
        minutes,
      ],
    );
    return handle;
  }

  /** What a value stands for, for this app and user. */
  async find(handle: string, client: string, username: string): Promise<Launch | undefined> {
    const { rows } = await this.#database.query(
      `SELECT patient, encounter, about, intent FROM oauth_launch
       WHERE id = $1 AND client = $2 AND username = $3 AND expires > now()`,
      [handleDigest(handle), client, username],
    );
    const row = rows[0];
    return (
      row && {
        patient: row.patient,
        encounter: row.encounter ?? undefined,
        about: row.about,
        intent: row.intent ?? undefined,
      }
    );
  }

  /** Uses it up; returns whether it was still there. */
  async end(handle: string): Promise<boolean> {
    const { rowCount } = await this.#database.query('DELETE FROM oauth_launch WHERE id = $1', [handleDigest(handle)]);
    return rowCount === 1;
  }
}
