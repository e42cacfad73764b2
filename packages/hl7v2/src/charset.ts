/**
 * Bytes to text without losing any: a byte that is no text in the message's charset becomes the lone surrogate
 * U+DC00 + byte (the way of Python's PEP 383), which {@link encodeText} turns back into that byte. Values handed out
 * show U+FFFD in its place.
 */

import { encodeText } from './charset-encode.ts';
import { type CharsetLabel, charsetLabel } from './charset-names.ts';

export { charsetLabel, encodeText };

export interface DecodedText {
  /** Without byte order mark. */
  readonly text: string;
  /** Encoding Standard label of the charset used. */
  readonly encoding: CharsetLabel;
  /** Bytes of the byte order mark at the beginning. */
  readonly bomLength: number;
  /** Bytes that are no text in this charset. */
  readonly undecodable: number;
  /** The sender declared ASCII or nothing and sent 8-bit text, so that the charset is a guess. */
  readonly guessed: boolean;
}

/**
 * Failed attempts to decode that one message may cost. Past them the text is plainly in another charset than declared,
 * and its remaining 8-bit bytes are all kept as they are.
 */
const repairAttempts = 20_000;

/** The charset a byte order mark tells; undefined without one. */
export function byteOrderMark(bytes: Uint8Array): { label: CharsetLabel; length: number } | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { label: 'utf-8', length: 3 };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { label: 'utf-16le', length: 2 };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { label: 'utf-16be', length: 2 };
  return undefined;
}

/** Decodes as UTF-8; undefined when any byte is not. */
export function decodeStrictUtf8(bytes: Uint8Array): string | undefined {
  return decodeStrict('utf-8', bytes);
}

/**
 * Decodes the whole of `bytes`, which carry no byte order mark.
 *
 * @param label what {@link charsetLabel} answered; `auto` tries UTF-8, then `fallback`
 */
export function decodeText(bytes: Uint8Array, label: CharsetLabel, fallback: CharsetLabel): DecodedText {
  if (label === 'auto') {
    const text = decodeStrict('utf-8', bytes);
    if (text !== undefined) {
      return { text, encoding: 'utf-8', bomLength: 0, undecodable: 0, guessed: text.length !== bytes.length };
    }
    return { ...decodeText(bytes, fallback, fallback), guessed: true };
  }
  if (label === 'utf-16le' || label === 'utf-16be') {
    return { text: decodeUtf16(bytes, label), encoding: label, bomLength: 0, undecodable: 0, guessed: false };
  }
  const text = decodeStrict(label, bytes);
  if (text !== undefined) {
    return { text, encoding: label, bomLength: 0, undecodable: 0, guessed: false };
  }
  const repaired = decodeByLine(bytes, label);
  return { ...repaired, encoding: label, bomLength: 0, guessed: false };
}

/** Decodes a few bytes, for `\X..\` sequences: undefined when they are no text in that charset. */
export function decodeStrict(label: CharsetLabel, bytes: Uint8Array): string | undefined {
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
    decoders.set(label, decoder);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const decoders = new Map<CharsetLabel, TextDecoder>();

/** UTF-16 code units as they stand, unpaired surrogates included. `bytes` has an even length. */
function decodeUtf16(bytes: Uint8Array, label: 'utf-16le' | 'utf-16be'): string {
  const [low, high] = label === 'utf-16le' ? [0, 1] : [1, 0];
  const parts: string[] = [];
  const units = new Uint16Array(4096);
  for (let at = 0; at < bytes.length; at += 8192) {
    const count = Math.min(4096, (bytes.length - at) >> 1);
    for (let i = 0; i < count; i++) {
      units[i] = bytes[at + 2 * i + low]! | (bytes[at + 2 * i + high]! << 8);
    }
    parts.push(String.fromCharCode(...units.subarray(0, count)));
  }
  return parts.join('');
}

/** Decodes line by line (CR and LF stand for themselves in every charset here), repairing only the lines that fail. */
function decodeByLine(bytes: Uint8Array, label: CharsetLabel): { text: string; undecodable: number } {
  const parts: string[] = [];
  const budget = { attempts: repairAttempts };
  let undecodable = 0;
  let start = 0;
  while (start < bytes.length && budget.attempts > 0) {
    let end = start;
    while (end < bytes.length && bytes[end] !== 0x0d && bytes[end] !== 0x0a) end++;
    end = Math.min(end + 1, bytes.length);
    const line = bytes.subarray(start, end);
    const text = decodeStrict(label, line);
    if (text !== undefined) {
      parts.push(text);
    } else {
      const repaired = repairLine(line, label, budget);
      parts.push(repaired.text);
      undecodable += repaired.undecodable;
    }
    start = end;
  }
  const rest = keepHighBytes(bytes.subarray(start));
  return { text: parts.join('') + rest.text, undecodable: undecodable + rest.undecodable };
}

interface RepairBudget {
  attempts: number;
}

/** One character after another; a byte that begins none is kept as a lone surrogate. */
function repairLine(
  line: Uint8Array,
  label: CharsetLabel,
  budget: RepairBudget,
): { text: string; undecodable: number } {
  const parts: string[] = [];
  let undecodable = 0;
  let at = 0;
  budget.attempts--;
  while (at < line.length && budget.attempts > 0) {
    const byte = line[at]!;
    if (byte < 0x80) {
      parts.push(String.fromCharCode(byte));
      at++;
      continue;
    }
    const character = characterAt(line, at, label, budget);
    if (character === undefined) {
      parts.push(String.fromCharCode(0xdc00 + byte));
      undecodable++;
      at++;
    } else {
      parts.push(character.text);
      at += character.length;
    }
  }
  const rest = keepHighBytes(line.subarray(at));
  return { text: parts.join('') + rest.text, undecodable: undecodable + rest.undecodable };
}

function characterAt(
  line: Uint8Array,
  at: number,
  label: CharsetLabel,
  budget: RepairBudget,
): { text: string; length: number } | undefined {
  const byte = line[at]!;
  const [shortest, longest] = label === 'utf-8' ? utf8Lengths(byte) : [1, 4];
  for (let length = shortest; length <= longest && at + length <= line.length; length++) {
    const text = decodeStrict(label, line.subarray(at, at + length));
    if (text !== undefined) {
      return { text, length };
    }
    budget.attempts--;
  }
  return undefined;
}

/** A UTF-8 lead byte tells the length of its character. */
function utf8Lengths(lead: number): [number, number] {
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return [length, length];
}

function keepHighBytes(line: Uint8Array): { text: string; undecodable: number } {
  const parts: string[] = [];
  let undecodable = 0;
  for (let at = 0; at < line.length; at += 8192) {
    const units = Array.from(line.subarray(at, at + 8192), (byte) => (byte < 0x80 ? byte : 0xdc00 + byte));
    undecodable += units.reduce((count, unit) => (unit < 0x80 ? count : count + 1), 0);
    parts.push(String.fromCharCode(...units));
  }
  return { text: parts.join(''), undecodable };
}
