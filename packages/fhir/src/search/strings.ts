/** How strings are compared in searches (https://hl7.org/fhir/R4/search.html#string). */

const PLAIN = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/** Decomposed (NFKD), without accents, case folded, white space collapsed and trimmed, U+0000 dropped. */
export function normalizeString(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  return text
    .toWellFormed()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replaceAll('\0', '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A text as every database takes it: U+0000 dropped, lone surrogates replaced. */
export function storableText(text: string): string {
  return text.includes('\0') || !text.isWellFormed() ? text.toWellFormed().replaceAll('\0', '') : text;
}
