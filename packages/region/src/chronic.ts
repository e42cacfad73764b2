/** Chronic illness: who has what, the visits and blood tests that follow it, and the medicines taken for it. */

import { ageAt, DAY_MS, officeHours, YEAR_MS } from './calendar.ts';
import { PROCEDURES } from './codes/care.ts';
import { CONDITIONS, type ConditionKey } from './codes/conditions.ts';
import { DRUGS, type DrugKey } from './codes/medications.ts';
import { PANELS, type PanelKey } from './codes/tests.ts';
import { measure } from './measure.ts';
import type { Chapter, Order, Vitals } from './story.ts';

interface ChronicPlan {
  condition: ConditionKey;
  /** Chance at the age of 40 and at 75; linear between, none under `youngest`. */
  at40: number;
  at75: number;
  youngest: number;
  drugs: readonly (readonly DrugKey[])[];
  panels: readonly PanelKey[];
}

const PLANS: readonly ChronicPlan[] = [
  {
    condition: 'hypertension',
    at40: 0.15,
    at75: 0.6,
    youngest: 28,
    drugs: [['lisinopril10', 'lisinopril20', 'amlodipine', 'losartan'], ['thiazide']],
    panels: ['metabolic'],
  },
  {
    condition: 'diabetes',
    at40: 0.05,
    at75: 0.22,
    youngest: 30,
    drugs: [['metformin', 'metformin1000'], ['glargine']],
    panels: ['glycaemia', 'kidney'],
  },
  {
    condition: 'lipids',
    at40: 0.12,
    at75: 0.45,
    youngest: 30,
    drugs: [['atorvastatin', 'simvastatin']],
    panels: ['lipids', 'liver'],
  },
  { condition: 'asthma', at40: 0.09, at75: 0.07, youngest: 5, drugs: [['albuterol'], ['fluticasone']], panels: [] },
  { condition: 'kidney', at40: 0.01, at75: 0.15, youngest: 45, drugs: [], panels: ['kidney'] },
  { condition: 'copd', at40: 0.01, at75: 0.1, youngest: 45, drugs: [['fluticasone']], panels: ['bloodCount'] },
  { condition: 'thyroid', at40: 0.05, at75: 0.1, youngest: 25, drugs: [['levothyroxine']], panels: ['thyroid'] },
  { condition: 'depression', at40: 0.11, at75: 0.09, youngest: 16, drugs: [['sertraline']], panels: [] },
  {
    condition: 'fibrillation',
    at40: 0.003,
    at75: 0.09,
    youngest: 50,
    drugs: [['apixaban'], ['metoprolol']],
    panels: ['metabolic'],
  },
  { condition: 'reflux', at40: 0.1, at75: 0.15, youngest: 25, drugs: [['omeprazole']], panels: [] },
  { condition: 'obesity', at40: 0.18, at75: 0.15, youngest: 18, drugs: [], panels: [] },
  { condition: 'heartFailure', at40: 0.002, at75: 0.07, youngest: 55, drugs: [['furosemide']], panels: ['metabolic'] },
];

const SHOWCASE: ReadonlySet<ConditionKey> = new Set(['diabetes', 'hypertension', 'lipids', 'kidney']);

/** Adds chronic problems, their courses, the regular visits and the laboratory orders that go with them. */
export function drawChronic(chapter: Chapter): void {
  const { random, person, story, from, until } = chapter;
  const age = ageAt(person.birthDate, until);
  const showcase = person.scenario === 'showcase' && person.isSubject;
  const plans = PLANS.filter((plan) => (showcase ? SHOWCASE.has(plan.condition) : falls(chapter, plan, age)));
  for (const plan of plans) {
    const recent = !showcase && random.chance(0.3);
    const onset = officeHours(
      recent ? from + random.next() * (until - from) * 0.6 : from - random.next() * 6 * YEAR_MS,
      random.int(0, 500),
    );
    story.problems.push({ condition: CONDITIONS[plan.condition], onset });
    startCourses(chapter, plan, onset);
  }
  drawVisits(chapter, plans);
  drawOrders(chapter, plans, age);
  drawScreening(chapter, age);
}

function falls({ random }: Chapter, plan: ChronicPlan, age: number): boolean {
  const chance = plan.at40 + ((plan.at75 - plan.at40) * (Math.min(age, 85) - 40)) / 35;
  return age >= plan.youngest && random.chance(Math.max(chance, plan.at40 * 0.4));
}

function startCourses(chapter: Chapter, plan: ChronicPlan, onset: number): void {
  const { random, story, person, until } = chapter;
  const showcase = person.scenario === 'showcase' && person.isSubject;
  plan.drugs.forEach((choices, line) => {
    if (line > 0 && !random.chance(showcase ? 1 : 0.3)) return;
    const drug = DRUGS[showcase ? choices[0]! : random.common(choices, 1.3)];
    const start = onset + line * random.int(100, 700) * DAY_MS;
    if (start >= until || story.courses.some((course) => course.drug === drug)) return;
    const stops = !showcase && random.chance(0.12);
    story.courses.push({
      id: chapter.nextId(),
      drug,
      start,
      stop: stops ? start + random.int(90, 900) * DAY_MS : undefined,
      reason: CONDITIONS[plan.condition],
      prescriber: story.familyDoctor,
      dispensed: random.chance(showcase ? 1 : 0.93),
    });
  });
}

