/** The other hubs that this one asks: participants of the kind `hub`, each with its address and the client that this hub is there. */
import type { Database } from '../database/index.ts';
import { type MasterKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';

export interface Peer {
  /** The participant's key. */
  participant: string;
  /** The base of its FHIR server, without a slash at the end. */
  url: string;
  /** As which client this hub is registered there; it shows itself by the keys of its own `/oauth/jwks`. */
  clientId: string;
  scope: string;
  /** How it is asked about a person: by demographics, or by keyed hashes of them. */
  matching: 'plain' | 'private';
}

/** The secret under which persons are asked about, and since when it, or anything else of the hub, is as it is. */
export interface MatchingKey {
  key: Buffer;
  since: string;
}

/** What is needed to find, fetch and be told. */
export const usualScope = 'system/*.rs system/Subscription.cruds';

export class Peers {
  readonly #database: Database;
  readonly #master: MasterKey;

  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  async all(): Promise<Peer[]> {
    const { rows } = await this.#database.query(
      'SELECT participant, url, client_id, scope, matching FROM peer ORDER BY participant',
    );
    return rows.map(({ client_id: clientId, ...row }) => ({ ...(row as Omit<Peer, 'clientId'>), clientId }));
  }

  async one(participant: string): Promise<Peer | undefined> {
    return (await this.all()).find((peer) => peer.participant === participant);
  }

  /** The secret under which persons are asked about; undefined where that is not agreed on. */
  async matchingKey(participant: string): Promise<MatchingKey | undefined> {
    const { rows } = await this.#database.query<{ matching_key: Buffer; since: string }>({
      name: 'peer_matching_key',
      text: `SELECT matching_key, changed::text AS since FROM peer
             WHERE participant = $1 AND matching = 'private' AND matching_key IS NOT NULL`,
      values: [participant],
    });
    const [row] = rows;
    return row && { key: unwrapDataKey(this.#master, row.matching_key, context(participant)), since: row.since };
  }

  async hasMatchingKey(participant: string): Promise<boolean> {
    const text = 'SELECT 1 FROM peer WHERE participant = $1 AND matching_key IS NOT NULL';
    return (await this.#database.query(text, [participant])).rowCount === 1;
  }

  /** @param key 32 bytes that both hubs have; left out, it is as it was. What was hashed under another is forgotten. */
  async put({ participant, url, clientId, scope, matching }: Peer, key?: Buffer): Promise<void> {
    const wrapped = key ? wrapDataKey(this.#master, key, context(participant)) : null;
    await this.#database.transaction(async (transaction) => {
      await transaction.query(
        `INSERT INTO peer (participant, url, client_id, scope, matching, matching_key) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (participant) DO UPDATE SET url = excluded.url, client_id = excluded.client_id, scope = excluded.scope,
           matching = excluded.matching, matching_key = coalesce(excluded.matching_key, peer.matching_key), changed = now()`,
        [participant, url, clientId, scope, matching, wrapped],
      );
      // After whoever hashes under the key of before, who holds the row.
      if (key) await transaction.query('DELETE FROM peer_token WHERE participant = $1', [participant]);
    });
  }

  /** @returns whether there was one */
  async remove(participant: string): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query('DELETE FROM peer WHERE participant = $1', [participant]);
      await transaction.query('DELETE FROM peer_token WHERE participant = $1', [participant]);
      return rowCount === 1;
    });
  }
}

/** Where the secrets are. */
export const matchingKeyColumn: WrappedColumn = {
  table: 'peer',
  column: 'matching_key',
  key: 'participant',
  type: 'text',
  context,
};

function context(participant: string): string {
  return `peer/${participant}`;
}
