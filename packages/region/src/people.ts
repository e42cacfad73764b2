/**
 * Households and the people in them as they truly are: names, births, addresses, and who is whose twin, parent or
 * spouse. What each site believes about them is in registrations.ts.
 */

import { instantOf, isoDate, officeHours, YEAR_MS } from './calendar.ts';
import { EMAIL_DOMAINS, FAMILY_NAMES, FEMALE_NAMES, MALE_NAMES, NICKNAMES, STREETS } from './names.ts';
import type { Random } from './random.ts';
import { randomFrom } from './random.ts';
import { TOWN } from './sites.ts';

export interface Address {
  line: string;
  city: string;
  state: string;
  zip: string;
}

export type RelationKind =
  | 'twin of'
  | 'namesake parent of'
  | 'namesake child of'
  | 'spouse of'
  | 'parent of'
  | 'child of';

export interface Relation {
  kind: RelationKind;
  person: string;
}

/** What is certain to happen in a household, so that small regions hold every hard case. */
export type Scenario =
  | 'showcase'
  | 'twins'
  | 'namesakes'
  | 'maiden name'
  | 'wrong birth date'
  | 'placeholder'
  | 'newborn'
  | 'newborn twins'
  | 'merge'
  | 'one site'
  | 'retraction'
  | 'denied allergy'
  | 'ordinary';

export interface Person {
  key: string;
  household: string;
  /** Unique in the region; record numbers are made from it. */
  ordinal: number;
  given: string;
  nickname?: string;
  middle?: string;
  family: string;
  maidenName?: string;
  marriedAt?: number;
  suffix?: 'Sr' | 'Jr';
  sex: 'F' | 'M';
  birthDate: string;
  birthOrder?: number;
  address: Address;
  formerAddress?: Address;
  movedAt?: number;
  phone: string;
  formerPhone?: string;
  mobile?: string;
  email?: string;
  race: '2106-3' | '2054-5' | '2028-9' | '2131-1';
  language: 'en' | 'es' | 'pt' | 'vi';
  marital: 'M' | 'S' | 'W';
  relations: Relation[];
  /** Born inside the told years, at the town's hospital. */
  bornAtHospital: boolean;
  motherIndex?: number;
  scenario: Scenario;
  /** The member on whom the household's scenario falls. */
  isSubject: boolean;
}

export interface Household {
  index: number;
  key: string;
  seed: number;
  scenario: Scenario;
  /** The years told: five before the end. */
  from: number;
  until: number;
  people: Person[];
}

export const MEMBERS_AT_MOST = 8;

const FIRST_SCENARIOS: readonly Scenario[] = [
  'showcase',
  'twins',
  'namesakes',
  'maiden name',
  'wrong birth date',
  'placeholder',
  'newborn',
  'merge',
  'one site',
  'retraction',
  'denied allergy',
  'newborn twins',
];

/** The household of this number; the same whatever the size of the region. */
export function household(index: number, seed: number, until: number): Household {
  const random = randomFrom(seed, 'household', index);
  const scenario = FIRST_SCENARIOS[index] ?? drawScenario(random);
  const from = until - 5 * YEAR_MS;
  const home: Household = {
    index,
    key: `h${String(index + 1).padStart(5, '0')}`,
    seed,
    scenario,
    from,
    until,
    people: [],
  };
  const family = random.common(FAMILY_NAMES, 1.7);
  const address = drawAddress(random);
  const phone = drawPhone(random);
  const shape = drawShape(random, scenario);
  const moved = random.chance(0.22)
    ? {
        movedAt: officeHours(from + random.next() * (until - from), random.int(0, 500)),
        from: drawAddress(random),
        phone: random.chance(0.5) ? drawPhone(random) : undefined,
      }
    : undefined;
  for (const slot of shape) {
    const person = drawPerson(random, home, slot, family, address, phone);
    if (moved) Object.assign(person, { formerAddress: moved.from, formerPhone: moved.phone, movedAt: moved.movedAt });
    home.people.push(person);
  }
  applyNames(random, home);
  relate(home);
  return home;
}

interface Slot {
  role: 'head' | 'partner' | 'child';
  age: number;
  sex: 'F' | 'M';
  bornAt?: string;
  birthOrder?: number;
}

