/**
 * Bytes to {@link Message} (ER7 encoding, HL7 v2.8 chapter 2, sections 2.6 and 2.14.9.18).
 *
 * Segments end with CR; files and careless senders end them with LF or CRLF. The terminator after MSH is taken for the
 * message's own. Any other line break ends a segment only when something shaped like a segment follows; otherwise it is
 * content, since some systems send bare line feeds inside OBX-5.
 */
import { byteOrderMark, type DecodedText, decodeStrictUtf8, decodeText } from './charset.ts';
import { charsetLabel } from './charset-names.ts';
import { type Delimiters, readDelimiters } from './delimiters.ts';
import { type MessageHeader, readHeader } from './header.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { Message, type Problem, readingOf } from './message.ts';
import { isParseError, type ParseError, parseError } from './parse-error.ts';
import { Segment } from './segment.ts';

export interface ParseOptions {
  readonly limits?: Partial<Limits>;
  /**
   * Charset of this sender's 8-bit text when MSH-18 says ASCII or nothing and the bytes are not UTF-8, by a name of
   * table 0211 or the Encoding Standard. Default windows-1252.
   */
  readonly fallbackCharset?: string;
}

/** HL7 table 0104. */
const supportedVersions: ReadonlySet<string> = new Set(
  '2.0 2.0D 2.1 2.2 2.3 2.3.1 2.3.2 2.4 2.5 2.5.1 2.5.2 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9 2.9.1'.split(' '),
);

/**
 * Parses one message.
 *
 * @param input bytes as received, or text already decoded (its bytes are then UTF-8)
 * @returns the message, or why it is refused; never throws for bad content
 */
export function parseMessage(input: Uint8Array | string, options: ParseOptions = {}): Message | ParseError {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  if (bytes.length > limits.messageBytes) {
    const message = `The message has ${bytes.length} bytes; at most ${limits.messageBytes} are taken`;
    return parseError('too-large', '104', message);
  }
  const decoded = typeof input === 'string' ? textInput(input) : decode(bytes, options.fallbackCharset);
  if (isParseError(decoded)) {
    return decoded;
  }
  const start = headerStart(decoded.text);
  if (isParseError(start)) {
    return start;
  }
  const delimiters = readDelimiters(decoded.text.slice(start, start + 12));
  if (isParseError(delimiters)) {
    return delimiters;
  }
  const header = readHeader(firstLine(decoded.text, start), delimiters);
  const refused = checkHeader(header);
  if (refused !== undefined) {
    return refused;
  }
  return split(bytes, decoded, start, header, limits);
}

function textInput(text: string): DecodedText {
  const bom = text.charCodeAt(0) === 0xfeff;
  return {
    text: bom ? text.slice(1) : text,
    encoding: 'utf-8',
    bomLength: bom ? 3 : 0,
    undecodable: text.isWellFormed() ? 0 : 1,
    guessed: false,
  };
}

