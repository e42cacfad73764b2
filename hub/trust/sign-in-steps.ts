/** What a browser was handed to bring back once: challenges, secrets that wait for their first code, requests to a provider. */
import { createHash } from 'node:crypto';
import type { Database } from '../database/index.ts';

export type StepKind = 'passkey-new' | 'passkey-sign-in' | 'passkey-step-up' | 'totp' | 'external' | 'idp';

const minutes = 10;

export class SignInSteps {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Remembers a step for some minutes. @param username whose it is; undefined where nobody is known yet */
  async put(kind: StepKind, key: string, username: string | undefined, value: object = {}): Promise<void> {
    await this.#database.query(
      `WITH old AS (DELETE FROM sign_in_step WHERE expires < now())
       INSERT INTO sign_in_step (id, kind, username, value, expires)
       VALUES ($1, $2, $3, $4, now() + interval '${minutes} minutes')
       ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
      [digest(kind, key), kind, username ?? null, JSON.stringify(value)],
    );
  }

  /** Looks at a step without using it up. */
  async look(kind: StepKind, key: string): Promise<{ [name: string]: string } | undefined> {
    const { rows } = await this.#database.query('SELECT value FROM sign_in_step WHERE id = $1 AND expires > now()', [
      digest(kind, key),
    ]);
    return rows[0]?.value;
  }

  /** Uses a step up; undefined where there is none, it is over, or it was somebody else's. */
  async take(
    kind: StepKind,
    key: string,
    username: string | undefined,
  ): Promise<{ [name: string]: string } | undefined> {
    const { rows } = await this.#database.query(
      `DELETE FROM sign_in_step WHERE id = $1 AND expires > now() AND username IS NOT DISTINCT FROM $2 RETURNING value`,
      [digest(kind, key), username ?? null],
    );
    return rows[0]?.value;
  }
}

function digest(kind: StepKind, key: string): Buffer {
  return createHash('sha256').update(`${kind}/${key}`).digest();
}
