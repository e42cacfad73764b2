/**
 * HL7 v2.x in ER7 encoding: parse, read, write and acknowledge messages, and frame them for TCP (MLLP).
 */
export type { Delimiters } from './delimiters.ts';
export { standardDelimiters } from './delimiters.ts';
export { escapeText, unescapeText } from './escape.ts';
export { Component, Field, Repetition } from './field.ts';
export type { MessageHeader } from './header.ts';
export type { Limits } from './limits.ts';
export { defaultLimits } from './limits.ts';
export type { Atom, Problem } from './message.ts';
export { forEachAtom, Message } from './message.ts';
export type { ParseOptions } from './parse.ts';
export { parseMessage } from './parse.ts';
export type { ConditionCode, ParseError, ParseErrorCode } from './parse-error.ts';
export { isParseError } from './parse-error.ts';
export { Segment } from './segment.ts';
