/** Repeatable randomness for the bench's data: the same seed, the same bytes. */

/** Draws from one seed. */
export interface Draws {
  /** A number in [0, 1). */
  unit(): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  uuid(): string;
}

/** The draws of a seed (xorshift with a multiplicative scramble on 32 bits). */
export function drawsFrom(seed: number): Draws {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  const bits = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.imul(state, 0x85ebca6b) >>> 0;
  };
  const unit = () => bits() / 2 ** 32;
  const integer = (low: number, high: number) => low + Math.floor(unit() * (high - low + 1));
  const hex = (digits: number) =>
    Array.from({ length: Math.ceil(digits / 8) }, () => bits().toString(16).padStart(8, '0'))
      .join('')
      .slice(0, digits);
  return {
    unit,
    integer,
    pick: (items) => items[integer(0, items.length - 1)]!,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
  };
}

/** The seed that stands for a text (FNV-1a over its code points). */
export function seedOf(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  return value;
}
