/**
 * The registered clients (RFC 7591 metadata). A client is made by an administrator, or registers itself and waits for
 * one; only an active one gets anything. Of a client's secret the SHA-256 is stored.
 */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { Database, Row } from '../database/index.ts';
import { RecordError } from '../record/index.ts';
import type { ClientOrganization } from './udap/organizations.ts';

export const clientStates = ['pending', 'active', 'suspended'] as const;
export type ClientState = (typeof clientStates)[number];

/** A client as administrators see it. */
export interface RegisteredClient {
  id: string;
  name: string;
  state: ClientState;
  /** The participant for which a client without users acts. */
  organization: string;
  /** Without its secret. */
  metadata: ClientMetadata;
  registered: string;
  registeredBy: string | undefined;
  udap?: InCommunity;
}

/** What a client of a trust community was registered with. */
export interface InCommunity {
  /** The community's URI, and the client's own. */
  community: string;
  uri: string;
  /** When the certificate that it showed last expires. */
  certificateExpires: string | undefined;
  organizations: ClientOrganization[];
}

const selected = `SELECT c.*, (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(o)) ORDER BY o.asked)
  FROM oauth_client_organization o WHERE o.client = c.id) AS organizations FROM oauth_client c`;

/** How many clients may wait for an administrator. */
const mostPending = 200;

export class Clients {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Stores a client whose metadata were checked. @throws RecordError 429 where too many wait */
  async add(metadata: ClientMetadata, state: ClientState, organization: string, by?: string): Promise<void> {
    if (state === 'pending') await this.#checkPending();
    await this.#database.query(
      `INSERT INTO oauth_client (id, name, state, organization, metadata, registered_by) VALUES ($1, $2, $3, $4, $5, $6)`,
      [metadata.client_id, nameOf(metadata), state, organization, JSON.stringify(withoutSecret(metadata)), by ?? null],
    );
  }

  /** The keys by which a client of a trust community showed itself last. */
  async setKeys(id: string, keys: readonly object[]): Promise<void> {
    await this.#database.query(`UPDATE oauth_client SET metadata = jsonb_set(metadata, '{jwks}', $2) WHERE id = $1`, [
      id,
      JSON.stringify({ keys }),
    ]);
  }

  async all(): Promise<RegisteredClient[]> {
    const { rows } = await this.#database.query(`${selected} ORDER BY registered DESC LIMIT 1000`);
    return rows.map(clientOf);
  }

  async one(id: string): Promise<RegisteredClient | undefined> {
    const { rows } = await this.#database.query(`${selected} WHERE id = $1`, [id]);
    return rows[0] && clientOf(rows[0]);
  }

  /** What it holds is good for nothing while it is not active. @throws RecordError 404 */
  async setState(id: string, state: ClientState): Promise<void> {
    const { rowCount } = await this.#database.query('UPDATE oauth_client SET state = $2 WHERE id = $1', [id, state]);
    if (rowCount === 0) throw new RecordError(404, 'not-found', 'There is no client of this id.');
  }

  /** Removes a client and all that it holds. @throws RecordError 404 */
  async remove(id: string): Promise<void> {
    const { rowCount } = await this.#database.query('DELETE FROM oauth_client WHERE id = $1', [id]);
    if (rowCount === 0) throw new RecordError(404, 'not-found', 'There is no client of this id.');
  }

  /** The metadata of a client that may ask for something. */
  async active(id: string): Promise<ClientMetadata | undefined> {
    const { rows } = await this.#database.query({
      name: 'oauth_client',
      text: "SELECT metadata FROM oauth_client WHERE id = $1 AND state = 'active'",
      values: [id],
    });
    return rows[0]?.metadata;
  }

  async #checkPending(): Promise<void> {
    const { rows } = await this.#database.query("SELECT count(*) AS waiting FROM oauth_client WHERE state = 'pending'");
    if (rows[0]!.waiting >= mostPending) {
      throw new RecordError(429, 'throttled', 'Too many registrations wait for an administrator; try again later.');
    }
  }
}

/** Whether a secret is the one that was stored as a digest. */
export function isSecret(digest: string, secret: string): boolean {
  const [stored, given] = [Buffer.from(digest), Buffer.from(secretDigest(secret))];
  return stored.length === given.length && timingSafeEqual(stored, given);
}

function secretDigest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function withoutSecret(metadata: ClientMetadata): ClientMetadata {
  const { client_secret: secret } = metadata;
  return secret === undefined ? metadata : { ...metadata, client_secret: secretDigest(secret) };
}

function nameOf(metadata: ClientMetadata): string {
  return (metadata.client_name ?? metadata.client_id).slice(0, 200);
}

function clientOf(row: Row): RegisteredClient {
  const { client_secret: _digest, ...metadata } = row.metadata as ClientMetadata;
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    organization: row.organization,
    metadata,
    registered: row.registered.toISOString(),
    registeredBy: row.registered_by ?? undefined,
    ...(metadata.udap_uri === undefined ? {} : { udap: inCommunity(row) }),
  };
}

function inCommunity({ metadata, organizations }: Row): InCommunity {
  const shown = metadata.jwks?.keys?.[0]?.x5c?.[0] as string | undefined;
  const named = (organizations ?? []) as ClientOrganization[];
  return {
    community: metadata.udap_community,
    uri: metadata.udap_uri,
    certificateExpires: shown && new X509Certificate(Buffer.from(shown, 'base64')).validToDate.toISOString(),
    organizations: named.map(({ organization, name, participant, asked }) => ({
      organization,
      name,
      participant,
      asked: new Date(asked).toISOString(),
    })),
  };
}
