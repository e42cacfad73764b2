/**
 * Cuts a Bundle (https://hl7.org/fhir/R4/bundle.html) into its entries while its bytes arrive: each resource is handed
 * out as soon as it is whole, and only what stands around the resources is kept. `bundle.ts` does the same with a text
 * that is at hand; what is refused, and why, is the same.
 */
import { isUtf8 } from 'node:buffer';
import type { Bundle } from '@medplum/fhirtypes';
import { type EntryFrame, readEntryFrame } from './bundle.ts';
import { GrowingBytes } from './json/growing-bytes.ts';
import type { JsonLimits } from './json/limits.ts';
import { DEFAULT_LIMITS } from './json/limits.ts';
import { type FhirError, fhirError, isFhirError } from './outcome.ts';
import { scanResource } from './scan.ts';

/** What a Bundle that is cut as it arrives may not exceed. */
export interface CutLimits extends JsonLimits {
  maxEntries: number;
  /** Bytes of all that is no resource of an entry. */
  maxFrame: number;
}

/** 64 levels inside a resource, 10 000 entries, 32 MiB around the resources. */
export const CUT_LIMITS: CutLimits = { ...DEFAULT_LIMITS, maxEntries: 10_000, maxFrame: 32 * 1024 * 1024 };

/** A Bundle without its resources, which were handed out. */
export interface CutBundle {
  bundle: Bundle;
  type: string | undefined;
  entries: EntryFrame[];
}

/** Where a resource was cut out. */
interface Cut {
  entry: number;
  /** Where in the frame `null` stands for it. */
  at: number;
  /** Ends of lines in it, and the characters after the last one (all of them where there is none). */
  lines: number;
  tail: number;
}

const nothing = Buffer.from('null');
/** The key of a member that matters is short; what is longer is another one. */
const longestKey = 256;

export class BundleCutter {
  readonly #take: (text: string, entry: number) => void;
  readonly #limits: CutLimits;
  readonly #frame = new GrowingBytes();
  readonly #cuts: Cut[] = [];
  #failure: FhirError | undefined;
  /** Pieces of the resource that has begun. */
  #pieces: Buffer[] | undefined;
  #depth = 0;
  #isString = false;
  /** The next byte belongs to an escape that the chunk before began. */
  #isEscaped = false;
  #expectsKey = false;
  #key: number[] | undefined;
  /** By depth: whether an object is open there, and the member of it that was named last. */
  readonly #isObject = [false, false, false, false];
  readonly #keys = ['', '', '', ''];
  #entry = 0;

  /** @param take is given each resource's text as it stands in the Bundle, and the number of its entry */
  constructor(take: (text: string, entry: number) => void, limits: CutLimits = CUT_LIMITS) {
    this.#take = take;
    this.#limits = limits;
  }

