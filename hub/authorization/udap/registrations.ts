/**
 * The registrations of clients of trust communities: one for each URI within a community. A later statement changes it, and
 * never widens what it may ask for; an empty one cancels it.
 */
import { exportJWK } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import type { Database } from '../../database/index.ts';
import { includesScope } from '../../trust/index.ts';
import { launchScopes, resourceScopes } from '../client-rules.ts';
import { handleDigest, usedOnce } from '../handles.ts';
import { keyOf } from './chain.ts';
import { RegistrationRefused, type Statement } from './statement.ts';

/** What became of a statement. */
export interface Registered {
  client: string;
  outcome: 'made' | 'changed' | 'cancelled';
}

export class Registrations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Carries out a statement.
   * @param describe checks metadata and completes them, with an id
   * @throws RegistrationRefused
   */
  async carryOut(statement: Statement, describe: (metadata: object) => ClientMetadata): Promise<Registered> {
    const { community, uri, jti, expires, isCancellation } = statement;
    const once = await usedOnce(this.#database, 'SoftwareStatement', handleDigest(`${uri} ${jti}`), expires);
    if (!once) throw new RegistrationRefused('invalid_software_statement', 'The software statement was used before.');
    const metadata = isCancellation ? undefined : describe(await described(statement));
    return this.#database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${community.uri} ${uri}`]);
      const { rows } = await transaction.query(
        `SELECT id, state, metadata FROM oauth_client
         WHERE metadata->>'udap_community' = $1 AND metadata->>'udap_uri' = $2 FOR UPDATE`,
        [community.uri, uri],
      );
      const known = rows[0];
      if (known && known.state !== 'active') {
        const text = 'The registration of this client is suspended; ask who runs the hub.';
        throw new RegistrationRefused('unapproved_software_statement', text);
      }
      if (!metadata) {
        if (!known) throw new RegistrationRefused('invalid_client_metadata', 'There is no registration to cancel.');
        await transaction.query('DELETE FROM oauth_client WHERE id = $1', [known.id]);
        return { client: known.id, outcome: 'cancelled' };
      }
      const name = metadata.client_name!.slice(0, 200);
      if (!known) {
        await transaction.query(
          `INSERT INTO oauth_client (id, name, state, organization, metadata) VALUES ($1, $2, 'active', 'none', $3)`,
          [metadata.client_id, name, JSON.stringify(metadata)],
        );
        return { client: metadata.client_id, outcome: 'made' };
      }
      const [before, after] = [String(known.metadata.allowed_scopes), String(metadata.allowed_scopes)];
      const wider = firstWider(before, after);
      if (wider !== undefined) {
        const text = `${wider} is more than the client was registered for. Cancel the registration (empty grant_types), and register anew.`;
        throw new RegistrationRefused('invalid_client_metadata', text);
      }
      const next = { ...metadata, client_id: known.id };
      await transaction.query('UPDATE oauth_client SET name = $2, metadata = $3 WHERE id = $1', [known.id, name, next]);
      // What users allowed may be more than it asks for from here on: they are asked anew.
      if (before !== after) await transaction.query('DELETE FROM oauth_grant WHERE client = $1', [known.id]);
      return { client: known.id, outcome: 'changed' };
    });
  }
}

async function described({ community, uri, certificate, metadata }: Statement): Promise<object> {
  const { scope, contacts, ...kept } = metadata;
  const key = await exportJWK(keyOf(certificate));
  return {
    redirect_uris: [],
    response_types: [],
    ...kept,
    contacts: contacts.flatMap((contact) => /^mailto:(.+)$/.exec(contact)?.[1] ?? []),
    allowed_scopes: scope,
    jwks: { keys: [{ ...key, use: 'sig', x5c: [Buffer.from(certificate.rawData).toString('base64')] }] },
    udap_community: community.uri,
    udap_uri: uri,
  };
}

/** The first scope that is not within others. */
function firstWider(before: string, after: string): string | undefined {
  const wide = resourceScopes(before);
  return after.split(' ').find((text) => {
    if (launchScopes.includes(text)) return !before.split(' ').includes(text);
    return resourceScopes(text).some((scope) => !wide.some((other) => includesScope(other, scope)));
  });
}
