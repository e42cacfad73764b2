/**
 * Checks that run wherever there is SHA-256 and Ed25519: a check asks its questions one after the other, and whoever runs it
 * answers them, at once (`platform.ts`) or later (`web.ts`).
 */

/** What a check asks: the SHA-256 of bytes, or whether a signature of a key is one of a message. */
export type Question<Key> = { digest: Uint8Array } | { key: Key; message: Uint8Array; signature: Uint8Array };

/** A check; it returns what it found, or throws a NoteError with what does not hold. */
export type Check<T, Key = never> = Generator<Question<Key>, T, Uint8Array | boolean>;

/** The SHA-256 of bytes that follow each other. */
export function* sha256(...parts: Uint8Array[]): Check<Uint8Array> {
  return (yield { digest: joined(...parts) }) as Uint8Array;
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes of base64 in its one right form. */
export function base64(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return inBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export function inBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
