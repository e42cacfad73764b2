/** The people of the record that one asked for may be. */
import type { Patient } from '@medplum/fhirtypes';
import { type AskedPerson, type Likeness, likeness } from './asked-person.ts';
import { byIdentifier, byTraits, type Criteria } from './criteria.ts';
import { findPersons, readPatient } from './persons.ts';
import type { Question } from './query.ts';

export interface Candidates {
  /** Those who are the person asked for; of several it is not known which. */
  matches: Patient[];
  /** Those who may be. */
  candidates: Patient[];
  /** There are more than were looked at. */
  isCrowded: boolean;
}

/** So many people are held against the one asked for, for each way of looking. */
const compared = 100;

/**
 * Those who are the person asked for, and those who may be. Where somebody is for sure, others who are less surely do not
 * count: a twin of a like name hides nobody.
 */
export async function candidatesOf({ record, persons, access }: Question, person: AskedPerson): Promise<Candidates> {
  const { numbers, patient } = person;
  const found = new Map<string, { like: Likeness; patient: Patient }>();
  const of = (like: Likeness) => [...found.values()].filter((one) => one.like === like).map((one) => one.patient);
  let isCrowded = false;
  const hold = (one: Patient) => found.set(one.id!, { like: likeness(person, one), patient: one });
  const look = async (criteria: Criteria) => {
    const { patients, next } = await findPersons(record, access, criteria, compared);
    isCrowded ||= next !== undefined;
    for (const one of patients) hold(one);
  };
  for (const { domain, value } of numbers) await look(byIdentifier(domain, value));
  const [{ family = '', given = [] } = {}] = patient.name ?? [];
  const { birthDate } = patient;
  if (of('number').length === 0 && birthDate) {
    if (family) await look(byTraits({ family, birthDate }));
    if (given[0]) await look(byTraits({ given: given[0], birthDate }));
    // Who is alike is told by demographics some of which may be hidden from the asker.
    const isTold = of('same').length === 0 && !access.limits.redactions;
    const alike = isTold ? await persons.alike(patient) : [];
    const read = alike.filter((id) => !found.has(id)).map((id) => readPatient(record, access, id));
    for (const one of await Promise.all(read)) if (one) hold(one);
  }
  const sure = (['number', 'same'] as const).map(of).find(({ length }) => length > 0);
  const [linked, candidates] = [of('linked'), of('candidate')];
  // Whom the person index would join is the one only where nobody else may be.
  return { matches: sure ?? (linked.length > 0 ? [...linked, ...candidates] : []), candidates, isCrowded };
}
