/** What the practice's chart holds on a day: the part of the story its doctors have learnt by then. */

import { DAY_MS, YEAR_MS } from './calendar.ts';
import type { Allergy, Course, Order, Problem, ProcedureDone, Shot, Story, Visit } from './story.ts';

export interface Chart {
  at: number;
  visit: Visit;
  problems: Problem[];
  courses: Course[];
  allergies: Allergy[];
  denied: Story['denied'];
  shots: Shot[];
  procedures: ProcedureDone[];
  visits: Visit[];
  orders: Order[];
  story: Story;
}

const LAST_RESULTS = 4;
const LAST_VISITS = 3;

/** The chart as a document written at this time would hold it. */
export function chartAt(story: Story, visit: Visit, at: number): Chart {
  return {
    at,
    visit,
    story,
    problems: story.problems.filter((problem) => problem.onset < at && (problem.resolved ?? at) > at - 4 * YEAR_MS),
    courses: story.courses.filter((course) => course.start < at && (course.stop ?? at) > at - YEAR_MS / 2),
    allergies: story.allergies.filter((allergy) => allergy.onset < at),
    denied: story.denied === 'all' && story.allergies.some((allergy) => allergy.onset < at) ? undefined : story.denied,
    shots: story.shots.filter((shot) => shot.at < at),
    procedures: story.procedures.filter((done) => done.at < at),
    visits: story.visits.filter((other) => other.at < at).slice(-LAST_VISITS),
    orders: story.labOrders
      .filter(
        (order) => order.at + 3 * DAY_MS < at && (order.amendment === undefined || order.amendment === 'corrected'),
      )
      .slice(-LAST_RESULTS),
  };
}
