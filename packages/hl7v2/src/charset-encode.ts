/**
 * Text back to the bytes of a charset. The Encoding Standard encodes to UTF-8 only, so for other charsets the table
 * is the decoder's own, inverted, built when first needed.
 */
import type { CharsetLabel } from './charset-names.ts';

/**
 * Encodes text; lone surrogates U+DC80 to U+DCFF become the bytes they stand for.
 *
 * @returns undefined when a character has no place in this charset, or the charset is stateful (ISO-2022-JP)
 */
export function encodeText(text: string, label: CharsetLabel): Uint8Array | undefined {
  if (label === 'utf-8' || label === 'auto') {
    return text.isWellFormed() ? new TextEncoder().encode(text) : encodeBrokenUtf8(text);
  }
  if (label === 'utf-16le' || label === 'utf-16be') {
    return encodeUtf16(text, label);
  }
  return label === 'iso-2022-jp' ? undefined : encodeByTable(text, label);
}

function encodeBrokenUtf8(text: string): Uint8Array | undefined {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const piece of text.split(/([\uDC80-\uDCFF])/u)) {
    const code = piece.charCodeAt(0);
    if (piece.length === 1 && code >= 0xdc80 && code <= 0xdcff) {
      bytes[length++] = code - 0xdc00;
    } else if (piece.isWellFormed()) {
      length += encoder.encodeInto(piece, bytes.subarray(length)).written;
    } else {
      return undefined;
    }
  }
  return bytes.subarray(0, length);
}

function encodeUtf16(text: string, label: 'utf-16le' | 'utf-16be'): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const [low, high] = label === 'utf-16le' ? [0, 1] : [1, 0];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i + low] = unit & 0xff;
    bytes[2 * i + high] = unit >> 8;
  }
  return bytes;
}

function encodeByTable(text: string, label: CharsetLabel): Uint8Array | undefined {
  let table = tables.get(label);
  if (table === undefined) {
    table = invert(label);
    tables.set(label, table);
  }
  const bytes = new Uint8Array(text.length * 4);
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) {
      bytes[length++] = code;
    } else if (code >= 0xdc80 && code <= 0xdcff) {
      bytes[length++] = code - 0xdc00;
    } else {
      const sequence = table.get(character);
      if (sequence === undefined) {
        return undefined;
      }
      // The first byte of a sequence is its least significant.
      for (let rest = sequence; rest > 0; rest = Math.floor(rest / 256)) {
        bytes[length++] = rest % 256;
      }
    }
  }
  return bytes.subarray(0, length);
}

const tables = new Map<CharsetLabel, Map<string, number>>();

/** Every one- and two-byte sequence the decoder knows (of several for one character, the first), by its character. */
function invert(label: CharsetLabel): Map<string, number> {
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  const table = new Map<string, number>();
  const learn = (bytes: number[]): boolean => {
    let text: string;
    try {
      text = decoder.decode(Uint8Array.from(bytes));
    } catch {
      return false;
    }
    if ([...text].length === 1 && !table.has(text)) {
      table.set(
        text,
        bytes.reduceRight((sequence, byte) => sequence * 256 + byte, 0),
      );
    }
    return true;
  };
  for (let lead = 0x80; lead <= 0xff; lead++) {
    if (!learn([lead]) && multibyte.has(label)) {
      for (let trail = 0x30; trail <= 0xfe; trail++) {
        learn([lead, trail]);
      }
    }
  }
  return table;
}

const multibyte: ReadonlySet<CharsetLabel> = new Set(['gb18030', 'gbk', 'big5', 'euc-kr', 'shift_jis', 'euc-jp']);
