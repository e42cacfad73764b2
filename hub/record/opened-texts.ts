/**
 * Texts that reads and searches opened lately. Who looks at a chart asks for the same resources again within moments, by
 * other searches; opening a text costs more than all else that a page does with it. What may be seen is decided, and the
 * row read, each time: only the deciphering is spared, and only of the very bytes that were opened before.
 */
import { openText } from './sealing.ts';

interface Opened {
  /** The key that opened it; one that was forgotten and read again is another. */
  key: Buffer;
  /** What was opened, a character each byte. */
  sealed: string;
  text: string;
}

/** Characters of the texts that are kept, at most; as much again of those before. */
const keptCharacters = 4 * 1024 * 1024;
/** Longer texts are not kept, nor what is longer sealed. */
const longest = 16_384;
/** What an entry takes beside its text, about. */
const besides = 250;

export class OpenedTexts {
  #recent = new Map<string, Opened>();
  #before = new Map<string, Opened>();
  #characters = 0;

  /** As `openText`. */
  open(sealed: Buffer, key: Buffer, identity: string): string {
    if (sealed.length > longest) return openText(sealed, key, identity);
    const bytes = sealed.toString('latin1');
    const recent = this.#recent.get(identity);
    const known = recent ?? this.#before.get(identity);
    if (known && known.key === key && known.sealed === bytes) {
      if (!recent) this.#keep(identity, known);
      return known.text;
    }
    const text = openText(sealed, key, identity);
    if (text.length <= longest) this.#keep(identity, { key, sealed: bytes, text });
    return text;
  }

  /** Whether the text of a version is kept. */
  holds(identity: string): boolean {
    return this.#recent.has(identity) || this.#before.has(identity);
  }

  /** Forgets all texts: those of a home whose key is destroyed are among them. */
  clear(): void {
    this.#recent = new Map();
    this.#before = new Map();
    this.#characters = 0;
  }

  #keep(identity: string, opened: Opened): void {
    if (this.#characters > keptCharacters) {
      this.#before = this.#recent;
      this.#recent = new Map();
      this.#characters = 0;
    }
    this.#recent.set(identity, opened);
    this.#characters += opened.text.length + opened.sealed.length + besides;
  }
}
