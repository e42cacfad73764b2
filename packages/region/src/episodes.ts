/** Acute illness, injury, birth: what brings people to the hospital or, unplanned, to their doctor. */

import { ageAt, DAY_MS, dayOf, HOUR_MS, instantOf, MINUTE_MS, officeHours } from './calendar.ts';
import { orderOf, vitalsOf } from './chronic.ts';
import { PROCEDURES } from './codes/care.ts';
import { CONDITIONS, type ConditionKey } from './codes/conditions.ts';
import { DRUGS, type DrugKey } from './codes/medications.ts';
import type { PanelKey } from './codes/tests.ts';
import { HOSPITAL_DOCTORS } from './sites.ts';
import type { Chapter, Stay } from './story.ts';

interface EpisodePlan {
  condition: ConditionKey;
  /** Chance per year and person. */
  perYear: number;
  youngest: number;
  oldest: number;
  kind: 'inpatient' | 'emergency' | 'visit';
  days: number;
  specialty: string;
  drug?: DrugKey;
  procedure?: keyof typeof PROCEDURES;
  panels: readonly PanelKey[];
}

const PLANS: readonly EpisodePlan[] = [
  plan('pneumonia', 0.012, 1, 99, 'inpatient', 5, 'medicine', ['infection', 'metabolic'], 'azithromycin', 'chestImage'),
  plan('appendicitis', 0.004, 6, 60, 'inpatient', 3, 'surgery', ['infection'], 'ibuprofen', 'appendectomy'),
  plan('infarction', 0.005, 48, 99, 'inpatient', 5, 'cardiology', ['cardiac', 'lipids'], 'clopidogrel', 'stent'),
  plan('cellulitis', 0.007, 20, 99, 'inpatient', 3, 'medicine', ['infection'], 'ciprofloxacin'),
  plan('chestPain', 0.02, 30, 99, 'emergency', 0, 'emergency', ['cardiac'], undefined, 'electrocardiogram'),
  plan('forearm', 0.015, 4, 99, 'emergency', 0, 'orthopaedics', [], 'ibuprofen', 'cast'),
  plan('ankle', 0.012, 10, 99, 'emergency', 0, 'orthopaedics', [], 'oxycodone', 'cast'),
  plan('injury', 0.015, 1, 99, 'emergency', 0, 'emergency', []),
  plan('gastroenteritis', 0.02, 1, 99, 'emergency', 0, 'emergency', ['metabolic']),
  plan('bronchitis', 0.09, 2, 99, 'visit', 0, 'medicine', [], 'prednisone'),
  plan('urinary', 0.05, 16, 99, 'visit', 0, 'medicine', [], 'ciprofloxacin'),
  plan('otitis', 0.12, 1, 12, 'visit', 0, 'medicine', [], 'amoxicillin'),
  plan('throat', 0.06, 4, 30, 'visit', 0, 'medicine', [], 'amoxicillin'),
  plan('backPain', 0.06, 25, 99, 'visit', 0, 'medicine', [], 'ibuprofen'),
];

function plan(
  condition: ConditionKey,
  perYear: number,
  youngest: number,
  oldest: number,
  kind: EpisodePlan['kind'],
  days: number,
  specialty: string,
  panels: readonly PanelKey[],
  drug?: DrugKey,
  procedure?: keyof typeof PROCEDURES,
): EpisodePlan {
  return { condition, perYear, youngest, oldest, kind, days, specialty, drug, procedure, panels };
}

/** Adds acute problems, stays, unplanned visits, births and hospital appointments. */
export function drawEpisodes(chapter: Chapter): void {
  const { random, person, story, from, until } = chapter;
  if (person.bornAtHospital) birthOfSelf(chapter);
  deliveries(chapter);
  const years = (until - from) / (365.25 * DAY_MS);
  for (const episode of PLANS) {
    const times = random.chance(episode.perYear * years) ? 1 : 0;
    const forced = isForced(chapter, episode);
    if (times === 0 && !forced) continue;
    const at = from + (0.05 + random.next() * 0.85) * (until - from);
    const age = ageAt(person.birthDate, at);
    if (!forced && (age < episode.youngest || age > episode.oldest)) continue;
    if (person.scenario === 'one site' && episode.kind === 'visit') continue;
    live(chapter, episode, at);
  }
  if (story.stays.length > 0 && random.chance(0.5)) followUp(chapter);
  else if (random.chance(0.18)) consultation(chapter);
}

function isForced({ person }: Chapter, episode: EpisodePlan): boolean {
  if (!person.isSubject) return false;
  if (person.scenario === 'showcase') return episode.condition === 'pneumonia' || episode.condition === 'forearm';
  if (person.scenario === 'placeholder' || person.scenario === 'one site') return episode.condition === 'injury';
  return person.scenario === 'merge' && (episode.condition === 'chestPain' || episode.condition === 'gastroenteritis');
}

