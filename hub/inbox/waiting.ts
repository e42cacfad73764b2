/** Messages of the inbox that wait to be processed, opened. */
import type { Database } from '../database/index.ts';
import { openLarge } from '../record/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import { type Dialect, messageIdentity } from './receive.ts';

export const batchSize = 64;
/** Contents of messages held in memory at once, beyond the first of a batch. */
const batchBytes = 16 * 1024 * 1024;

export interface Waiting {
  seq: number;
  id: string;
  lane: string;
  source: string;
  dialect: Dialect;
  received: Date;
  charset: string | null;
  attempts: number;
  /** Whether it was processed before, so that this is a replay. */
  again: boolean;
  /** Undefined where the original was erased or does not open. */
  bytes: Buffer | undefined;
}

interface Reading {
  database: Database;
  master: MasterKey;
  /** Is told of originals that do not open. */
  fault(message: string, error: unknown): void;
}

/** The next messages after a sequence number that are due; none of a lane of which an earlier one failed. */
export async function nextWaiting({ database, master, fault }: Reading, after: number): Promise<Waiting[]> {
  const opened = async (id: string, sealingKey: Buffer | null, body: Buffer): Promise<Buffer | undefined> => {
    if (sealingKey === null) return undefined;
    try {
      return await openLarge(body, unwrapDataKey(master, sealingKey, messageIdentity(id)), messageIdentity(id));
    } catch (error) {
      fault(id, error);
      return undefined;
    }
  };
  const { rows } = await database.query({
    name: 'claim',
    text: `SELECT seq, id, source, dialect, lane::text, received, charset, attempts,
                  processed IS NOT NULL AS again, sealing_key, body
           FROM (SELECT seq, sum(size) OVER (ORDER BY seq) - size AS before
                 FROM (SELECT seq, size FROM message m
                       WHERE state IN ('received', 'failed') AND seq > $1
                         AND (next_attempt IS NULL OR next_attempt <= now())
                         AND NOT EXISTS (SELECT 1 FROM message f
                                         WHERE f.state = 'failed' AND f.lane = m.lane AND f.seq < m.seq)
                       ORDER BY seq LIMIT ${batchSize}) waiting) chosen
           JOIN message USING (seq) WHERE before < ${batchBytes} ORDER BY seq`,
    values: [after],
  });
  return Promise.all(
    rows.map(async ({ sealing_key, body, ...row }) => ({
      ...(row as Omit<Waiting, 'bytes'>),
      bytes: await opened(row.id, sealing_key, body),
    })),
  );
}
