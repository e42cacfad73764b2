/** The key by which this hub cosigns checkpoints of other logs: Ed25519, wrapped by the master key. */
import { type Signer, secretKey, signerOf, verifierText } from '@causeway/tlog';
import type { Queryable } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';

const contextOf = (verifier: string) => `audit-witness-key/${verifier}`;

/** What the replacement of the master key wraps anew. */
export const auditWitnessKeyColumn: WrappedColumn = {
  table: 'audit_witness_key',
  column: 'wrapped',
  key: 'verifier',
  type: 'text',
  context: contextOf,
};

/** The key; it is made where there is none. @param name unlike that of any other witness */
export async function witnessSigner(database: Queryable, master: MasterKey, name: string): Promise<Signer> {
  const found = await storedSigner(database, master);
  if (found) return found;
  const seed = newDataKey();
  const verifier = verifierText(signerOf(name, secretKey(seed), 'cosignature'));
  // Of two hubs that make one at once, one does.
  await database.query('INSERT INTO audit_witness_key (verifier, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    verifier,
    wrapDataKey(master, seed, contextOf(verifier)),
  ]);
  return (await storedSigner(database, master))!;
}

async function storedSigner(database: Queryable, master: MasterKey): Promise<Signer | undefined> {
  const { rows } = await database.query<{ verifier: string; wrapped: Buffer }>(
    'SELECT verifier, wrapped FROM audit_witness_key',
  );
  if (!rows[0]) return undefined;
  const { verifier, wrapped } = rows[0];
  const name = verifier.slice(0, verifier.indexOf('+'));
  return signerOf(name, secretKey(unwrapDataKey(master, wrapped, contextOf(verifier))), 'cosignature');
}
