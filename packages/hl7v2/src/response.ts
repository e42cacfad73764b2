/**
 * Responses to queries (HL7 v2.5.1 chapter 5, section 5.3): an acknowledgement that goes on with what was asked for, in the
 * version, delimiters and charset of the query.
 */
import { type Acknowledgement, type AcknowledgementOptions, isEnhanced, writeAnswer } from './acknowledgement.ts';
import type { Delimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';
import type { Message } from './message.ts';
import { type FieldValue, type FieldValues, writeField, writeSegment } from './message-builder.ts';
import type { Segment } from './segment.ts';

/** A segment of a response: fields by their number, or one of the query as it was written. */
export type ResponseSegment = { readonly name: string; readonly values: FieldValues } | Segment;

export interface ResponseOptions extends Omit<AcknowledgementOptions, 'stage'> {
  /** MSH-9: code, event, structure. */
  readonly type: readonly string[];
  /** MSH-21: the profile that the response keeps to. */
  readonly profile?: FieldValue;
  /** What follows ERR. */
  readonly segments: readonly ResponseSegment[];
}

const letter = { accept: 'A', error: 'E', reject: 'R' } as const;

/**
 * Writes the response to a query. In enhanced mode it asks for no acknowledgement: who has missed it asks again.
 *
 * @throws RangeError for a segment name or field number that there is none of
 */
export function respond(to: Message, options: ResponseOptions): Acknowledgement {
  const { profile, segments, conditions = [] } = options;
  return writeAnswer(to, `A${letter[options.outcome]}`, {
    ...options,
    conditions,
    wishes: isEnhanced(to.header) ? ['NE', 'NE'] : ['', ''],
    profile: profile === undefined ? undefined : (delimiters) => writeField(profile, delimiters),
    more: (delimiters) => segments.map((segment) => written(segment, to, delimiters)).join(''),
  });
}

function written(segment: ResponseSegment, to: Message, delimiters: Delimiters): string {
  if ('values' in segment) return writeSegment(segment.name, segment.values, delimiters);
  if (delimiters === to.delimiters) return `${segment.raw.toWellFormed()}\r`;
  const fields = Array.from({ length: segment.fieldCount }, (_, i) => segment.rawField(i + 1).toWellFormed());
  return `${[segment.name, ...fields.map((field) => escapeText(field, delimiters))].join(delimiters.field)}\r`;
}
