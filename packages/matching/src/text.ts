/**
 * Folding of written text to what comparison works on: upper case, no accents, no punctuation.
 */

/** Longest piece of text that is looked at; the rest is cut. In characters. */
export const MAX_TEXT = 120;

/** Letters that Unicode decomposition (NFKD) leaves whole. */
const WHOLE_LETTERS: Record<string, string> = {
  Æ: 'AE',
  Œ: 'OE',
  Ø: 'O',
  Đ: 'D',
  Ð: 'D',
  Ł: 'L',
  Þ: 'TH',
  ẞ: 'SS',
  ß: 'SS',
  ı: 'I',
  Ħ: 'H',
  Ŋ: 'N',
};

/** Upper-case words of letters and digits, separated by one space; apostrophes join (`O'Neil` → `ONEIL`). */
export function fold(written: string): string {
  const cut = written.length > MAX_TEXT ? written.slice(0, MAX_TEXT) : written;
  const upper = cut.toUpperCase();
  if (/^[A-Z0-9]*$/.test(upper)) return upper;
  return upper
    .normalize('NFKD')
    .replace(/[\p{M}'’ʼ`´]/gu, '')
    .replace(/[ÆŒØĐÐŁÞẞßıĦŊ]/g, (letter) => WHOLE_LETTERS[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The words of a folded text. */
export function foldedWords(written: string): string[] {
  const folded = fold(written);
  return folded === '' ? [] : folded.split(' ');
}

/** Only the digits. */
export function digitsOf(written: string): string {
  return written.slice(0, MAX_TEXT).replace(/[^0-9]/g, '');
}

/** The distinct entries in their first order, at most `limit`. */
export function distinct(values: string[], limit: number): string[] {
  return [...new Set(values.filter((value) => value !== ''))].slice(0, limit);
}
