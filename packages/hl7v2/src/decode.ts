/**
 * Which charset a message is in, and its text (HL7 v2.8 chapter 2, section 2.14.9.18): a byte order mark tells, then
 * MSH-18, then the bytes themselves.
 */
import { byteOrderMark, charsetLabel, type DecodedText, decodeStrictUtf8, decodeText, encodeText } from './charset.ts';
import { readDelimiters } from './delimiters.ts';
import { readHeader } from './header.ts';
import { isParseError, type ParseError, parseError } from './parse-error.ts';

/** Charsets by the names of HL7 table 0211 or of the Encoding Standard. */
export interface CharsetOptions {
  /** Overrules MSH-18 and byte order mark, for a sender known to declare wrongly. */
  readonly charset?: string;
  /**
   * Charset of this sender's 8-bit text when MSH-18 says ASCII or nothing and the bytes are not UTF-8. Default
   * windows-1252.
   */
  readonly fallbackCharset?: string;
}

export interface DecodedInput extends DecodedText {
  readonly bytes: Uint8Array;
}

/** Decodes received bytes. */
export function decodeInput(bytes: Uint8Array, options: CharsetOptions): DecodedInput | ParseError {
  const bom = byteOrderMark(bytes);
  const bomLength = bom?.length ?? 0;
  const content = bom === undefined ? bytes : bytes.subarray(bomLength);
  const forced = options.charset === undefined ? undefined : charsetLabel(options.charset);
  const label = forced ?? bom?.label ?? bomlessUtf16(bytes);
  if (label?.startsWith('utf-16') && content.length % 2 !== 0) {
    return parseError('undecodable', '102', 'UTF-16 text has an odd number of bytes; it is cut off');
  }
  const fallback = textLabel(options.fallbackCharset);
  if (label !== undefined) {
    return { ...decodeText(content, label === 'utf-16' ? 'utf-16le' : label, fallback), bytes, bomLength };
  }
  // Nearly all messages are UTF-8 or plain ASCII, so that is tried before MSH-18 is known.
  const utf8 = decodeStrictUtf8(content);
  const declared = declaredCharset(utf8 ?? latin1(content.subarray(0, 4096)));
  if (isParseError(declared)) {
    return declared;
  }
  const isAscii = utf8?.length === content.length && declared !== 'iso-2022-jp';
  if (utf8 !== undefined && (isAscii || declared === 'auto' || declared === 'utf-8')) {
    const encoding = declared === 'auto' ? 'utf-8' : declared;
    return { bytes, text: utf8, encoding, bomLength, undecodable: 0, guessed: declared === 'auto' && !isAscii };
  }
  return { ...decodeText(content, declared, fallback), bytes, bomLength };
}

/** Gives text that was decoded elsewhere its bytes: in the charset of MSH-18 where they can be, else in UTF-8. */
export function encodeInput(input: string): DecodedInput {
  const bomLength = input.charCodeAt(0) === 0xfeff ? 3 : 0;
  const text = bomLength > 0 ? input.slice(1) : input;
  const declared = bomLength > 0 ? 'utf-8' : declaredCharset(text);
  const encoding = isParseError(declared) || declared === 'auto' ? 'utf-8' : declared;
  const encoded = encodeText(input, encoding);
  return {
    bytes: encoded ?? new TextEncoder().encode(input),
    text,
    encoding: encoded === undefined ? 'utf-8' : encoding,
    bomLength,
    undecodable: text.isWellFormed() ? 0 : 1,
    guessed: false,
  };
}

/** A charset to fall back to must be one by itself. */
function textLabel(name: string | undefined): string {
  const label = name === undefined ? undefined : charsetLabel(name);
  return label === undefined || label === 'auto' || label.startsWith('utf-16') ? 'windows-1252' : label;
}

/** UTF-16 shows itself by the zero bytes of its first letter. */
function bomlessUtf16(bytes: Uint8Array): string | undefined {
  if (bytes.length < 8) return undefined;
  if (bytes[0] !== 0 && bytes[1] === 0 && bytes[3] === 0) return 'utf-16le';
  if (bytes[0] === 0 && bytes[1] !== 0 && bytes[2] === 0) return 'utf-16be';
  return undefined;
}

/** The charset of MSH-18 in text whose delimiters are ASCII whatever its letters are. */
function declaredCharset(text: string): string | ParseError {
  const start = headerStart(text);
  const delimiters = isParseError(start) ? start : readDelimiters(text.slice(start, start + 12));
  if (isParseError(delimiters) || isParseError(start)) {
    return 'auto';
  }
  const header = readHeader(firstLine(text, start), delimiters);
  const labels = header.charsets.map(charsetLabel);
  // ASCII with Japanese characters to switch to (ISO 2022) is one charset, of which the first repetition is a part.
  const isJapanese = (labels[0] ?? 'auto') === 'auto' && labels.includes('iso-2022-jp');
  const label = isJapanese ? 'iso-2022-jp' : labels.length === 0 ? 'auto' : labels[0];
  if (label === undefined || label === 'utf-16' || label === 'utf-16le' || label === 'utf-16be') {
    const why = label === undefined ? 'is not a supported name of table 0211' : 'says UTF-16 but the bytes are not';
    const message = `The character set in MSH-18 ${why}; "UNICODE UTF-8" is preferred`;
    return parseError('unsupported-charset', '103', message, { segment: 'MSH', occurrence: 1, field: 18, header });
  }
  return label;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('windows-1252').decode(bytes);
}

/** Where MSH begins: blank lines and a frame's start byte left in a file may stand before it. */
export function headerStart(text: string): number | ParseError {
  let start = 0;
  while (start < text.length && /[\s\u000b\ufeff]/.test(text[start]!)) start++;
  if (start === text.length) {
    return parseError('empty', '100', 'The message is empty; it must begin with an MSH segment', { segment: 'MSH' });
  }
  if (text.startsWith('MSH', start)) {
    return start;
  }
  const batch = text.startsWith('FHS', start) || text.startsWith('BHS', start);
  const message = batch
    ? 'This is a batch (FHS or BHS), not one message; it must be split first'
    : 'The first segment must be MSH';
  return parseError('missing-msh', '100', message, { segment: 'MSH', offset: start });
}

/** The segment at `start`, without its terminator. */
export function firstLine(text: string, start: number): string {
  const carriageReturn = text.indexOf('\r', start);
  const line = carriageReturn < 0 ? text.slice(start) : text.slice(start, carriageReturn);
  const lineFeed = line.indexOf('\n');
  return lineFeed < 0 ? line : line.slice(0, lineFeed);
}
