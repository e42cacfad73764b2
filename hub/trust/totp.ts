/** Codes of an authenticator app (TOTP, RFC 6238) as second factors, and recovery codes for whoever lost it. `otplib` is loaded with the first. */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Queryable } from '../database/index.ts';
import { type MasterKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import type { SignInSteps } from './sign-in-steps.ts';

const period = 30;
/** Clocks may differ by one step (RFC 6238, 5.2). */
const tolerance = period;
const recoveryCodes = 10;

/** A secret whose first code was right; `used` is the time step of that code. */
export interface ConfirmedSecret {
  sealed: Buffer;
  used: number;
}

export class Totp {
  readonly #database: Database;
  readonly #steps: SignInSteps;
  readonly #master: MasterKey | undefined;

  /** @param master seals the secrets; without it no app can be set up */
  constructor(database: Database, steps: SignInSteps, master: MasterKey | undefined) {
    this.#database = database;
    this.#steps = steps;
    this.#master = master;
  }

  /** A secret for an app, good once its first code is confirmed. `uri` is what the app reads as a QR code. */
  async begin(username: string): Promise<{ secret: string; uri: string }> {
    const { generateSecret, generateURI } = await import('otplib');
    const secret = generateSecret();
    await this.#steps.put('totp', username, username, { sealed: this.#seal(username, secret).toString('base64') });
    return { secret, uri: generateURI({ issuer: 'Causeway', label: username, secret }) };
  }

  /** The secret to be taken into use, where the code is right; it is used up by that. */
  async confirm(username: string, code: string): Promise<ConfirmedSecret | undefined> {
    const step = await this.#steps.look('totp', username);
    if (!step) return undefined;
    const sealed = Buffer.from(step.sealed!, 'base64');
    const used = await this.#stepOf(this.#open(username, sealed), code, 0);
    if (used === undefined || !(await this.#steps.take('totp', username, username))) return undefined;
    return { sealed, used };
  }

  /** Takes a secret into use. */
  async keep(username: string, { sealed, used }: ConfirmedSecret, database: Queryable = this.#database): Promise<void> {
    await database.query('UPDATE account SET totp = $2, totp_step = $3 WHERE username = $1', [username, sealed, used]);
  }

  /** Whether a code is right, and was not used before, here or on another hub. */
  async verify(username: string, code: string): Promise<boolean> {
    const { rows } = await this.#database.query('SELECT totp, totp_step FROM account WHERE username = $1', [username]);
    if (!rows[0]?.totp) return false;
    const used = await this.#stepOf(this.#open(username, rows[0].totp), code, rows[0].totp_step);
    if (used === undefined) return false;
    const { rowCount } = await this.#database.query(
      'UPDATE account SET totp_step = $2 WHERE username = $1 AND totp_step < $2',
      [username, used],
    );
    return rowCount === 1;
  }

  async remove(username: string, database: Queryable): Promise<boolean> {
    const { rowCount } = await database.query(
      'UPDATE account SET totp = NULL WHERE username = $1 AND totp IS NOT NULL',
      [username],
    );
    return rowCount === 1;
  }

  /** Makes recovery codes in place of those there are. They are told once. @param database a transaction */
  async makeRecoveryCodes(username: string, database: Queryable): Promise<string[]> {
    const codes = Array.from({ length: recoveryCodes }, () => randomBytes(10).toString('hex'));
    await database.query('DELETE FROM recovery_code WHERE username = $1', [username]);
    await database.query('INSERT INTO recovery_code (username, code) SELECT $1, unnest($2::bytea[])', [
      username,
      codes.map(digest),
    ]);
    return codes.map((code) => code.match(/.{5}/g)!.join('-'));
  }

  /** Uses a recovery code up; returns whether it was one. */
  async recover(username: string, code: string): Promise<boolean> {
    const { rowCount } = await this.#database.query('DELETE FROM recovery_code WHERE username = $1 AND code = $2', [
      username,
      digest(code.replace(/[\s-]/g, '').toLowerCase()),
    ]);
    return rowCount === 1;
  }

  /** The time step whose code it is, where that is a later one than was used; undefined where it is none. */
  async #stepOf(secret: string, code: string, usedStep: number): Promise<number | undefined> {
    const token = code.replace(/\s/g, '');
    if (!/^\d{6}$/.test(token)) return undefined;
    const { verify } = await import('otplib');
    const result = await verify({ secret, token, period, epochTolerance: tolerance });
    if (!result.valid || !('epoch' in result)) return undefined;
    const step = Math.floor(result.epoch / period);
    return step > usedStep ? step : undefined;
  }

  #seal(username: string, secret: string): Buffer {
    return wrapDataKey(this.#key(), Buffer.from(secret), context(username));
  }

  #open(username: string, sealed: Buffer): string {
    return unwrapDataKey(this.#key(), sealed, context(username)).toString();
  }

  #key(): MasterKey {
    if (!this.#master) throw new Error('Codes of authenticator apps need the master key.');
    return this.#master;
  }
}

/** Where the sealed secrets are. */
export const totpColumn: WrappedColumn = {
  table: 'account',
  column: 'totp',
  key: 'username',
  type: 'text',
  context,
};

function context(username: string): string {
  return `totp/${username}`;
}

function digest(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
