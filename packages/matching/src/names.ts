/**
 * Names made comparable: family names without particles and with their parts, given names with nickname groups,
 * middle names, and the generation suffix as a rank.
 */
import type { PersonName } from './demographics.ts';
import { nicknameGroups } from './nicknames.ts';
import { soundex } from './phonetic.ts';
import { distinct, fold, foldedWords } from './text.ts';

export interface FamilyName {
  /** Folded, particles and spaces left out: `van der Berg` → `BERG`, `Garcia-Lopez` → `GARCIALOPEZ`. */
  text: string;
  /** The parts of a compound name of two or more; empty otherwise. */
  parts: string[];
  soundex: string;
}

export interface GivenName {
  /** The first given name. */
  text: string;
  /** First and second given name written together (`MARY ANN` → `MARYANN`), when there is a second. */
  joined: string;
  nicknames: readonly number[];
  soundex: string;
}

export interface PreparedNames {
  families: FamilyName[];
  givens: GivenName[];
  /** All given names but the first. */
  middles: string[];
  /** 1 for Sr and I, 2 for Jr and II, 3 for III, and so on. */
  suffix?: number;
}

/** Most names looked at per person. */
const MAX_NAMES = 8;

const PARTICLES = new Set(
  'DE LA LAS LOS DEL DELLA DI DA DAS DO DOS DU LE VAN VON DER DEN TER TEN ZU AL EL BIN IBN BINT ABU SAINT ST Y E'.split(
    ' ',
  ),
);
/** Written apart from the name they belong to. */
const PREFIXES = new Set(['O', 'MC', 'MAC', 'FITZ']);
const TITLES = new Set(['MR', 'MRS', 'MS', 'MISS', 'DR', 'MD', 'PHD', 'RN', 'ESQ', 'PROF', 'REV', 'DDS']);
const SUFFIX_RANKS: Record<string, number> = {
  SR: 1,
  SENIOR: 1,
  I: 1,
  '1ST': 1,
  JR: 2,
  JUNIOR: 2,
  II: 2,
  '2ND': 2,
  III: 3,
  '3RD': 3,
  IV: 4,
  '4TH': 4,
  V: 5,
  '5TH': 5,
};

/** Prepares all names of a person. Sets, not a primary name: former and maiden names count like the current one. */
export function prepareNames(names: PersonName[]): PreparedNames {
  const families = new Map<string, FamilyName>();
  const givens = new Map<string, GivenName>();
  const middles: string[] = [];
  let suffix: number | undefined;
  for (const name of names.slice(0, MAX_NAMES)) {
    const familyWords = foldedWords(name.family);
    const givenWords = name.given.slice(0, 6).flatMap(foldedWords).filter(isNamePart);
    const rank = suffixRank(foldedWords(name.suffix ?? '')) ?? takeSuffix(familyWords) ?? takeSuffix(givenWords);
    if (rank !== undefined) suffix ??= rank;
    const family = familyName(familyWords);
    if (family !== undefined) families.set(family.text, family);
    const [first, second] = givenWords;
    if (first !== undefined) {
      const joined = second === undefined ? '' : first + second;
      const known = givens.get(first);
      if (known === undefined || known.joined === '') givens.set(first, givenName(first, joined));
      middles.push(...givenWords.slice(1));
    }
  }
  return {
    families: [...families.values()],
    givens: [...givens.values()],
    middles: distinct(middles, MAX_NAMES),
    ...(suffix === undefined ? {} : { suffix }),
  };
}

/** A family name alone, such as the mother's maiden name; undefined when nothing is left of it. */
export function prepareFamily(written: string): FamilyName | undefined {
  return familyName(foldedWords(written));
}

function familyName(words: string[]): FamilyName | undefined {
  const kept = words.filter((word) => !PARTICLES.has(word) && !TITLES.has(word));
  const parts: string[] = [];
  let prefix = '';
  for (const word of kept.length > 0 ? kept : words) {
    if (PREFIXES.has(word)) prefix += word;
    else {
      parts.push(prefix + word);
      prefix = '';
    }
  }
  if (prefix !== '') parts.push(prefix);
  const text = parts.join('');
  if (text === '') return undefined;
  const compound = parts.filter((part) => part.length >= 3);
  return { text, parts: compound.length > 1 ? compound : [], soundex: soundex(parts[0]!) };
}

function givenName(text: string, joined: string): GivenName {
  return { text, joined, nicknames: nicknameGroups(text), soundex: soundex(text) };
}

/** A middle initial is a name part; a title is not. */
function isNamePart(word: string): boolean {
  return !TITLES.has(word);
}

function suffixRank(words: string[]): number | undefined {
  for (const word of words) {
    const rank = SUFFIX_RANKS[fold(word)];
    if (rank !== undefined) return rank;
  }
  return undefined;
}

/** Takes a suffix from the end of the words; a single letter (`I`, `V`) is an initial there, not a suffix. */
function takeSuffix(words: string[]): number | undefined {
  const last = words.at(-1);
  if (words.length < 2 || last === undefined || last.length < 2) return undefined;
  const rank = SUFFIX_RANKS[last];
  if (rank !== undefined) words.pop();
  return rank;
}
