/**
 * Generated people in households, each recorded twice with the errors of real registration desks: material to learn
 * the shipped weights from. The same seed gives the same people.
 */
import type { Demographics } from '../src/demographics.ts';
import type { NameFrequencies } from '../src/model.ts';
import { formsOf } from '../src/nicknames.ts';

export interface NameTables {
  family: NameFrequencies;
  given: NameFrequencies;
}

interface Human {
  family: string;
  maiden?: string;
  given: string;
  middle?: string;
  gender: 'male' | 'female';
  birth: { year: number; month: number; day: number };
  home: { line: string; city: string; postalCode: string };
  phone: string;
  email: string;
  ssn: string;
  mother: string;
  isTwin: boolean;
}

/** Two records of each of about `people` people. */
export function recordedTwice(people: number, names: NameTables, random: () => number): Demographics[] {
  const source = new Source(names, random);
  const records: Demographics[] = [];
  for (let count = 0; count < people; ) {
    for (const human of source.household()) {
      records.push(source.record(human), source.record(source.later(human)));
      count++;
    }
  }
  return records;
}

const SYLLABLES =
  'BA DEL RIN MO KAS TO LEN VAR SHI NOR PEL GAN DRE WIT HAU LO MER QUI ZAN FEN OL BRU TAM YEV COR'.split(' ');
const LETTERS = 'ABCDEFGHIJKLMNOPRSTUVWYZ';
const DAYS_IN_MONTH = 28;
const CITIES = 40;

class Source {
  readonly #random: () => number;
  readonly #family: (at: number) => string | undefined;
  readonly #given: (at: number) => string | undefined;

  constructor(names: NameTables, random: () => number) {
    this.#random = random;
    this.#family = drawer(names.family);
    this.#given = drawer(names.given);
  }

