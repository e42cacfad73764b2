/**
 * Disjoint sets of names (union by size with path halving).
 */
export class DisjointSets {
  readonly #parent = new Map<string, string>();
  readonly #size = new Map<string, number>();

  /** Makes the name known, as a set of its own. */
  add(name: string): void {
    if (this.#parent.has(name)) return;
    this.#parent.set(name, name);
    this.#size.set(name, 1);
  }

  /** The name that stands for the whole set. */
  find(name: string): string {
    this.add(name);
    let at = name;
    for (;;) {
      const parent = this.#parent.get(at)!;
      if (parent === at) return at;
      const above = this.#parent.get(parent)!;
      this.#parent.set(at, above);
      at = above;
    }
  }

  /** Joins two sets and returns the name that stands for the result: that of the larger set. */
  join(a: string, b: string): string {
    const rootA = this.find(a);
    const rootB = this.find(b);
    if (rootA === rootB) return rootA;
    const [keep, gone] = this.#size.get(rootA)! >= this.#size.get(rootB)! ? [rootA, rootB] : [rootB, rootA];
    this.#parent.set(gone, keep);
    this.#size.set(keep, this.#size.get(keep)! + this.#size.get(gone)!);
    return keep;
  }

  sizeOf(name: string): number {
    return this.#size.get(this.find(name))!;
  }

  /** All sets; members sorted, sets sorted by first member. */
  groups(): string[][] {
    const byRoot = new Map<string, string[]>();
    for (const name of [...this.#parent.keys()].sort()) {
      const root = this.find(name);
      const members = byRoot.get(root);
      if (members === undefined) byRoot.set(root, [name]);
      else members.push(name);
    }
    return [...byRoot.values()];
  }
}
