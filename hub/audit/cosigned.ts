/** Checkpoints of this log with the cosignatures of its witnesses, and how each witness stands. */
import { readCheckpoint, readNote } from '@causeway/tlog';
import type { Queryable, Transaction } from '../database/index.ts';
import type { TreeState } from './tree.ts';

/** How a witness of this log stands. */
export interface WitnessState {
  /** As the policy calls it. */
  name: string;
  /** Its key, as others trust it. */
  verifier: string;
  /** Up to which event it cosigned this log, and when. */
  size: number;
  cosigned?: Date;
  /** Since when it does not cosign what it is given, and why. */
  failing?: Date;
  problem?: string;
  /** What it says that cannot be unless this log was set back or forked. */
  contradiction?: string;
}

/** The witnesses, of a log by its origin. */
export async function witnessStates(database: Queryable, origin: string): Promise<WitnessState[]> {
  const { rows } = await database.query<{
    name: string;
    verifier: string;
    origin: string;
    size: number;
    cosigned: Date | null;
    failing: Date | null;
    problem: string | null;
    contradiction: string | null;
  }>({
    name: 'audit_witnesses',
    text: 'SELECT name, verifier, origin, size, cosigned, failing, problem, contradiction FROM audit_witness ORDER BY name',
  });
  return rows.map(({ name, verifier, failing, problem, contradiction, ...last }) => ({
    name,
    verifier,
    ...(last.origin === origin && last.cosigned ? { size: last.size, cosigned: last.cosigned } : { size: 0 }),
    ...(failing ? { failing } : {}),
    ...(problem === null ? {} : { problem }),
    ...(contradiction === null ? {} : { contradiction }),
  }));
}

/**
 * Keeps a cosignature with its checkpoint. Of each number of witnesses the latest checkpoint stays, so that while one does
 * not answer there is a newer one that fewer cosigned, and the latest that all did.
 * @param checkpoint as the log signed it
 * @param line what the witness adds
 */
export async function keepCosignature(
  transaction: Transaction,
  checkpoint: string,
  { verifier, line }: { verifier: string; line: string },
): Promise<void> {
  const { origin, size } = readCheckpoint(readNote(checkpoint).text);
  await transaction.query({
    name: 'audit_cosign',
    text: `INSERT INTO audit_cosigned AS c (origin, size, checkpoint, witnesses) VALUES ($1, $2, $3 || $4, ARRAY[$5])
           ON CONFLICT (origin, size) DO UPDATE SET checkpoint = c.checkpoint || $4, witnesses = c.witnesses || $5
           WHERE NOT $5 = ANY (c.witnesses)`,
    values: [origin, size, checkpoint, line, verifier],
  });
  await transaction.query({
    name: 'audit_cosigned_trim',
    text: `DELETE FROM audit_cosigned c WHERE origin = $1 AND EXISTS (
             SELECT FROM audit_cosigned newer WHERE newer.origin = c.origin AND newer.size > c.size
               AND cardinality(newer.witnesses) >= cardinality(c.witnesses))`,
    values: [origin],
  });
  await transaction.query({
    name: 'audit_cosigned_by',
    text: `UPDATE audit_witness SET origin = $2, size = $3, cosigned = clock_timestamp(), failing = NULL, problem = NULL,
             told = false, contradiction = NULL WHERE verifier = $1`,
    values: [verifier, origin, size],
  });
}

/** The checkpoint that most witnesses cosigned, of those that have an event; the latest of those. */
export async function cosignedWith(
  database: Queryable,
  { origin, size }: Pick<TreeState, 'origin' | 'size'>,
  index: number,
): Promise<{ size: number; checkpoint: string } | undefined> {
  const { rows } = await database.query<{ size: number; checkpoint: string }>({
    name: 'audit_cosigned_with',
    text: `SELECT size, checkpoint FROM audit_cosigned WHERE origin = $1 AND size > $2 AND size <= $3
           ORDER BY cardinality(witnesses) DESC, size DESC LIMIT 1`,
    values: [origin, index, size],
  });
  return rows[0];
}

/** All that are kept of a log, the latest first. */
export async function cosignedOf(database: Queryable, origin: string): Promise<string[]> {
  const { rows } = await database.query<{ checkpoint: string }>(
    'SELECT checkpoint FROM audit_cosigned WHERE origin = $1 ORDER BY size DESC',
    [origin],
  );
  return rows.map(({ checkpoint }) => checkpoint);
}
