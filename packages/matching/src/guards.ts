/**
 * Guards: patterns in which a high score is still the wrong answer, because people of one household share what the
 * score counts (twins, father and son of one name, spouses), or because nothing independent supports it. A guard
 * limits what may be decided; it never raises a score.
 */
import type { Levels } from './levels.ts';
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
const GENERATION_YEARS = 14;

/** The guards that a pair runs into. `isNameEnough`: the score carries a link on name, birth date and sex alone. */
export function guardsOf(a: Prepared, b: Prepared, levels: Levels, isNameEnough: boolean): Guard[] {
  const is = (field: keyof Levels, ...names: string[]) => {
    const found = levels[field];
    return found !== null && names.includes(found.level);
  };
  const guards: Guard[] = [];
  const add = (id: GuardId, limit: Guard['limit']) => guards.push({ id, limit });

  const isSameId = is('nationalId', 'same') || is('identifier', 'same');
  const isContactSame = is('address', 'same', 'similar') || is('phone', 'same') || is('email', 'same', 'similar');
  const isGivenSame = is('given', 'exact', 'nickname', 'middle', 'swapped');
  const isFamilySame = is('family', 'exact', 'close', 'part', 'swapped');
  const isDateSame = is('birthDate', 'exact', 'exactNewYear', 'swapped');
  const yearsApart = Math.abs((a.birthDate?.year ?? 0) - (b.birthDate?.year ?? 0));
  const areBothDated = levels.birthDate !== null;

  if (a.placeholder !== undefined || b.placeholder !== undefined) add('placeholder', 'review');
  if (is('given', 'different')) add('given-name-disagrees', isSameId ? 'review' : 'different');
  else if (levels.given === null) {
    if (!(isSameId && isDateSame && isFamilySame)) add('given-name-missing', 'review');
  } else if (!isGivenSame && !isSameId) {
    const isOtherInitial = levels.given.a.charAt(0) !== levels.given.b.charAt(0);
    const isMarked = is('given', 'similar', 'initial') || isOtherInitial;
    if (isMarked && !is('middle', 'same')) add('given-name-weak', 'review');
  }
  if ((a.multipleBirth || b.multipleBirth) && !isGivenSame && !is('nationalId', 'same')) add('twin', 'review');
  if (is('sex', 'different') && !isGivenSame) add('sex-and-given-name', isSameId ? 'review' : 'different');
  if (!areBothDated) {
    if (!(isSameId && isGivenSame && isFamilySame)) add('birth-date-missing', 'review');
  } else if (is('birthDate', 'different')) {
    add('birth-date-disagrees', isSameId || yearsApart < GENERATION_YEARS ? 'review' : 'different');
  } else if (is('birthDate', 'sameYear')) add('birth-date-disagrees', 'review');
  else if (yearsApart >= GENERATION_YEARS && yearsApart <= 70 && !is('nationalId', 'same'))
    add('generations', 'review');
  if (is('suffix', 'different')) add('suffix-conflict', 'review');
  if (is('nationalId', 'different')) {
    const isAllElseSame = is('given', 'exact') && is('family', 'exact') && isDateSame && isContactSame;
    if (!isAllElseSame) add('national-id-conflict', 'review');
  }
  if (is('family', 'different') || levels.family === null) {
    const isExplained = isDateSame && isGivenSame && !is('sex', 'different') && (isSameId || isContactSame);
    const isUsual = a.sex === 'female' || b.sex === 'female' || isSameId;
    if (!isExplained || !isUsual) add('family-name-disagrees', 'review');
  }
  if (!isGivenSame && !isDateSame && !isSameId) add('name-and-birth-date-inexact', 'review');
  if (!isSameId && !isContactSame && !is('nationalId', 'oneEdit', 'lastFour') && !is('motherMaidenName', 'same')) {
    const isFull =
      is('given', 'exact', 'nickname') && is('family', 'exact') && is('birthDate', 'exact') && !is('sex', 'different');
    if (!isFull || !isNameEnough) add('no-independent-evidence', 'review');
  }
  return guards;
}