function live(chapter: Chapter, episode: EpisodePlan, at: number): void {
  const { random, story } = chapter;
  const condition = CONDITIONS[episode.condition];
  if (episode.kind === 'visit') {
    const day = officeHours(at, random.int(0, 500));
    story.problems.push({ condition, onset: day - 2 * DAY_MS, resolved: day + 12 * DAY_MS });
    if (story.atPractice)
      story.visits.push({ id: chapter.nextId(), at: day, reason: condition, vitals: vitalsOf(chapter, day) });
    prescribe(chapter, episode, day, 10);
    return;
  }
  const from = dayOf(at) + random.int(0, 1439) * MINUTE_MS;
  const days = episode.days === 0 ? 0 : Math.max(1, episode.days + random.int(-1, 3));
  const to = from + days * DAY_MS + random.int(2, 7) * HOUR_MS;
  story.problems.push({
    condition,
    onset: from - DAY_MS,
    resolved: episode.condition === 'infarction' ? undefined : to + 21 * DAY_MS,
  });
  const stay: Stay = {
    id: chapter.nextId(),
    kind: episode.kind,
    from,
    to,
    specialty: episode.specialty,
    condition,
    procedures: [],
    orders: episode.panels.map((panel, index) => orderOf(chapter, panel, from + (1 + index) * HOUR_MS)),
    slip: random.chance(0.03)
      ? random.pick(['admission cancelled', 'transfer cancelled', 'discharge cancelled'] as const)
      : undefined,
  };
  if (episode.procedure) {
    const done = { code: PROCEDURES[episode.procedure], at: from + 3 * HOUR_MS, where: 'hospital' as const };
    stay.procedures.push(done);
    story.procedures.push(done);
  }
  story.stays.push(stay);
  prescribe(chapter, episode, to, 10);
  seenAfterwards(chapter, stay);
}

function prescribe(chapter: Chapter, episode: EpisodePlan, at: number, days: number): void {
  const { random, person, story } = chapter;
  if (!episode.drug) return;
  const allergicToPenicillin = story.allergies.some((allergy) => allergy.allergen.key === 'penicillin');
  const drug = DRUGS[episode.drug === 'amoxicillin' && allergicToPenicillin ? 'azithromycin' : episode.drug];
  if (story.courses.some((course) => course.drug === drug)) return;
  story.courses.push({
    id: chapter.nextId(),
    drug,
    start: at,
    stop: episode.condition === 'infarction' ? undefined : at + days * DAY_MS,
    reason: CONDITIONS[episode.condition],
    prescriber: episode.kind === 'visit' ? story.familyDoctor : HOSPITAL_DOCTORS[episode.specialty]!,
    dispensed: person.scenario !== 'one site' && random.chance(0.9),
  });
}

/** The family doctor sees most people in the fortnight after a stay. */
function seenAfterwards(chapter: Chapter, stay: Stay): void {
  const { random, story, until } = chapter;
  const at = officeHours(stay.to + random.int(4, 13) * DAY_MS, random.int(0, 500));
  if (!story.atPractice || at > until || !random.chance(0.75)) return;
  story.visits.push({ id: chapter.nextId(), at, reason: stay.condition, vitals: vitalsOf(chapter, at) });
}

function followUp(chapter: Chapter): void {
  const { random, story, until } = chapter;
  const stay = random.pick(story.stays);
  const at = officeHours(stay.to + random.int(14, 60) * DAY_MS, random.int(0, 500));
  if (at > until || stay.kind === 'newborn') return;
  const booked = stay.to + HOUR_MS;
  story.appointments.push({
    id: chapter.nextId(),
    bookedAt: booked,
    at,
    specialty: stay.specialty,
    reason: stay.condition,
  });
}

/** The family doctor refers; the hospital books. */
function consultation(chapter: Chapter): void {
  const { random, story } = chapter;
  const visit = story.visits.length > 0 ? random.pick(story.visits) : undefined;
  if (!visit || ageAt(chapter.person.birthDate, visit.at) < 18) return;
  visit.referral = random.pick(['cardiology', 'orthopaedics', 'surgery']);
  const at = officeHours(visit.at + random.int(14, 70) * DAY_MS, random.int(0, 500));
  if (at > chapter.until) return;
  const booked = visit.at + DAY_MS + 20 * MINUTE_MS;
  story.appointments.push({
    id: chapter.nextId(),
    bookedAt: booked,
    at,
    specialty: visit.referral,
    reason: visit.reason,
  });
}

function birthOfSelf(chapter: Chapter): void {
  const { story, person, random } = chapter;
  const from = instantOf(person.birthDate) + 6 * HOUR_MS + (person.birthOrder ?? 1) * 9 * MINUTE_MS;
  const to = from + 2 * DAY_MS + random.int(1, 5) * HOUR_MS;
  const stay: Stay = {
    id: chapter.nextId(),
    kind: 'newborn',
    from,
    to,
    specialty: 'paediatrics',
    condition: CONDITIONS.newborn,
    procedures: [],
    orders: [],
  };
  story.stays.push(stay);
}

function deliveries(chapter: Chapter): void {
  const { home, person, story, random } = chapter;
  if (home.people[0] !== person && home.people[1] !== person) return;
  if (person.sex !== 'F') return;
  const child = home.people.find((other) => other.bornAtHospital);
  if (!child) return;
  const birth = instantOf(child.birthDate);
  const from = birth - 4 * HOUR_MS;
  story.problems.push({ condition: CONDITIONS.pregnancy, onset: birth - 250 * DAY_MS, resolved: birth + DAY_MS });
  const done = { code: PROCEDURES.childbirth, at: birth + 6 * HOUR_MS, where: 'hospital' as const };
  story.procedures.push(done);
  story.stays.push({
    id: chapter.nextId(),
    kind: 'inpatient',
    from,
    to: birth + 2 * DAY_MS + random.int(6, 12) * HOUR_MS,
    specialty: 'obstetrics',
    condition: CONDITIONS.delivery,
    procedures: [done],
    orders: [orderOf(chapter, 'bloodCount', from + HOUR_MS)],
  });
  const visits = [200, 120, 40];
  for (const days of visits) {
    const at = officeHours(birth - days * DAY_MS, random.int(0, 500));
    if (story.atPractice)
      story.visits.push({ id: chapter.nextId(), at, reason: CONDITIONS.pregnancy, vitals: vitalsOf(chapter, at) });
  }
}
