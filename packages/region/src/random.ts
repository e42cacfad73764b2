/**
 * Repeatable chance: every draw of the region comes from a stream named by its seed and its purpose, so that two
 * households, or two purposes in one household, never influence each other (sfc32, seeded through a 32-bit mix).
 */

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number, both ends included. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Like pick, the first entries being the commoner ones: index = n · u^skew. */
  common<T>(list: readonly T[], skew: number): T;
  /** Roughly normal (sum of four uniforms). */
  normal(mean: number, deviation: number): number;
}

/** The stream for these parts; equal parts give the equal stream on every machine. */
export function randomFrom(...parts: readonly (number | string)[]): Random {
  let a = mix(0x9e3779b9, 0);
  let b = 0x243f6a88;
  for (const part of parts) {
    const value = typeof part === 'number' ? part | 0 : hashText(part);
    a = mix(a, value);
    b = mix(b ^ a, value);
  }
  let c = mix(a, b);
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let warmUp = 0; warmUp < 8; warmUp++) next();
  return {
    next,
    int: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)]!,
    common: (list, skew) => list[Math.floor(list.length * next() ** skew)]!,
    normal: (mean, deviation) => mean + (next() + next() + next() + next() - 2) * 1.732 * deviation,
  };
}

/** The 32-bit FNV-1a hash of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}

function mix(state: number, value: number): number {
  let x = Math.imul(state ^ value, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16) ^ Math.imul(value, 0x27d4eb2f)) | 0;
}
