/**
 * Passkeys (Web Authentication, Level 3), verified by `@simplewebauthn/server`, which is loaded with the first of them. The
 * authenticator must verify its user (a PIN, a finger), so that a passkey is two factors by itself.
 */
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
  WebAuthnCredential,
} from '@simplewebauthn/server';
import type { Database, Queryable, Row } from '../database/index.ts';
import type { SignInSteps, StepKind } from './sign-in-steps.ts';

/** For which host passkeys are, and the address of its pages. */
export interface RelyingParty {
  id: string;
  origin: string;
}

export interface Passkey {
  id: string;
  name: string;
  made: Date;
  lastUsed: Date | undefined;
}

/** What a passkey answers to: signing in without a name, or proving again who one is. */
export type PasskeyUse = Extract<StepKind, 'passkey-sign-in' | 'passkey-step-up'>;

/** EdDSA, ES256, RS256 (RFC 9053, RFC 8812): what authenticators have. */
const algorithms = [-8, -7, -257];

export class Passkeys {
  readonly #database: Database;
  readonly #steps: SignInSteps;

  constructor(database: Database, steps: SignInSteps) {
    this.#database = database;
    this.#steps = steps;
  }

  /** What the browser needs to make a passkey for an account. */
  async newOptions(
    { username, name }: { username: string; name: string },
    party: RelyingParty,
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { generateRegistrationOptions } = await import('@simplewebauthn/server');
    const { rows } = await this.#database.query('SELECT handle::text FROM account WHERE username = $1', [username]);
    const known = await this.#rows(username);
    const options = await generateRegistrationOptions({
      rpName: 'Causeway',
      rpID: party.id,
      userName: username,
      userDisplayName: name,
      userID: handleBytes(rows[0]!.handle),
      attestationType: 'none',
      supportedAlgorithmIDs: algorithms,
      excludeCredentials: known.map(({ id, transports }) => ({ id, transports })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    await this.#steps.put('passkey-new', options.challenge, username);
    return options;
  }

  /** What the browser made, where that answers to what it was given. */
  async made(username: string, party: RelyingParty, response: unknown): Promise<WebAuthnCredential | undefined> {
    if (!isResponse(response)) return undefined;
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
    const verified = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: async (challenge) =>
        (await this.#steps.take('passkey-new', challenge, username)) !== undefined,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    }).catch(() => undefined);
    return verified?.verified ? verified.registrationInfo.credential : undefined;
  }

  /** Takes a passkey into use; returns whether it is not somebody's already. */
  async keep(username: string, credential: WebAuthnCredential, name: string, database: Queryable): Promise<boolean> {
    const { id, publicKey, counter, transports } = credential;
    const { rowCount } = await database.query(
      `INSERT INTO passkey (id, username, public_key, counter, transports, name) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING`,
      [id, username, Buffer.from(publicKey), counter, transports ?? [], name],
    );
    return rowCount === 1;
  }

  /** What the browser needs to use a passkey. @param username only those of this account */
  async options(
    use: PasskeyUse,
    party: RelyingParty,
    username?: string,
  ): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await import('@simplewebauthn/server');
    const known = username === undefined ? [] : await this.#rows(username);
    const options = await generateAuthenticationOptions({
      rpID: party.id,
      userVerification: 'required',
      allowCredentials: known.map(({ id, transports }) => ({ id, transports })),
    });
    await this.#steps.put(use, options.challenge, username);
    return options;
  }

  /** Whose passkey answered a challenge of this use; undefined where it is wrong. @param username for whom the challenge was */
  async verify(
    use: PasskeyUse,
    party: RelyingParty,
    response: unknown,
    username?: string,
  ): Promise<string | undefined> {
    if (!isResponse(response)) return undefined;
    const answer = response as AuthenticationResponseJSON;
    const { rows } = await this.#database.query(
      `SELECT p.*, a.handle::text FROM passkey p JOIN account a USING (username) WHERE id = $1 AND NOT a.disabled`,
      [answer.id],
    );
    const known = rows[0];
    if (!known || (username !== undefined && known.username !== username)) return undefined;
    const { userHandle } = answer.response;
    if (userHandle && !Buffer.from(userHandle, 'base64url').equals(handleBytes(known.handle))) return undefined;
    const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
    const verified = await verifyAuthenticationResponse({
      response: answer,
      expectedChallenge: async (challenge) => (await this.#steps.take(use, challenge, username)) !== undefined,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      credential: {
        id: known.id,
        publicKey: new Uint8Array(known.public_key),
        counter: known.counter,
        transports: known.transports,
      },
      requireUserVerification: true,
    }).catch(() => undefined);
    if (!verified?.verified) return undefined;
    const { newCounter } = verified.authenticationInfo;
    // Two answers by one counter are of a copy of the key (Web Authentication, 7.2).
    const { rowCount } = await this.#database.query(
      'UPDATE passkey SET counter = $2, last_used = now() WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))',
      [known.id, newCounter],
    );
    return rowCount === 1 ? known.username : undefined;
  }

  async of(username: string): Promise<Passkey[]> {
    const rows = await this.#rows(username);
    return rows.map(({ id, name, made, last_used: lastUsed }) => ({ id, name, made, lastUsed: lastUsed ?? undefined }));
  }

  async remove(username: string, id: string, database: Queryable): Promise<boolean> {
    const { rowCount } = await database.query('DELETE FROM passkey WHERE username = $1 AND id = $2', [username, id]);
    return rowCount === 1;
  }

  async #rows(username: string): Promise<Row[]> {
    const { rows } = await this.#database.query('SELECT * FROM passkey WHERE username = $1 ORDER BY made', [username]);
    return rows;
  }
}

function handleBytes(handle: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(handle.replaceAll('-', ''), 'hex'));
}

/** Whether it is shaped as browsers send it; the library goes on from there. */
function isResponse(response: unknown): boolean {
  const { id, response: inner } = (response ?? {}) as { id?: unknown; response?: unknown };
  return typeof id === 'string' && id.length <= 2_000 && typeof inner === 'object' && inner !== null;
}
