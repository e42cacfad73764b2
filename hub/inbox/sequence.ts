/**
 * The sequence number protocol (HL7 v2.9 chapter 2, section 2.10.1): whether a message is the next one of its link, and
 * which number is expected after it. The numbers are stored in the transaction that stores the message.
 *
 * 0 starts a link: the answer says the number expected, -1 where none was accepted yet. -1 starts the numbering anew: the
 * next number is taken as it comes. A number that was accepted is not taken again, one that leaves a gap is refused; the
 * answer says the number expected, by which the sender knows what to do.
 */
import type { Transaction } from '../database/index.ts';

/** A message's place on its link. */
export interface SequencePosition {
  /** Sending and receiving application and facility. */
  link: string;
  /** MSH-13. */
  number: number;
}

export interface SequenceVerdict {
  /** MSA-4. */
  expected: number;
  /** Why the message is not taken. */
  refused?: string;
}

/** Holds links until the transaction ends; answers the number accepted last, null where the next is taken as it comes. */
export async function lockLinks(transaction: Transaction, links: string[]): Promise<Map<string, number | null>> {
  const names = [...new Set(links)].sort();
  await transaction.query(
    'INSERT INTO sequence_link (link) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT (link) DO NOTHING',
    [names],
  );
  const { rows } = await transaction.query(
    'SELECT link, last FROM sequence_link WHERE link = ANY($1) ORDER BY link FOR UPDATE',
    [names],
  );
  return new Map(rows.map((row) => [row.link, row.last]));
}

/** Stores where links stand. */
export async function storeLinks(transaction: Transaction, last: Map<string, number | null>): Promise<void> {
  await transaction.query(
    `UPDATE sequence_link SET last = v.last, changed = now()
     FROM unnest($1::text[], $2::bigint[]) AS v (link, last) WHERE sequence_link.link = v.link`,
    [[...last.keys()], [...last.values()]],
  );
}

/**
 * Judges the next message of a link, and moves the link on.
 *
 * @param isKnown whether this very message was received before
 */
export function judge(
  last: Map<string, number | null>,
  { link, number }: SequencePosition,
  isKnown: boolean,
): SequenceVerdict {
  const accepted = last.get(link) ?? null;
  if (number === -1) {
    last.set(link, null);
    return { expected: -1 };
  }
  const expected = accepted === null ? -1 : accepted + 1;
  if (number === 0) return { expected };
  if (accepted === null || number === expected) {
    last.set(link, number);
    return { expected: number };
  }
  if (number <= accepted && isKnown) return { expected };
  const why = number <= accepted ? 'was used before, for another message' : `leaves a gap`;
  return {
    expected,
    refused: `MSH-13 is ${number}, which ${why}: this link expects ${expected}. Send that one, or begin anew with 0 or -1.`,
  };
}
