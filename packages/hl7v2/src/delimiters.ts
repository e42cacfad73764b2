/**
 * The delimiters a message declares for itself in MSH-1 and MSH-2 (HL7 v2.8 chapter 2, section 2.5.4): field
 * separator, then component, repetition, escape, sub-component and, from v2.7, truncation character.
 */
import { type ParseError, parseError } from './parse-error.ts';

export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  /** Empty when MSH-2 is too short to name one: the message then has no escape sequences. */
  readonly escape: string;
  /** Empty when MSH-2 is too short to name one. */
  readonly subcomponent: string;
  readonly truncation?: string;
}

/** The delimiters HL7 recommends: `|^~\&`. */
export const standardDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

/**
 * Reads the delimiters of a header segment (MSH, BHS or FHS).
 *
 * @param header text that begins with the three-letter segment name
 */
export function readDelimiters(header: string): Delimiters | ParseError {
  const segment = header.slice(0, 3);
  const field = header[3];
  if (field === undefined || !isDelimiter(field)) {
    return parseError(
      'bad-field-separator',
      '102',
      `${segment}-1 must be one punctuation character right after "${segment}", usually "|"`,
      { segment, field: 1, offset: 3 },
    );
  }
  const end = header.indexOf(field, 4);
  const declared = end < 0 ? header.slice(4, 10) : header.slice(4, Math.min(end, 10));
  return readEncodingCharacters(segment, field, declared);
}

function readEncodingCharacters(segment: string, field: string, declared: string): Delimiters | ParseError {
  const where = { segment, field: 2, offset: 4 };
  if (declared.length === 0) {
    return parseError('bad-encoding-characters', '101', `${segment}-2 is empty; it must name the delimiters`, where);
  }
  if (declared.length > 5) {
    const message = `${segment}-2 has more than five characters, usually "^~\\&"`;
    return parseError('bad-encoding-characters', '102', message, where);
  }
  const characters = [...declared];
  if (!characters.every(isDelimiter) || new Set([field, ...characters]).size !== characters.length + 1) {
    return parseError(
      'bad-encoding-characters',
      '102',
      `${segment}-2 must be different punctuation characters, none of them ${segment}-1, usually "^~\\&"`,
      where,
    );
  }
  const [component = '', repetition = '', escapeCharacter = '', subcomponent = '', truncation] = characters;
  return {
    field,
    component,
    repetition,
    escape: escapeCharacter,
    subcomponent,
    ...(truncation === undefined ? {} : { truncation }),
  };
}

/** Printable ASCII that is neither letter, digit, space nor the quotation mark of the delete value `""`. */
function isDelimiter(character: string): boolean {
  return /^[!#-/:-@[-`{-~]$/.test(character);
}
