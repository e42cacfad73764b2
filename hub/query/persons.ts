/** The people that criteria fit, by the record's own search under the asker's access: a page, in an order that stays. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { type FhirRecord, RecordError } from '../record/index.ts';
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
    const page = await searched(record, access, parameters);
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

/** @throws QueryError where the criteria look at elements that are hidden from the asker */
export async function searched(
  record: FhirRecord,
  access: Access,
  parameters: [string, string][],
): ReturnType<FhirRecord['search']> {
  try {
    return await record.search(access, record.readSearch('Patient', parameters, false));
  } catch (error) {
    if (!(error instanceof RecordError) || error.status !== 403) throw error;
    throw new QueryError({ errorCode: '207', message: 'What the query asks by is hidden from this organisation' });
  }
}

/** The Patient of an id; undefined where there is none that this access may see. */
export async function readPatient(record: FhirRecord, access: Access, id: string): Promise<Patient | undefined> {
  try {
    return JSON.parse((await record.read(access, 'Patient', id)).text) as Patient;
  } catch (error) {
    if (error instanceof RecordError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}

/** A person's identifiers without those of records that their site has merged into another (A40). */
export async function identifiersInUse(record: FhirRecord, access: Access, patient: Patient): Promise<Identifier[]> {
  const all = patient.identifier ?? [];
  const homes = (await record.homesOf([patient.id!])).get(patient.id!) ?? [];
  if (homes.length < 2) return all;
  const ids = (patient.link ?? []).flatMap(({ other }) => /^Patient\/(.+)$/.exec(other.reference ?? '')?.[1] ?? []);
  const sources = await Promise.all(ids.map((id) => readPatient(record, access, id)));
  const inUse = sources.filter((source) => source !== undefined && source.active !== false);
  const held = new Set(inUse.flatMap((source) => (source?.identifier ?? []).map(spelt)));
  return held.size === 0 ? all : all.filter((one) => held.has(spelt(one)));
}

function spelt({ system, value }: Identifier): string {
  return `${system}|${value}`;
}
