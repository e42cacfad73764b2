/** The region as streams: messages as the sites send them, and the truth behind them, household by household. */

import { instantOf, isoInstant } from './calendar.ts';
import { hospitalTelling } from './hospital.ts';
import { laboratoryTelling } from './laboratory.ts';
import type { Fact, Outgoing } from './outgoing.ts';
import { type Household, household, type Person, type Relation } from './people.ts';
import { pharmacyTelling } from './pharmacy.ts';
import { practiceTelling } from './practice.ts';
import { type Demographics, demographicsAt, identifierOf, type Registration, type Slip } from './registrations.ts';
import type { SiteKey } from './sites.ts';
import { storyOf } from './story.ts';

export interface RegionOptions {
  /** How many people live in the region; the first of a larger region are the same. */
  people: number;
  /** Another seed is another town. */
  seed?: number;
  /** The first households are those of a region of this seed; what happens to them here is told by this one's. */
  shared?: { seed: number; households: number };
  /** The day on which the story ends (`YYYY-MM-DD`); nothing is told from that day on. */
  until?: string;
}

export interface RegionMessage {
  site: SiteKey;
  dialect: 'hl7v2' | 'ccda' | 'fhir';
  /** `ADT^A01`, `ORU^R01`, `CCD`, `Referral note`, `Bundle`. */
  type: string;
  /** When it is sent, ISO 8601 in UTC. */
  at: string;
  /** ER7 with a carriage return after each segment, XML, or JSON. */
  body: string;
  /** MSH-10, the document's id extension, or the Bundle's identifier. Unique in the region. */
  controlId: string;
}

export interface TruthRecord {
  site: SiteKey;
  identifier: { system: string; value: string };
  /** How this desk's entry differs from the person. */
  slips: Slip[];
  /** Kept under a stand-in name (John Doe, Baby Boy): for a time, or for good. */
  placeholder?: 'resolved' | 'unresolved';
  /** What the site says of the person in its last message under this number. */
  stated: Demographics;
  /** The record number that took this one's place in a merge the site announced. */
  mergedInto?: string;
}

export interface TruthFact extends Fact {
  /** Every site that tells it. */
  sites: SiteKey[];
}

export interface TruthPerson {
  person: string;
  household: string;
  name: { family: string; given: string; middle?: string; suffix?: string; maiden?: string };
  birthDate: string;
  sex: 'F' | 'M';
  /** Only to people of the same household. */
  relations: Relation[];
  records: TruthRecord[];
  facts: TruthFact[];
  familyDoctor: { npi: string; name: string; atPractice: boolean };
}

export const DEFAULT_SEED = 1;
export const DEFAULT_UNTIL = '2026-06-30';

/**
 * Every message of the region, in time order within a household, households one after another; memory does not grow
 * with the size of the region. The same options give the same bytes.
 */
export function* messages(options: RegionOptions): Generator<RegionMessage> {
  for (const home of households(options)) {
    const planned = home.people.flatMap((person) => tellPerson(home, person).outgoing);
    const told = planned.filter((outgoing) => outgoing.at < home.until).sort((a, b) => a.at - b.at);
    const numbers = new Map<SiteKey, number>();
    for (const outgoing of told) {
      const number = (numbers.get(outgoing.site) ?? 0) + 1;
      numbers.set(outgoing.site, number);
      const controlId = `${CONTROL_PREFIXES[outgoing.site]}${home.key.slice(1)}${String(number).padStart(4, '0')}`;
      const { site, dialect, type, at } = outgoing;
      yield { site, dialect, type, at: isoInstant(at), body: outgoing.write(controlId), controlId };
    }
  }
}

/** Which record is which human, and which facts are the same wherever they are told. Streams like messages(). */
export function* truth(options: RegionOptions): Generator<TruthPerson> {
  for (const home of households(options)) {
    for (const person of home.people) {
      const { registrations, outgoing, familyDoctor, atPractice } = tellPerson(home, person);
      const told = outgoing.filter((each) => each.at < home.until);
      yield {
        person: person.key,
        household: home.key,
        name: {
          family: person.family,
          given: person.given,
          middle: person.middle,
          suffix: person.suffix,
          maiden: person.maidenName,
        },
        birthDate: person.birthDate,
        sex: person.sex,
        relations: person.relations,
        records: registrations
          .filter((registration) => told.some((outgoing) => outgoing.site === registration.site))
          .map((registration) => recordOf(person, registration, home)),
        facts: factsOf(told),
        familyDoctor: { npi: familyDoctor.npi, name: `${familyDoctor.given} ${familyDoctor.family}`, atPractice },
      };
    }
  }
}

/** The person to show: known at all four sites, with diabetes, high blood pressure, a stay, a corrected result. */
export function showcase(options: RegionOptions): TruthPerson {
  const [first] = truth(options);
  return first!;
}

const CONTROL_PREFIXES: Readonly<Record<SiteKey, string>> = {
  'harbor-hospital': 'HGH',
  'millbrook-practice': 'MFP',
  'ellery-lab': 'ERL',
  'corner-pharmacy': 'CSP',
};

/** The households of a region, one after another. */
export function* households(options: RegionOptions): Generator<Household> {
  const { people, seed = DEFAULT_SEED, shared, until = DEFAULT_UNTIL } = options;
  const end = instantOf(until);
  let left = people;
  for (let index = 0; left > 0; index++) {
    const isShared = shared !== undefined && index < shared.households;
    const home = { ...household(index, isShared ? shared.seed : seed, end), seed };
    if (home.people.length > left) {
      home.people.length = left;
      const here = new Set(home.people.map((person) => person.key));
      for (const person of home.people)
        person.relations = person.relations.filter((relation) => here.has(relation.person));
    }
    left -= home.people.length;
    yield home;
  }
}

function tellPerson(home: Household, person: Person) {
  const story = storyOf(home, person);
  const tellings = [
    practiceTelling(home, story),
    hospitalTelling(home, story),
    laboratoryTelling(home, story),
    pharmacyTelling(home, story),
  ];
  return {
    familyDoctor: story.familyDoctor,
    atPractice: story.atPractice,
    registrations: tellings.flatMap((telling) => telling.registrations),
    outgoing: tellings.flatMap((telling) => telling.outgoing),
  };
}

function recordOf(person: Person, registration: Registration, home: Household): TruthRecord {
  const { site, slips, placeholder, mergedInto, mergedAt } = registration;
  const named = placeholder?.namedAt !== undefined && placeholder.namedAt < home.until;
  return {
    site,
    identifier: identifierOf(registration),
    slips,
    stated: demographicsAt(person, registration, Math.min(mergedAt ?? home.until, home.until) - 1),
    placeholder: placeholder && (named || mergedInto ? 'resolved' : 'unresolved'),
    mergedInto: mergedAt !== undefined && mergedAt < home.until ? mergedInto : undefined,
  };
}

function factsOf(told: readonly Outgoing[]): TruthFact[] {
  const facts = new Map<string, TruthFact>();
  for (const { site, states } of told) {
    for (const fact of states) {
      const key = `${fact.kind}|${fact.code}|${fact.at ?? ''}`;
      const known = facts.get(key);
      if (known === undefined) facts.set(key, { ...fact, sites: [site] });
      else if (!known.sites.includes(site)) known.sites.push(site);
    }
  }
  return [...facts.values()];
}
