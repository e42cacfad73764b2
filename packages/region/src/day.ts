/**
 * What the sites say on the day on which somebody looks: a result that cannot wait, a discharge of which no summary is written
 * yet, a referral that nobody has answered. The story itself ends earlier; this is told beside it.
 */
import { ageAt, DAY_MS, HOUR_MS, isoDate, isoInstant, MINUTE_MS } from './calendar.ts';
import { CONDITIONS } from './codes/conditions.ts';
import { PANELS } from './codes/tests.ts';
import { hospitalReferral, hospitalStay } from './hospital.ts';
import { hospitalRecords } from './hospital-registrations.ts';
import { laboratoryOrder, laboratoryTelling } from './laboratory.ts';
import type { Outgoing } from './outgoing.ts';
import type { Household, Person } from './people.ts';
import { practiceTelling } from './practice.ts';
import { households, type RegionMessage, type RegionOptions } from './region.ts';
import { type Story, storyOf } from './story.ts';

/**
 * Somebody of the town who can be told of: grown up, and known by one number at hospital, practice and laboratory. Not the
 * person to show, of whom the story tells all.
 */
interface Told {
  home: Household;
  person: Person;
  story: Story;
}

/** The messages, in time order. @param now the instant of the day, in milliseconds since 1970 */
export function dayMessages(options: RegionOptions, now: number): RegionMessage[] {
  const [first, second, third] = toldPeople(options, 3);
  const outgoing = [
    ...(first ? criticalResult(first, now) : []),
    ...(second ? discharge(second, now) : []),
    ...(third ? hospitalReferral(third.home, third.story, now - 20 * HOUR_MS) : []),
  ].filter(({ at }) => at <= now);
  const day = isoDate(now).replaceAll('-', '');
  return outgoing
    .sort((a, b) => a.at - b.at)
    .map(({ site, dialect, type, at, write }, i) => {
      const controlId = `DAY${day}${String(i + 1).padStart(2, '0')}`;
      return { site, dialect, type, at: isoInstant(at), body: write(controlId), controlId };
    });
}

function toldPeople(options: RegionOptions, count: number): Told[] {
  const found: Told[] = [];
  for (const home of households(options)) {
    if (home.scenario === 'showcase') continue;
    for (const person of home.people) {
      const story = storyOf(home, person);
      const records = hospitalRecords(home, person, story)?.registrations ?? [];
      const isKnown = [practiceTelling(home, story), laboratoryTelling(home, story)].every(
        ({ registrations }) => registrations.length > 0,
      );
      const isPlain = records.length === 1 && records[0]!.placeholder === undefined && isKnown;
      if (isPlain && ageAt(person.birthDate, home.until) >= 18) found.push({ home, person, story });
      if (found.length === count) return found;
    }
  }
  return found;
}

/** A heart that is in danger, by its troponin, released half an hour ago. */
function criticalResult({ home, story, person }: Told, now: number): Outgoing[] {
  const taken = now - 3 * HOUR_MS;
  const panel = PANELS.cardiac;
  const measurements = panel.tests.map((test) => ({
    test,
    value: test.key === 'troponin' ? test.high! * 12 : test.usual,
  }));
  const id = `9${String(person.ordinal).padStart(7, '0')}1`;
  const order = { id, at: taken, panel, measurements, preliminary: false };
  return laboratoryOrder(home, story, order, [{ status: 'F', at: now - 30 * MINUTE_MS }]);
}

/** Home since two hours after three days in hospital. */
function discharge({ home, story, person }: Told, now: number): Outgoing[] {
  const to = now - 2 * HOUR_MS;
  const id = `9${String(person.ordinal).padStart(7, '0')}2`;
  const condition = CONDITIONS.pneumonia;
  return hospitalStay(home, story, {
    id,
    kind: 'inpatient',
    from: to - 3 * DAY_MS,
    to,
    specialty: 'medicine',
    condition,
    procedures: [],
    orders: [],
  });
}
