/** Why the index left a pair to a person, in words. */
const WORDS: Record<string, string> = {
  placeholder: 'One of the records has a placeholder for a name, such as “Baby Girl” or “Unknown”.',
  'given-name-missing': 'One of the records has no given name.',
  'given-name-disagrees': 'The given names disagree: perhaps twins, or relatives of one household.',
  'birth-date-disagrees': 'The birth dates disagree: perhaps a parent and a child of one name.',
  'family-name-disagrees': 'The family names disagree.',
  'given-name-weak': 'The given names are only loosely alike.',
  twin: 'They may be twins: one household, one birth date, different given names.',
  'sex-and-given-name': 'Both the recorded sex and the given name disagree.',
  'birth-date-missing': 'One of the records has no birth date.',
  generations: 'They may be two generations of one family.',
  'suffix-conflict': 'The suffixes disagree, as with a father and a son of one name.',
  'national-id-conflict': 'The national identifiers disagree.',
  'name-and-birth-date-inexact': 'Neither the name nor the birth date agrees exactly.',
  'no-independent-evidence': 'Nothing but the household speaks for one person.',
};

/** A sentence for a guard; a guard without one is shown by its own name. */
export function guardWords(guard: string): string {
  return WORDS[guard] ?? guard.replaceAll('-', ' ');
}
