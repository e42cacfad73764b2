/**
 * Which persons become one: each new or changed source patient is compared with its candidates; links that stand are
 * kept, and what is new is joined when the evidence carries it and nothing contradicts.
 */
import { type Comparison, cluster, compare, type Edge, edgeOf, type Pair, type Prepared } from '@causeway/matching';
import type { Transaction } from '../database/index.ts';
import { decisionsAmong, openReviews } from './decisions.ts';
import type { Member, Members } from './members.ts';

/** A person with more source patients than this is not extended automatically. */
const largestPerson = 40;

/** What came of a comparison. The explanation is made again for who is joined: it is the most of one, and most pairs differ. */
interface Compared {
  a: number;
  b: number;
  comparison: Omit<Comparison, 'explanation'>;
}

/** Comparisons of a transaction, each pair once. */
class Comparisons {
  readonly #known: ReadonlyMap<number, Prepared>;
  readonly #made = new Map<string, Compared>();

  constructor(known: ReadonlyMap<number, Prepared>) {
    this.#known = known;
  }

  make(one: number, other: number): void {
    const [a, b] = one < other ? [one, other] : [other, one];
    const key = `${a} ${b}`;
    const [first, second] = [this.#known.get(a), this.#known.get(b)];
    if (a === b || !first || !second || this.#made.has(key)) return;
    const { explanation: _, ...comparison } = compare(first, second);
    this.#made.set(key, { a, b, comparison });
  }

  all(): Compared[] {
    return [...this.#made.values()];
  }

  /** The comparison that speaks most for one person among those between two groups. */
  best(mine: readonly Member[], theirs: readonly Member[]): Comparison | undefined {
    let best: Compared | undefined;
    for (const { home: a } of mine) {
      for (const { home: b } of theirs) {
        const made = this.#made.get(a < b ? `${a} ${b}` : `${b} ${a}`);
        if (made && (!best || made.comparison.posterior > best.comparison.posterior)) best = made;
      }
    }
    return best && compare(this.#known.get(best.a)!, this.#known.get(best.b)!);
  }
}

/**
 * Joins persons and opens reviews.
 * @param candidates by home, the homes to compare it with
 * @param known the demographics of all members that were loaded
 */
export async function join(
  transaction: Transaction,
  members: Members,
  known: ReadonlyMap<number, Prepared>,
  candidates: ReadonlyMap<number, number[]>,
  now: Date,
): Promise<void> {
  const comparisons = new Comparisons(known);
  for (const [home, others] of candidates) for (const other of others) comparisons.make(home, other);
  const links = comparisons.all().filter(({ comparison }) => comparison.outcome !== 'different');
  if (links.length === 0) return;
  const persons = new Set(links.flatMap(({ a, b }) => [members.get(a)!.person, members.get(b)!.person]));
  const considered = new Map<string, Member[]>();
  for (const person of persons) {
    const all = members.of(person);
    if (all.length <= largestPerson) considered.set(person, all);
  }
  for (const { a, b } of links) {
    const [one, other] = [members.get(a)!.person, members.get(b)!.person];
    if (one === other) continue;
    for (const x of considered.get(one) ?? []) {
      for (const y of considered.get(other) ?? []) comparisons.make(x.home, y.home);
    }
  }
  const homes = new Set([...considered.values()].flatMap((all) => all.map(({ home }) => home)));
  const { same, different } = await decisionsAmong(transaction, [...homes]);
  const edges: Edge[] = [];
  for (const { a, b, comparison } of comparisons.all()) {
    if (homes.has(a) && homes.has(b)) edges.push(edgeOf(String(a), String(b), comparison));
  }
  const together: Pair[] = [...named(same)];
  for (const [head, ...rest] of considered.values()) {
    for (const member of rest) together.push([String(head!.home), String(member.home)]);
  }
  const { clusters } = cluster(edges, together, named(different), { records: [...homes].map(String) });
  for (const names of clusters) {
    const [head, ...rest] = names.map(Number);
    for (const home of rest) {
      const [one, other] = [members.get(head!)!.person, members.get(home)!.person];
      if (one === other) continue;
      const best = comparisons.best(members.of(one), members.of(other));
      members.merge(one, other, {
        by: 'matching',
        reason: reasonOf(best),
        ...(best ? { probability: best.probability } : {}),
      });
    }
  }
  const decided = new Set(different.map(String));
  const open = links.filter(
    ({ a, b }) => members.get(a)!.person !== members.get(b)!.person && !decided.has(`${a},${b}`),
  );
  openReviews(transaction, 'duplicate', open, now);
}

function named(pairs: readonly [number, number][]): Pair[] {
  return pairs.map(([a, b]) => [String(a), String(b)] as const);
}

/** The evidence in short: which fields agreed how, without their values. */
function reasonOf(comparison: Comparison | undefined): string {
  if (!comparison) return 'agreed with the same person';
  return comparison.explanation
    .filter(({ weight }) => weight > 0)
    .map(({ label, level }) => `${label}: ${level}`)
    .join(', ');
}
