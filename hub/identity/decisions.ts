/** What people and sources decided about two source patients, and what is up for decision. */
import type { Comparison } from '@causeway/matching';
import type { Transaction } from '../database/index.ts';
import { newId } from '../record/index.ts';

/** Notes a decision about two source patients and closes their reviews. The latest decision of a pair holds. */
export function decide(
  transaction: Transaction,
  [a, b]: [number, number],
  decision: { same: boolean; by: string; reason: string; at: Date },
): void {
  const { same, by, reason, at } = decision;
  const [low, high] = a < b ? [a, b] : [b, a];
  transaction.send({
    name: 'link_decide',
    // Several decisions about a pair in one transaction keep their order.
    text: `INSERT INTO link_decision (id, a, b, same, by_whom, at, reason)
           SELECT $1, $2, $3, $4, $5, greatest($6, max(at) + interval '1 microsecond'), $7
           FROM link_decision WHERE a = $2 AND b = $3`,
    values: [newId(), low, high, same, by, at, reason],
  });
  transaction.send({
    name: 'review_close',
    text: `UPDATE review SET decision = $3, decided_by = $4, decided_at = $5, reason = $6
           WHERE a = $1 AND b = $2 AND decision IS NULL`,
    values: [low, high, same ? 'same' : 'different', by, at, reason],
  });
}

/** The pairs among these source patients that somebody decided about. */
export async function decisionsAmong(
  transaction: Transaction,
  homes: number[],
): Promise<{ same: [number, number][]; different: [number, number][] }> {
  const { rows } = await transaction.query({
    name: 'link_decisions',
    text: `SELECT DISTINCT ON (a, b) a, b, same FROM link_decision WHERE a = ANY($1) AND b = ANY($1)
           ORDER BY a, b, at DESC`,
    values: [homes],
  });
  const pairs = (same: boolean) =>
    rows.filter((row) => row.same === same).map((row): [number, number] => [row.a, row.b]);
  return { same: pairs(true), different: pairs(false) };
}

/** Puts pairs (the smaller number first, each once) up for review, or brings their open reviews up to date. */
export function openReviews(
  transaction: Transaction,
  kind: 'duplicate' | 'overlay',
  pairs: readonly { a: number; b: number; comparison: Pick<Comparison, 'weight' | 'probability' | 'guards'> }[],
  at: Date,
): void {
  if (pairs.length === 0) return;
  transaction.send({
    name: 'review_open',
    text: `INSERT INTO review (id, a, b, created, weight, probability, guards, kind)
           SELECT id, a, b, $4, weight, probability, guards::text[], $8
           FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $5::double precision[], $6::double precision[], $7::text[])
             AS v (id, a, b, weight, probability, guards)
           ON CONFLICT (a, b, kind) DO UPDATE
           SET weight = excluded.weight, probability = excluded.probability, guards = excluded.guards
           WHERE review.decision IS NULL`,
    values: [
      pairs.map(() => newId()),
      pairs.map(({ a }) => a),
      pairs.map(({ b }) => b),
      at,
      pairs.map(({ comparison }) => comparison.weight),
      pairs.map(({ comparison }) => comparison.probability),
      pairs.map(({ comparison }) => `{${comparison.guards.join(',')}}`),
      kind,
    ],
  });
}

/** When a pair was last decided about. */
export async function lastDecision(transaction: Transaction, a: number, b: number): Promise<Date | undefined> {
  const { rows } = await transaction.query({
    name: 'link_decided',
    text: 'SELECT max(at) AS at FROM link_decision WHERE a = $1 AND b = $2',
    values: [Math.min(a, b), Math.max(a, b)],
  });
  return rows[0]?.at ?? undefined;
}
