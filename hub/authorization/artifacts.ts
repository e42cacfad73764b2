/**
 * Where `oidc-provider` keeps what it hands out (codes, tokens, sessions, interactions). Of a handle only the SHA-256 is
 * stored, so that who reads the database can use none. What hangs on a grant goes with it (a foreign key), whatever is
 * written at the same moment; and what may be used once is used up by one statement, so that it holds over several hubs.
 */
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Database } from '../database/index.ts';
import { handleDigest, liveGrant } from './handles.ts';

/** Stores what `oidc-provider` names so, but for clients. */
export function artifactAdapter(database: Database, kind: string): Adapter {
  return kind === 'Grant' ? new Grants(database) : new Artifacts(database, kind);
}

class Artifacts implements Adapter {
  readonly #database: Database;
  readonly #kind: string;

  constructor(database: Database, kind: string) {
    this.#database = database;
    this.#kind = kind;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { jti: _handle, ...kept } = payload;
    const isOnce = this.#kind === 'ReplayDetection';
    const conflict = isOnce ? 'NOTHING' : 'UPDATE SET payload = excluded.payload, expires = excluded.expires';
    const stored = this.#database.query({
      name: isOnce ? 'oauth_artifact_once' : 'oauth_artifact_put',
      text: `INSERT INTO oauth_artifact (kind, id, grant_id, uid, payload, expires)
             VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second') ON CONFLICT (kind, id) DO ${conflict}`,
      values: [this.#kind, handleDigest(id), kept.grantId ?? null, kept.uid ?? null, JSON.stringify(kept), expiresIn],
    });
    const { rowCount } = await stored.catch((error) => {
      if ((error as { code?: string }).code === foreignKeyViolation) throw new errors.InvalidGrant('grant not found');
      throw error;
    });
    if (isOnce && rowCount === 0) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const found = await this.#one('id = $2', handleDigest(id));
    return found && { ...found, jti: id };
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#one('uid = $2', uid);
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  /** @throws InvalidGrant where it was used before: all that came of the grant is revoked then (RFC 9700 §4.14.2) */
  async consume(id: string): Promise<void> {
    const { rowCount } = await this.#database.query({
      name: 'oauth_artifact_consume',
      text: 'UPDATE oauth_artifact SET consumed = now() WHERE kind = $1 AND id = $2 AND consumed IS NULL',
      values: [this.#kind, handleDigest(id)],
    });
    if (rowCount === 1) return;
    await this.#database.query(
      'DELETE FROM oauth_grant WHERE id = (SELECT grant_id FROM oauth_artifact WHERE kind = $1 AND id = $2)',
      [this.#kind, handleDigest(id)],
    );
    throw new errors.InvalidGrant('it was used before');
  }

  async destroy(id: string): Promise<void> {
    await this.#database.query('DELETE FROM oauth_artifact WHERE kind = $1 AND id = $2', [
      this.#kind,
      handleDigest(id),
    ]);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#database.query('DELETE FROM oauth_artifact WHERE kind = $1 AND grant_id = $2', [this.#kind, grantId]);
  }

  async #one(condition: string, value: unknown): Promise<AdapterPayload | undefined> {
    const { rows } = await this.#database.query({
      name: `oauth_artifact_${condition.slice(0, 3).trim()}`,
      text: `SELECT payload, consumed FROM oauth_artifact WHERE kind = $1 AND ${condition} AND expires > now()`,
      values: [this.#kind, value],
    });
    const row = rows[0];
    if (!row) return undefined;
    return row.consumed === null
      ? row.payload
      : { ...row.payload, consumed: Math.floor(row.consumed.getTime() / 1000) };
  }
}

const foreignKeyViolation = '23503';

/** What a user allowed a client. Its id is no handle: nobody gets anything for it. */
class Grants implements Adapter {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    await this.#database.query(
      `INSERT INTO oauth_grant (id, client, username, payload, expires)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')
       ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, expires = excluded.expires`,
      [id, payload.clientId, payload.accountId, JSON.stringify(payload), expiresIn],
    );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const { rows } = await this.#database.query({
      name: 'oauth_grant',
      text: `SELECT g.payload FROM oauth_grant g WHERE g.id = $1 AND ${liveGrant}`,
      values: [id],
    });
    return rows[0]?.payload;
  }

  async destroy(id: string): Promise<void> {
    await this.#database.query('DELETE FROM oauth_grant WHERE id = $1', [id]);
  }

  async findByUid(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}
