/** What a request may cost. A query over any of these ends with an error that names the limit; it is never cut short. */
export interface GraphqlLimits {
  /** UTF-16 code units of the query. */
  queryLength: number;
  /** Braces, brackets and parentheses inside one another. */
  nesting: number;
  /** Fields of the operation with its fragments put in, aliases included. */
  fields: number;
  /** Fields that are given another name. */
  aliases: number;
  /** Distinct resources read by id. */
  reads: number;
  searches: number;
  /** Resources that a `…List` may find; a `…Connection` pages instead. */
  listed: number;
  /** Resources that all searches may find together. */
  resources: number;
  /** Elements looked at, by fields and by FHIRPath expressions. */
  steps: number;
  /** UTF-16 code units of the answer, about. */
  resultLength: number;
  /** Searches that run side by side. */
  concurrentSearches: number;
}

export const DEFAULT_LIMITS: GraphqlLimits = {
  queryLength: 64 * 1024,
  nesting: 48,
  fields: 2_000,
  aliases: 500,
  reads: 2_000,
  searches: 100,
  listed: 1_000,
  resources: 5_000,
  steps: 250_000,
  resultLength: 16 * 1024 * 1024,
  concurrentSearches: 4,
};
