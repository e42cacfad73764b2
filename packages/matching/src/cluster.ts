/**
 * Clusters: records into people. Human decisions are facts (must-link, must-not-link); between them the strongest
 * links join first, and two clusters join only when the average over all their pairs says so, so that a chain of
 * look-alikes does not pull two people together.
 */
import type { Comparison } from './compare.ts';
import { DisjointSets } from './disjoint-sets.ts';

export interface Edge {
  a: string;
  b: string;
  /** Log2 odds of being one person (`Comparison.posterior`). */
  posterior: number;
  /** `Comparison.outcome`: only `link` joins; every edge counts in the averages. */
  outcome: 'link' | 'review' | 'different';
  /** `Comparison.contradiction`: the clusters of both ends never join on their own. */
  veto?: boolean;
}

/** The edge of a comparison, with its veto. */
export function edgeOf(
  a: string,
  b: string,
  { posterior, outcome, contradiction }: Pick<Comparison, 'posterior' | 'outcome' | 'contradiction'>,
): Edge {
  return { a, b, posterior, outcome, veto: contradiction };
}

export type Pair = readonly [string, string];

export interface ClusterOptions {
  /** Records without any edge, so that they appear as clusters of one. */
  records?: Iterable<string>;
  /** Average posterior over all cross pairs below which two clusters stay apart. Default 0. */
  minimumAverage?: number;
  /** Posterior counted for a pair that was never compared. Default −2. */
  unseen?: number;
}

export interface Clustering {
  /** Members sorted; clusters sorted by first member. */
  clusters: string[][];
  /** Links that were not followed, and why: material for review. */
  refused: { a: string; b: string; reason: 'must-not-link' | 'veto' | 'average' }[];
  /** Must-links that would join records held apart by a must-not-link: somebody has to decide. */
  conflicts: Pair[];
}

/** Clusters the records under all constraints. Deterministic; the order of edges does not matter. */
export function cluster(
  edges: readonly Edge[],
  mustLink: readonly Pair[],
  mustNotLink: readonly Pair[],
  options: ClusterOptions = {},
): Clustering {
  const { minimumAverage = 0, unseen = -2 } = options;
  const sets = new DisjointSets();
  for (const record of options.records ?? []) sets.add(record);
  const apart = new Relations(sets);
  for (const [a, b] of mustNotLink) apart.note(a, b, { forbidden: true });
  const conflicts: Pair[] = [];
  for (const [a, b] of [...mustLink].map(ordered).sort(byNames)) {
    if (sets.find(a) === sets.find(b)) continue;
    if (apart.of(a, b)?.forbidden === true) conflicts.push([a, b]);
    else apart.join(a, b);
  }
  const strongest = strongestByPair(edges);
  for (const edge of strongest) {
    apart.note(edge.a, edge.b, { sum: edge.posterior, seen: 1, vetoed: edge.veto === true });
  }
  const refused: Clustering['refused'] = [];
  for (const { a, b, outcome } of strongest) {
    if (outcome !== 'link' || sets.find(a) === sets.find(b)) continue;
    const relation = apart.of(a, b)!;
    const pairs = sets.sizeOf(a) * sets.sizeOf(b);
    const average = (relation.sum + (pairs - relation.seen) * unseen) / pairs;
    if (relation.forbidden) refused.push({ a, b, reason: 'must-not-link' });
    else if (relation.vetoed) refused.push({ a, b, reason: 'veto' });
    else if (average < minimumAverage) refused.push({ a, b, reason: 'average' });
    else apart.join(a, b);
  }
  return { clusters: sets.groups(), refused, conflicts };
}

/** What lies between two clusters. */
interface Relation {
  forbidden: boolean;
  vetoed: boolean;
  /** Sum of the posteriors of the compared cross pairs. */
  sum: number;
  /** Number of compared cross pairs. */
  seen: number;
}

/** The relations between clusters, kept as clusters join. */
class Relations {
  readonly #sets: DisjointSets;
  readonly #byRoot = new Map<string, Map<string, Relation>>();

  constructor(sets: DisjointSets) {
    this.#sets = sets;
  }

  of(a: string, b: string): Relation | undefined {
    return this.#byRoot.get(this.#sets.find(a))?.get(this.#sets.find(b));
  }

  note(a: string, b: string, more: Partial<Relation>): void {
    const rootA = this.#sets.find(a);
    const rootB = this.#sets.find(b);
    if (rootA === rootB) return;
    const merged = merge(this.#byRoot.get(rootA)?.get(rootB), more);
    this.#put(rootA, rootB, merged);
    this.#put(rootB, rootA, merged);
  }

  join(a: string, b: string): void {
    const [rootA, rootB] = [this.#sets.find(a), this.#sets.find(b)];
    const root = this.#sets.join(a, b);
    const gone = root === rootA ? rootB : rootA;
    const moving = this.#byRoot.get(gone);
    this.#byRoot.delete(gone);
    this.#byRoot.get(root)?.delete(gone);
    for (const [other, relation] of moving ?? []) {
      this.#byRoot.get(other)?.delete(gone);
      if (other !== root) this.note(root, other, relation);
    }
  }

  #put(from: string, to: string, relation: Relation): void {
    const known = this.#byRoot.get(from);
    if (known === undefined) this.#byRoot.set(from, new Map([[to, relation]]));
    else known.set(to, relation);
  }
}

function merge(known: Relation | undefined, more: Partial<Relation>): Relation {
  return {
    forbidden: known?.forbidden === true || more.forbidden === true,
    vetoed: known?.vetoed === true || more.vetoed === true,
    sum: (known?.sum ?? 0) + (more.sum ?? 0),
    seen: (known?.seen ?? 0) + (more.seen ?? 0),
  };
}

/** One edge per pair (the strongest; a veto on any stays), strongest first, ties by names. */
function strongestByPair(edges: readonly Edge[]): Edge[] {
  const byPair = new Map<string, Edge>();
  for (const edge of edges) {
    if (edge.a === edge.b || !Number.isFinite(edge.posterior)) continue;
    const [a, b] = ordered([edge.a, edge.b]);
    const key = JSON.stringify([a, b]);
    const known = byPair.get(key);
    const stronger = known === undefined || isStronger(edge, known) ? edge : known;
    byPair.set(key, { ...stronger, a, b, veto: edge.veto === true || known?.veto === true });
  }
  return [...byPair.values()].sort((x, y) => y.posterior - x.posterior || byNames([x.a, x.b], [y.a, y.b]));
}

function isStronger(edge: Edge, known: Edge): boolean {
  if (edge.posterior !== known.posterior) return edge.posterior > known.posterior;
  return edge.outcome === 'link' && known.outcome !== 'link';
}

function ordered([a, b]: Pair): Pair {
  return a <= b ? [a, b] : [b, a];
}

function byNames(x: Pair, y: Pair): number {
  return x[0] < y[0] ? -1 : x[0] > y[0] ? 1 : x[1] < y[1] ? -1 : x[1] > y[1] ? 1 : 0;
}
