/** What a JSON text may not exceed. */
export interface JsonLimits {
  /** UTF-16 code units of the whole text. */
  maxLength: number;
  /** Objects and arrays inside one another. */
  maxDepth: number;
}

/** 64 Mi characters, 64 levels. */
export const DEFAULT_LIMITS: JsonLimits = { maxLength: 64 * 1024 * 1024, maxDepth: 64 };
