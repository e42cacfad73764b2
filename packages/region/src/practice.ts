/** Millbrook Family Practice: which documents it exports, and when (C-CDA R2.1 CCDs after visits, referral notes). */

import { DAY_MS, HOUR_MS } from './calendar.ts';
import type { SiteTelling } from './hospital.ts';
import {
  allergyFact,
  conditionFact,
  type Fact,
  immunizationFact,
  medicationFact,
  noAllergyFact,
  type Outgoing,
  procedureFact,
  resultFacts,
} from './outgoing.ts';
import type { Household } from './people.ts';
import { type Chart, chartAt } from './practice-chart.ts';
import { ccd, referralNote } from './practice-documents.ts';
import { randomFrom } from './random.ts';
import { demographicsAt, register } from './registrations.ts';
import type { Story } from './story.ts';

/** What the practice knows of one person and the documents it exports about them. */
export function practiceTelling(home: Household, story: Story): SiteTelling {
  if (!story.atPractice || story.visits.length === 0) return { registrations: [], outgoing: [] };
  const { person } = story;
  const random = randomFrom(home.seed, 'practice', person.ordinal);
  const since = random.chance(0.75) ? Math.min(home.from, story.visits[0]!.at) : story.visits[0]!.at;
  const registration = register(person, 'millbrook-practice', since, home.seed);
  const outgoing: Outgoing[] = [];
  story.visits.forEach((visit, index) => {
    const isLast = index === story.visits.length - 1;
    const at = visit.at + 2 * HOUR_MS;
    const about = { person, registration, known: demographicsAt(person, registration, at), story };
    if (isLast || random.chance(0.6)) {
      const chart = chartAt(story, visit, at);
      const write = (id: string): string => ccd(about, chart, id);
      outgoing.push({ site: 'millbrook-practice', dialect: 'ccda', type: 'CCD', at, states: factsOf(chart), write });
    }
    if (visit.referral !== undefined) {
      const sentAt = Math.min(at + HOUR_MS, home.until - DAY_MS / 2);
      const chart = chartAt(story, visit, sentAt);
      const write = (id: string): string => referralNote(about, chart, visit.referral!, id);
      outgoing.push({
        site: 'millbrook-practice',
        dialect: 'ccda',
        type: 'Referral note',
        at: sentAt,
        states: referralFacts(chart),
        write,
      });
    }
  });
  return { registrations: [registration], outgoing };
}

function factsOf(chart: Chart): Fact[] {
  return [
    ...referralFacts(chart),
    ...chart.shots.map((shot) => immunizationFact(shot.vaccine, shot.at)),
    ...chart.procedures.map(procedureFact),
    ...chart.orders.flatMap(resultFacts),
  ];
}

/** A referral note has problems, medicines and allergies only. */
function referralFacts(chart: Chart): Fact[] {
  return [
    ...chart.problems.map((problem) => conditionFact(problem.condition)),
    ...chart.courses.map((course) => medicationFact(course.drug)),
    ...chart.allergies.map((allergy) => allergyFact(allergy.allergen)),
    ...(chart.denied ? [noAllergyFact(chart.denied === 'all' ? undefined : chart.denied)] : []),
  ];
}
