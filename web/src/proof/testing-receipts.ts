/** A log of a few entries, and receipts of it, for tests. */
import { createHash } from 'node:crypto';
import {
  checkpointText,
  consistencyFolds,
  Edge,
  type Hash,
  hashBytes,
  inclusionFolds,
  leafHash,
  proofFrom,
  proofText,
  type Signer,
  secretKey,
  signerOf,
  signNote,
  type TilePlace,
  verifierText,
} from '@causeway/tlog';
import { type Receipt, receiptFormat } from './receipt.ts';

export const origin = 'hub.example/audit';
export const logKey = signerOf(origin, secretKey(Buffer.alloc(32, 7)));
export const witness = signerOf('witness.example/w1', secretKey(Buffer.alloc(32, 8)), 'cosignature');
export const keysText = `${verifierText(logKey)}\n${verifierText(witness)}\n`;
export const patientSalt = Buffer.alloc(32, 3);
export const detailSalt = Buffer.alloc(32, 4);
export const details = '{"what":"/Observation?code=718-7"}';

const witnessedAt = 1_764_000_000;

export function commitment(salt: Uint8Array, text: string): string {
  return createHash('sha256').update(salt).update(text).digest('base64url');
}

/** The public text of entry number `index`, which is about two people. */
export function leafOf(index: number): string {
  return JSON.stringify({
    v: 1,
    at: `2026-11-26T18:00:${String(index % 60).padStart(2, '0')}.000Z`,
    action: 'search',
    status: 200,
    type: 'Observation',
    who: `clinician-${index}`,
    role: 'clinician',
    organization: 'north',
    purpose: 'TREAT',
    private: commitment(detailSalt, details),
    patients: [commitment(patientSalt, 'p1'), commitment(Buffer.alloc(32, 5), 'p2')],
  });
}

/** A log with so many entries. @param leaf gives the text of each */
export function logOf(size: number, leaf = leafOf) {
  const edge = new Edge();
  const hashes = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(leaf(index))));
  const tiles = edge.append(Buffer.concat(hashes));
  const read = ({ level, index }: TilePlace) =>
    tiles.find((tile) => tile.level === level && tile.index === index)?.hashes ?? Buffer.alloc(hashBytes);
  const text = checkpointText({ origin, size, root: edge.root() });
  const checkpoint = (signers: readonly Signer[] = [logKey, witness]) => signNote(text, signers, witnessedAt);
  const receipt = async (index: number, signers?: readonly Signer[]): Promise<Receipt> => ({
    format: receiptFormat,
    leaf: leaf(index),
    index,
    proof: proofText({
      index,
      path: await proofFrom(inclusionFolds(index, size), read),
      checkpoint: checkpoint(signers),
    }),
    opened: {
      patient: { index: 0, id: 'p1', salt: patientSalt.toString('base64url') },
      private: { text: details, salt: detailSalt.toString('base64url') },
    },
  });
  const growth = async (from: number): Promise<string> => {
    const path: Hash[] = await proofFrom(consistencyFolds(from, size), read);
    return `${[`old ${from}`, ...path.map((hash) => hash.toString('base64'))].join('\n')}\n\n${checkpoint()}`;
  };
  return { receipt, growth };
}
