/**
 * Whom of the record a description of somebody may be of (https://hl7.org/fhir/R4/patient-operation-match.html): held
 * against what the caller sees, so that what is hidden neither finds nor raises anybody.
 */

import { hidesOf } from '@causeway/fhir';
import { blockingKeys, compare, defaultModel, demographicsOf, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import { type FhirRecord, RecordError, type StoredResource } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { PersonIndex } from './person-index.ts';

/** A code of http://terminology.hl7.org/CodeSystem/match-grade. */
export type MatchGrade = 'certain' | 'probable' | 'possible';

export interface Match {
  patient: StoredResource;
  grade: MatchGrade;
  /** The probability that it is the one who is described. */
  score: number;
}

/**
 * Who may be meant, the likeliest first. `certain` is one whom the person index would join with the one described, where
 * it would join no other; undefined where too little is said to look for anybody.
 * @throws RecordError 403 where demographics are hidden from the caller
 */
export async function matchesOf(
  { record, persons }: { record: FhirRecord; persons: Pick<PersonIndex, 'alike'> },
  access: Access,
  described: Patient,
): Promise<Match[] | undefined> {
  if (access.limits.redactions?.some(({ elements }) => hidesOf(elements, 'Patient'))) {
    const text = 'Elements of Patient are hidden from this access: nobody can be matched by them.';
    throw new RecordError(403, 'forbidden', text);
  }
  const asked = prepare(demographicsOf(described));
  const keys = new Set(blockingKeys(asked));
  if (keys.size === 0) return undefined;
  const ids = await persons.alike(described);
  const seen = await Promise.all(ids.map((id) => visible(record, access, id)));
  const compared = seen.flatMap((patient) => {
    if (!patient) return [];
    const known = prepare(demographicsOf(JSON.parse(patient.text) as Patient));
    // Of a person some of whose records are hidden, the others alone have to be why they were looked at.
    if (!blockingKeys(known).some((key) => keys.has(key))) return [];
    const comparison = compare(asked, known);
    return comparison.outcome === 'different' ? [] : [{ patient, ...comparison }];
  });
  const isOne = compared.filter(({ outcome }) => outcome === 'link').length === 1;
  return compared
    .sort((a, b) => b.posterior - a.posterior)
    .map(({ patient, outcome, posterior, probability }) => ({
      patient,
      grade:
        outcome === 'link' && isOne ? 'certain' : posterior >= defaultModel.thresholds.link ? 'probable' : 'possible',
      score: Math.round(probability * 10_000) / 10_000,
    }));
}

async function visible(record: FhirRecord, access: Access, id: string): Promise<StoredResource | undefined> {
  try {
    return await record.read(access, 'Patient', id);
  } catch (error) {
    if (error instanceof RecordError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}
