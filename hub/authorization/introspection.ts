/**
 * Introspection by a resource server that shows itself by its own access token (SMART App Launch 2.2, "Token
 * Introspection"); one that authenticates as a client is answered by `oidc-provider`.
 */
import type { Database } from '../database/index.ts';
import type { Addresses } from './addresses.ts';
import { launchScopes } from './client-rules.ts';
import { scopesOf } from './grants.ts';
import { handleDigest, liveGrant } from './handles.ts';
import { shownContext } from './shims.ts';

/** To what a token is bound (RFC 9449 §6.2, RFC 8705 §3.2). */
function confirmationOf({ jkt, 'x5t#S256': x5t }: { [name: string]: unknown }): object {
  return jkt === undefined && x5t === undefined ? {} : { cnf: { jkt, 'x5t#S256': x5t } };
}

/** What a token is, as RFC 7662 §2.2 has it. */
export async function introspection(
  database: Database,
  { issuer }: Addresses,
  token: string,
): Promise<{ [name: string]: unknown }> {
  const { rows } = await database.query({
    name: 'oauth_introspect',
    text: `SELECT t.kind, t.payload, g.payload AS granted, g.context, g.username FROM oauth_artifact t
           JOIN oauth_client c ON c.id = t.payload->>'clientId' AND c.state = 'active'
           LEFT JOIN oauth_grant g ON g.id = t.grant_id AND ${liveGrant}
           WHERE t.kind IN ('AccessToken', 'ClientCredentials', 'RefreshToken') AND t.id = $1
             AND t.expires > now() AND t.consumed IS NULL`,
    values: [handleDigest(token)],
  });
  const row = rows[0];
  if (!row || (row.kind !== 'ClientCredentials' && row.granted === null)) return { active: false };
  const about = row.granted === null ? [] : scopesOf(row.granted).filter((scope) => launchScopes.includes(scope));
  const scopes = (row.payload.scope ?? '').split(' ').filter((scope: string) => scope !== '');
  return {
    active: true,
    scope: [...new Set([...about, ...scopes])].join(' '),
    client_id: row.payload.clientId,
    exp: row.payload.exp,
    iat: row.payload.iat,
    iss: issuer,
    ...(row.kind === 'RefreshToken' ? {} : { token_type: row.payload.jkt === undefined ? 'Bearer' : 'DPoP' }),
    ...confirmationOf(row.payload),
    ...(row.payload.extra ?? {}),
    ...(row.username === null ? {} : { sub: row.username }),
    ...shownContext(row.context ?? undefined, about, `${issuer}/smart-style.json`),
  };
}
