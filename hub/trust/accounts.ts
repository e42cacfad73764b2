/** Accounts of people, and their sessions. Passwords are kept as Argon2id hashes; sessions as hashes of their tokens. */
import { createHash, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Database, Queryable, Row } from '../database/index.ts';
import { type Role, roles } from './access.ts';

export interface User {
  username: string;
  name: string;
  role: Role;
  organization: string;
}

const sessionHours = 12;
const failuresBeforeLock = 5;
const lockMinutes = 5;
/** OWASP's first choice of parameters for Argon2id: 19 MiB, two passes. */
const argon2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export type SignIn = { user: User; token: string } | { refused: 'wrong' | 'locked' };

export class Accounts {
  readonly #database: Database;
  readonly #deciding = new Map<string, Promise<void>>();
  #unknownAccountHash: Promise<string> | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes an account, or leaves the one there is. Returns whether it made one. */
  async make(user: User, password: string, database: Queryable = this.#database): Promise<boolean> {
    const known = await database.query('SELECT 1 FROM account WHERE username = $1', [user.username]);
    if (known.rows.length > 0) return false;
    const { rowCount } = await database.query(
      `INSERT INTO account (username, password, name, role, organization) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [user.username, await hash(password, argon2), user.name, user.role, user.organization],
    );
    return rowCount === 1;
  }

  /**
   * Signs in; takes as long for an unknown account as for a wrong password. Attempts at one account are decided one
   * after the other, so that a burst of them meets the lock.
   */
  signIn(username: string, password: string): Promise<SignIn> {
    return this.#inTurn(username, async () => {
      const checked = await this.#check(username, password);
      return 'refused' in checked ? checked : { user: checked.user, token: await this.#session(username) };
    });
  }

  /**
   * Whether somebody who is signed in proves it again, before what needs that. Attempts count as those to sign in do.
   * @returns how it was proved
   */
  stepUp(username: string, { password }: { password: string }): Promise<'password' | { refused: 'wrong' | 'locked' }> {
    return this.#inTurn(username, async () => {
      const checked = await this.#check(username, password);
      return 'refused' in checked ? checked : 'password';
    });
  }

  #inTurn<T>(username: string, decide: () => Promise<T>): Promise<T> {
    const before = this.#deciding.get(username) ?? Promise.resolve();
    const decided = before.then(decide);
    const settled = decided.then(
      () => {},
      () => {},
    );
    this.#deciding.set(username, settled);
    void settled.then(() => {
      if (this.#deciding.get(username) === settled) this.#deciding.delete(username);
    });
    return decided;
  }

  async #check(username: string, password: string): Promise<{ user: User } | { refused: 'wrong' | 'locked' }> {
    const { rows } = await this.#database.query(
      'SELECT *, locked_until > now() AS locked FROM account WHERE username = $1',
      [username],
    );
    const account = rows[0];
    if (account?.locked) return { refused: 'locked' };
    this.#unknownAccountHash ??= hash(randomBytes(16).toString('hex'), argon2);
    const right = await verify(account?.password ?? (await this.#unknownAccountHash), password);
    if (!account || !right) {
      if (account) await this.#countFailure(username);
      return { refused: 'wrong' };
    }
    await this.#database.query(
      'UPDATE account SET failures = 0, locked_until = NULL WHERE username = $1 AND failures > 0',
      [username],
    );
    return { user: userOf(account) };
  }

  async #session(username: string): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    await this.#database.query(
      `WITH old AS (DELETE FROM session WHERE expires < now())
       INSERT INTO session (id, username, created, expires)
       VALUES ($1, $2, now(), now() + $3 * interval '1 hour')`,
      [digest(token), username, sessionHours],
    );
    return token;
  }

  /** The account of this name. */
  async find(username: string): Promise<User | undefined> {
    const { rows } = await this.#database.query({
      name: 'account',
      text: 'SELECT username, name, role, organization FROM account WHERE username = $1',
      values: [username],
    });
    return rows[0] && userOf(rows[0]);
  }

  /** Whose session it is. */
  async session(token: string): Promise<User | undefined> {
    const { rows } = await this.#database.query({
      name: 'session',
      text: `SELECT a.username, a.name, a.role, a.organization FROM session s JOIN account a USING (username)
             WHERE s.id = $1 AND s.expires > now()`,
      values: [digest(token)],
    });
    return rows[0] && userOf(rows[0]);
  }

  async signOut(token: string): Promise<void> {
    await this.#database.query('DELETE FROM session WHERE id = $1', [digest(token)]);
  }

  async #countFailure(username: string): Promise<void> {
    await this.#database.query(
      `UPDATE account SET failures = failures + 1,
         locked_until = CASE WHEN (failures + 1) % ${failuresBeforeLock} = 0
                        THEN now() + interval '${lockMinutes} minutes' END
       WHERE username = $1`,
      [username],
    );
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function userOf(row: Row): User {
  const role = roles.find((one) => one === row.role) ?? 'clinician';
  return { username: row.username, name: row.name, role, organization: row.organization };
}
