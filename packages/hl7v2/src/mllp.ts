/**
 * Framing of messages on a TCP stream (HL7 Minimal Lower Layer Protocol, release 1): `<VT> content <FS><CR>`.
 *
 * The decoder gives the same events however TCP splits or joins the bytes. It forgives what real senders do: a vertical
 * tab inside text is content, a frame whose final CR is missing ends where the next one begins, and bytes between
 * frames are skipped and reported. Around big-endian UTF-16 the framing may be in that encoding too, two bytes for each
 * of its characters.
 */

/** A whole frame, or what was wrong with the stream. */
export type MllpEvent = MllpFrame | MllpError;

export interface MllpFrame {
  readonly kind: 'frame';
  /** The message, without framing. A copy: the caller may keep it. */
  readonly content: Uint8Array;
  /** The framing has two bytes for each character (`00 0B … 00 1C 00 0D`); the sender reads answers that have it too. */
  readonly isWide: boolean;
}

export interface MllpError {
  readonly kind: 'error';
  /**
   * `garbage`: bytes outside any frame, reported when a frame begins, at the end, and every 4096 bytes.
   * `truncated`: a frame was cut off by the next one or by the end of the stream.
   * `too-large`: a frame passed the limit; the rest of it is skipped.
   */
  readonly code: 'garbage' | 'truncated' | 'too-large';
  /** One sentence without content of the stream. */
  readonly message: string;
  /** What was received of a cut-off frame; the first 64 KiB of one that is too large; empty for garbage. */
  readonly content: Uint8Array;
}

const startBlock = 0x0b;
const endBlock = 0x1c;
const carriageReturn = 0x0d;
const garbageReportBytes = 4096;
const tooLargeSampleBytes = 64 * 1024;
const defaultFrameLimit = 64 * 1024 * 1024;
/** A buffer that grew past this for one large frame is given back after it. */
const keptCapacity = 1024 * 1024;

/**
 * Wraps a message in a frame. Messages made by this package never hold the frame's end inside.
 * @param isWide see `MllpFrame`
 */
export function encodeFrame(content: Uint8Array, isWide = false): Uint8Array {
  if (isWide) return Uint8Array.of(0, startBlock, ...content, 0, endBlock, 0, carriageReturn);
  const frame = new Uint8Array(content.length + 3);
  frame[0] = startBlock;
  frame.set(content, 1);
  frame[content.length + 1] = endBlock;
  frame[content.length + 2] = carriageReturn;
  return frame;
}

type State = 'between' | 'inside' | 'skipping';

/** Cuts one connection's byte stream into frames. Memory stays below the frame limit plus one chunk (times two). */
export class MllpDecoder {
  readonly #limit: number;
  #state: State = 'between';
  #held = new Uint8Array(8192);
  #length = 0;
  /** Bytes of `#held`, from the content's first, known to be content. */
  #scanned = 0;
  /** Of a frame that is skipped: how many of its bytes were let go, and its byte order, where it is in UTF-16. */
  #skipped = 0;
  #order: 'little' | 'big' | undefined;
  #garbage = 0;
  /** Whether the last byte outside any frame was 0: the first half of a start block, perhaps. */
  #zeroBefore = false;
  /** Whether the frame began behind such a byte, which is not reported yet. */
  #mayBeWide = false;

  /** @param options.maximumFrameBytes content of one frame, 64 MiB unless told */
  constructor(options: { maximumFrameBytes?: number } = {}) {
    this.#limit = options.maximumFrameBytes ?? defaultFrameLimit;
  }

  /** True while a frame has begun and not ended. */
  get insideFrame(): boolean {
    return this.#state !== 'between';
  }

  /** Bytes of an unfinished frame. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Bytes received outside any frame and not reported yet. */
  get pendingGarbage(): number {
    return this.#garbage;
  }

  /** Takes the next bytes of the stream; answers what they completed, in order. */
  push(chunk: Uint8Array): MllpEvent[] {
    this.#append(chunk);
    const events: MllpEvent[] = [];
    let from = 0;
    let next: number | undefined = 0;
    while (next !== undefined) {
      from = next;
      next = this.#state === 'between' ? this.#seekStart(from, events) : this.#seekEnd(from, events);
    }
    this.#discard(this.#consumed);
    return events;
  }

