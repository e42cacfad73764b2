/**
 * What truly happened to one person in the years told: illnesses, medicines, allergies, visits, stays, orders. Sites
 * tell parts of it, each in its own words.
 */

import { ageAt, DAY_MS, instantOf, officeHours, YEAR_MS } from './calendar.ts';
import { drawChronic, orderOf } from './chronic.ts';
import type { Allergen, Reaction, Severity } from './codes/allergies.ts';
import { ALLERGENS, REACTIONS, SEVERITIES } from './codes/allergies.ts';
import type { ProcedureCode, Vaccine } from './codes/care.ts';
import { SMOKING, VACCINES } from './codes/care.ts';
import type { Condition } from './codes/conditions.ts';
import type { Drug } from './codes/medications.ts';
import type { LabTest, Panel } from './codes/tests.ts';
import { drawEpisodes } from './episodes.ts';
import type { Household, Person } from './people.ts';
import type { Random } from './random.ts';
import { randomFrom } from './random.ts';
import { type Clinician, FAMILY_DOCTORS, OUTSIDE_DOCTORS } from './sites.ts';

export interface Problem {
  condition: Condition;
  onset: number;
  resolved?: number;
}

export interface Course {
  id: string;
  drug: Drug;
  start: number;
  stop?: number;
  reason: Condition;
  prescriber: Clinician;
  /** Handed out at the pharmacy; a course given in the hospital only is not. */
  dispensed: boolean;
}

export interface Allergy {
  allergen: Allergen;
  reaction: Reaction;
  severity: Severity;
  onset: number;
}

export interface Shot {
  vaccine: Vaccine;
  at: number;
  lot: string;
}

export interface ProcedureDone {
  code: ProcedureCode;
  at: number;
  where: 'hospital' | 'practice';
}

export interface Vitals {
  systolic: number;
  diastolic: number;
  pulse: number;
  weightKg: number;
  heightCm: number;
  temperatureC: number;
}

export interface Visit {
  id: string;
  at: number;
  reason: Condition;
  vitals: Vitals;
  referral?: string;
}

export interface Measurement {
  test: LabTest;
  /** In the conventional unit. */
  value: number;
  /** What was first released, where a correction followed. */
  firstValue?: number;
}

export interface Order {
  id: string;
  at: number;
  panel: Panel;
  measurements: Measurement[];
  amendment?: 'corrected' | 'retracted' | 'deleted';
  preliminary: boolean;
}

export interface Stay {
  id: string;
  kind: 'inpatient' | 'emergency' | 'newborn';
  from: number;
  to: number;
  specialty: string;
  condition: Condition;
  procedures: ProcedureDone[];
  orders: Order[];
  slip?: 'admission cancelled' | 'transfer cancelled' | 'discharge cancelled';
}

export interface Appointment {
  id: string;
  bookedAt: number;
  at: number;
  specialty: string;
  reason: Condition;
}

export interface Story {
  person: Person;
  familyDoctor: Clinician;
  atPractice: boolean;
  problems: Problem[];
  courses: Course[];
  allergies: Allergy[];
  /** Looked for and absent: one substance, or all of them. */
  denied?: Allergen | 'all';
  shots: Shot[];
  procedures: ProcedureDone[];
  visits: Visit[];
  labOrders: Order[];
  stays: Stay[];
  appointments: Appointment[];
  smoking: (typeof SMOKING)[number];
}

/** What the parts of a story are drawn from. */
export interface Chapter {
  random: Random;
  home: Household;
  person: Person;
  story: Story;
  from: number;
  until: number;
  /** A number unique in the region for the next order, visit, prescription. */
  nextId(): string;
}

