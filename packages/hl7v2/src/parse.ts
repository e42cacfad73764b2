/**
 * Bytes to {@link Message} (ER7 encoding, HL7 v2.8 chapter 2, sections 2.6 and 2.14.9.18).
 *
 * Segments end with CR; files and careless senders end them with LF or CRLF. The terminator after MSH is taken for the
 * message's own. Any other line break ends a segment only when something shaped like a segment follows; otherwise it is
 * content, since some systems send bare line feeds inside OBX-5.
 */
import { type CharsetOptions, type DecodedInput, decodeInput, encodeInput, firstLine, headerStart } from './decode.ts';
import { type Delimiters, readDelimiters } from './delimiters.ts';
import { type MessageHeader, readHeader } from './header.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { Message, type Problem, readingOf } from './message.ts';
import { isParseError, type ParseError, parseError } from './parse-error.ts';
import { Segment } from './segment.ts';

export interface ParseOptions extends CharsetOptions {
  readonly limits?: Partial<Limits>;
}

/** HL7 table 0104. */
export const supportedVersions: ReadonlySet<string> = new Set(
  '2.0 2.0D 2.1 2.2 2.3 2.3.1 2.3.2 2.4 2.5 2.5.1 2.5.2 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9 2.9.1'.split(' '),
);

/**
 * Parses one message.
 *
 * @param input bytes as received, or text already decoded (its bytes are then in the charset of MSH-18 if they can be,
 *   else in UTF-8)
 * @returns the message, or why it is refused; never throws for bad content
 */
export function parseMessage(input: Uint8Array | string, options: ParseOptions = {}): Message | ParseError {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  if (input.length > limits.messageBytes) {
    const unit = typeof input === 'string' ? 'characters' : 'bytes';
    const message = `The message has ${input.length} ${unit}; at most ${limits.messageBytes} are taken`;
    return parseError('too-large', '104', message);
  }
  const decoded = typeof input === 'string' ? encodeInput(input) : decodeInput(input, options);
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
  return split(decoded, start, header, limits);
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

function split(decoded: DecodedInput, start: number, header: MessageHeader, limits: Limits): Message | ParseError {
  const { bytes, text, encoding, undecodable } = decoded;
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
      if (name === 'MSH' && occurrence > 1) {
        const message = 'A second MSH segment begins another message; messages are sent one by one or split as a batch';
        return parseError('several-messages', '100', message, { segment: 'MSH', occurrence, offset: at, header });
      }
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

function decodingProblems(decoded: DecodedInput): Problem[] {
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
