/**
 * HL7 v2.x in ER7 encoding: parse, read, write and acknowledge messages, and frame them for TCP (MLLP).
 */
export type {
  Acknowledgement,
  AcknowledgementCode,
  AcknowledgementOptions,
  Condition,
  Outcome,
} from './acknowledgement.ts';
export { acknowledge, acknowledgementCode, isEnhanced } from './acknowledgement.ts';
export type { Atom } from './atoms.ts';
export { forEachAtom } from './atoms.ts';
export type { Batch, BatchFile, BatchMessage, BatchOptions, BatchProblem } from './batch.ts';
export { isBatch, splitBatch } from './batch.ts';
export { charsetLabel } from './charset.ts';
export type { DateTime, DateTimeOptions, DateTimePrecision, InvalidDateTime } from './datetime.ts';
export { formatDateTime, isInvalidDateTime, parseDateTime } from './datetime.ts';
export type { Delimiters } from './delimiters.ts';
export { standardDelimiters } from './delimiters.ts';
export type { Edit } from './edit.ts';
export { editMessage } from './edit.ts';
export { escapeText, unescapeText } from './escape.ts';
export { Component, Field, Repetition } from './field.ts';
export type { MessageHeader } from './header.ts';
export type { Limits } from './limits.ts';
export { defaultLimits } from './limits.ts';
export type { Problem } from './message.ts';
export { Message } from './message.ts';
export type {
  ComponentValue,
  FieldValue,
  FieldValues,
  HeaderValues,
  LeafValue,
  Repetitions,
  RepetitionValue,
} from './message-builder.ts';
export { MessageBuilder, repetitions } from './message-builder.ts';
export type { MllpError, MllpEvent, MllpFrame } from './mllp.ts';
export { encodeFrame, MllpDecoder } from './mllp.ts';
export type { ParseOptions } from './parse.ts';
export { parseMessage } from './parse.ts';
export type { ConditionCode, ParseError, ParseErrorCode } from './parse-error.ts';
export { isParseError } from './parse-error.ts';
export type { ResponseOptions, ResponseSegment } from './response.ts';
export { respond } from './response.ts';
export { Segment } from './segment.ts';