function decode(bytes: Uint8Array, fallbackCharset = 'windows-1252'): DecodedText | ParseError {
  const bom = byteOrderMark(bytes);
  const label = bom?.label ?? bomlessUtf16(bytes);
  const content = bom === undefined ? bytes : bytes.subarray(bom.length);
  if (label === 'utf-16le' || label === 'utf-16be') {
    if (content.length % 2 !== 0) {
      return parseError('undecodable', '102', 'UTF-16 text has an odd number of bytes; it is cut off');
    }
    return { ...decodeText(content, label, label), bomLength: bom?.length ?? 0 };
  }
  // Nearly all messages are UTF-8 or plain ASCII, so that is tried before MSH-18 is known.
  const utf8 = decodeStrictUtf8(content);
  const declared = declaredCharset(utf8 ?? latin1(content.subarray(0, 4096)));
  if (isParseError(declared)) {
    return declared;
  }
  const bomLength = bom?.length ?? 0;
  const isAscii = utf8 !== undefined && utf8.length === content.length && declared !== 'iso-2022-jp';
  if (utf8 !== undefined && (isAscii || bomLength > 0 || declared === 'auto' || declared === 'utf-8')) {
    const encoding = isAscii && declared !== 'auto' ? declared : 'utf-8';
    return { text: utf8, encoding, bomLength, undecodable: 0, guessed: declared === 'auto' && !isAscii && !bom };
  }
  const fallback = charsetLabel(fallbackCharset) ?? 'windows-1252';
  return {
    ...decodeText(content, bom ? 'utf-8' : declared, fallback === 'auto' ? 'windows-1252' : fallback),
    bomLength,
  };
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
  const label = charsetLabel(header.charsets[0] ?? '');
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
function headerStart(text: string): number | ParseError {
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

function firstLine(text: string, start: number): string {
  for (let end = start; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === 0x0d || code === 0x0a) return text.slice(start, end);
  }
  return text.slice(start);
}

function checkHeader(header: MessageHeader): ParseError | undefined {
  const at = (field: number) => ({ segment: 'MSH', occurrence: 1, field, header });
  if (header.messageCode === undefined) {
    const message = 'MSH-9 is empty; it must name the message type, as in ADT^A01^ADT_A01';
    return parseError('missing-message-type', '101', message, at(9));
  }
  if (header.controlId === undefined) {
    const message = 'MSH-10 is empty; it must hold an identifier unique to this message';
    return parseError('missing-control-id', '101', message, at(10));
  }
  if (header.version === undefined) {
    return parseError('missing-version', '101', 'MSH-12 is empty; it must name the HL7 version, as in 2.5.1', at(12));
  }
  if (!supportedVersions.has(header.version)) {
    const message = 'MSH-12 names no supported version; versions 2.0 to 2.9 of HL7 table 0104 are';
    return parseError('unsupported-version', '203', message, at(12));
  }
  return undefined;
}

/** A line that begins like this is a segment even after a line break that is not the message's own. */
function looksLikeSegment(text: string, at: number, separator: string): boolean {
  return text[at + 3] === separator && /^[A-Z][A-Z0-9]{2}$/.test(text.slice(at, at + 3));
}

function split(
  bytes: Uint8Array,
  decoded: DecodedText,
  start: number,
  header: MessageHeader,
  limits: Limits,
): Message | ParseError {
  const { text, encoding, undecodable } = decoded;
  const { delimiters } = header;
  const reading = readingOf(delimiters, encoding, undecodable > 0);
  const segments: Segment[] = [];
  const problems = decodingProblems(decoded);
  const occurrences = new Map<string, number>();
  const own = firstLine(text, start).length + start;
  const ownBreak = text.charCodeAt(own) === 0x0d ? 0x0d : 0x0a;
  const ends = /[\r\n]+/g;
  let at = start;
  while (at < text.length) {
    const end = segmentEnd(text, at, ownBreak, delimiters.field, ends);
    const raw = text.slice(at, end);
    if (!isBlank(raw)) {
      if (segments.length === limits.segments) {
        const message = `The message has more than ${limits.segments} segments`;
        return parseError('too-many-segments', '104', message, { offset: at, header });
      }
      const name = segmentName(raw, delimiters.field);
      const occurrence = (occurrences.get(name) ?? 0) + 1;
      occurrences.set(name, occurrence);
      if (!/^[A-Z][A-Z0-9]{2}$/.test(name)) {
        const message = `Segment ${segments.length + 1} does not begin with a three-character segment name`;
        problems.push({ code: 'segment-name', message, segmentIndex: segments.length });
      }
      const tooMany = checkCounts(raw, name, occurrence, at, delimiters, limits);
      if (tooMany !== undefined) {
        return { ...tooMany, header };
      }
      segments.push(new Segment(raw, name, occurrence, segments.length, at, reading));
    }
    at = end;
    while (at < text.length && (text.charCodeAt(at) === 0x0d || text.charCodeAt(at) === 0x0a)) at++;
  }
  return new Message({ bytes, text, encoding, bomLength: decoded.bomLength, header, segments, problems });
}

function decodingProblems(decoded: DecodedText): Problem[] {
  const problems: Problem[] = [];
  if (decoded.undecodable > 0) {
    const message = `${decoded.undecodable} bytes are no text in ${decoded.encoding} and read as U+FFFD`;
    problems.push({ code: 'undecodable-bytes', message });
  }
  if (decoded.guessed) {
    const message = `MSH-18 declares no 8-bit character set; the text was read as ${decoded.encoding}`;
    problems.push({ code: 'guessed-charset', message });
  }
  return problems;
}

/** The end of the segment at `at`: the next line break that ends a segment. `breaks` is a sticky scanner to reuse. */
function segmentEnd(text: string, at: number, ownBreak: number, separator: string, breaks: RegExp): number {
  breaks.lastIndex = at;
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    const next = found.index + found[0].length;
    if (found[0].charCodeAt(0) === ownBreak || found[0].includes('\r') || next === text.length) {
      return found.index;
    }
    if (looksLikeSegment(text, next, separator)) {
      return found.index;
    }
  }
  return text.length;
}

/** Nothing but white space and the bytes that end frames and files. */
function isBlank(raw: string): boolean {
  return !/[^\s\u0000\u000b\u001a\u001c]/.test(raw);
}

/** What stands before the first field separator; of a line without one, its first three characters. */
function segmentName(raw: string, separator: string): string {
  const end = raw.indexOf(separator);
  return end >= 0 && end <= 3 ? raw.slice(0, end) : raw.slice(0, 3);
}

/** Counts only where a count could pass its limit, that is in segments longer than the smallest one. */
function checkCounts(
  raw: string,
  segment: string,
  occurrence: number,
  offset: number,
  delimiters: Delimiters,
  limits: Limits,
): ParseError | undefined {
  if (raw.length <= Math.min(limits.fields, limits.repetitions, limits.components, limits.subcomponents)) {
    return undefined;
  }
  let [field, repetition, component, subcomponent] = [0, 1, 1, 1];
  for (let i = 0; i < raw.length; i++) {
    const character = raw[i]!;
    if (character === delimiters.field) {
      field++;
      [repetition, component, subcomponent] = [1, 1, 1];
    } else if (character === delimiters.repetition) {
      repetition++;
      [component, subcomponent] = [1, 1];
    } else if (character === delimiters.component) {
      component++;
      subcomponent = 1;
    } else if (character === delimiters.subcomponent) {
      subcomponent++;
    } else {
      continue;
    }
    const over = firstOver(limits, field, repetition, component, subcomponent);
    if (over !== undefined) {
      const message = `${segment} (${occurrence}) has more than ${limits[over]} ${over} in or before field ${field}`;
      return parseError(`too-many-${over}`, '104', message, { segment, occurrence, field, offset: offset + i });
    }
  }
  return undefined;
}

function firstOver(
  limits: Limits,
  field: number,
  repetition: number,
  component: number,
  subcomponent: number,
): 'fields' | 'repetitions' | 'components' | 'subcomponents' | undefined {
  if (field > limits.fields) return 'fields';
  if (repetition > limits.repetitions) return 'repetitions';
  if (component > limits.components) return 'components';
  return subcomponent > limits.subcomponents ? 'subcomponents' : undefined;
}