function drawScenario(random: Random): Scenario {
  const roll = random.next();
  if (roll < 0.02) return 'twins';
  if (roll < 0.04) return 'namesakes';
  if (roll < 0.065) return 'maiden name';
  if (roll < 0.075) return 'placeholder';
  if (roll < 0.11) return 'newborn';
  if (roll < 0.112) return 'newborn twins';
  if (roll < 0.13) return 'merge';
  if (roll < 0.17) return 'one site';
  if (roll < 0.18) return 'retraction';
  return 'ordinary';
}

function drawShape(random: Random, scenario: Scenario): Slot[] {
  const opposite = (sex: 'F' | 'M'): 'F' | 'M' => (sex === 'F' ? 'M' : 'F');
  if (scenario === 'showcase') return [head(61, 'F'), partner(64, 'M')];
  if (scenario === 'one site') return [head(random.int(25, 70), random.pick(['F', 'M']))];
  const young =
    scenario !== 'ordinary' && scenario !== 'merge' && scenario !== 'retraction' && scenario !== 'placeholder';
  const age = scenario === 'namesakes' ? random.int(45, 68) : young ? random.int(27, 38) : random.int(22, 88);
  const sex: 'F' | 'M' = scenario === 'namesakes' ? 'M' : random.pick(['F', 'M'] as const);
  const slots = [head(age, sex)];
  if (young || random.chance(0.62)) slots.push(partner(Math.max(20, age + random.int(-4, 4)), opposite(sex)));
  if (scenario === 'namesakes') {
    slots.push(child(age - random.int(24, 30), 'M'));
    return slots;
  }
  if (scenario === 'twins') {
    const twinAge = random.int(2, 9);
    const firstSex = random.pick(['F', 'M'] as const);
    const bornAt = birthDateAt(random, twinAge);
    const secondSex = random.chance(0.7) ? firstSex : opposite(firstSex);
    slots.push(
      { ...child(twinAge, firstSex), bornAt, birthOrder: 1 },
      { ...child(twinAge, secondSex), bornAt, birthOrder: 2 },
    );
  }
  if (scenario === 'newborn' || scenario === 'newborn twins') {
    slots.push(child(-1, random.pick(['F', 'M'] as const)));
    if (scenario === 'newborn twins') {
      slots[2]!.birthOrder = 1;
      slots.push({ ...child(-1, slots[2]!.sex), birthOrder: 2 });
    }
  }
  const parentAge = Math.min(...slots.filter((slot) => slot.role !== 'child').map((slot) => slot.age));
  if (parentAge < 52 && random.chance(0.7)) {
    for (let count = random.int(1, 3); count > 0; count--) {
      const childAge = random.int(6, 17);
      if (parentAge - childAge >= 18) slots.push(child(childAge, random.pick(['F', 'M'] as const)));
    }
  }
  return slots;
}

function head(age: number, sex: 'F' | 'M'): Slot {
  return { role: 'head', age, sex };
}

function partner(age: number, sex: 'F' | 'M'): Slot {
  return { role: 'partner', age, sex };
}

function child(age: number, sex: 'F' | 'M'): Slot {
  return { role: 'child', age, sex };
}

/** Month and day only; the year comes from the household's end and the age. */
function birthDateAt(random: Random, age: number): string {
  return `${age}|${String(random.int(1, 12)).padStart(2, '0')}-${String(random.int(1, 28)).padStart(2, '0')}`;
}

function drawPerson(
  random: Random,
  home: Household,
  slot: Slot,
  family: string,
  address: Address,
  phone: string,
): Person {
  const member = home.people.length;
  const age = Math.max(slot.age, 0);
  const isNewborn = slot.age === -1;
  const firstNewborn = home.people.find((person) => person.bornAtHospital);
  const birthDate = isNewborn
    ? (firstNewborn?.birthDate ?? isoDate(home.until - (0.4 + random.next() * 2.6) * YEAR_MS))
    : yearBefore(home.until, slot.bornAt ?? birthDateAt(random, age));
  const given = drawGiven(random, home, slot.sex);
  const drawnRace = random.pick(['2106-3', '2106-3', '2106-3', '2054-5', '2028-9', '2131-1'] as const);
  const race = (slot.role === 'child' ? home.people[0]?.race : undefined) ?? drawnRace;
  return {
    key: `${home.key}-${member + 1}`,
    household: home.key,
    ordinal: home.index * MEMBERS_AT_MOST + member,
    given,
    nickname: NICKNAMES[given],
    middle: random.chance(0.6) ? random.common(slot.sex === 'F' ? FEMALE_NAMES : MALE_NAMES, 1.6) : undefined,
    family,
    sex: slot.sex,
    birthDate,
    birthOrder: slot.birthOrder,
    address,
    phone,
    mobile: age >= 14 && random.chance(0.8) ? drawPhone(random) : undefined,
    email: age >= 18 && random.chance(0.6) ? emailOf(random, given, family) : undefined,
    race,
    language: random.chance(0.93) ? 'en' : random.pick(['es', 'pt', 'vi'] as const),
    marital: slot.role === 'child' ? 'S' : 'M',
    relations: [],
    bornAtHospital: isNewborn,
    scenario: home.scenario,
    isSubject: false,
  };
}

