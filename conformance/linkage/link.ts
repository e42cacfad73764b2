/**
 * Records to people, by the rules of the hub: records that share a blocking key are compared, at most 64 of one key and
 * 100 of one record; links that stand are kept, and the rest is clustered.
 */
import {
  blockingKeys,
  cluster,
  compare,
  defaultModel,
  type Edge,
  edgeOf,
  type Model,
  type Pair,
  type Prepared,
} from '@causeway/matching';

/** Records that share one key beyond this are not all compared: the key says too little. */
const CANDIDATES_PER_KEY = 64;
const CANDIDATES_PER_RECORD = 100;

export interface LinkRecord {
  id: string;
  prepared: Prepared;
}

export interface Linkage {
  /** Members by record id. */
  clusters: string[][];
  compared: number;
  /** Pairs left to a human. */
  reviews: Pair[];
}

/** @param mustLink pairs that the sources themselves say are one person */
export function linkRecords(
  records: readonly LinkRecord[],
  mustLink: readonly Pair[] = [],
  model: Model = defaultModel,
): Linkage {
  const edges: Edge[] = [];
  let compared = 0;
  for (const [a, b] of candidatePairs(records)) {
    compared++;
    const comparison = compare(records[a]!.prepared, records[b]!.prepared, model);
    if (comparison.outcome !== 'different' || comparison.contradiction || comparison.posterior > -10)
      edges.push(edgeOf(records[a]!.id, records[b]!.id, comparison));
  }
  const { clusters } = cluster(edges, mustLink, [], { records: records.map(({ id }) => id) });
  const place = new Map(clusters.flatMap((members, index) => members.map((id) => [id, index] as const)));
  const reviews = edges
    .filter(({ a, b, outcome }) => outcome !== 'different' && place.get(a) !== place.get(b))
    .map(({ a, b }): Pair => [a, b]);
  return { clusters, compared, reviews };
}

/** Each pair of records (by index, the smaller first) to compare, once. */
export function* candidatePairs(records: readonly LinkRecord[]): Generator<[number, number]> {
  const byKey = new Map<bigint, number[]>();
  for (const [index, { prepared }] of records.entries()) {
    const mates = new Set<number>();
    for (const key of blockingKeys(prepared)) {
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, [index]);
      else {
        for (const mate of known.slice(0, CANDIDATES_PER_KEY)) mates.add(mate);
        known.push(index);
      }
    }
    let taken = 0;
    for (const mate of mates) {
      if (++taken > CANDIDATES_PER_RECORD) break;
      yield [mate, index];
    }
  }
}

export interface Quality {
  true_pairs: number;
  found_pairs: number;
  right_pairs: number;
  /** Percent. */
  precision: number;
  recall: number;
  f1: number;
}

/** Pairwise quality of clusters; records without a truth are left out. */
export function qualityOf(clusters: readonly (readonly string[])[], truth: ReadonlyMap<string, string>): Quality {
  const sizes = new Map<string, number>();
  for (const person of truth.values()) sizes.set(person, (sizes.get(person) ?? 0) + 1);
  const true_pairs = pairsIn(sizes.values());
  let [found_pairs, right_pairs] = [0, 0];
  for (const members of clusters) {
    const counted = members.filter((id) => truth.has(id));
    const people = new Map<string, number>();
    for (const id of counted) people.set(truth.get(id)!, (people.get(truth.get(id)!) ?? 0) + 1);
    found_pairs += pairsIn([counted.length]);
    right_pairs += pairsIn(people.values());
  }
  return figures(true_pairs, found_pairs, right_pairs);
}

export function figures(true_pairs: number, found_pairs: number, right_pairs: number): Quality {
  const precision = found_pairs === 0 ? 1 : right_pairs / found_pairs;
  const recall = true_pairs === 0 ? 1 : right_pairs / true_pairs;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  const percent = (share: number) => Math.floor(share * 10_000) / 100;
  return {
    true_pairs,
    found_pairs,
    right_pairs,
    precision: percent(precision),
    recall: percent(recall),
    f1: percent(f1),
  };
}

function pairsIn(sizes: Iterable<number>): number {
  let pairs = 0;
  for (const size of sizes) pairs += (size * (size - 1)) / 2;
  return pairs;
}
