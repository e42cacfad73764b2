/** The people that criteria fit, by the record's own search under the asker's access: a page, in an order that stays. */
import type { Patient } from '@medplum/fhirtypes';
import type { FhirRecord } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { Criteria } from './criteria.ts';
import { QueryError } from './query.ts';

export interface FoundPersons {
  patients: Patient[];
  /** Where the next page begins; undefined behind the last person. */
  next: string | undefined;
}

/** So many people are looked at for one page. */
const lookedAt = 2_000;

/** @throws QueryError where too many people would have to be looked at */
export async function findPersons(
  record: FhirRecord,
  access: Access,
  criteria: Criteria,
  limit: number,
  cursor?: string,
): Promise<FoundPersons> {
  const patients = new Map<string, Patient>();
  let next = cursor;
  for (let looked = 0; looked < lookedAt; ) {
    const parameters: [string, string][] = [...criteria.parameters, ['_count', String(limit - patients.size)]];
    if (next !== undefined) parameters.push(['_cursor', next]);
    const page = await record.search(access, record.readSearch('Patient', parameters, false));
    for (const { rid, text } of page.matches) {
      const patient = JSON.parse(text) as Patient;
      if (criteria.fits(patient)) patients.set(rid, patient);
    }
    looked += page.matches.length;
    next = page.next;
    if (next === undefined || patients.size >= limit) return { patients: [...patients.values()], next };
    if (page.matches.length === 0) break;
  }
  throw new QueryError({
    errorCode: '199',
    message: 'Too many people would have to be looked at: say more of who it is',
  });
}
