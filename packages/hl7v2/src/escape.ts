/**
 * Escape sequences (HL7 v2.8 chapter 2, section 2.7): text in a field to the characters meant, and back.
 *
 * `unescapeText(escapeText(text)) === text` for every text. Sequences that are not defined, are locally defined
 * (`\Z..\`), switch the character set (`\C..\`, `\M..\`) or cannot be decoded stay as they were written.
 */
import type { Delimiters } from './delimiters.ts';

/** Decodes the bytes of a `\X..\` sequence; undefined when they are no text in that charset. */
export type HexDecoder = (bytes: Uint8Array) => string | undefined;

/** The longest vertical or horizontal skip one `\.sp\` or `\.sk\` sequence may ask for. */
const maximumSkip = 100;

/**
 * The characters meant by a raw leaf. Highlighting (`\H\`, `\N\`) and pure layout (`\.in\`, `\.ti\`, `\.fi\`,
 * `\.nf\`) carry no characters and vanish; `\.br\`, `\.ce\` and `\.sp\` become line feeds, `\.sk\` spaces.
 */
export function unescapeText(raw: string, delimiters: Delimiters, decodeHex: HexDecoder = decodeUtf8): string {
  const mark = delimiters.escape;
  if (mark === '') {
    return raw;
  }
  let open = raw.indexOf(mark);
  if (open < 0) {
    return raw;
  }
  let result = '';
  let from = 0;
  while (open >= 0) {
    const close = raw.indexOf(mark, open + 1);
    if (close < 0) {
      break;
    }
    const sequence = raw.slice(open + 1, close);
    let end = close + 1;
    let meaning: string | undefined;
    if (sequence[0] === 'X') {
      const run = hexRun(raw, open, mark);
      meaning = run && decodeHex(run.bytes);
      end = run?.end ?? end;
    } else {
      meaning = meaningOf(sequence, delimiters);
    }
    if (meaning === undefined) {
      // Not a sequence: the closing character may open the next one.
      open = isSequenceShaped(sequence) ? raw.indexOf(mark, end) : close;
      continue;
    }
    result += raw.slice(from, open) + meaning;
    from = end;
    open = raw.indexOf(mark, end);
  }
  return result + raw.slice(from);
}

/**
 * Text made safe to stand in a leaf: delimiters and the escape character become sequences, LF becomes `\.br\`, and
 * other control characters that would end a segment or a frame become `\X..\`.
 *
 * @throws RangeError when the text needs escaping and the delimiters have no escape character
 */
export function escapeText(text: string, delimiters: Delimiters): string {
  const { field, component, repetition, escape: mark, subcomponent, truncation } = delimiters;
  let result = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    let sequence: string;
    if (character === field) sequence = 'F';
    else if (character === component) sequence = 'S';
    else if (character === repetition) sequence = 'R';
    else if (character === subcomponent) sequence = 'T';
    else if (character === mark) sequence = 'E';
    else if (character === truncation) sequence = 'P';
    else if (character === '\n') sequence = '.br';
    else if (character === '\r') sequence = 'X0D';
    else if (character === '\u000b') sequence = 'X0B';
    else if (character === '\u001c') sequence = 'X1C';
    else continue;
    if (mark === '') {
      throw new RangeError('The delimiters have no escape character, so this text cannot be written in a field');
    }
    result += text.slice(from, i) + mark + sequence + mark;
    from = i + 1;
  }
  return from === 0 ? text : result + text.slice(from);
}

function meaningOf(sequence: string, delimiters: Delimiters): string | undefined {
  switch (sequence) {
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'R':
      return delimiters.repetition;
    case 'E':
      return delimiters.escape;
    case 'T':
      return delimiters.subcomponent === '' ? undefined : delimiters.subcomponent;
    case 'P':
      return delimiters.truncation;
    case 'H':
    case 'N':
      return '';
  }
  return sequence[0] === '.' ? formatting(sequence) : undefined;
}

/** Formatting commands of section 2.7.6; a count is a number of lines (`.sp`) or spaces (`.sk`). */
function formatting(sequence: string): string | undefined {
  const command = /^\.(br|sp|sk|ce|in|ti|fi|nf) ?([+-]?\d{1,5})?$/.exec(sequence);
  if (command === null) {
    return undefined;
  }
  const count = Math.min(Math.abs(Number(command[2] ?? 1)), maximumSkip);
  switch (command[1]) {
    case 'br':
    case 'ce':
      return '\n';
    case 'sp':
      return '\n'.repeat(count);
    case 'sk':
      return ' '.repeat(count);
    default:
      return '';
  }
}

/** The bytes of adjacent `\X..\` sequences together, since one character may be spread over several. */
function hexRun(raw: string, start: number, mark: string): { bytes: Uint8Array; end: number } | undefined {
  let digits = '';
  let at = start;
  while (raw[at] === mark && raw[at + 1] === 'X') {
    const close = raw.indexOf(mark, at + 2);
    const here = close < 0 ? '' : raw.slice(at + 2, close);
    if (here.length === 0 || here.length % 2 !== 0 || !/^[0-9A-Fa-f]+$/.test(here)) {
      break;
    }
    digits += here;
    at = close + 1;
  }
  if (digits === '') {
    return undefined;
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return { bytes, end: at };
}

/** Undefined sequences such as `\Z01\`, as opposed to a lone escape character in running text. */
function isSequenceShaped(sequence: string): boolean {
  return /^[A-Z.][0-9A-Za-z.+-]{0,30}$/.test(sequence);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
