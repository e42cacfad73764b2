/** Where the resources come from. Everything a query gives out goes through these functions. */

/** A resource as JSON has it; a number may be held as its text by `JSON.rawJSON`. */
export type Resource = { readonly resourceType: string; readonly [property: string]: unknown };

export interface GraphqlSource {
  /** The current version; undefined where there is none, or none that may be seen. */
  read(type: string, id: string): Promise<Resource | undefined>;
  /** Several reads at once, answers in their order; without it, `read` is called for each side by side. */
  readMany?(ids: readonly ResourceId[]): Promise<readonly (Resource | undefined)[]>;
  /**
   * One page of a search.
   * @param parameters as REST has them; `_cursor` stands alone and holds a text of an earlier page
   */
  search(type: string, parameters: readonly [name: string, value: string][]): Promise<SearchPage>;
  /**
   * Makes a change, and gives the resource as it became; nothing for one that was deleted. Without it there are no
   * mutations.
   */
  change?(change: Change): Promise<Resource | undefined>;
  /** Addresses that begin with this are resources of the source: `https://hub.example/fhir/`. */
  readonly base?: string;
}

/** A change; the resource may have an id of its own, which a creation does not keep. */
export type Change =
  | { kind: 'create'; type: string; resource: Resource }
  | { kind: 'update'; type: string; id: string; resource: Resource }
  | { kind: 'delete'; type: string; id: string };

export interface ResourceId {
  type: string;
  id: string;
}

export interface SearchPage {
  entries: readonly { resource: Resource; mode?: string; score?: number }[];
  /** How many there are in all, where that was asked for by `_total=accurate`, or is known. */
  total?: number;
  /** How many come before this page. */
  offset?: number;
  /** How many a page holds at most. */
  pageSize?: number;
  /** What `_cursor` takes for other pages; `next` where there is more. */
  first?: string;
  previous?: string;
  next?: string;
  last?: string;
}