function drawGiven(random: Random, home: Household, sex: 'F' | 'M'): string {
  const taken = new Set(home.people.map((person) => person.given));
  for (;;) {
    const given = random.common(sex === 'F' ? FEMALE_NAMES : MALE_NAMES, 1.6);
    if (!taken.has(given)) return given;
  }
}

function yearBefore(until: number, ageAndDay: string): string {
  const [age, monthDay] = ageAndDay.split('|') as [string, string];
  const end = isoDate(until);
  const year = Number(end.slice(0, 4)) - Number(age) - (monthDay > end.slice(5) ? 1 : 0);
  return `${year}-${monthDay}`;
}

function drawAddress(random: Random): Address {
  const apartment = random.chance(0.25) ? ` Apt ${random.int(1, 24)}` : '';
  const zip = `0410${random.int(1, 9)}`;
  return { line: `${random.int(1, 380)} ${random.pick(STREETS)}${apartment}`, city: TOWN.city, state: TOWN.state, zip };
}

function drawPhone(random: Random): string {
  return `207-555-${String(random.int(1000, 9999))}`;
}

function emailOf(random: Random, given: string, family: string): string {
  const local = `${given}.${family}`.toLowerCase().replace(/[^a-z.]/g, '');
  return `${local}${random.int(1, 99)}@${random.pick(EMAIL_DOMAINS)}`;
}

function applyNames(random: Random, home: Household): void {
  const { people, scenario, from, until } = home;
  const [first, second] = people as [Person, Person | undefined];
  if (scenario === 'namesakes') {
    const son = people.at(-1)!;
    Object.assign(son, { given: first.given, middle: first.middle, nickname: first.nickname, suffix: 'Jr' });
    first.suffix = 'Sr';
  }
  const wife = [first, second].find((person) => person?.sex === 'F');
  const couple = second !== undefined && second.marital === 'M';
  if (wife && couple && (scenario === 'maiden name' || random.chance(0.35))) {
    wife.maidenName = random.common(FAMILY_NAMES, 1.7);
    const recent = scenario === 'maiden name' || random.chance(0.06);
    const marriedAt = recent
      ? from + (0.35 + random.next() * 0.5) * (until - from)
      : instantOf(wife.birthDate) + 26 * YEAR_MS;
    wife.marriedAt = officeHours(marriedAt, random.int(0, 500));
    if (wife.maidenName === wife.family) wife.maidenName = undefined;
  }
  if (!couple) first.marital = random.chance(0.2) ? 'W' : 'S';
  const subject = scenario === 'maiden name' && wife ? wife : first;
  subject.isSubject = true;
}

function relate(home: Household): void {
  const adults = home.people.filter((person, index) => index < 2 && person.marital === 'M');
  if (adults.length === 2) {
    link(adults[0]!, 'spouse of', adults[1]!, 'spouse of');
  }
  const parents = adults.length === 2 ? adults : home.people.slice(0, 1);
  for (const person of home.people) {
    if (parents.includes(person)) continue;
    for (const parent of parents) {
      const namesake = parent.given === person.given && parent.family === person.family;
      link(parent, namesake ? 'namesake parent of' : 'parent of', person, namesake ? 'namesake child of' : 'child of');
    }
    const mother = parents.findIndex((parent) => parent.sex === 'F');
    person.motherIndex = mother < 0 ? undefined : mother;
  }
  const twins = home.people.filter((person) => person.birthOrder !== undefined);
  if (twins.length === 2) link(twins[0]!, 'twin of', twins[1]!, 'twin of');
}

function link(one: Person, oneKind: RelationKind, other: Person, otherKind: RelationKind): void {
  one.relations.push({ kind: oneKind, person: other.key });
  other.relations.push({ kind: otherKind, person: one.key });
}