  /** The stream has ended: answers what is left over. A frame that lacks only its final CR is whole. */
  end(): MllpEvent[] {
    const events: MllpEvent[] = [];
    const rest = this.#held.slice(0, this.#length);
    if (this.#state === 'inside' && rest[rest.length - 1] === endBlock && rest.length - 1 <= this.#limit) {
      const isWide = this.#isWide(rest) && rest[rest.length - 2] === 0;
      this.#finish(rest.slice(0, isWide ? -2 : -1), events, isWide);
    } else if (this.#state === 'inside') {
      this.#reportZero(rest, events);
      events.push(rest.length > this.#limit ? this.#tooLarge(rest) : truncated(rest));
    }
    this.#reportGarbage(events);
    this.#state = 'between';
    this.#discard(this.#length);
    return events;
  }

  #consumed = 0;

  #append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(needed, this.#held.length * 2));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(chunk, this.#length);
    this.#length = needed;
    this.#consumed = 0;
  }

  /** Skips to a start block. Answers where to go on, undefined when more bytes are needed. */
  #seekStart(from: number, events: MllpEvent[]): number | undefined {
    const found = this.#held.subarray(0, this.#length).indexOf(startBlock, from);
    const to = found < 0 ? this.#length : found;
    if (to > from) this.#zeroBefore = this.#held[to - 1] === 0;
    this.#garbage += to - from;
    while (this.#garbage >= garbageReportBytes) {
      events.push(garbage(garbageReportBytes));
      this.#garbage -= garbageReportBytes;
    }
    if (found < 0) {
      this.#consumed = this.#length;
      return undefined;
    }
    const isBehindZero = this.#zeroBefore && this.#garbage > 0;
    if (isBehindZero) this.#garbage--;
    this.#reportGarbage(events);
    this.#begin(found + 1, isBehindZero);
    return found + 1;
  }

  /** Reads content that begins at `from`. Answers where to go on, undefined when more bytes are needed. */
  #seekEnd(from: number, events: MllpEvent[]): number | undefined {
    const held = this.#held.subarray(0, this.#length);
    let at = from + this.#scanned;
    let [end, start] = [-1, -1];
    for (; ; at++) {
      // Only where one of the two bytes stands there is anything to decide; each is looked for once.
      if (end < at) end = placeOf(held, endBlock, at);
      if (start < at) start = placeOf(held, startBlock, at);
      at = Math.min(end, start);
      if (at === this.#length) break;
      if (at === end) {
        if (at + 1 === this.#length) break;
        if (held[at + 1] === carriageReturn && this.#mayEnd(from, at)) {
          this.#finish(held.slice(from, at), events);
          this.#end(at + 2);
          return at + 2;
        }
        if (this.#isWideEnd(from, at)) {
          if (at + 2 === this.#length) break;
          if (held[at + 2] === carriageReturn) {
            this.#finish(held.slice(from, at - 1), events, true);
            this.#end(at + 3);
            return at + 3;
          }
        }
      } else {
        const header = this.#beginsHeader(at + 1);
        if (header === undefined) break;
        if (header) {
          const closed = at > from && held[at - 1] === endBlock;
          if (closed) this.#finish(held.slice(from, at - 1), events);
          else this.#cutOff(held.slice(from, at), events);
          this.#begin(at + 1);
          return at + 1;
        }
      }
    }
    this.#scanned = at - from;
    this.#consumed = from;
    // A trailing end block may yet prove to close the frame, so it does not count.
    const mayEnd = held[at - 1] === endBlock || (this.#mayBeWide && held[at - 1] === 0);
    const content = this.#scanned > 0 && mayEnd ? this.#scanned - 1 : this.#scanned;
    if (this.#state === 'inside' && content > this.#limit) {
      this.#reportZero(held.subarray(from, at), events);
      events.push(this.#tooLarge(held.subarray(from, at)));
      this.#state = 'skipping';
      this.#order = byteOrderOf(held.subarray(from, at));
    }
    if (this.#state === 'skipping') {
      // The last two bytes stay: what stands before an end block, and whether one stands before the next start block.
      this.#consumed = Math.max(from, at - 2);
      this.#scanned = at - this.#consumed;
      this.#skipped += this.#consumed - from;
    }
    return undefined;
  }

  /**
   * Whether an end block and a CR at `at` are the frame's end, and not a part of its text: in UTF-16 they may be one
   * character (U+0D1C, U+1C0D), or halves of two. There the end comes after the CR of the last segment.
   */
  #mayEnd(from: number, at: number): boolean {
    const held = this.#held;
    const order = this.#state === 'skipping' ? this.#order : byteOrderOf(held.subarray(from, at));
    if (order === undefined) return true;
    const isWhole = (at - from + this.#skipped) % 2 === 0;
    const [first, second] = [held[at - 2], held[at - 1]];
    const [low, high] = order === 'little' ? [first, second] : [second, first];
    return isWhole && low === carriageReturn && high === 0;
  }

  /** Whether an end block at `at` and what follows are those of a wide frame, as far as they have come. */
  #isWideEnd(from: number, at: number): boolean {
    const held = this.#held;
    const isWide = this.#state === 'skipping' ? this.#order === 'big' : this.#isWide(held.subarray(from, at));
    const isHalf = (at - from + this.#skipped) % 2 === 1 && held[at - 1] === 0 && held[at + 1] === 0;
    return this.#mayBeWide && isWide && isHalf;
  }

  #isWide(content: Uint8Array): boolean {
    return this.#mayBeWide && byteOrderOf(content) === 'big';
  }

  /** Whether a header segment begins at `at`; undefined when it is too early to tell. */
  #beginsHeader(at: number): boolean | undefined {
    const name = String.fromCharCode(...this.#held.subarray(at, Math.min(at + 3, this.#length)));
    if (name.length === 3) {
      return headerNames.includes(name);
    }
    return headerNames.some((header) => header.startsWith(name)) ? undefined : false;
  }

  #begin(at: number, isBehindZero = false): void {
    this.#mayBeWide = isBehindZero;
    this.#state = 'inside';
    this.#scanned = 0;
    this.#skipped = 0;
    this.#consumed = at;
  }

  #finish(content: Uint8Array, events: MllpEvent[], isWide = false): void {
    if (this.#state === 'skipping') return;
    this.#reportZero(content, events);
    events.push(content.length > this.#limit ? this.#tooLarge(content) : { kind: 'frame', content, isWide });
  }

  #end(at: number): void {
    this.#state = 'between';
    this.#zeroBefore = false;
    this.#consumed = at;
  }

  #cutOff(content: Uint8Array, events: MllpEvent[]): void {
    if (this.#state === 'skipping') return;
    if (content.length === 0) {
      // A start block twice: the first of them is a stray byte, and no message was lost.
      this.#garbage += this.#mayBeWide ? 2 : 1;
      this.#reportGarbage(events);
      return;
    }
    this.#reportZero(content, events);
    events.push(content.length > this.#limit ? this.#tooLarge(content) : truncated(content));
  }

  #tooLarge(content: Uint8Array): MllpError {
    const message = `The frame has more than ${this.#limit} bytes; it is skipped`;
    const sample = Uint8Array.from(content.subarray(0, Math.min(tooLargeSampleBytes, this.#limit)));
    return { kind: 'error', code: 'too-large', message, content: sample };
  }

  /** The 0 before a frame that is not wide was no part of it. */
  #reportZero(content: Uint8Array, events: MllpEvent[]): void {
    if (!this.#mayBeWide || this.#isWide(content)) return;
    this.#mayBeWide = false;
    this.#garbage++;
    this.#reportGarbage(events);
  }

  #reportGarbage(events: MllpEvent[]): void {
    if (this.#garbage > 0) {
      events.push(garbage(this.#garbage));
      this.#garbage = 0;
    }
  }

  #discard(count: number): void {
    this.#held.copyWithin(0, count, this.#length);
    this.#length -= count;
    if (this.#held.length > keptCapacity && this.#length * 4 < this.#held.length) {
      this.#held = this.#held.slice(0, Math.max(this.#length, 8192));
    }
  }
}

/** The byte order of a frame's text in UTF-16, by its mark or by the zero bytes of its first two letters. */
function byteOrderOf([a, b, c, d]: Uint8Array): 'little' | 'big' | undefined {
  if (d === undefined) return undefined;
  if ((a === 0xff && b === 0xfe) || (isInitial(a) && b === 0 && c !== 0 && d === 0)) return 'little';
  if ((a === 0xfe && b === 0xff) || (a === 0 && isInitial(b) && c === 0 && d !== 0)) return 'big';
  return undefined;
}

const headerNames = ['MSH', 'FHS', 'BHS'];

/** Where a byte stands from `at` on; the length where it does not. */
function placeOf(bytes: Uint8Array, byte: number, at: number): number {
  const found = bytes.indexOf(byte, at);
  return found < 0 ? bytes.length : found;
}

function isInitial(byte: number | undefined): boolean {
  return headerNames.some((name) => name.charCodeAt(0) === byte);
}

function truncated(content: Uint8Array): MllpError {
  const message = `A frame was cut off after ${content.length} bytes, before its end block (1C 0D)`;
  return { kind: 'error', code: 'truncated', message, content };
}

function garbage(count: number): MllpError {
  const message = `${count} bytes outside any frame were skipped; a frame begins with 0B`;
  return { kind: 'error', code: 'garbage', message, content: new Uint8Array(0) };
}
