/** Search: from the parameters of a request to a page of resources. */

export type { Explanation } from './explain.ts';
export { refuseHiddenElements } from './hidden-elements.ts';
export { type Facts, type Held, heldInMemory } from './in-memory.ts';
export { hashArray, type ResolvePatient } from './predicate.ts';
export { readSearchRequest, type SearchRequest } from './request.ts';
export { type PresentPersons, Searcher, type SearchResult } from './searcher.ts';
export { compareSortValues, sortValues } from './sort-values.ts';
