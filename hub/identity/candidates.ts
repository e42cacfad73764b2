/**
 * Who may be the same person: source patients that share a blocking key. One statement finds those of all source
 * patients of a transaction, with everybody in their persons.
 */
import type { Transaction } from '../database/index.ts';
import { literal, type Member, type Members, memberColumns, type Statement } from './members.ts';

/** Source patients that share one blocking key beyond this are not all compared: the key says too little. */
const perKey = 64;
const perPatient = 100;

/**
 * For each of these source patients the homes of its candidates, those of the same transaction among them; the
 * candidates' persons are taken into `members`. The keys of the source patients themselves need not be written yet.
 * @param digests the demographics of all source patients that the transaction states: keys of what one of them said
 * before do not count
 */
export async function findCandidates(
  transaction: Transaction,
  members: Members,
  statements: readonly Statement[],
  digests: ReadonlyMap<number, string>,
): Promise<Map<number, number[]>> {
  const candidates = new Map<number, number[]>();
  const holders = holdersOf(statements);
  if (holders.size === 0) return candidates;
  const keys = [...holders.keys()];
  const { rows } = await transaction.query<Member & { keys: number[] | null }>({
    name: 'candidates',
    text: `WITH found AS MATERIALIZED (
             SELECT o.home, array_agg(k.at) AS keys
             FROM unnest($1::bigint[]) WITH ORDINALITY AS k (key, at)
             CROSS JOIN LATERAL (SELECT home FROM blocking_key WHERE key = k.key ORDER BY home LIMIT ${perKey}) o
             GROUP BY o.home
           )
           SELECT ${memberColumns}, f.keys
           FROM (SELECT DISTINCT l.person FROM found CROSS JOIN LATERAL
                   (SELECT person FROM link WHERE home = found.home OFFSET 0) l) p
           CROSS JOIN LATERAL (SELECT * FROM link WHERE person = p.person OFFSET 0) l
           LEFT JOIN found f USING (home) ORDER BY l.home`,
    values: [literal(keys)],
  });
  for (const { keys: shared, ...row } of rows) {
    members.take(row);
    if (shared === null || (digests.has(row.home) && digests.get(row.home) !== row.demographics)) continue;
    for (const at of shared) holders.get(keys[at - 1]!)!.push(row.home);
  }
  for (const homes of holders.values()) homes.sort((a, b) => a - b).splice(perKey);
  for (const { home, keys: own } of statements) {
    const others = new Set(own.flatMap((key) => holders.get(key)!));
    others.delete(home);
    if (others.size > 0) candidates.set(home, [...others].sort((a, b) => a - b).slice(0, perPatient));
  }
  return candidates;
}

/** Which of these source patients have each key. */
function holdersOf(statements: readonly Statement[]): Map<bigint, number[]> {
  const holders = new Map<bigint, number[]>();
  for (const { home, keys } of statements) {
    for (const key of keys) {
      const homes = holders.get(key);
      if (homes) homes.push(home);
      else holders.set(key, [home]);
    }
  }
  return holders;
}