  /** Takes in the next bytes. What is wrong with them is told at once where it makes the rest of no interest. */
  write(chunk: Buffer): FhirError | undefined {
    const { length } = chunk;
    let kept = 0;
    let at = 0;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      this.#key?.push(chunk[0]!);
      at = 1;
    }
    for (; at < length && !this.#failure; at++) {
      const byte = chunk[at]!;
      if (this.#isString) {
        if (this.#key && byte !== quote && this.#key.length <= longestKey) this.#key.push(byte);
        if (byte === quote) this.#endString();
        else if (byte === backslash) {
          if (at + 1 === length) this.#isEscaped = true;
          else this.#key?.push(chunk[at + 1]!);
          at++;
        }
      } else if (byte === quote) {
        this.#isString = true;
        if (this.#expectsKey) this.#key = [];
      } else if (byte === openBrace || byte === openBracket) {
        if (byte === openBrace && this.#isResource()) {
          this.#frame.push(chunk.subarray(kept, at));
          this.#pieces = [];
          kept = at;
        }
        this.#open(byte === openBrace);
      } else if (byte === closeBrace || byte === closeBracket) {
        this.#depth--;
        this.#expectsKey = false;
        if (this.#pieces && this.#depth === 3) {
          this.#cut(chunk.subarray(kept, at + 1));
          kept = at + 1;
        }
      } else if (byte === comma && !this.#pieces) {
        this.#expectsKey = this.#depth <= 3 && this.#isObject[this.#depth]!;
        if (this.#depth === 2 && this.#isInEntries()) this.#entry++;
      }
    }
    if (this.#pieces) this.#pieces.push(chunk.subarray(kept));
    else this.#frame.push(chunk.subarray(kept));
    if (this.#frame.length > this.#limits.maxFrame) {
      const sentence = `what stands around the resources of the Bundle is longer than ${this.#limits.maxFrame} bytes`;
      this.#fail('too-long', sentence, 'Bundle');
    }
    return this.#failure;
  }

  /** The Bundle without its resources, once all bytes were taken in. */
  end(): CutBundle | FhirError {
    for (const piece of this.#pieces ?? []) this.#frame.push(piece);
    if (this.#failure) return this.#failure;
    const bytes = this.#frame.bytes();
    if (!isUtf8(bytes)) return fhirError('', 0, 'structure', 'the Bundle is not UTF-8', 'Bundle');
    const text = bytes.toString();
    const scanned = scanResource(text, this.#limits);
    if (isFhirError(scanned)) {
      const path = scanned.path === '' ? 'Bundle' : `Bundle.${scanned.path}`;
      return { ...scanned, ...this.#placeOf(Buffer.byteLength(text.slice(0, scanned.offset))), path };
    }
    if (scanned.resourceType !== 'Bundle') {
      return fhirError('', 0, 'structure', 'the resource is not a Bundle', 'resourceType');
    }
    const bundle = scanned.value as Bundle;
    const sent: unknown = bundle.entry ?? [];
    if (!Array.isArray(sent)) {
      return fhirError('', 0, 'structure', 'a Bundle is a JSON object whose entry is an array of objects', 'Bundle');
    }
    const cut = new Set(this.#cuts.map(({ entry }) => entry));
    const entries = sent.map((item: unknown, i) => readEntryFrame(item, `Bundle.entry[${i}]`, cut.has(i)));
    delete bundle.entry;
    return { bundle, type: bundle.type, entries };
  }

  /** An error of an entry's resource with the line and column that it has in the Bundle. */
  placed(error: FhirError, entry: number): FhirError {
    const cut = this.#cuts.find((one) => one.entry === entry);
    if (!cut) return error;
    const start = this.#placeOf(cut.at);
    const column = error.line === 1 ? start.column + error.column - 1 : error.column;
    const inner = error.path === '' ? '' : `.${error.path}`;
    return { ...error, line: start.line + error.line - 1, column, path: `Bundle.entry[${entry}].resource${inner}` };
  }

  #isInEntries(): boolean {
    return this.#isObject[1]! && !this.#isObject[2] && this.#keys[1] === 'entry';
  }

  /** Whether a value that begins here is the resource of an entry. */
  #isResource(): boolean {
    const { isObject, keys } = { isObject: this.#isObject, keys: this.#keys };
    return !this.#pieces && this.#depth === 3 && this.#isInEntries() && isObject[3]! && keys[3] === 'resource';
  }

  #open(isObject: boolean): void {
    const depth = ++this.#depth;
    if (depth > 3 || depth < 1) {
      this.#expectsKey = false;
      return;
    }
    this.#isObject[depth] = isObject;
    this.#keys[depth] = '';
    this.#expectsKey = isObject;
    if (depth === 2) this.#entry = 0;
    if (depth === 3 && this.#entry >= this.#limits.maxEntries && this.#isInEntries()) {
      this.#fail('too-costly', `the Bundle has more than ${this.#limits.maxEntries} entries`, 'Bundle.entry');
    }
  }

  #endString(): void {
    this.#isString = false;
    if (!this.#key) return;
    this.#keys[this.#depth] = keyOf(this.#key);
    this.#key = undefined;
    this.#expectsKey = false;
  }

  #cut(last: Buffer): void {
    const pieces = this.#pieces!;
    const bytes = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    this.#pieces = undefined;
    const entry = this.#entry;
    if (!isUtf8(bytes)) {
      this.#fail('structure', 'the resource is not UTF-8, which FHIR has to be', `Bundle.entry[${entry}].resource`);
      return;
    }
    const text = bytes.toString();
    this.#cuts.push({ entry, at: this.#frame.length, lines: linesIn(text), tail: tailOf(text) });
    this.#frame.push(nothing);
    this.#take(text, entry);
  }

  #fail(code: FhirError['code'], sentence: string, path: string): void {
    this.#failure ??= { ...fhirError('', 0, code, sentence, path), ...this.#placeOf(this.#frame.length) };
  }

  /** Line and column in the Bundle of a place in the frame. */
  #placeOf(place: number): { line: number; column: number } {
    const frame = this.#frame.bytes();
    let line = 1;
    let column = 1;
    let from = 0;
    const pass = (text: string) => {
      const lines = linesIn(text);
      line += lines;
      column = tailOf(text) + (lines === 0 ? column : 1);
    };
    for (const { at, lines, tail } of this.#cuts) {
      if (at >= place) break;
      pass(frame.toString('utf8', from, at));
      line += lines;
      column = tail + (lines === 0 ? column : 1);
      from = at + nothing.length;
    }
    pass(frame.toString('utf8', Math.min(from, place), place));
    return { line, column };
  }
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A member's name, which may be written with escapes. */
function keyOf(bytes: number[]): string {
  const raw = Buffer.from(bytes).toString();
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

function tailOf(text: string): number {
  return text.length - text.lastIndexOf('\n') - 1;
}
