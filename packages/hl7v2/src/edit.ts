/**
 * Changes to a parsed message that leave everything else as it was written, byte for byte: other fields, odd
 * terminators, superfluous delimiters, bytes that were no text.
 */
import { charsetLabel, encodeText } from './charset.ts';
import { split } from './field.ts';
import type { Message } from './message.ts';
import { type LeafValue, writeLeaf } from './message-builder.ts';
import { type ParseOptions, parseMessage } from './parse.ts';
import { type ParseError, parseError } from './parse-error.ts';
import { type ElementPath, parsePath } from './path.ts';

export interface Edit {
  /** A leaf, by a path such as `PID-3[2].4.1`; missing delimiters are put in. */
  readonly path: string;
  /** As in the builder: the empty string empties the leaf, null writes `""`. */
  readonly value: LeafValue;
}

/**
 * The message with some leaves changed, in order.
 *
 * @returns a parse error when a segment is absent, a value has no place in the message's charset, or the outcome is no
 *   message any more
 * @throws TypeError when a path is malformed or names MSH-1 or MSH-2
 */
export function editMessage(message: Message, edits: readonly Edit[], options?: ParseOptions): Message | ParseError {
  const raws = new Map<number, string>();
  for (const { path, value } of edits) {
    const at = parsePath(path);
    const segment = message.segment(at.segment, at.occurrence);
    if (segment === undefined) {
      return parseError('missing-segment', '100', `There is no segment ${at.segment} (${at.occurrence}) to change`, at);
    }
    if (at.field === 0 || (segment.isHeader && at.field <= 2)) {
      throw new TypeError(`${path} cannot be changed: it holds the name or the delimiters`);
    }
    if (at.subcomponent > 1 && message.delimiters.subcomponent === '') {
      return parseError('unencodable', '102', `${path} cannot be written: MSH-2 names no sub-component delimiter`, at);
    }
    const raw = raws.get(segment.index) ?? segment.raw;
    const literal = segment.isHeader ? 1 : 0;
    raws.set(segment.index, editSegment(raw, at, literal, message, writeLeaf(value, message.delimiters)));
  }
  return reparse(message, raws, options);
}

function editSegment(raw: string, at: ElementPath, literal: number, message: Message, leaf: string): string {
  const { field, repetition, component, subcomponent } = message.delimiters;
  return editPart(raw, field, at.field - literal, (inField) =>
    editPart(inField, repetition, at.repetition - 1, (inRepetition) =>
      editPart(inRepetition, component, at.component - 1, (inComponent) =>
        editPart(inComponent, subcomponent, at.subcomponent - 1, () => leaf),
      ),
    ),
  );
}

/** Changes part `index` of a delimited text, adding empty parts up to it when a change makes them needed. */
function editPart(raw: string, delimiter: string, index: number, change: (part: string) => string): string {
  const parts = split(raw, delimiter);
  const before = parts[index];
  const after = change(before ?? '');
  if (after === (before ?? '')) {
    return raw;
  }
  while (parts.length < index) parts.push('');
  parts[index] = after;
  return parts.join(delimiter);
}

function reparse(message: Message, raws: ReadonlyMap<number, string>, options?: ParseOptions): Message | ParseError {
  const source = message.toString();
  let text = '';
  let from = 0;
  for (const [index, raw] of [...raws].sort(([a], [b]) => a - b)) {
    const segment = message.segments[index]!;
    text += source.slice(from, segment.offset) + raw;
    from = segment.offset + segment.raw.length;
  }
  text += source.slice(from);
  const header = raws.get(0);
  const charset = header === undefined ? message.encoding : targetCharset(message, header);
  const body = encodeText(text, charset);
  if (body === undefined) {
    return parseError('unencodable', '102', `A value has characters that ${message.encoding} has not`);
  }
  const bom = message.toBytes().subarray(0, message.bomLength);
  const bytes = new Uint8Array(bom.length + body.length);
  bytes.set(bom);
  bytes.set(body, bom.length);
  return parseMessage(bytes, { ...options, charset });
}

/** A change of MSH-18 changes the charset the message is written in. */
function targetCharset(message: Message, header: string): string {
  const { field, repetition } = message.delimiters;
  const declared = split(header.split(field)[17] ?? '', repetition)[0] ?? '';
  if (declared.trim() === (message.header.charsets[0] ?? '')) {
    return message.encoding;
  }
  const label = charsetLabel(declared);
  return label === undefined || label === 'auto' || label === 'utf-16' ? message.encoding : label;
}
