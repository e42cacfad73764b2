/**
 * Looks over a large body in JSON or XML while it arrives, so that one with more values or entries in it than anybody
 * works with is refused before it is whole, and before any of it is read. Counts what begins values and parts them from
 * each other; whether the body is well-formed is for others.
 */
import { RecordError } from '../record/index.ts';

/** Values in a body, and in one that defines or holds others. */
export const [mostValues, mostOfHolders] = [100_000, 1_000_000];

const [quote, backslash, comma, less] = [0x22, 0x5c, 0x2c, 0x3c];
const [brace, bracket, braceEnd, bracketEnd] = [0x7b, 0x5b, 0x7d, 0x5d];
/** Objects and arrays inside one another, as whoever reads JSON has it. */
const mostDepth = 64;
/** How deep in a Bundle the resources of its entries are, which are read each for itself. */
const entryDepth = 3;

/** What there may be too much of. */
export type Excess = 'values' | 'depth' | 'entries';

export class BodyBounds {
  readonly #most: number;
  readonly #mostEntries: number;
  readonly #mostDepth: number;
  #count = 0;
  #depth = 0;
  /** Ends of members in the array of the root object that is open; none where something else is open there. */
  #entryEnds = Number.NEGATIVE_INFINITY;
  #form: 'xml' | 'json' | 'other' | undefined;
  #isText = false;
  #isEscaped = false;

  /**
   * @param most values; a value takes up to three tags in XML
   * @param mostEntries members of an array in the root object, as a Bundle has its entries; of XML they are not counted
   */
  constructor(most: number, mostEntries = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.#mostEntries = mostEntries;
    this.#mostDepth = Number.isFinite(mostEntries) ? mostDepth + entryDepth : mostDepth;
  }

  /** Looks over the next bytes. @returns what there is too much of */
  exceededBy(chunk: Buffer): Excess | undefined {
    if (chunk.length === 0) return undefined;
    this.#form ??= formOf(chunk);
    if (this.#form === 'other') return undefined;
    return this.#form === 'xml' ? this.#exceededByXml(chunk) : this.#exceededByJson(chunk);
  }

  #exceededByXml(chunk: Buffer): 'values' | undefined {
    let tags = 0;
    for (let at = 0; at < chunk.length; at++) if (chunk[at] === less) tags++;
    this.#count += tags;
    return this.#count > 3 * this.#most ? 'values' : undefined;
  }

  #exceededByJson(chunk: Buffer): Excess | undefined {
    for (let at = 0; at < chunk.length; at++) {
      if (this.#isText) {
        if (this.#isEscaped) {
          this.#isEscaped = false;
          continue;
        }
        const end = textEnd(chunk, at);
        if (end < 0) return undefined;
        at = end;
        if (chunk[at] === backslash) this.#isEscaped = true;
        else this.#isText = false;
        continue;
      }
      const byte = chunk[at];
      if (byte === quote) this.#isText = true;
      else if (byte === comma) {
        this.#count++;
        if (this.#depth === 2 && ++this.#entryEnds >= this.#mostEntries) return 'entries';
      } else if (byte === brace || byte === bracket) {
        this.#count++;
        if (++this.#depth > this.#mostDepth) return 'depth';
        if (this.#depth === 2) this.#entryEnds = byte === bracket ? 0 : Number.NEGATIVE_INFINITY;
      } else if (byte === braceEnd || byte === bracketEnd) this.#depth--;
      if (this.#count > this.#most) return 'values';
    }
    return undefined;
  }
}

/** How a body is refused of which there is too much. @param mostEntries that it may have */
export function tooMuch(what: Excess, mostEntries: number): RecordError {
  switch (what) {
    case 'values': {
      const text = `The body has more values in it than are taken: ${mostValues}, or ${mostOfHolders} where it defines or holds others.`;
      return new RecordError(413, 'too-costly', text);
    }
    case 'entries': {
      const text = `A Bundle may have ${mostEntries} entries here; send it in parts.`;
      return new RecordError(413, 'too-costly', text, 'Bundle.entry');
    }
    case 'depth': {
      const text = `The body has more than ${mostDepth} objects and arrays inside one another.`;
      return new RecordError(400, 'structure', text);
    }
  }
}

/** What a body is, by what it begins with. */
function formOf(chunk: Buffer): 'xml' | 'json' | 'other' {
  const [first] = chunk.toString('latin1', 0, 200).replace(/^[\s\xef\xbb\xbf]+/, '');
  return first === '<' ? 'xml' : first === '{' || first === '[' ? 'json' : 'other';
}

/** Where the next quote or backslash is; -1 where there is none. */
function textEnd(chunk: Buffer, from: number): number {
  // Most texts are short.
  const near = Math.min(chunk.length, from + 64);
  for (let at = from; at < near; at++) if (chunk[at] === quote || chunk[at] === backslash) return at;
  if (near === chunk.length) return -1;
  const end = chunk.indexOf(quote, near);
  const sooner = chunk.subarray(near, end < 0 ? chunk.length : end).indexOf(backslash);
  return sooner < 0 ? end : near + sooner;
}