function drawVisits(chapter: Chapter, plans: readonly ChronicPlan[]): void {
  const { random, person, story, from, until } = chapter;
  if (!story.atPractice) return;
  const young = ageAt(person.birthDate, until) < 3;
  const gapDays = plans.length >= 3 ? 200 : plans.length > 0 ? 290 : young ? 200 : 520;
  for (
    let at = from + random.int(5, gapDays) * DAY_MS;
    at < until - DAY_MS;
    at += gapDays * (0.7 + random.next() * 0.6) * DAY_MS
  ) {
    const open = plans.filter((plan) =>
      story.problems.some((problem) => problem.condition.key === plan.condition && problem.onset <= at),
    );
    const reason = open.length > 0 ? CONDITIONS[random.pick(open).condition] : CONDITIONS.checkUp;
    story.visits.push({
      id: chapter.nextId(),
      at: officeHours(at, random.int(0, 500)),
      reason,
      vitals: vitalsOf(chapter, at),
    });
  }
}

/** Vital signs that fit the person's age, sex and blood pressure. */
export function vitalsOf({ random, person, story }: Chapter, at: number): Vitals {
  const age = ageAt(person.birthDate, at);
  const has = (key: ConditionKey): boolean => story.problems.some((problem) => problem.condition.key === key);
  const grown = person.sex === 'F' ? 150 + (person.ordinal % 26) : 163 + (person.ordinal % 27);
  const heightCm = age >= 17 ? grown : Math.round(52 + (grown - 52) * Math.min(1, (age + 1) / 18));
  const index = (age < 17 ? 15 + age * 0.35 : 22 + (person.ordinal % 7)) + (has('obesity') ? 8 : 0);
  return {
    systolic: Math.round(random.normal(has('hypertension') ? 141 : age < 12 ? 100 : 121, 9)),
    diastolic: Math.round(random.normal(has('hypertension') ? 87 : age < 12 ? 62 : 76, 6)),
    pulse: Math.round(random.normal(age < 5 ? 105 : 74, 7)),
    weightKg: Number((random.normal(index, 0.5) * (heightCm / 100) ** 2).toFixed(1)),
    heightCm,
    temperatureC: Number(random.normal(36.7, 0.2).toFixed(1)),
  };
}

function drawOrders(chapter: Chapter, plans: readonly ChronicPlan[], age: number): void {
  const { random, story, person, from, until } = chapter;
  const panels = new Set<PanelKey>(plans.flatMap((plan) => plan.panels));
  if (age >= 40 && panels.size === 0 && random.chance(0.5)) panels.add('lipids');
  if (age >= 16 && random.chance(0.25)) panels.add('bloodCount');
  const showcase = person.scenario === 'showcase' && person.isSubject;
  for (const panel of panels) {
    const gap = showcase && panel === 'glycaemia' ? 130 : panel === 'glycaemia' ? 270 : 520;
    for (
      let at = from + random.int(10, gap) * DAY_MS;
      at < until - 4 * DAY_MS;
      at += gap * (0.75 + random.next() * 0.5) * DAY_MS
    ) {
      story.labOrders.push(orderOf(chapter, panel, officeHours(at, random.int(0, 240))));
    }
  }
  forceAmendments(chapter);
}

/** An order with its measurements and, now and then, what became of it later. */
export function orderOf(chapter: Chapter, panel: PanelKey, at: number): Order {
  const { random } = chapter;
  const roll = random.next();
  const amendment = roll < 0.02 ? 'corrected' : roll < 0.026 ? 'retracted' : roll < 0.03 ? 'deleted' : undefined;
  const order: Order = {
    id: chapter.nextId(),
    at,
    panel: PANELS[panel],
    measurements: PANELS[panel].tests.map((test) => measure(chapter, test, at)),
    amendment,
    preliminary: random.chance(0.08),
  };
  if (amendment === 'corrected') misread(order);
  return order;
}

function forceAmendments({ person, story }: Chapter): void {
  if (!person.isSubject || story.labOrders.length < 2) return;
  const [first, second] = story.labOrders;
  if (person.scenario === 'showcase') {
    first!.amendment = 'corrected';
    misread(first!);
  }
  if (person.scenario === 'retraction') {
    first!.amendment = 'retracted';
    second!.amendment = 'deleted';
  }
}

function misread(order: Order): void {
  const measurement = order.measurements[0]!;
  measurement.firstValue ??= Number((measurement.value * 1.35).toFixed(measurement.test.digits));
}

function drawScreening({ random, person, story, from, until }: Chapter, age: number): void {
  const has = (key: ConditionKey): boolean => story.problems.some((problem) => problem.condition.key === key);
  const at = officeHours(from + random.next() * (until - from), random.int(0, 500));
  if (age >= 50 && random.chance(0.35)) story.procedures.push({ code: PROCEDURES.colonoscopy, at, where: 'practice' });
  if (age >= 45 && person.sex === 'F' && random.chance(0.4))
    story.procedures.push({ code: PROCEDURES.mammogram, at, where: 'practice' });
  if (has('asthma') || has('copd')) story.procedures.push({ code: PROCEDURES.spirometry, at, where: 'practice' });
}
