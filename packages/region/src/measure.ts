/** What a blood or urine test of this person shows at a time, given the illnesses known by then. */

import { YEAR_MS } from './calendar.ts';
import type { ConditionKey } from './codes/conditions.ts';
import type { LabTest } from './codes/tests.ts';
import type { Chapter, Measurement } from './story.ts';

/** How an open illness shifts a test: by how many of the test's usual spreads. */
const SHIFTS: Readonly<Record<string, Partial<Record<ConditionKey, number>>>> = {
  a1c: { diabetes: 9 },
  glucose: { diabetes: 8 },
  creatinine: { kidney: 6 },
  urea: { kidney: 4, heartFailure: 2 },
  egfr: { kidney: -4.4 },
  potassium: { kidney: 1.8 },
  cholesterol: { lipids: 3 },
  ldl: { lipids: 3.2 },
  triglyceride: { lipids: 2, diabetes: 2, obesity: 1.5 },
  hdl: { obesity: -1 },
  tsh: { thyroid: 5 },
  crp: { pneumonia: 60, appendicitis: 40, cellulitis: 25, infarction: 8 },
  leukocytes: { pneumonia: 6, appendicitis: 7, cellulitis: 4 },
  troponin: { infarction: 400 },
  albuminRatio: { kidney: 18, diabetes: 4 },
};

/** One value in conventional units; chronic illness gets better under treatment by a tenth a year. */
export function measure({ random, person, story }: Chapter, test: LabTest, at: number): Measurement {
  let value = test.usual + ((person.ordinal % 5) - 2) * 0.3 * test.spread;
  const shifts = SHIFTS[test.key] ?? {};
  for (const problem of story.problems) {
    const shift = shifts[problem.condition.key as ConditionKey];
    if (shift === undefined || problem.onset > at || (problem.resolved !== undefined && problem.resolved < at))
      continue;
    const years = Math.min(4, (at - problem.onset) / YEAR_MS);
    value += shift * test.spread * (problem.resolved === undefined ? 1 - 0.1 * years : 1);
  }
  value = random.normal(value, test.spread * 0.6);
  return { test, value: Number(Math.max(value, test.usual * 0.1).toFixed(test.digits)) };
}
