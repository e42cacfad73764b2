/** A message planned but not yet written: who sends it, when, what it states, and how to write it. */

import { isoDate, isoInstant } from './calendar.ts';
import type { Allergen } from './codes/allergies.ts';
import type { Vaccine } from './codes/care.ts';
import type { Condition } from './codes/conditions.ts';
import type { Drug } from './codes/medications.ts';
import type { SiteKey } from './sites.ts';
import type { Order, ProcedureDone } from './story.ts';

export interface Fact {
  kind: 'condition' | 'allergy' | 'no allergy' | 'medication' | 'immunization' | 'procedure' | 'result';
  system: string;
  code: string;
  display: string;
  /** The day or instant that tells this fact from others of the same code. */
  at?: string;
}

export interface Outgoing {
  site: SiteKey;
  dialect: 'hl7v2' | 'ccda' | 'fhir';
  /** `ADT^A01`, `CCD`, `Bundle`. */
  type: string;
  at: number;
  /** The facts the message tells, as the truth names them. */
  states: Fact[];
  /** Writes the message under its control id (MSH-10, document id, Bundle identifier). */
  write(controlId: string): string;
}

export const SYSTEMS = {
  snomed: 'http://snomed.info/sct',
  icd10: 'http://hl7.org/fhir/sid/icd-10-cm',
  rxnorm: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  ndc: 'http://hl7.org/fhir/sid/ndc',
  cvx: 'http://hl7.org/fhir/sid/cvx',
  loinc: 'http://loinc.org',
} as const;

/** The fact that a person has this illness. */
export function conditionFact(condition: Condition): Fact {
  return { kind: 'condition', system: SYSTEMS.snomed, code: condition.snomed, display: condition.text };
}

/** The fact that a person is allergic to this. */
export function allergyFact(allergen: Allergen): Fact {
  return { kind: 'allergy', system: SYSTEMS.snomed, code: allergen.snomed, display: allergen.text };
}

/** A substance looked for and found harmless, or (no argument) no known allergy at all. */
export function noAllergyFact(allergen?: Allergen): Fact {
  return allergen
    ? { kind: 'no allergy', system: SYSTEMS.snomed, code: allergen.snomed, display: `Not allergic: ${allergen.text}` }
    : { kind: 'no allergy', system: SYSTEMS.snomed, code: '716186003', display: 'No known allergy' };
}

/** The fact that a person takes this medicine. */
export function medicationFact(drug: Drug): Fact {
  return { kind: 'medication', system: SYSTEMS.rxnorm, code: drug.rxnorm, display: drug.text };
}

/** The fact that a vaccine was given on a day. */
export function immunizationFact(vaccine: Vaccine, at: number): Fact {
  return { kind: 'immunization', system: SYSTEMS.cvx, code: vaccine.cvx, display: vaccine.text, at: isoDate(at) };
}

/** The fact that something was done on a day. */
export function procedureFact(done: ProcedureDone): Fact {
  const { code, at } = done;
  return { kind: 'procedure', system: SYSTEMS.snomed, code: code.snomed, display: code.text, at: isoDate(at) };
}

/** One fact a measurement; the LOINC code is that of the conventional unit whatever the site sent. */
export function resultFacts(order: Order): Fact[] {
  return order.measurements.map(({ test }) => ({
    kind: 'result',
    system: SYSTEMS.loinc,
    code: test.loinc,
    display: test.text,
    at: isoInstant(order.at),
  }));
}
