/**
 * A parsed message. It keeps the bytes it was parsed from, so that writing it back changes nothing.
 */
import { decodeStrict } from './charset.ts';
import type { Delimiters } from './delimiters.ts';
import { unescapeText } from './escape.ts';
import type { Reading } from './field.ts';
import type { MessageHeader } from './header.ts';
import { parsePath } from './path.ts';
import type { Segment } from './segment.ts';

/** Something odd in a message that is read all the same; listed so that it can be shown and alarmed. */
export interface Problem {
  readonly code: 'segment-name' | 'undecodable-bytes' | 'guessed-charset';
  /** Says what and where, without content of the message. */
  readonly message: string;
  readonly segmentIndex?: number;
}

/** What {@link Message} is made of; `parseMessage` is the one that makes it. */
export interface MessageParts {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly encoding: string;
  readonly bomLength: number;
  readonly header: MessageHeader;
  readonly segments: readonly Segment[];
  readonly problems: readonly Problem[];
}

export class Message {
  readonly header: MessageHeader;
  readonly segments: readonly Segment[];
  /** Encoding Standard label of the charset the bytes were read in. */
  readonly encoding: string;
  readonly problems: readonly Problem[];
  readonly #bytes: Uint8Array;
  readonly #text: string;
  readonly #bomLength: number;
  #byName: Map<string, Segment[]> | undefined;

  constructor(parts: MessageParts) {
    this.header = parts.header;
    this.segments = parts.segments;
    this.encoding = parts.encoding;
    this.problems = parts.problems;
    this.#bytes = parts.bytes;
    this.#text = parts.text;
    this.#bomLength = parts.bomLength;
  }

  get delimiters(): Delimiters {
    return this.header.delimiters;
  }

  /** MSH-9; components not sent are empty. */
  get type(): { code: string; event: string; structure: string } {
    const { messageCode = '', triggerEvent = '', messageStructure = '' } = this.header;
    return { code: messageCode, event: triggerEvent, structure: messageStructure };
  }

  /** MSH-10. */
  get controlId(): string {
    return this.header.controlId ?? '';
  }

  /** MSH-12, first component. */
  get version(): string {
    return this.header.version ?? '';
  }

  /** The segment of this name, counted from 1. */
  segment(name: string, occurrence = 1): Segment | undefined {
    return this.all(name)[occurrence - 1];
  }

  /** Every segment of this name, in order. */
  all(name: string): readonly Segment[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const segment of this.segments) {
        const same = this.#byName.get(segment.name);
        if (same === undefined) this.#byName.set(segment.name, [segment]);
        else same.push(segment);
      }
    }
    return this.#byName.get(name) ?? [];
  }

  /**
   * The decoded text of one leaf, by a path such as `PID-3[2].4.1`; `""` stays `""`.
   *
   * @returns undefined when the leaf is empty or absent
   * @throws TypeError when the path is malformed
   */
  get(path: string): string | undefined {
    const at = parsePath(path);
    const segment = this.segment(at.segment, at.occurrence);
    const repetition = segment?.field(at.field).repetitions[at.repetition - 1];
    return repetition?.component(at.component).sub(at.subcomponent) || undefined;
  }

  /** The decoded text, byte order mark aside, exactly as parsed. */
  toString(): string {
    return this.#text;
  }

  /** The bytes that were parsed. */
  toBytes(): Uint8Array {
    return this.#bytes;
  }

  /** Bytes of the byte order mark at the beginning of {@link toBytes}. */
  get bomLength(): number {
    return this.#bomLength;
  }
}

/**
 * How leaves of a message are read: escapes undone, bytes that were no text shown as U+FFFD.
 *
 * @param undecodable whether the text holds bytes kept as lone surrogates
 */
export function readingOf(delimiters: Delimiters, encoding: string, undecodable: boolean): Reading {
  const decodeHex = (bytes: Uint8Array): string | undefined => decodeStrict(encoding, bytes);
  if (undecodable) {
    return { delimiters, decode: (raw) => unescapeText(raw, delimiters, decodeHex).toWellFormed() };
  }
  const mark = delimiters.escape;
  return {
    delimiters,
    decode: (raw) => (raw.includes(mark) ? unescapeText(raw, delimiters, decodeHex) : raw),
  };
}
