/** How the hospital comes to know a person: one number, two numbers merged later, a stand-in name, a baby's first name. */

import { DAY_MS, HOUR_MS } from './calendar.ts';
import type { Household, Person } from './people.ts';
import { randomFrom } from './random.ts';
import { type Registration, register } from './registrations.ts';
import type { Stay, Story } from './story.ts';

export interface HospitalRecords {
  registrations: Registration[];
  /** The registration under which a stay was filed. */
  of(stay: Stay | undefined): Registration;
}

/** The hospital's records of the person, or nothing when there was no contact. */
export function hospitalRecords(home: Household, person: Person, story: Story): HospitalRecords | undefined {
  const random = randomFrom(home.seed, 'hospital', person.ordinal);
  const stays = [...story.stays].sort((a, b) => a.from - b.from);
  const contacts = [
    ...stays.map((stay) => stay.from),
    ...story.appointments.map((appointment) => appointment.bookedAt),
  ];
  if (contacts.length === 0) return undefined;
  const first = Math.min(...contacts);
  const knownBefore =
    person.scenario === 'maiden name' ||
    person.scenario === 'showcase' ||
    (!person.bornAtHospital && random.chance(0.5));
  const main = register(
    person,
    'harbor-hospital',
    knownBefore ? Math.min(first, home.from) : first - HOUR_MS,
    home.seed,
  );
  if (person.bornAtHospital) main.placeholder = babyName(home, person, random.chance(0.85));
  const unknown = stays.find((stay) => stay.kind === 'emergency' && stay.condition.key === 'injury');
  const unnamed =
    unknown !== undefined && !person.bornAtHospital && (subjectOf(person, 'placeholder') || random.chance(0.02));
  if (unnamed) return unnamedArrival(home, person, main, unknown, stays, random.chance(0.15));
  const second = stays[1];
  const doubled =
    second !== undefined && second.to - stays[0]!.from > DAY_MS && (subjectOf(person, 'merge') || random.chance(0.06));
  if (doubled) return secondNumber(home, person, main, second, random.chance(0.25));
  return { registrations: [main], of: () => main };
}

function subjectOf(person: Person, scenario: Person['scenario']): boolean {
  return person.isSubject && person.scenario === scenario;
}

function babyName(home: Household, person: Person, named: boolean): Registration['placeholder'] {
  const mother = home.people[person.motherIndex ?? 0];
  const order = person.birthOrder ? ` ${'AB'[person.birthOrder - 1]}` : '';
  const born = Date.parse(`${person.birthDate}T12:00:00Z`);
  return {
    family: mother?.family ?? person.family,
    given: person.sex === 'F' ? `Baby Girl${order}` : `Baby Boy${order}`,
    birthDate: person.birthDate,
    address: person.address,
    phone: person.phone,
    namedAt: named ? born + (3 + (person.ordinal % 18)) * DAY_MS : undefined,
  };
}

/** Brought in unconscious: a number of its own under a stand-in name; named on it, merged, or never resolved. */
function unnamedArrival(
  home: Household,
  person: Person,
  main: Registration,
  arrival: Stay,
  stays: readonly Stay[],
  neverResolved: boolean,
): HospitalRecords {
  const resolvedAt = arrival.from + 5 * HOUR_MS;
  const known = stays[0] !== arrival || main.since < arrival.from - DAY_MS;
  const unresolved = neverResolved && !subjectOf(person, 'placeholder');
  const placeholder = {
    family: 'Doe',
    given: person.sex === 'F' ? 'Jane' : 'John',
    namedAt: unresolved ? undefined : resolvedAt,
  };
  if (!known) {
    main.placeholder = placeholder;
    return { registrations: [main], of: () => main };
  }
  const standIn = register(person, 'harbor-hospital', arrival.from, home.seed, 1);
  standIn.placeholder = { ...placeholder, namedAt: undefined };
  if (!unresolved) Object.assign(standIn, { mergedInto: main.number, mergedAt: resolvedAt });
  return { registrations: [main, standIn], of: (stay) => (stay === arrival ? standIn : main) };
}

/** The second stay was filed under a new number by mistake; most such are found and merged. */
function secondNumber(
  home: Household,
  person: Person,
  main: Registration,
  stay: Stay,
  neverMerged: boolean,
): HospitalRecords {
  const copy = register(person, 'harbor-hospital', stay.from, home.seed, 1);
  if (!neverMerged || subjectOf(person, 'merge')) {
    const mergedAt = stay.to + (6 + (person.ordinal % 30)) * DAY_MS;
    Object.assign(copy, { mergedInto: main.number, mergedAt: Math.min(mergedAt, home.until - DAY_MS) });
  }
  return { registrations: [main, copy], of: (other) => (other === stay ? copy : main) };
}
