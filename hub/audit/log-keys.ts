/** The keys by which the log signs its checkpoints: Ed25519, wrapped by the master key. */

import { type Signer, secretKey, signerOf, verifierText } from '@causeway/tlog';
import type { Queryable, Transaction } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';

/** A replaced key signs besides the new one for so long, so that whoever trusts it learns of the new one in time. */
const overlapDays = 30;

const contextOf = (verifier: string) => `audit-key/${verifier}`;

/** What the replacement of the master key wraps anew. */
export const auditKeyColumn: WrappedColumn = {
  table: 'audit_key',
  column: 'wrapped',
  key: 'verifier',
  type: 'text',
  context: contextOf,
};

/** The keys that sign now, the newest first; the first one of a log is made. */
export async function signersOf(transaction: Transaction, master: MasterKey, name: string): Promise<Signer[]> {
  const { rows } = await transaction.query<{ verifier: string; wrapped: Buffer }>(
    'SELECT verifier, wrapped FROM audit_key WHERE ends IS NULL OR ends > now() ORDER BY number DESC',
  );
  if (rows.length === 0) return [await makeSigner(transaction, master, name)];
  return rows.map(({ verifier, wrapped }) =>
    signerOf(name, secretKey(unwrapDataKey(master, wrapped, contextOf(verifier)))),
  );
}

/** A new key, beside which those before sign for a while. */
export async function makeSigner(transaction: Transaction, master: MasterKey, name: string): Promise<Signer> {
  const seed = newDataKey();
  const signer = signerOf(name, secretKey(seed));
  const verifier = verifierText(signer);
  await transaction.query(`UPDATE audit_key SET ends = now() + interval '${overlapDays} days' WHERE ends IS NULL`);
  await transaction.query('INSERT INTO audit_key (verifier, wrapped) VALUES ($1, $2)', [
    verifier,
    wrapDataKey(master, seed, contextOf(verifier)),
  ]);
  return signer;
}

/** The keys of the log as others know them, the newest first. */
export async function verifiersOf(database: Queryable): Promise<{ verifier: string; made: Date; ends: Date | null }[]> {
  const { rows } = await database.query<{ verifier: string; made: Date; ends: Date | null }>(
    'SELECT verifier, made, ends FROM audit_key ORDER BY number DESC',
  );
  return rows;
}
