/**
 * Acknowledgements (HL7 v2.8 chapter 2, section 2.9.2 and 2.9.3): MSH with sender and receiver swapped, MSA, and ERR in
 * the form of the sender's version. Original mode answers AA, AE, AR; enhanced mode, asked for by MSH-15 or MSH-16,
 * answers CA, CE, CR when the message is taken over and AA, AE, AR when it is processed, if the sender wants it.
 */
import { charsetLabel, encodeText } from './charset.ts';
import type { CharsetLabel } from './charset-names.ts';
import { formatDateTime } from './datetime.ts';
import { type Delimiters, standardDelimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';
import type { MessageHeader } from './header.ts';
import { Message } from './message.ts';
import { supportedVersions } from './parse.ts';
import { type ConditionCode, conditionText, isParseError, type ParseError } from './parse-error.ts';

/** `accept`: taken; `error`: content at fault; `reject`: not taken (header at fault, or no room now). */
export type Outcome = 'accept' | 'error' | 'reject';

export type AcknowledgementCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

/** One thing to report in an ERR segment. */
export interface Condition {
  readonly errorCode: ConditionCode;
  /** For the sender's engineer (ERR-8, or MSA-3 before v2.5): what, where, what would be right; no personal data. */
  readonly message: string;
  /** Default E. */
  readonly severity?: 'E' | 'W' | 'I';
  readonly segment?: string;
  readonly occurrence?: number;
  readonly field?: number;
  readonly repetition?: number;
  readonly component?: number;
  readonly subcomponent?: number;
}

export interface AcknowledgementOptions {
  readonly outcome: Outcome;
  /** MSH-7 of the answer. */
  readonly time: Date;
  /** MSH-10 of the answer. */
  readonly controlId: string;
  readonly conditions?: readonly Condition[];
  /** In enhanced mode, which of the two answers this is; default `commit`. */
  readonly stage?: 'commit' | 'application';
  /** MSA-4: the sequence number expected next, or the one accepted (section 2.10.1). */
  readonly expectedSequenceNumber?: number;
}

export interface Acknowledgement {
  readonly code: AcknowledgementCode;
  /** The answer, every segment ended by CR. */
  readonly text: string;
  /** The text in the charset of the message answered; in UTF-8, which MSH-18 then says, where that cannot be written. */
  readonly bytes: Uint8Array;
  /** Encoding Standard label of that charset. */
  readonly encoding: CharsetLabel;
}

/**
 * Writes the answer to a message, or to what could not be read as one.
 *
 * @param to the message; the error that refused it, whose place and code are then reported; or its header
 * @returns undefined when the sender asked in MSH-15 or MSH-16 not to be answered in this case
 */
export function acknowledge(
  to: Message | ParseError | MessageHeader,
  options: AcknowledgementOptions,
): Acknowledgement | undefined {
  const header = headerOf(to);
  const code = acknowledgementCode(header, options.outcome, options.stage);
  if (code === undefined) {
    return undefined;
  }
  const reported = isParseError(to) ? [to, ...(options.conditions ?? [])] : (options.conditions ?? []);
  const wishes = options.stage === 'application' && isEnhanced(header) ? applicationAnswerWishes : ['', ''];
  return writeAnswer(to, code, { ...options, conditions: reported, wishes });
}

/** An answer beside its acknowledgement code. */
export interface AnswerContent extends Pick<AcknowledgementOptions, 'time' | 'controlId' | 'expectedSequenceNumber'> {
  readonly conditions: readonly Condition[];
  /** MSH-9; without it, that of an acknowledgement. */
  readonly type?: readonly string[];
  /** MSH-15 and MSH-16. */
  readonly wishes: readonly string[];
  /** MSH-21, in the delimiters of the answer. */
  readonly profile?: (delimiters: Delimiters) => string;
  /** The segments behind ERR, each ended by CR. */
  readonly more?: (delimiters: Delimiters) => string;
}

/** Writes MSH, MSA, ERR and what follows in the version, delimiters and charset of the message answered. */
export function writeAnswer(
  to: Message | ParseError | MessageHeader,
  code: AcknowledgementCode,
  content: AnswerContent,
): Acknowledgement {
  const header = headerOf(to);
  const version = answerVersion(header);
  const delimiters = header && areUsable(header.delimiters) ? header.delimiters : standardDelimiters;
  const written = (charset: string) =>
    mshSegment(header, delimiters, version, content, charset) +
    msaSegment(header, delimiters, version, code, content.conditions, content.expectedSequenceNumber) +
    errSegments(delimiters, version, content.conditions) +
    (content.more?.(delimiters) ?? '');
  const declared = header?.charsets[0] ?? '';
  const known = charsetLabel(declared);
  const label = labelOf(to, header);
  const text = written(known && isUtf16(known) === isUtf16(label) ? declared : '');
  const bytes = encodeText(to instanceof Message && to.bomLength === 2 ? `\ufeff${text}` : text, label);
  if (bytes !== undefined) {
    return { code, text, encoding: label, bytes };
  }
  const unicode = written('UNICODE UTF-8');
  return { code, text: unicode, encoding: 'utf-8', bytes: new TextEncoder().encode(unicode) };
}

/** Whether texts can be escaped with them, and times, versions and codes hold none of them. */
function areUsable({ field, component, repetition, escape: mark, subcomponent }: Delimiters): boolean {
  return mark !== '' && !/[.+-]/.test(field + component + repetition + mark + subcomponent);
}

/** The charset of the answer: that of the message; of one that could not be read, what it declares, UTF-16 excepted. */
function labelOf(to: Message | ParseError | MessageHeader, header: MessageHeader | undefined): CharsetLabel {
  if (to instanceof Message) return to.encoding;
  const declared = charsetLabel(header?.charsets[0] ?? '') ?? 'utf-8';
  return isUtf16(declared) ? 'utf-8' : declared;
}

function isUtf16(label: CharsetLabel | undefined): boolean {
  return label?.startsWith('utf-16') === true;
}

/** The value of MSA-1; undefined when the sender wants no answer. Without a header, original mode is assumed. */
export function acknowledgementCode(
  header: MessageHeader | undefined,
  outcome: Outcome,
  stage: 'commit' | 'application' = 'commit',
): AcknowledgementCode | undefined {
  const letter = { accept: 'A', error: 'E', reject: 'R' } as const;
  if (!isEnhanced(header)) {
    return `A${letter[outcome]}`;
  }
  const wish = stage === 'commit' ? header.acceptAcknowledgement : header.applicationAcknowledgement;
  if (!isWished(wish, outcome)) {
    return undefined;
  }
  return stage === 'commit' ? `C${letter[outcome]}` : `A${letter[outcome]}`;
}

/** Enhanced mode is asked for by any value in MSH-15 or MSH-16 (section 2.9.3). */
export function isEnhanced(header: MessageHeader | undefined): header is MessageHeader {
  return header?.acceptAcknowledgement !== undefined || header?.applicationAcknowledgement !== undefined;
}

/**
 * MSH-15 and MSH-16 of an application acknowledgement: it is a message of its own, whose arrival is to be confirmed, and
 * which is never answered by another application acknowledgement.
 */
const applicationAnswerWishes = ['AL', 'NE'];

/** HL7 table 0155; no value in enhanced mode means never, a value not in the table is taken for always. */
function isWished(wish: string | undefined, outcome: Outcome): boolean {
  switch (wish) {
    case undefined:
    case '""':
    case 'NE':
      return false;
    case 'ER':
      return outcome !== 'accept';
    case 'SU':
      return outcome === 'accept';
    default:
      return true;
  }
}

function headerOf(to: Message | ParseError | MessageHeader): MessageHeader | undefined {
  if (to instanceof Message) {
    return to.header;
  }
  return isParseError(to) ? to.header : to;
}

/** The sender's own version where it is one, so that it can read the answer. */
function answerVersion(header: MessageHeader | undefined): string {
  const version = header?.version ?? '';
  return supportedVersions.has(version) && /^2\.[1-9][.\d]*$/.test(version) ? version : '2.5.1';
}

function isBefore(version: string, minor: number): boolean {
  return Number(version[2]) < minor;
}

/** The answer speaks with the sender's delimiters, so that what it echoes can stand as it was written. */
function mshSegment(
  header: MessageHeader | undefined,
  delimiters: Delimiters,
  version: string,
  { time, controlId, wishes, type, profile }: AnswerContent,
  charset: string,
): string {
  const { field, component, repetition, escape: mark, subcomponent, truncation = '' } = delimiters;
  const echo = (raw: string | undefined) => echoed(raw, header, delimiters);
  const event = isBefore(version, 2) ? [] : [echo(header?.triggerEvent)];
  // MSH-13 to MSH-21.
  const trailing = ['', '', ...wishes, '', charset === '' ? '' : echo(charset), '', '', profile?.(delimiters) ?? ''];
  while (trailing.at(-1) === '') trailing.pop();
  const ofAcknowledgement = event[0] ? ['ACK', ...event, ...(isBefore(version, 5) ? [] : ['ACK'])] : ['ACK'];
  return `${[
    'MSH',
    component + repetition + mark + subcomponent + truncation,
    echo(header?.receivingApplication),
    echo(header?.receivingFacility),
    echo(header?.sendingApplication),
    echo(header?.sendingFacility),
    isBefore(version, 3) ? formatDateTime(time).slice(0, 14) : formatDateTime(time),
    '',
    (type ?? ofAcknowledgement).join(component),
    escapeText(controlId, delimiters),
    echo(header?.processingId) || 'P',
    version,
    ...trailing,
  ].join(field)}\r`;
}

/** So many characters of a field come back; the longest that may, MSH-3 to MSH-6, have 227. */
const longestEcho = 500;

/** A field of the message as it was written, where the answer speaks with its delimiters. */
function echoed(raw: string | undefined, header: MessageHeader | undefined, delimiters: Delimiters): string {
  const written = raw?.slice(0, longestEcho) ?? '';
  return delimiters === header?.delimiters ? written : escapeText(written, delimiters);
}

function msaSegment(
  header: MessageHeader | undefined,
  delimiters: Delimiters,
  version: string,
  code: AcknowledgementCode,
  conditions: readonly Condition[],
  expected: number | undefined,
): string {
  const controlId = echoed(header?.controlId, header, delimiters);
  const fields = ['MSA', code, controlId];
  const first = conditions[0];
  if (first !== undefined && isBefore(version, 5)) {
    // MSA-3 holds 80 characters in these versions.
    fields.push(escapeText(first.message.slice(0, 80), delimiters));
  }
  if (expected !== undefined) {
    fields[4] = String(expected);
  }
  return `${Array.from(fields, (field) => field ?? '').join(delimiters.field)}\r`;
}

/** Before v2.5 one ERR whose ERR-1 repeats; from v2.5 one ERR a condition, with severity and text of its own. */
function errSegments(delimiters: Delimiters, version: string, conditions: readonly Condition[]): string {
  if (conditions.length === 0) {
    return '';
  }
  const { field, component, repetition, subcomponent } = delimiters;
  if (isBefore(version, 5)) {
    const locations = conditions.map((condition) => {
      const code = [condition.errorCode, escapeText(conditionText[condition.errorCode], delimiters), 'HL70357'];
      const place = [condition.segment, condition.segment && (condition.occurrence ?? 1), condition.field];
      return [...place.map((part) => part ?? ''), code.join(subcomponent || ' ')].join(component);
    });
    return `ERR${field}${locations.join(repetition)}\r`;
  }
  return conditions
    .map((condition) => {
      const code = [condition.errorCode, escapeText(conditionText[condition.errorCode], delimiters), 'HL70357'];
      const severity = condition.severity ?? 'E';
      const text = escapeText(condition.message, delimiters);
      return `${['ERR', '', location(condition, component), code.join(component), severity, '', '', '', text].join(field)}\r`;
    })
    .join('');
}

/** ERL: segment, its occurrence, field, repetition, component, sub-component, as far as known. */
function location(condition: Condition, component: string): string {
  const { segment, occurrence = 1, field, repetition, component: part, subcomponent } = condition;
  if (segment === undefined) {
    return '';
  }
  const deeper = [repetition ?? (part === undefined ? undefined : 1), part, subcomponent];
  const parts = field === undefined ? [segment, occurrence] : [segment, occurrence, field, ...deeper];
  return parts.filter((value) => value !== undefined).join(component);
}
