/**
 * Guards: patterns in which a high score is still the wrong answer, because people of one household share what the
 * score counts (twins, father and son of one name, spouses), or because nothing independent supports it. A guard
 * limits what may be decided; it never raises a score.
 */
import type { FieldLevel, Levels } from './levels.ts';
import type { Prepared } from './prepare.ts';

export type Outcome = 'link' | 'review' | 'different';

export interface Guard {
  /** Stable name, kept with the decision. */
  id: GuardId;
  /** The best outcome left. */
  limit: 'review' | 'different';
}

export type GuardId =
  | 'placeholder'
  | 'given-name-disagrees'
  | 'given-name-weak'
  | 'given-name-missing'
  | 'twin'
  | 'sex-and-given-name'
  | 'birth-date-disagrees'
  | 'birth-date-missing'
  | 'generations'
  | 'suffix-conflict'
  | 'national-id-conflict'
  | 'family-name-disagrees'
  | 'name-and-birth-date-inexact'
  | 'no-independent-evidence';

/** Years between two birth dates from which they may be parent and child. */
export const GENERATION_YEARS = 14;
const LONGEST_GENERATION_YEARS = 70;

/** What the guards must know of the score. */
export interface GuardContext {
  /** The score carries a link on name, birth date and sex alone. */
  isNameEnough: boolean;
  /** Whether people bear this given name: a misspelling is no name, a twin's is. */
  isGivenName: (folded: string) => boolean;
}

/** The guards that a pair runs into. */
export function guardsOf(a: Prepared, b: Prepared, levels: Levels, context: GuardContext): Guard[] {
  const is = (field: keyof Levels, ...names: string[]) => {
    const found = levels[field];
    return found !== null && names.includes(found.level);
  };
  const guards: Guard[] = [];
  const add = (id: GuardId, limit: Guard['limit']) => guards.push({ id, limit });

  const isSameNationalId = is('nationalId', 'same');
  const isSameId = isSameNationalId || is('identifier', 'same');
  const isContactSame = is('address', 'same', 'similar') || is('phone', 'same') || is('email', 'same', 'similar');
  const isGivenSame = is('given', 'exact', 'nickname', 'middle', 'swapped');
  const isFamilySame = is('family', 'exact', 'close', 'part', 'swapped');
  const isDateSame = is('birthDate', 'exact', 'exactNewYear', 'swapped');
  const isSexDifferent = is('sex', 'different');
  const yearsApart = Math.abs((a.birthDate?.year ?? 0) - (b.birthDate?.year ?? 0));
  const areGenerations = yearsApart >= GENERATION_YEARS && yearsApart <= LONGEST_GENERATION_YEARS;

  if (a.placeholder !== undefined || b.placeholder !== undefined) add('placeholder', 'review');

  if (levels.given === null) {
    if (!(isSameId && isDateSame && isFamilySame)) add('given-name-missing', 'review');
  } else if (is('given', 'different')) {
    const isSameMiddle = is('middle', 'same') && isFamilySame && isDateSame;
    add('given-name-disagrees', isSameId || isSameMiddle ? 'review' : 'different');
  } else if (!isGivenSame && !isSameId && !is('middle', 'same') && !isMisspelling(levels.given, context)) {
    add('given-name-weak', 'review');
  }
  if ((a.multipleBirth || b.multipleBirth) && !isSameNationalId && !is('given', 'exact', 'nickname', 'swapped')) {
    add('twin', 'review');
  }
  if (isSexDifferent && !is('given', 'exact', 'swapped')) {
    const isPossible = isSameId || is('given', 'nickname', 'middle', 'close');
    add('sex-and-given-name', isPossible ? 'review' : 'different');
  }

  if (levels.birthDate === null) {
    if (!(isSameId && isGivenSame && isFamilySame)) add('birth-date-missing', 'review');
  } else if (is('birthDate', 'different')) {
    add('birth-date-disagrees', isSameId || (isContactSame && !areGenerations) ? 'review' : 'different');
  } else if (is('birthDate', 'sameYear')) {
    add('birth-date-disagrees', 'review');
  } else if (areGenerations && !isSameNationalId) {
    add('generations', 'review');
  }
  if (is('suffix', 'different')) add('suffix-conflict', 'review');

  if (is('nationalId', 'different')) {
    const isAllElseSame = is('given', 'exact') && is('family', 'exact') && isDateSame && isContactSame;
    if (!isAllElseSame) add('national-id-conflict', 'review');
  }
  if (levels.family === null || is('family', 'different')) {
    const isExplained = isDateSame && isGivenSame && !isSexDifferent && (isSameId || isContactSame);
    const isUsual = a.sex === 'female' || b.sex === 'female' || isSameId;
    if (!isExplained || !isUsual) add('family-name-disagrees', 'review');
  }
  const isGivenClear = is('given', 'exact', 'nickname', 'swapped');
  if (!isGivenClear && !isDateSame && !isSameId) {
    const contacts = [is('address', 'same'), is('phone', 'same'), is('email', 'same')].filter(Boolean).length;
    const isTwiceMistyped =
      isMisspelling(levels.given, context) &&
      is('family', 'exact') &&
      is('birthDate', 'oneEdit') &&
      yearsApart === 0 &&
      contacts >= 2;
    if (!isTwiceMistyped) add('name-and-birth-date-inexact', 'review');
  }
  const isSupported =
    isSameId || isContactSame || is('nationalId', 'oneEdit', 'lastFour') || is('motherMaidenName', 'same');
  if (!isSupported) {
    const isWhole =
      is('given', 'exact', 'nickname', 'close', 'swapped') &&
      isFamilySame &&
      is('birthDate', 'exact') &&
      !isSexDifferent;
    const isInexactTwice = !isGivenClear && !is('family', 'exact', 'swapped');
    if (!isWhole || isInexactTwice || !context.isNameEnough) add('no-independent-evidence', 'review');
  }
  return guards;
}

/** Nearly the same spelling, and not two names in their own right (`DANIEL` and `DANIELLE`, `TINA` and `GINA`). */
function isMisspelling(given: FieldLevel | null, context: GuardContext): boolean {
  if (given?.level !== 'close') return false;
  const { a, b } = given;
  const known = Number(context.isGivenName(a)) + Number(context.isGivenName(b));
  if (known === 2) return false;
  const isSwapOfLetters = [...a].sort().join('') === [...b].sort().join('');
  return known === 1 || a.charAt(0) === b.charAt(0) || isSwapOfLetters;
}
