/** Fetches what one level of an answer waits for, together: each resource is read once, equal searches are made once. */
import { GraphqlError, type Location, tooCostly } from './errors.ts';
import type { GraphqlLimits } from './limits.ts';
import type { GraphqlSource, Resource, ResourceId, SearchPage } from './source.ts';

interface PendingRead extends ResourceId {
  take(found: Resource | undefined): void;
}

export interface PendingSearch {
  type: string;
  parameters: readonly [name: string, value: string][];
  place: Location | undefined;
  take(page: SearchPage): void;
}

export class Fetcher {
  readonly #source: GraphqlSource;
  readonly #limits: GraphqlLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #read = new Map<string, Resource | undefined>();
  #reads: PendingRead[] = [];
  #searches: PendingSearch[] = [];
  #searched = 0;
  #found = 0;

  constructor(source: GraphqlSource, limits: GraphqlLimits, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#limits = limits;
    this.#signal = signal;
  }

  read(read: PendingRead): void {
    this.#reads.push(read);
  }

  search(search: PendingSearch): void {
    this.#searches.push(search);
  }

  get isWaiting(): boolean {
    return this.#reads.length > 0 || this.#searches.length > 0;
  }

  /** Fetches all that was asked for and hands it on; what is asked for meanwhile waits for the next time. */
  async fetch(): Promise<void> {
    const [reads, searches] = [this.#reads, this.#searches];
    this.#reads = [];
    this.#searches = [];
    const unread = new Map<string, ResourceId>();
    for (const { type, id } of reads) if (!this.#read.has(`${type}/${id}`)) unread.set(`${type}/${id}`, { type, id });
    if (this.#read.size + unread.size > this.#limits.reads) {
      throw tooCostly('The query reads too much', this.#limits.reads, 'resources read by id');
    }
    const [found, pages] = await this.#abortable(
      Promise.all([this.#readAll([...unread.values()]), this.#searchAll(searches)]),
    );
    for (const [index, key] of [...unread.keys()].entries()) this.#read.set(key, found[index]);
    for (const { type, id, take } of reads) take(this.#read.get(`${type}/${id}`));
    for (const [index, { take }] of searches.entries()) take(pages[index]!);
  }

  async #readAll(ids: ResourceId[]): Promise<readonly (Resource | undefined)[]> {
    if (ids.length === 0) return [];
    return this.#source.readMany?.(ids) ?? Promise.all(ids.map(({ type, id }) => this.#source.read(type, id)));
  }

  async #searchAll(searches: readonly PendingSearch[]): Promise<SearchPage[]> {
    const pages: SearchPage[] = [];
    const same = new Map<string, Promise<SearchPage>>();
    const keys = searches.map(({ type, parameters }) => JSON.stringify([type, parameters]));
    this.#searched += new Set(keys).size;
    if (this.#searched > this.#limits.searches) {
      throw tooCostly('The query searches too often', this.#limits.searches, 'searches', searches.at(-1)?.place);
    }
    let next = 0;
    const work = async () => {
      while (next < searches.length) {
        const index = next++;
        const { type, parameters, place } = searches[index]!;
        const key = keys[index]!;
        let page = same.get(key);
        if (!page) {
          this.#signal?.throwIfAborted();
          page = this.#search(type, parameters, place);
          same.set(key, page);
        }
        pages[index] = await page;
      }
    };
    await Promise.all(Array.from({ length: this.#limits.concurrentSearches }, work));
    return pages;
  }

  async #search(
    type: string,
    parameters: PendingSearch['parameters'],
    place: Location | undefined,
  ): Promise<SearchPage> {
    const page = await this.#source
      .search(type, parameters)
      .catch((error: unknown) => Promise.reject(placed(error, place)));
    this.#found += page.entries.length;
    if (this.#found > this.#limits.resources) {
      throw tooCostly('The searches find too much', this.#limits.resources, 'resources found', place);
    }
    return page;
  }

  /** The outcome of work, or the reason why nobody waits for it any longer. */
  #abortable<T>(work: Promise<T>): Promise<T> {
    const signal = this.#signal;
    if (!signal) return work;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }
}

/** What a source refuses, with the place in the query that asked for it. */
function placed(error: unknown, place: Location | undefined): unknown {
  if (!(error instanceof GraphqlError) || error.location) return error;
  return new GraphqlError(error.message, place, error.code, error.status);
}
