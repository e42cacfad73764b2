/** Lets a log go on that was restored from an older state: under another origin, which names what was lost. */
import { readCheckpoint, readNote } from '@causeway/tlog';
import type { Transaction } from '../database/index.ts';
import { lockedState } from './tree.ts';

/**
 * @param published the checkpoint that was published last
 * @returns what is recorded of it; undefined where the log is not refused
 */
export async function acceptRestore(
  transaction: Transaction,
  published: string | undefined,
  by: string,
): Promise<string | undefined> {
  const { name, size, refused } = await lockedState(transaction);
  if (refused === null || published === undefined) return undefined;
  const head = readCheckpoint(readNote(published).text);
  const { rows } = await transaction.query<{ number: number }>(
    'INSERT INTO audit_restore (by_whom, checkpoint, origin, size) VALUES ($1, $2, $3, $4) RETURNING number',
    [by, published, '', size],
  );
  const { number } = rows[0]!;
  const origin = `${name}/restored-${number}-of-${head.size}-${head.root.toString('hex').slice(0, 16)}`;
  await transaction.query('UPDATE audit_restore SET origin = $1 WHERE number = $2', [origin, number]);
  await transaction.query('UPDATE audit_tree SET origin = $1, refused = NULL, checkpoint = NULL, signed = NULL', [
    origin,
  ]);
  return `${size} of ${head.size} events of ${head.origin}, root ${head.root.toString('base64')}; goes on as ${origin}`;
}
