/** Writes the region's own HL7 v2 segments in ER7 form (HL7 v2.5.1 chapter 2.5 to 2.7): fields by number, text escaped. */

/** A segment from its fields by number; what is undefined or empty is left empty, the end trimmed. */
export function segment(name: string, fields: Readonly<Record<number, string | undefined>>): string {
  const numbers = Object.keys(fields);
  const last = Number(numbers.at(-1) ?? 0);
  let text = name;
  for (let number = 1; number <= last; number++) text += `|${fields[number] ?? ''}`;
  return text.replace(/\|+$/, '');
}

/** Components of one field; each is escaped, the end trimmed. */
export function components(...parts: readonly (string | undefined)[]): string {
  return parts
    .map((part) => escapeText(part ?? ''))
    .join('^')
    .replace(/\^+$/, '');
}

/** Components that may themselves hold sub-components (already escaped). */
export function rawComponents(...parts: readonly (string | undefined)[]): string {
  return parts
    .map((part) => part ?? '')
    .join('^')
    .replace(/\^+$/, '');
}

/** The field text with the five delimiters and line ends escaped. */
export function escapeText(text: string): string {
  if (!/[|^~&\\\r\n]/.test(text)) return text;
  return text.replace(/[|^~&\\]|\r\n|\r|\n/g, (character) => ESCAPES[character] ?? '\\.br\\');
}

/** Segments end with a carriage return each. */
export function message(segments: readonly (string | undefined)[]): string {
  let text = '';
  for (const each of segments) if (each) text += `${each}\r`;
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
  '\\': '\\E\\',
};
