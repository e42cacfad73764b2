/** What a JSON text may not exceed. */
export interface JsonLimits {
  /** UTF-16 code units of the whole text. */
  maxLength: number;
  /** Objects and arrays inside one another. */
  maxDepth: number;
  /** Properties of one object. */
  maxMembers: number;
}

/** 64 Mi characters, 64 levels, 1 000 properties of one object. */
export const DEFAULT_LIMITS: JsonLimits = { maxLength: 64 * 1024 * 1024, maxDepth: 64, maxMembers: 1_000 };