  /** A couple or a single person, with up to three children, some of them twins. */
  household(): Human[] {
    const home = this.#home();
    const phone = this.#phone();
    const family = this.#familyName();
    const parentYear = 1940 + this.#below(60);
    const father = this.#human({ family, home, phone, gender: 'male', year: parentYear });
    if (this.#chance(0.4)) return [father];
    const mother = this.#human({ family, home, phone, gender: 'female', year: parentYear + this.#below(8) - 3 });
    mother.maiden = this.#familyName();
    const members = [father, mother];
    for (let child = this.#below(4); child > 0; child--) {
      const year = Math.min(2024, parentYear + 20 + this.#below(15));
      const one = this.#human({ family, home, phone, gender: this.#chance(0.5) ? 'male' : 'female', year });
      one.mother = mother.maiden;
      if (one.gender === 'male' && this.#chance(0.04)) one.given = father.given;
      members.push(one);
      if (this.#chance(0.03)) {
        one.isTwin = true;
        members.push({
          ...one,
          given: this.#givenName(),
          middle: undefined,
          ssn: this.#digits(9),
          email: this.#email(),
        });
      }
    }
    return members;
  }

  /** The same human some years on: moved, married, another phone. */
  later(human: Human): Human {
    return {
      ...human,
      ...(this.#chance(0.2) ? { home: this.#home() } : {}),
      ...(this.#chance(0.3) ? { phone: this.#phone() } : {}),
      ...(this.#chance(0.15) ? { email: this.#email() } : {}),
      ...(human.gender === 'female' && this.#chance(0.04) ? this.#married(human.family) : {}),
    };
  }

  /** A new family name, or both joined. */
  #married(maiden: string): { family: string; maiden: string } {
    const family = this.#familyName();
    return { family: this.#chance(0.3) ? `${maiden}-${family}` : family, maiden };
  }

  /** What a registration desk writes down. */
  record(human: Human): Demographics {
    const family = this.#chance(0.05) ? this.#misspelt(human.family) : human.family;
    let given = [this.#chance(0.05) ? this.#misspelt(human.given) : this.#called(human.given), ...this.#middles(human)];
    if (human.middle !== undefined && this.#chance(0.015)) given = [human.middle];
    if (this.#chance(0.01)) given = [human.given.charAt(0)];
    const name = this.#chance(0.004) ? { family: given[0]!, given: [family] } : { family, given };
    const names =
      human.maiden !== undefined && this.#chance(0.15)
        ? [name, { family: human.maiden, given, use: 'maiden' }]
        : [name];
    return {
      names,
      birthDate: this.#writtenDate(human.birth),
      gender: this.#chance(0.01) ? (human.gender === 'male' ? 'female' : 'male') : human.gender,
      addresses: this.#chance(0.85)
        ? [{ ...human.home, line: [this.#chance(0.06) ? this.#misspelt(human.home.line) : human.home.line] }]
        : [],
      phones: this.#chance(0.75) ? [this.#chance(0.03) ? this.#misspelt(human.phone) : human.phone] : [],
      emails: this.#chance(0.4) ? [human.email] : [],
      identifiers: this.#chance(0.35)
        ? [
            {
              system: 'http://hl7.org/fhir/sid/us-ssn',
              value: this.#chance(0.04) ? this.#mistyped(human.ssn) : human.ssn,
            },
          ]
        : [],
      ...(human.isTwin && this.#chance(0.3) ? { multipleBirth: true } : {}),
      ...(this.#chance(0.2)
        ? { motherMaidenName: this.#chance(0.05) ? this.#misspelt(human.mother) : human.mother }
        : {}),
    };
  }

  /** The given name, or now and then one of its everyday forms. */
  #called(given: string): string {
    const forms = formsOf(given);
    return forms.length > 0 && this.#chance(0.08) ? forms[this.#below(forms.length)]! : given;
  }

  #middles({ middle }: Human): string[] {
    if (middle === undefined || this.#chance(0.5)) return [];
    if (this.#chance(0.03)) return [this.#givenName()];
    return [this.#chance(0.3) ? middle.charAt(0) : middle];
  }

  #human(known: {
    family: string;
    home: Human['home'];
    phone: string;
    gender: 'male' | 'female';
    year: number;
  }): Human {
    const { year, ...rest } = known;
    return {
      ...rest,
      given: this.#givenName(),
      ...(this.#chance(0.7) ? { middle: this.#givenName() } : {}),
      birth: { year, month: 1 + this.#below(12), day: 1 + this.#below(DAYS_IN_MONTH) },
      phone: this.#chance(0.5) ? known.phone : this.#phone(),
      email: this.#email(),
      ssn: this.#digits(9),
      mother: this.#familyName(),
      isTwin: false,
    };
  }

  #writtenDate(birth: Human['birth']): string {
    let { year, month, day } = birth;
    const kind = this.#random();
    if (kind < 0.01) day = 1 + this.#below(DAYS_IN_MONTH);
    else if (kind < 0.016) year += this.#chance(0.5) ? 1 : -1;
    else if (kind < 0.021) month = 1 + this.#below(12);
    else if (kind < 0.026 && day <= 12) [month, day] = [day, month];
    else if (kind < 0.029) [month, day] = [1, 1];
    else if (kind < 0.033)
      [year, month, day] = [1940 + this.#below(80), 1 + this.#below(12), 1 + this.#below(DAYS_IN_MONTH)];
    return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  }

  #home(): Human['home'] {
    const city = this.#below(CITIES);
    return {
      line: `${1 + this.#below(4000)} ${this.#syllables(3)} ST`,
      city: `TOWN${city}`,
      postalCode: String(40000 + city * 25 + this.#below(25)),
    };
  }

  #familyName(): string {
    const one = () => this.#family(this.#random()) ?? this.#syllables(2 + this.#below(2));
    return this.#chance(0.06) ? `${one()} ${one()}` : one();
  }

  #givenName(): string {
    return this.#given(this.#random()) ?? this.#syllables(2);
  }

  #phone(): string {
    return `${2 + this.#below(8)}${this.#digits(9)}`;
  }

  #email(): string {
    return `${this.#syllables(3).toLowerCase()}${this.#digits(3)}@example.org`;
  }

  /** One letter dropped, doubled, replaced, or swapped with its neighbour; the first one rarely. */
  #misspelt(written: string): string {
    const at = this.#chance(0.1) ? 0 : 1 + this.#below(Math.max(1, written.length - 1));
    const letter = LETTERS[this.#below(LETTERS.length)]!;
    const [head, tail] = [written.slice(0, at), written.slice(at + 1)];
    const kind = this.#below(4);
    if (kind === 0) return head + tail;
    if (kind === 1) return head + letter + written.slice(at);
    if (kind === 2) return head + letter + tail;
    return head + (tail.charAt(0) + (written[at] ?? '')) + tail.slice(1);
  }

  #mistyped(digits: string): string {
    const at = this.#below(digits.length);
    return digits.slice(0, at) + this.#below(10) + digits.slice(at + 1);
  }

  #syllables(count: number): string {
    let word = '';
    for (let i = 0; i < count; i++) word += SYLLABLES[this.#below(SYLLABLES.length)];
    return word;
  }

  #digits(count: number): string {
    let digits = String(1 + this.#below(9));
    while (digits.length < count) digits += this.#below(10);
    return digits;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}

/** Draws a listed name by its share; undefined for the share of the unlisted. */
function drawer(frequencies: NameFrequencies): (at: number) => string | undefined {
  let sum = 0;
  const bounds = Object.entries(frequencies.shares).map(([name, share]) => {
    sum += share;
    return { name, upTo: sum };
  });
  return (at) => bounds.find(({ upTo }) => at < upTo)?.name;
}
