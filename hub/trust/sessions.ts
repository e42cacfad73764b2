/**
 * Sessions of people at the screens, kept by the hashes of their tokens. One ends when it was not used for a while, and at
 * its time however it was used. Its token changes whenever its rights do.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Queryable, Row } from '../database/index.ts';

/** By what its user proved who it is; `external-mfa`: by a provider that asked for two factors. */
export type Proof = 'password' | 'totp' | 'recovery' | 'passkey' | 'external' | 'external-mfa';

/** What is still needed: a second factor, a password of one's own, or a second factor to be set up. */
export type Pending = 'factor' | 'password' | 'enrol';

/** A session whose token was shown. */
export interface Session {
  username: string;
  /** By which its user knows it; not a secret. */
  number: string;
  proofs: Proof[];
  /** While something is, the session is good for nothing else. */
  pending: Pending | undefined;
  /** Whether its user proved who it is within the last minutes. */
  isFresh: boolean;
}

/** A session as its user sees it in the list. */
export interface ListedSession {
  number: string;
  created: Date;
  lastUsed: Date;
  ends: Date;
  proofs: Proof[];
  agent: string;
}

/** How long sessions hold. */
export interface SessionLimits {
  hours: number;
  idleMinutes: number;
}

export const defaultLimits: SessionLimits = { hours: 12, idleMinutes: 60 };
/** A sign-in that waits for its second step. */
const pendingMinutes = 10;
const freshMinutes = 15;

export class Sessions {
  readonly #database: Database;
  readonly #limits: SessionLimits;

  constructor(database: Database, limits: SessionLimits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Begins one. Returns its token. */
  async begin(username: string, proofs: Proof[], pending: Pending | undefined, agent: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await this.#database.query(
      `WITH old AS (DELETE FROM session WHERE expires < now()),
         used AS (UPDATE account SET signed_in = now() WHERE username = $2)
       INSERT INTO session (id, username, created, expires, proofs, pending, agent)
       VALUES ($1, $2, now(), now() + $3 * interval '1 minute', $4, $5, $6)`,
      [digest(token), username, this.#minutes(pending), proofs, pending ?? null, agent.slice(0, 300)],
    );
    return token;
  }

  /** The session of a token, whatever is pending. */
  async find(token: string): Promise<Session | undefined> {
    const { rows } = await this.#database.query({
      name: 'session',
      text: `SELECT s.username, number::text, proofs, pending,
               proved > now() - interval '${freshMinutes} minutes' AS fresh
             FROM session s JOIN account a USING (username) WHERE s.id = $1 AND ${this.#holds}`,
      values: [digest(token)],
    });
    return rows[0] && sessionOf(rows[0]);
  }

  /** The row of the account whose session it is, once nothing is pending. @param isUnattended nobody is at the screen: it is not used */
  async account(token: string, isUnattended: boolean): Promise<Row | undefined> {
    const { rows } = await this.#database.query({
      name: 'session_account',
      text: `SELECT a.username, a.name, a.role, a.organization, s.last_used < now() - interval '30 seconds' AS stale
             FROM session s JOIN account a USING (username)
             WHERE s.id = $1 AND s.pending IS NULL AND ${this.#holds}`,
      values: [digest(token)],
    });
    if (rows[0]?.stale && !isUnattended) {
      await this.#database.query('UPDATE session SET last_used = now() WHERE id = $1', [digest(token)]);
    }
    return rows[0];
  }

  /** The session under another token, with what was proved since. Returns undefined where it has ended meanwhile. */
  async renew(token: string, proofs: Proof[], pending: Pending | undefined): Promise<string | undefined> {
    const next = randomBytes(32).toString('base64url');
    const { rowCount } = await this.#database.query(
      `UPDATE session s SET id = $2, proofs = $3, pending = $4, proved = now(), last_used = now(), expires =
         CASE WHEN s.pending IS NOT NULL AND $4::text IS NULL THEN now() + $5 * interval '1 minute' ELSE expires END
       WHERE s.id = $1 AND s.expires > now()`,
      [digest(token), digest(next), proofs, pending ?? null, this.#minutes(pending)],
    );
    return rowCount === 1 ? next : undefined;
  }

  async end(token: string): Promise<void> {
    await this.#database.query('DELETE FROM session WHERE id = $1', [digest(token)]);
  }

  /** Those of an account, the latest used first. */
  async of(username: string): Promise<ListedSession[]> {
    const { rows } = await this.#database.query(
      `SELECT s.number::text, s.created, s.last_used, s.expires, s.proofs, s.agent
       FROM session s JOIN account a USING (username)
       WHERE s.username = $1 AND s.pending IS NULL AND ${this.#holds} ORDER BY last_used DESC LIMIT 200`,
      [username],
    );
    return rows.map((row) => ({
      number: row.number,
      created: row.created,
      lastUsed: row.last_used,
      ends: row.expires,
      proofs: row.proofs,
      agent: row.agent,
    }));
  }

  /** Ends one of an account's, or, without a number, all but the one that is kept. Returns how many. */
  async endOf(
    username: string,
    which: { number?: string; keep?: string },
    database: Queryable = this.#database,
  ): Promise<number> {
    const { rowCount } = await database.query(
      `DELETE FROM session WHERE username = $1 AND ($2::uuid IS NULL OR number = $2)
         AND ($3::uuid IS NULL OR number <> $3)`,
      [username, which.number ?? null, which.keep ?? null],
    );
    return rowCount ?? 0;
  }

  get #holds(): string {
    return `s.expires > now() AND s.last_used > now() - interval '${this.#limits.idleMinutes} minutes' AND NOT a.disabled`;
  }

  #minutes(pending: Pending | undefined): number {
    return pending === undefined ? this.#limits.hours * 60 : pendingMinutes;
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function sessionOf({ username, number, proofs, pending, fresh }: Row): Session {
  return { username, number, proofs, pending: pending ?? undefined, isFresh: fresh };
}
