/**
 * Accounts of people: who they are is proved by a password (kept as its Argon2id hash), a passkey, codes of an authenticator
 * app, or an external provider; what is proved makes a session.
 */
import { randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Database, Queryable, Row } from '../database/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import { type Role, roles } from './access.ts';
import { Attempts } from './attempts.ts';
import { Passkeys, type RelyingParty } from './passkeys.ts';
import { defaultLimits, type Pending, type Proof, type Session, type SessionLimits, Sessions } from './sessions.ts';
import { SignInSteps } from './sign-in-steps.ts';
import { Totp } from './totp.ts';

export interface User {
  username: string;
  name: string;
  role: Role;
  organization: string;
}

/** OWASP's first choice of parameters for Argon2id: 19 MiB, two passes. It runs in libuv's threads. */
const argon2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export interface Refused {
  refused: 'wrong' | 'locked';
}

/** While something is pending, the token is good for nothing but that. */
export interface SignedIn {
  user: User;
  token: string;
  pending: Pending | undefined;
}

export type SignIn = SignedIn | Refused;

/** What somebody shows to prove who it is: a code is one of an app, or a recovery code. */
export type Shown = { password: string } | { code: string } | { passkey: unknown; party: RelyingParty };

/** By what an account can prove who it is, beside passkeys. */
export interface Factors {
  hasPassword: boolean;
  hasTotp: boolean;
  recoveryCodes: number;
  /** An external provider knows it. */
  isExternal: boolean;
}

export interface AccountOptions {
  /** Seals the secrets of authenticator apps; without it none can be set up. */
  master?: MasterKey;
  limits?: SessionLimits;
  /** Whether a role needs a second factor. */
  needsFactor?: (role: Role) => boolean;
}

const strong: readonly Proof[] = ['totp', 'recovery', 'passkey', 'external-mfa'];

export class Accounts {
  readonly sessions: Sessions;
  readonly totp: Totp;
  readonly passkeys: Passkeys;
  readonly steps: SignInSteps;
  readonly attempts: Attempts;
  readonly #database: Database;
  readonly #needsFactor: (role: Role) => boolean;
  readonly #deciding = new Map<string, Promise<void>>();
  #unknownAccountHash: Promise<string> | undefined;

  constructor(database: Database, { master, limits = defaultLimits, needsFactor = () => false }: AccountOptions = {}) {
    this.#database = database;
    this.#needsFactor = needsFactor;
    this.steps = new SignInSteps(database);
    this.sessions = new Sessions(database, limits);
    this.totp = new Totp(database, this.steps, master);
    this.passkeys = new Passkeys(database, this.steps);
    this.attempts = new Attempts(database);
  }

