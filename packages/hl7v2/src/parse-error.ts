/**
 * Why bytes are not an HL7 v2 message, as a value that an acknowledgement can carry (ERR-3, HL7 table 0357).
 * Texts name the place and what would be right; they never repeat what the sender wrote in the body.
 */
import type { MessageHeader } from './header.ts';

/** HL7 table 0357, the codes this package gives. */
export const conditionText = {
  '0': 'Message accepted',
  '100': 'Segment sequence error',
  '101': 'Required field missing',
  '102': 'Data type error',
  '103': 'Table value not found',
  '104': 'Value too long',
  '199': 'Other HL7 error',
  '200': 'Unsupported message type',
  '201': 'Unsupported event code',
  '202': 'Unsupported processing id',
  '203': 'Unsupported version id',
  '204': 'Unknown key identifier',
  '205': 'Duplicate key identifier',
  '206': 'Application record locked',
  '207': 'Application internal error',
} as const satisfies Record<string, string>;

export type ConditionCode = keyof typeof conditionText;

export type ParseErrorCode =
  | 'empty'
  | 'missing-msh'
  | 'bad-field-separator'
  | 'bad-encoding-characters'
  | 'missing-message-type'
  | 'missing-control-id'
  | 'missing-version'
  | 'unsupported-version'
  | 'unsupported-charset'
  | 'undecodable'
  | 'unencodable'
  | 'missing-segment'
  | 'several-messages'
  | 'too-large'
  | 'too-many-segments'
  | 'too-many-fields'
  | 'too-many-repetitions'
  | 'too-many-components'
  | 'too-many-subcomponents';

export interface ParseError {
  readonly kind: 'parse-error';
  readonly code: ParseErrorCode;
  /** One sentence for the sender's engineer: what is wrong, where, what would be right. */
  readonly message: string;
  readonly segment?: string;
  /** 1-based occurrence of that segment and number of the field, when one field is at fault. */
  readonly occurrence?: number;
  readonly field?: number;
  /** Position in the decoded text. */
  readonly offset?: number;
  /** HL7 table 0357 code for ERR-3. */
  readonly errorCode: ConditionCode;
  /** What could be read of the header all the same, so that a refusal can be addressed. */
  readonly header?: MessageHeader;
}

/** True when a parser answered with an error instead of a result. */
export function isParseError(value: unknown): value is ParseError {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'parse-error';
}

/** Makes a {@link ParseError}. */
export function parseError(
  code: ParseErrorCode,
  errorCode: ConditionCode,
  message: string,
  where: Partial<Pick<ParseError, 'segment' | 'occurrence' | 'field' | 'offset' | 'header'>> = {},
): ParseError {
  return { kind: 'parse-error', code, message, errorCode, ...where };
}
