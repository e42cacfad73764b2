/** What is known of handles and grants without the library that hands them out, which is loaded when it is first needed. */
import { createHash } from 'node:crypto';
import type { Database } from '../database/index.ts';

/** The name under which a handle is stored. */
export function handleDigest(handle: string): Buffer {
  return createHash('sha256').update(handle).digest();
}

/** That a grant `g` has not ended: by its time, or with the sign-in that it belongs to (a sign-out takes it along). */
export const liveGrant =
  'g.expires > now() AND (g.session IS NULL OR EXISTS (SELECT 1 FROM session s WHERE s.id = g.session AND s.expires > now()))';

/** Notes that something that is good once was used. Returns false where it was before, on whichever hub. */
export async function usedOnce(database: Database, kind: string, id: Buffer, until: Date): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'oauth_used_once',
    text: `INSERT INTO oauth_artifact (kind, id, payload, expires) VALUES ($1, $2, '{}', $3)
           ON CONFLICT (kind, id) DO UPDATE SET expires = excluded.expires WHERE oauth_artifact.expires <= now()`,
    values: [kind, id, until],
  });
  return rowCount === 1;
}

/** Removes what has expired, and clients that waited for an administrator for a month. */
export async function removeExpired(database: Database): Promise<void> {
  await database.query("DELETE FROM oauth_client WHERE state = 'pending' AND registered < now() - interval '30 days'");
  for (const table of ['oauth_artifact', 'oauth_grant', 'oauth_launch']) {
    await database.query(`DELETE FROM ${table} WHERE expires < now() - interval '1 minute'`);
  }
}