  /**
   * Makes an account, or leaves the one there is. Returns whether it made one.
   * @param password undefined: it signs in by an external provider
   * @param mustChange the password is good for choosing one's own
   */
  async make(
    user: User,
    password: string | undefined,
    database: Queryable = this.#database,
    mustChange = false,
  ): Promise<boolean> {
    const known = await database.query('SELECT 1 FROM account WHERE username = $1', [user.username]);
    if (known.rows.length > 0) return false;
    const { rowCount } = await database.query(
      `INSERT INTO account (username, password, name, role, organization, must_change) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [
        user.username,
        password === undefined ? null : await hashed(password),
        user.name,
        user.role,
        user.organization,
        mustChange,
      ],
    );
    return rowCount === 1;
  }

  /**
   * Signs in by a password; takes as long for an unknown account as for a wrong password. Attempts at one account are
   * decided one after the other.
   */
  signIn(username: string, password: string, agent = ''): Promise<SignIn> {
    return this.#inTurn(username, async () => {
      const proved = await this.#prove(username, { password });
      return typeof proved === 'object' ? proved : this.#begin(username, [proved], agent);
    });
  }

  /** Signs in by a passkey alone, which is two factors by itself. No lock keeps from that. */
  async signInByPasskey(passkey: unknown, party: RelyingParty, agent = ''): Promise<SignIn> {
    const username = await this.passkeys.verify('passkey-sign-in', party, passkey);
    return username === undefined ? { refused: 'wrong' } : this.#begin(username, ['passkey'], agent);
  }

  /** Signs in somebody whom an external provider knows. @param isMfa it asked for two factors */
  signInByProvider(username: string, isMfa: boolean, agent = ''): Promise<SignedIn> {
    return this.#begin(username, [isMfa ? 'external-mfa' : 'external'], agent);
  }

  /** The second step of a sign-in, or whoever is signed in proving it again. The session goes on under another token. */
  goOn(token: string, session: Session, shown: Shown): Promise<SignIn> {
    const { username } = session;
    return this.#inTurn(username, async () => {
      const proved = await this.#prove(username, shown);
      if (typeof proved === 'object') return proved;
      return (await this.advance(token, session, proved)) ?? { refused: 'wrong' };
    });
  }

  /** A session with what was done since under another token; undefined where it has ended meanwhile. */
  async advance(token: string, { username, proofs }: Session, proof?: Proof): Promise<SignedIn | undefined> {
    const all = proof === undefined || proofs.includes(proof) ? proofs : [...proofs, proof];
    const account = await this.#account(username);
    if (!account) return undefined;
    const pending = this.#pending(account, all);
    if (pending !== 'factor') await this.attempts.succeeded(username);
    const next = await this.sessions.renew(token, all, pending);
    return next === undefined ? undefined : { user: userOf(account), token: next, pending };
  }

  /**
   * Whether somebody who is signed in proves it again, before what needs that. Attempts count as those to sign in do.
   * @returns how it was proved
   */
  stepUp(username: string, shown: Shown): Promise<Proof | Refused> {
    return this.#inTurn(username, async () => {
      const proved = await this.#prove(username, shown);
      if (typeof proved === 'string') await this.attempts.succeeded(username);
      return proved;
    });
  }

  /** Whether it is the account's password; counts as no attempt. */
  async isPassword(username: string, password: string): Promise<boolean> {
    const account = await this.#account(username);
    this.#unknownAccountHash ??= hashed(randomBytes(16).toString('hex'));
    const isRight = await verify(account?.password ?? (await this.#unknownAccountHash), password);
    return isRight && account?.password != null;
  }

  /** Gives an account a password of its user's own. */
  async setPassword(username: string, password: string, database: Queryable = this.#database): Promise<void> {
    await database.query('UPDATE account SET password = $2, must_change = false WHERE username = $1', [
      username,
      await hashed(password),
    ]);
  }

  /** How an account can prove who it is. */
  async factors(username: string, database: Queryable = this.#database): Promise<Factors> {
    const { rows } = await database.query(
      `SELECT password IS NOT NULL AS password, totp IS NOT NULL AS totp,
         (SELECT count(*) FROM recovery_code r WHERE r.username = a.username) AS codes,
         EXISTS (SELECT 1 FROM external_account e WHERE e.username = a.username) AS external
       FROM account a WHERE username = $1`,
      [username],
    );
    const row = rows[0];
    return {
      hasPassword: row?.password ?? false,
      hasTotp: row?.totp ?? false,
      recoveryCodes: Number(row?.codes ?? 0),
      isExternal: row?.external ?? false,
    };
  }

  /** Whether the account's role needs a second factor. */
  needsFactor({ role }: Pick<User, 'role'>): boolean {
    return this.#needsFactor(role);
  }

  /** The account of this name, unless it is closed. */
  async find(username: string): Promise<User | undefined> {
    const { rows } = await this.#database.query({
      name: 'account',
      text: 'SELECT username, name, role, organization FROM account WHERE username = $1 AND NOT disabled',
      values: [username],
    });
    return rows[0] && userOf(rows[0]);
  }

  /** Whose session it is. @param isUnattended a page asks by itself, so that it does not count as used */
  async session(token: string, isUnattended = false): Promise<User | undefined> {
    const row = await this.sessions.account(token, isUnattended);
    return row && userOf(row);
  }

  /** Whether a session was proved by two factors. */
  async isMfa(token: string): Promise<boolean> {
    const session = await this.sessions.find(token);
    return session?.proofs.some((proof) => strong.includes(proof)) ?? false;
  }

  async signOut(token: string): Promise<void> {
    await this.sessions.end(token);
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

  /** By what it was proved. The attempt counts as a failure until somebody says that it succeeded. */
  async #prove(username: string, shown: Shown): Promise<Proof | Refused> {
    if ('passkey' in shown) {
      const whose = await this.passkeys.verify('passkey-step-up', shown.party, shown.passkey, username);
      return whose === undefined ? { refused: 'wrong' } : 'passkey';
    }
    if (!(await this.attempts.begin(username))) return { refused: 'locked' };
    if ('password' in shown) {
      return (await this.isPassword(username, shown.password)) ? 'password' : { refused: 'wrong' };
    }
    if (await this.totp.verify(username, shown.code)) return 'totp';
    return (await this.totp.recover(username, shown.code)) ? 'recovery' : { refused: 'wrong' };
  }

  async #begin(username: string, proofs: Proof[], agent: string): Promise<SignedIn> {
    const account = await this.#account(username);
    if (!account) throw new Error('An account was closed while it signed in.');
    const pending = this.#pending(account, proofs);
    // Who knows a password tries no more codes than passwords.
    if (pending !== 'factor') await this.attempts.succeeded(username);
    return { user: userOf(account), token: await this.sessions.begin(username, proofs, pending, agent), pending };
  }

  async #account(username: string): Promise<Row | undefined> {
    const { rows } = await this.#database.query({
      name: 'account_to_prove',
      text: `SELECT username, name, role, organization, password, must_change,
               totp IS NOT NULL OR EXISTS (SELECT 1 FROM passkey p WHERE p.username = a.username) AS has_factor
             FROM account a WHERE username = $1 AND NOT disabled`,
      values: [username],
    });
    return rows[0];
  }

  #pending(account: Row, proofs: readonly Proof[]): Pending | undefined {
    const isStrong = proofs.some((proof) => strong.includes(proof));
    if (!isStrong && account.has_factor) return 'factor';
    if (account.must_change && proofs.includes('password')) return 'password';
    if (!isStrong && this.#needsFactor(userOf(account).role)) return 'enrol';
    return undefined;
  }
}

/** A password as it is kept. */
export function hashed(password: string): Promise<string> {
  return hash(password, argon2);
}

function userOf(row: Row): User {
  const role = roles.find((one) => one === row.role) ?? 'clinician';
  return { username: row.username, name: row.name, role, organization: row.organization };
}
