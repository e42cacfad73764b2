/** Ellery Reference Laboratory: results of the samples doctors send it, as HL7 v2.3.1 ORU messages. */

import { components, message, segment } from './er7.ts';
import { header, labClinician, labPatient } from './er7-patient.ts';
import type { SiteTelling } from './hospital.ts';
import { type Outgoing, resultFacts } from './outgoing.ts';
import type { Household } from './people.ts';
import { randomFrom } from './random.ts';
import { demographicsAt, type Registration, register } from './registrations.ts';
import { laboratoryResults, type Release, releasesOf } from './results-er7.ts';
import type { Order, Story } from './story.ts';

/** What the laboratory knows of one person and the results it releases about them. */
export function laboratoryTelling(home: Household, story: Story): SiteTelling {
  const first = story.labOrders[0];
  if (!first) return { registrations: [], outgoing: [] };
  const random = randomFrom(home.seed, 'laboratory', story.person.ordinal);
  const since = random.chance(0.4) ? Math.min(first.at, home.from) : first.at;
  const registration = register(story.person, 'ellery-lab', since, home.seed);
  const outgoing = story.labOrders.flatMap((order) =>
    told(story, registration, order, releasesOf(order)).filter(({ at }) => at < home.until),
  );
  return { registrations: [registration], outgoing };
}

/** The results of one more order of somebody whom the laboratory knows. */
export function laboratoryOrder(home: Household, story: Story, order: Order, releases: readonly Release[]): Outgoing[] {
  const [registration] = laboratoryTelling(home, story).registrations;
  return registration ? told(story, registration, order, releases) : [];
}

function told(story: Story, registration: Registration, order: Order, releases: readonly Release[]): Outgoing[] {
  const doctor = labClinician(story.familyDoctor);
  const facts = resultFacts(order);
  const states = order.amendment === 'retracted' || order.amendment === 'deleted' ? facts.slice(1) : facts;
  return releases.map((release) => ({
    site: 'ellery-lab' as const,
    dialect: 'hl7v2' as const,
    type: 'ORU^R01',
    at: release.at,
    states,
    write: (controlId: string) =>
      message([
        header('ellery-lab', 'ORU^R01', release.at, controlId),
        labPatient(demographicsAt(story.person, registration, release.at), registration.number),
        segment('PV1', { 1: '1', 2: 'O', 3: components(story.atPractice ? 'MILLBROOK' : 'OUTSIDE'), 8: doctor }),
        ...laboratoryResults(order, release, doctor),
      ]),
  }));
}
