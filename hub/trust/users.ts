/** The accounts of a hub as its administrators see them, and what they may do with them. */
import { randomInt } from 'node:crypto';
import type { Database, Queryable } from '../database/index.ts';
import { type Role, roles } from './access.ts';
import { type Accounts, hashed, type User } from './accounts.ts';

export interface ListedUser extends User {
  made: Date;
  isDisabled: boolean;
  mayEmergency: boolean;
  hasPassword: boolean;
  mustChange: boolean;
  hasTotp: boolean;
  passkeys: number;
  isExternal: boolean;
  lastUsed: Date | undefined;
  lockedUntil: Date | undefined;
}

/** What is left out stays. */
export interface UserChange {
  name?: string;
  role?: Role;
  organization?: string;
  isDisabled?: boolean;
  mayEmergency?: boolean;
}

/** Without those that are easily taken for another. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789';
const givenPasswordLength = 20;

export class Users {
  readonly #database: Database;
  readonly #accounts: Accounts;

  constructor(database: Database, accounts: Accounts) {
    this.#database = database;
    this.#accounts = accounts;
  }

  /** By name; those that match what is looked for in name, user name or organisation. */
  async list(looked: string, limit = 200): Promise<ListedUser[]> {
    const { rows } = await this.#database.query(
      `SELECT a.*, a.totp IS NOT NULL AS has_totp, a.password IS NOT NULL AS has_password,
         (SELECT count(*) FROM passkey p WHERE p.username = a.username) AS passkeys,
         EXISTS (SELECT 1 FROM external_account e WHERE e.username = a.username) AS external,
         (SELECT max(last_used) FROM session s WHERE s.username = a.username) AS used
       FROM account a
       WHERE $1 = '' OR position(lower($1) IN lower(a.name || ' ' || a.username || ' ' || a.organization)) > 0
       ORDER BY a.name, a.username LIMIT $2`,
      [looked, limit],
    );
    const locks = await this.#accounts.attempts.locks(rows.map(({ username }) => username));
    return rows.map((row) => ({
      username: row.username,
      name: row.name,
      role: roles.find((one) => one === row.role) ?? 'clinician',
      organization: row.organization,
      made: row.made,
      isDisabled: row.disabled,
      mayEmergency: row.may_emergency,
      hasPassword: row.has_password,
      mustChange: row.must_change,
      hasTotp: row.has_totp,
      passkeys: Number(row.passkeys),
      isExternal: row.external,
      lastUsed: row.used ?? undefined,
      lockedUntil: locks.get(row.username),
    }));
  }

  /** Makes an account. Returns a password that is good for choosing one's own; undefined where the name is taken. */
  async make(user: User, database: Queryable): Promise<string | undefined> {
    const password = givenPassword();
    return (await this.#accounts.make(user, password, database, true)) ? password : undefined;
  }

  /** Changes an account; where its rights change, its sessions end. Returns whether there is one. */
  async change(username: string, change: UserChange, database: Queryable): Promise<boolean> {
    const { name, role, organization, isDisabled, mayEmergency } = change;
    const { rows } = await database.query(
      'SELECT role, organization, disabled FROM account WHERE username = $1 FOR UPDATE',
      [username],
    );
    const before = rows[0];
    if (!before) return false;
    await database.query(
      `UPDATE account SET name = coalesce($2, name), role = coalesce($3, role),
         organization = coalesce($4, organization), disabled = coalesce($5, disabled),
         may_emergency = coalesce($6, may_emergency) WHERE username = $1`,
      [username, name ?? null, role ?? null, organization ?? null, isDisabled ?? null, mayEmergency ?? null],
    );
    const hasOtherRights =
      (role !== undefined && role !== before.role) ||
      (organization !== undefined && organization !== before.organization) ||
      (isDisabled === true && !before.disabled);
    if (hasOtherRights) await database.query('DELETE FROM session WHERE username = $1', [username]);
    return true;
  }

  /**
   * Lets somebody who lost everything begin anew: another password, no second factors, no sessions, no lock. Returns the
   * password, good for choosing one's own; undefined where there is no such account.
   */
  async reset(username: string, database: Queryable): Promise<string | undefined> {
    const password = givenPassword();
    const { rowCount } = await database.query(
      'UPDATE account SET totp = NULL, password = $2, must_change = true WHERE username = $1',
      [username, await hashed(password)],
    );
    if (rowCount !== 1) return undefined;
    for (const table of ['passkey', 'recovery_code', 'external_account', 'session']) {
      await database.query(`DELETE FROM ${table} WHERE username = $1`, [username]);
    }
    await this.unlock(username, database);
    return password;
  }

  /** Ends a lock before its time. */
  async unlock(username: string, database: Queryable): Promise<void> {
    await this.#accounts.attempts.succeeded(username, database);
  }
}

function givenPassword(): string {
  return Array.from({ length: givenPasswordLength }, () => letters[randomInt(letters.length)]).join('');
}
