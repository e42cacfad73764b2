/** The other hubs that this one asks: participants of the kind `hub`, each with its address and the client that this hub is there. */
import type { Database } from '../database/index.ts';

export interface Peer {
  /** The participant's key. */
  participant: string;
  /** The base of its FHIR server, without a slash at the end. */
  url: string;
  /** As which client this hub is registered there; it shows itself by the keys of its own `/oauth/jwks`. */
  clientId: string;
  scope: string;
}

/** What is needed to find, fetch and be told. */
export const usualScope = 'system/*.rs system/Subscription.cruds';

export class Peers {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async all(): Promise<Peer[]> {
    const { rows } = await this.#database.query(
      'SELECT participant, url, client_id, scope FROM peer ORDER BY participant',
    );
    return rows.map(({ client_id: clientId, ...row }) => ({ ...(row as Omit<Peer, 'clientId'>), clientId }));
  }

  async one(participant: string): Promise<Peer | undefined> {
    return (await this.all()).find((peer) => peer.participant === participant);
  }

  async put({ participant, url, clientId, scope }: Peer): Promise<void> {
    await this.#database.query(
      `INSERT INTO peer (participant, url, client_id, scope) VALUES ($1, $2, $3, $4)
       ON CONFLICT (participant) DO UPDATE SET url = excluded.url, client_id = excluded.client_id, scope = excluded.scope,
         changed = now()`,
      [participant, url, clientId, scope],
    );
  }

  /** @returns whether there was one */
  async remove(participant: string): Promise<boolean> {
    const { rowCount } = await this.#database.query('DELETE FROM peer WHERE participant = $1', [participant]);
    return rowCount === 1;
  }
}
