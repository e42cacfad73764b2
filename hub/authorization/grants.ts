/** What users allowed clients, what an access token stands for, and taking it back. */
import type { Database } from '../database/index.ts';
import { type Grant, type Role, roles, type TokenOrigin, type User } from '../trust/index.ts';
import { resourceScopes } from './client-rules.ts';
import { handleDigest, liveGrant } from './handles.ts';
import type { AskedFor } from './udap/b2b.ts';

/** What an app is told with its token, and what its access is bound to. */
export interface LaunchContext {
  patient?: string;
  encounter?: string;
  fhirUser?: string;
  /** Resources that were open beside, as `Type/id`. */
  about?: readonly string[];
  /** What the app was opened for. */
  intent?: string;
  /** The organisation from whose pages it was opened. */
  tenant?: string;
  /** Whether the app was started from the hub's own pages, which show whose chart is open. */
  isEmbedded?: boolean;
}

/** Whom an access token speaks for. */
export interface VerifiedToken {
  client: string;
  clientName: string;
  /** The user who allowed it; undefined for a client that acts by itself. */
  user: User | undefined;
  /** The participant that a client without users acts for. */
  organization: string;
  grant: Grant;
  cameOf: TokenOrigin;
  /** The thumbprint of the key to which the token is bound. */
  key?: string;
  /** The thumbprint of the client certificate to which it is bound. */
  certificate?: string;
}

/** An app that a user has connected. */
export interface ConnectedApp {
  id: string;
  client: string;
  name: string;
  scopes: string[];
  patient: string | undefined;
  since: string;
  expires: string;
}

export class OAuthGrants {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What a token that a client sends stands for; undefined where it is none, or not any more. */
  async verify(token: string, audience: string): Promise<VerifiedToken | undefined> {
    const digest = handleDigest(token);
    const { rows } = await this.#database.query({
      name: 'oauth_verify',
      text: `SELECT t.kind, t.payload, t.expires, g.id AS granted, g.expires AS grant_expires, g.context, c.id AS client, c.name AS client_name,
               c.organization AS client_organization, o.participant, a.username, a.name, a.role, a.organization
             FROM oauth_artifact t
             JOIN oauth_client c ON c.id = t.payload->>'clientId' AND c.state = 'active'
             LEFT JOIN oauth_grant g ON g.id = t.grant_id AND ${liveGrant}
             LEFT JOIN account a ON a.username = g.username AND NOT a.disabled
             LEFT JOIN oauth_client_organization o
               ON o.client = c.id AND o.organization = t.payload->'extra'->>'organization'
             WHERE t.kind IN ('AccessToken', 'ClientCredentials') AND t.id = $1 AND t.expires > now()`,
      values: [digest],
    });
    const row = rows[0];
    if (!row || row.payload.aud !== audience) return undefined;
    const isUsers = row.kind === 'AccessToken';
    const role = roles.find((one) => one === row.role) as Role | undefined;
    if (isUsers && (row.context === null || role === undefined)) return undefined;
    const asked = row.payload.extra as AskedFor | undefined;
    if (asked && row.participant === null) return undefined;
    const { patient, encounter, fhirUser } = (row.context ?? {}) as LaunchContext;
    return {
      client: row.client,
      clientName: asked?.subject === undefined ? row.client_name : `${row.client_name} for ${asked.subject}`,
      user: isUsers
        ? { username: row.username, name: row.name, role: role!, organization: row.organization }
        : undefined,
      organization: row.participant ?? row.client_organization,
      ...(row.payload.jkt === undefined ? {} : { key: row.payload.jkt }),
      ...(row.payload['x5t#S256'] === undefined ? {} : { certificate: row.payload['x5t#S256'] }),
      grant: {
        scopes: resourceScopes(row.payload.scope ?? ''),
        ...(patient === undefined ? {} : { patient }),
        ...(encounter === undefined ? {} : { encounter }),
        ...(fhirUser === undefined ? {} : { fhirUser }),
        ...(asked ? { organization: asked.organization, purposes: asked.purposes } : {}),
      },
      cameOf: {
        token: digest.toString('hex'),
        tokenUntil: row.expires.toISOString(),
        ...(isUsers ? { grant: row.granted, grantUntil: row.grant_expires.toISOString() } : {}),
      },
    };
  }

  /** Whether a token, or what it came of, was taken back before its time. */
  async isTakenBack({ token, tokenUntil, grant, grantUntil }: TokenOrigin): Promise<boolean> {
    const { rows } = await this.#database.query({
      name: 'oauth_taken_back',
      text: `SELECT ($2::timestamptz > now() AND NOT EXISTS (SELECT 1 FROM oauth_artifact t
                      WHERE t.kind IN ('AccessToken', 'ClientCredentials') AND t.id = $1))
               OR ($4::timestamptz > now() AND NOT EXISTS (SELECT 1 FROM oauth_grant g WHERE g.id = $3 AND ${liveGrant})) IS TRUE
               AS taken`,
      values: [Buffer.from(token, 'hex'), tokenUntil, grant ?? null, grantUntil ?? null],
    });
    return rows[0]!.taken;
  }

  /**
   * Notes what a grant is bound to; until then it is good for nothing.
   * @param session the SHA-256 of the sign-in with which it ends; undefined where it outlives that
   */
  async bind(id: string, context: LaunchContext, session: Buffer | undefined): Promise<void> {
    await this.#database.query('UPDATE oauth_grant SET context = $2, session = $3 WHERE id = $1', [
      id,
      JSON.stringify(context),
      session ?? null,
    ]);
  }

  /** What a grant is bound to; undefined where it has ended. */
  async context(id: string): Promise<LaunchContext | undefined> {
    const { rows } = await this.#database.query({
      name: 'oauth_context',
      text: `SELECT g.context FROM oauth_grant g WHERE g.id = $1 AND ${liveGrant}`,
      values: [id],
    });
    return rows[0]?.context ?? undefined;
  }

  /** The apps that a user has connected and that still hold something. */
  async ofUser(username: string): Promise<ConnectedApp[]> {
    const { rows } = await this.#database.query(
      `SELECT g.id, g.client, c.name, g.context, g.created, g.payload,
         (SELECT max(t.expires) FROM oauth_artifact t WHERE t.grant_id = g.id AND t.consumed IS NULL) AS expires
       FROM oauth_grant g JOIN oauth_client c ON c.id = g.client
       WHERE g.username = $1 AND ${liveGrant} AND EXISTS
         (SELECT 1 FROM oauth_artifact t WHERE t.grant_id = g.id AND t.expires > now() AND t.consumed IS NULL)
       ORDER BY g.created DESC LIMIT 500`,
      [username],
    );
    return rows.map((row) => ({
      id: row.id,
      client: row.client,
      name: row.name,
      scopes: scopesOf(row.payload),
      patient: row.context?.patient,
      since: row.created.toISOString(),
      expires: row.expires.toISOString(),
    }));
  }

  /** Takes back what a user allowed, with all tokens that came of it, at once. Returns whether there was such a grant. */
  async revoke(username: string, id: string): Promise<boolean> {
    const { rowCount } = await this.#database.query('DELETE FROM oauth_grant WHERE id = $1 AND username = $2', [
      id,
      username,
    ]);
    return rowCount === 1;
  }
}

/** All scopes of a stored grant. */
export function scopesOf(payload: {
  openid?: { scope?: string };
  resources?: { [resource: string]: string };
}): string[] {
  const lists = [payload.openid?.scope ?? '', ...Object.values(payload.resources ?? {})];
  return lists.flatMap((list) => list.split(' ')).filter((scope) => scope !== '');
}
