/**
 * Names that stand for "we do not know who this is": John Doe, Baby Boy, Unknown, Test, trauma aliases. Records under
 * such names are about whoever happened to be there and are never linked automatically.
 */
import type { Demographics } from './demographics.ts';
import { foldedWords } from './text.ts';

const DOE_GIVEN = new Set([
  'JOHN',
  'JANE',
  'JON',
  'JOHNNY',
  'JACK',
  'BABY',
  'UNKNOWN',
  'JAMES',
  'J',
  'JOHNDOE',
  'JANEDOE',
]);
const UNKNOWN = new Set([
  'UNKNOWN',
  'UNK',
  'UNKN',
  'UNIDENTIFIED',
  'ANONYMOUS',
  'ANON',
  'NONAME',
  'NOTKNOWN',
  'UNNAMED',
  'UNSPECIFIED',
  'REFUSED',
  'CONFIDENTIAL',
  'REDACTED',
  'NOTPROVIDED',
  'MISSING',
  'NULL',
  'UNDEFINED',
]);
const TEST = new Set([
  'TEST',
  'TESTING',
  'TESTPATIENT',
  'TESTER',
  'ZTEST',
  'ZZTEST',
  'ZZZTEST',
  'DUMMY',
  'FAKE',
  'DONOTUSE',
  'TRAINING',
]);
const EMERGENCY = new Set(['TRAUMA', 'DISASTER', 'EMERGENCY', 'MASSCASUALTY', 'MCI', 'CODEBLUE']);
const NEWBORN = new Set(['BABY', 'BABYBOY', 'BABYGIRL', 'NEWBORN', 'INFANT', 'BB', 'BG', 'BOYOF', 'GIRLOF', 'NEONATE']);
const NEWBORN_ALONE = new Set(['BOY', 'GIRL', 'MALE', 'FEMALE', 'TWIN', 'TRIPLET', 'SON', 'DAUGHTER', 'FETUS']);

/** Why the record's names identify nobody, as a phrase; undefined when at least one name may be somebody's own. */
export function findPlaceholder(names: Demographics['names']): string | undefined {
  let first: string | undefined;
  let named = false;
  for (const name of names.slice(0, 8)) {
    const family = foldedWords(name.family);
    const given = name.given.slice(0, 6).flatMap(foldedWords);
    if (family.length === 0 && given.length === 0) continue;
    named = true;
    const reason = reasonOf(family, given);
    if (reason === undefined) return undefined;
    first ??= reason;
  }
  return named ? first : 'no name';
}

function reasonOf(family: string[], given: string[]): string | undefined {
  const all = [...family, ...given];
  const isAny = (names: ReadonlySet<string>) => all.some((word) => names.has(word)) || names.has(all.join(''));
  if (family.includes('DOE') && (given.length === 0 || given.some((word) => DOE_GIVEN.has(word))))
    return 'John or Jane Doe';
  if (all.length === 1 && (all[0] === 'JOHNDOE' || all[0] === 'JANEDOE')) return 'John or Jane Doe';
  if (isAny(UNKNOWN)) return 'unknown person';
  if (isAny(EMERGENCY)) return 'emergency alias';
  if (isAny(TEST) || all.some((word) => /^ZZZ?/.test(word)) || all.join('').startsWith('DONOTUSE'))
    return 'test patient';
  if (all.some((word) => NEWBORN.has(word)) || (given[0] !== undefined && NEWBORN_ALONE.has(given[0]))) {
    return 'unnamed newborn';
  }
  if (all.every((word) => /^(.)\1*$/u.test(word))) return 'no real name';
  if (all.every((word) => /^\p{N}+$/u.test(word))) return 'number in place of a name';
  return undefined;
}
