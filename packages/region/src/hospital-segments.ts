/** PV1, AL1, DG1, PR1, IN1 and the words of a discharge summary, as the hospital writes them. */

import { compactDate, isoDate } from './calendar.ts';
import type { Condition } from './codes/conditions.ts';
import { components, segment } from './er7.ts';
import { clinician, hospitalTime } from './er7-patient.ts';
import { allergyFact, type Fact } from './outgoing.ts';
import type { Person } from './people.ts';
import { type Clinician, HOSPITAL_DOCTORS } from './sites.ts';
import type { Allergy, Stay, Story } from './story.ts';

export interface VisitDetails {
  visitId: string;
  ward?: string;
  discharged?: boolean;
}

/** The family doctor stands in PV1-8, unless nobody knows who the patient is. */
export function visit(familyDoctor: Clinician | undefined, stay: Stay, details: VisitDetails): string {
  const doctor = HOSPITAL_DOCTORS[stay.specialty]!;
  const ward = details.ward ?? (stay.kind === 'emergency' ? 'ED' : (WARDS[stay.specialty] ?? '3E'));
  const room = String(100 + (Number(stay.id) % 40));
  return segment('PV1', {
    1: '1',
    2: stay.kind === 'emergency' ? 'E' : 'I',
    3: components(ward, room, stay.kind === 'emergency' ? '' : 'A', 'HGH'),
    4: stay.kind === 'newborn' ? 'N' : stay.kind === 'emergency' ? 'E' : 'U',
    7: clinician(doctor),
    8: familyDoctor && clinician(familyDoctor),
    10: SERVICES[stay.specialty],
    14: '1',
    19: components(`HV${details.visitId}`, '', '', 'HGHVISIT', 'VN'),
    36: details.discharged ? '01' : undefined,
    44: hospitalTime(stay.from),
    45: details.discharged ? hospitalTime(stay.to) : undefined,
  });
}

/** Most desks ask about allergies and hear of those that had shown by then. */
export function allergies(story: Story, at: number): string[] {
  return knownAllergies(story, at).map((allergy, index) =>
    segment('AL1', {
      1: String(index + 1),
      2: components(
        allergy.allergen.category === 'medication' ? 'DA' : allergy.allergen.category === 'food' ? 'FA' : 'EA',
      ),
      3: components(
        allergy.allergen.hospitalCode,
        allergy.allergen.text,
        'HGHALG',
        ...(allergy.allergen.rxnorm ? [allergy.allergen.rxnorm, allergy.allergen.text, 'RXNORM'] : []),
      ),
      4: allergy.severity.v2,
      5: allergy.reaction.text,
      6: compactDate(allergy.onset),
    }),
  );
}

/** The facts those segments state. */
export function allergyFacts(story: Story, at: number): Fact[] {
  return knownAllergies(story, at).map((allergy) => allergyFact(allergy.allergen));
}

/** The reason for the stay first, then the long-standing illnesses the desk heard of. */
export function diagnoses(conditions: readonly Condition[], stay: Stay): string[] {
  return conditions.map((condition, index) =>
    segment('DG1', {
      1: String(index + 1),
      3: components(condition.icd10, condition.text, 'I10'),
      5: hospitalTime(stay.from),
      6: index === 0 ? 'A' : 'W',
      15: String(index + 1),
    }),
  );
}

/** What those segments state: the illness of the stay and, of people who stay the night, the long-standing ones. */
export function statedConditions(story: Story, stay: Stay, at: number): Condition[] {
  const standing = stay.kind === 'inpatient' ? standingProblems(story, at) : [];
  return [stay.condition, ...standing.filter((condition) => condition !== stay.condition)];
}

function standingProblems(story: Story, at: number): Condition[] {
  return story.problems
    .filter((problem) => problem.resolved === undefined && problem.onset < at)
    .map((problem) => problem.condition);
}

/** PR1 of what was done during the stay. */
export function procedures(stay: Stay): string[] {
  return stay.procedures.map((done, index) =>
    segment('PR1', {
      1: String(index + 1),
      3: done.code.pcs
        ? components(done.code.pcs, done.code.text, 'I10P')
        : components(done.code.snomed, done.code.text, 'SCT'),
      5: hospitalTime(done.at),
      11: clinician(HOSPITAL_DOCTORS[stay.specialty]!),
    }),
  );
}

/** One policy a household, as families have. */
export function insurance(person: Person): string[] {
  const plan = PLANS[Math.floor(person.ordinal / 8) % PLANS.length]!;
  return [
    segment('IN1', {
      1: '1',
      2: components(plan[0], plan[1]),
      3: components(plan[0]),
      4: components(plan[1]),
      36: `${plan[0]}${String(Math.floor(person.ordinal / 8) * 37 + 500_011)}`,
    }),
  ];
}

/** The paragraphs of the discharge summary. */
export function summaryLines(story: Story, stay: Stay): string[] {
  const doctor = HOSPITAL_DOCTORS[stay.specialty]!;
  const standing = standingProblems(story, stay.from).map((condition) => condition.text.toLowerCase());
  const taking = story.courses.filter(
    (course) => course.start <= stay.to && (course.stop === undefined || course.stop > stay.to),
  );
  const findings = stay.orders
    .flatMap((order) => order.measurements)
    .map(({ test, value }) => `${test.text} ${value.toFixed(test.digits)} ${test.unit}`);
  const allergic = knownAllergies(story, stay.from).map(
    (allergy) => `${allergy.allergen.text} (${allergy.reaction.text.toLowerCase()})`,
  );
  return [
    `DISCHARGE SUMMARY\nAdmitted ${isoDate(stay.from)}, discharged ${isoDate(stay.to)}.`,
    `Reason for the stay: ${stay.condition.text} (${stay.condition.icd10}).`,
    `Known before: ${standing.length > 0 ? standing.join(', ') : 'nothing of note'}. Allergies: ${allergic.join(', ') || 'none told to us'}.`,
    ...(stay.procedures.length > 0 ? [`Done: ${stay.procedures.map((done) => done.code.text).join(', ')}.`] : []),
    ...(findings.length > 0 ? [`Laboratory: ${findings.join('; ')}.`] : []),
    `Going home on: ${taking.map((course) => `${course.drug.text}, ${course.drug.sig}`).join('; ') || 'no medicines'}.`,
    `For the family doctor, Dr ${story.familyDoctor.family}: please see within two weeks.\nDr ${doctor.given} ${doctor.family}, ${doctor.specialty}`,
  ];
}

function knownAllergies(story: Story, at: number): Allergy[] {
  if (story.person.ordinal % 10 === 7) return [];
  return story.allergies.filter((allergy) => allergy.onset < at);
}

const WARDS: Readonly<Record<string, string>> = {
  obstetrics: '2M',
  paediatrics: '2N',
  surgery: '5S',
  cardiology: '4C',
};

const SERVICES: Readonly<Record<string, string>> = {
  medicine: 'MED',
  emergency: 'EMR',
  surgery: 'SUR',
  cardiology: 'CAR',
  orthopaedics: 'ORT',
  obstetrics: 'OBS',
  paediatrics: 'PED',
};

const PLANS: readonly (readonly [string, string])[] = [
  ['TIDE', 'Tidewater Health Plan'],
  ['NCM', 'North Coast Mutual'],
  ['PINE', 'Pine State Care'],
];
