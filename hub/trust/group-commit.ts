/**
 * Commits together what arrives together, one commit at a time. Those whom a commit answers are mostly back soon, and those
 * who came meanwhile wait already: the next commit waits for all of them, so that nobody waits for the rest of one commit
 * and then for his own. It waits no longer than a commit takes, and where waiting was in vain, not again for a while.
 */
export class GroupCommit<Item> {
  readonly #commit: (items: Item[]) => Promise<void>;
  readonly #most: number;
  #waiting: Item[] = [];
  #isUnderWay = false;
  /** How many there were when the last commit ended: those it answered, and those who waited. */
  #expected = 1;
  /** What a commit takes: a moving mean. */
  #usualMs = 0;
  /** So many commits wait for nobody, and so many will after the next time that waiting was in vain. */
  #hasty = 0;
  #nextHasty = 1;
  #timer: NodeJS.Timeout | undefined;

  /** @param commit commits items, and never rejects @param most items in one commit */
  constructor(commit: (items: Item[]) => Promise<void>, most: number) {
    this.#commit = commit;
    this.#most = most;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    if (!this.#isUnderWay) this.#consider();
  }

  #consider(): void {
    if (this.#waiting.length >= Math.min(this.#expected, this.#most)) {
      if (this.#timer) this.#nextHasty = 1;
      this.#begin();
    } else if (this.#hasty > 0) {
      this.#hasty--;
      this.#begin();
    } else this.#timer ??= setTimeout(() => this.#inVain(), Math.min(this.#usualMs, mostMs));
  }

  #inVain(): void {
    this.#hasty = this.#nextHasty;
    this.#nextHasty = Math.min(mostHasty, 2 * this.#nextHasty);
    this.#begin();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isUnderWay = true;
    setImmediate(() => void this.#carryOut());
  }

  async #carryOut(): Promise<void> {
    const items = this.#waiting.splice(0, this.#most);
    const begun = performance.now();
    await this.#commit(items);
    this.#usualMs += (performance.now() - begun - this.#usualMs) / 8;
    this.#isUnderWay = false;
    this.#expected = items.length + this.#waiting.length;
    if (this.#waiting.length > 0) this.#consider();
  }
}

/** Nobody waits longer for others, where commits have become slow. */
const mostMs = 20;
const mostHasty = 64;
