/**
 * Codes by sound. `soundex` is the American code (US National Archives, 1930 rules: H and W do not separate);
 * `metaphone` a compact English sound key in the spirit of Philips (1990), for names spelt differently.
 */

const SOUNDEX: Record<string, string> = {
  B: '1',
  F: '1',
  P: '1',
  V: '1',
  C: '2',
  G: '2',
  J: '2',
  K: '2',
  Q: '2',
  S: '2',
  X: '2',
  Z: '2',
  D: '3',
  T: '3',
  L: '4',
  M: '5',
  N: '5',
  R: '6',
};

/** First letter and three digits (`ROBERT` → `R163`); empty for empty text. The text must be folded. */
export function soundex(folded: string): string {
  if (folded === '') return '';
  const first = [...folded][0]!;
  let code = first;
  let last = SOUNDEX[first] ?? '';
  for (const letter of folded.slice(first.length)) {
    if (letter === 'H' || letter === 'W') continue;
    const digit = SOUNDEX[letter] ?? '';
    if (digit !== '' && digit !== last) code += digit;
    if (code.length === 4) return code;
    last = digit;
  }
  return code.padEnd(4, '0');
}

/** Spelling rules, applied in order over the whole word. */
const SOUND_RULES: readonly [RegExp, string][] = [
  [/^[KGP](?=N)|^W(?=R)|^P(?=S)/, ''],
  [/^X/, 'S'],
  [/PH/g, 'F'],
  [/SCH|SH|CH|TSCH|CZ/g, 'X'],
  [/TH/g, '0'],
  [/GH(?=[^AEIOUY]|$)/g, ''],
  [/DG(?=[EIY])/g, 'J'],
  [/G(?=[EIY])/g, 'J'],
  [/C(?=[EIY])/g, 'S'],
  [/CK|[CQG]/g, 'K'],
  [/[ZX](?=.)/g, 'S'],
  [/V/g, 'F'],
  [/D/g, 'T'],
];

/** Consonant skeleton by sound, vowels kept only at the start; at most six characters. The text must be folded. */
export function metaphone(folded: string): string {
  let sound = folded.replace(/[^A-Z]/g, '');
  for (const [pattern, replacement] of SOUND_RULES) sound = sound.replace(pattern, replacement);
  const head = sound.slice(0, 1).replace(/[AEIOUY]/, 'A');
  const tail = sound.slice(1).replace(/[AEIOUYHW]/g, '');
  return (head + tail).replace(/(.)\1+/g, '$1').slice(0, 6);
}