/** The story of one member; it depends on the household's seed and nothing else. */
export function storyOf(home: Household, person: Person): Story {
  const random = randomFrom(home.seed, 'story', person.ordinal);
  const onlySite = person.scenario === 'one site';
  const atPractice = !onlySite && (person.scenario !== 'ordinary' || random.chance(0.86));
  const doctors = atPractice ? FAMILY_DOCTORS : OUTSIDE_DOCTORS;
  const story: Story = {
    person,
    familyDoctor: doctors[home.index % doctors.length]!,
    atPractice,
    problems: [],
    courses: [],
    allergies: [],
    shots: [],
    procedures: [],
    visits: [],
    labOrders: [],
    stays: [],
    appointments: [],
    smoking:
      ageAt(person.birthDate, home.until) < 18
        ? SMOKING[0]
        : random.pick([SMOKING[0], SMOKING[0], SMOKING[1], SMOKING[2]]),
  };
  let ids = 0;
  const chapter: Chapter = {
    random,
    home,
    person,
    story,
    from: Math.max(home.from, instantOf(person.birthDate) + DAY_MS),
    until: home.until,
    nextId: () => String(person.ordinal * 1000 + ++ids).padStart(9, '0'),
  };
  drawAllergies(chapter);
  if (!onlySite) {
    drawChronic(chapter);
    drawShots(chapter);
  }
  drawEpisodes(chapter);
  const isKnownNowhere = story.visits.length + story.stays.length + story.labOrders.length === 0;
  if (isKnownNowhere) {
    const at = officeHours(chapter.from + random.next() * 0.9 * (chapter.until - chapter.from), random.int(0, 240));
    story.labOrders.push(orderOf(chapter, 'bloodCount', at));
  }
  story.problems.sort((a, b) => a.onset - b.onset);
  story.visits.sort((a, b) => a.at - b.at);
  story.labOrders.sort((a, b) => a.at - b.at);
  return story;
}

function drawAllergies({ random, person, story, from, until }: Chapter): void {
  const substances = Object.values(ALLERGENS);
  const showcase = person.scenario === 'showcase' && person.isSubject;
  if (showcase || random.chance(0.24)) {
    const allergen = showcase ? ALLERGENS.penicillin : random.common(substances, 1.5);
    story.allergies.push(allergyTo(random, allergen, from, until, person));
    if (random.chance(0.2)) {
      const second = random.pick(substances.filter((substance) => substance !== allergen));
      story.allergies.push(allergyTo(random, second, from, until, person));
    }
  }
  if (showcase) story.denied = ALLERGENS.latex;
  else if (person.scenario === 'denied allergy' && person.isSubject)
    story.denied = deniable(story, ALLERGENS.penicillin);
  else if (story.allergies.length === 0) story.denied = random.chance(0.55) ? 'all' : undefined;
  else if (random.chance(0.08)) story.denied = deniable(story, ALLERGENS.latex);
}

function deniable(story: Story, allergen: Allergen): Allergen | undefined {
  return story.allergies.some((allergy) => allergy.allergen === allergen) ? ALLERGENS.egg : allergen;
}

function allergyTo(random: Random, allergen: Allergen, from: number, until: number, person: Person): Allergy {
  const born = instantOf(person.birthDate);
  const onset = Math.max(
    born,
    random.chance(0.8) ? from - random.next() * 10 * YEAR_MS : from + random.next() * (until - from) * 0.5,
  );
  return { allergen, reaction: random.common(REACTIONS, 1.3), severity: random.common(SEVERITIES, 1.4), onset };
}

function drawShots({ random, person, story, from, until }: Chapter): void {
  if (!story.atPractice) return;
  const born = instantOf(person.birthDate);
  const age = ageAt(person.birthDate, until);
  const give = (vaccine: Vaccine, at: number): void => {
    if (at >= born && at < until)
      story.shots.push({ vaccine, at, lot: `${vaccine.key.slice(0, 2).toUpperCase()}${random.int(1000, 9999)}` });
  };
  if (age < 18) {
    for (const months of [2, 4, 6]) {
      give(VACCINES.dtap, born + months * 30.4 * DAY_MS);
      give(VACCINES.polio, born + months * 30.4 * DAY_MS);
      give(VACCINES.pcv13, born + months * 30.4 * DAY_MS);
    }
    give(VACCINES.hepatitisB, born + 30 * DAY_MS);
    give(VACCINES.mmr, born + 380 * DAY_MS);
    give(VACCINES.varicella, born + 380 * DAY_MS);
    give(VACCINES.mmr, born + 4.5 * YEAR_MS);
    give(VACCINES.hpv, born + 11.5 * YEAR_MS);
    return;
  }
  const keen = random.chance(0.6);
  for (let autumn = from + random.int(80, 140) * DAY_MS; autumn < until; autumn += YEAR_MS) {
    if (keen || age > 64 || random.chance(0.2)) give(VACCINES.influenza, autumn);
  }
  give(VACCINES.tdap, from - random.next() * 5 * YEAR_MS);
  if (random.chance(0.7)) give(VACCINES.covid, instantOf('2021-05-01') + random.int(0, 200) * DAY_MS);
  if (age > 64) give(VACCINES.pneumococcal, from + random.next() * YEAR_MS);
  if (age > 50 && keen) give(VACCINES.zoster, from + random.next() * 2 * YEAR_MS);
}
