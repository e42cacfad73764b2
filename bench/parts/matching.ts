/**
 * Matching: registrations of the region, with their misspellings and moves, are stored through the record and the
 * person index on an embedded database, as the inbox does; the same without the person index tells what matching costs.
 */
import { isFhirError, scanResource } from '@causeway/fhir';
import { type Demographics, type Site, sites, type TruthRecord, truth } from '@causeway/region';
import type { Patient } from '@medplum/fhirtypes';
import { PersonIndex } from '../../hub/identity/index.ts';
import { FhirRecord, IndexKey, newId } from '../../hub/record/index.ts';
import { fixedMasterKey, newDataKey } from '../../hub/secrets/index.ts';
import { usageOf } from '../server/usage.ts';
import { withDatabase } from './database.ts';

export interface MatchingResult {
  /** Registrations stored and matched per second. */
  rate_per_s: number;
  /** CPU of Node and PostgreSQL per registration: candidates, scores, links and persons; storing not counted. */
  cpu_ms_per_op: number;
  /** The same with storing. */
  cpu_ms_per_op_with_storing: number;
  registrations: number;
  persons: number;
}

const perTransaction = 64;
/** Registrations stored before the clock runs; a share of the whole where there are few. */
const warmShare = 0.25;

/** Matches the registrations of so many people. */
export async function matchingRun(people: number): Promise<MatchingResult> {
  const patients = [...registrations(people)];
  const warm = Math.floor(patients.length * warmShare);
  const alone = await stored(patients, warm, false);
  const matched = await stored(patients, warm, true);
  const count = patients.length - warm;
  return {
    rate_per_s: count / matched.seconds,
    cpu_ms_per_op: Math.max(0, matched.cpuMs - alone.cpuMs) / count,
    cpu_ms_per_op_with_storing: matched.cpuMs / count,
    registrations: count,
    persons: matched.persons,
  };
}

async function stored(
  patients: Patient[],
  warm: number,
  withPersons: boolean,
): Promise<{ cpuMs: number; seconds: number; persons: number }> {
  return withDatabase(async (database, postmaster) => {
    const record = new FhirRecord(database, fixedMasterKey(newDataKey()), new IndexKey(1, newDataKey()));
    if (withPersons) new PersonIndex(database, record);
    await store(record, patients.slice(0, warm));
    const before = usageOf(process.pid, postmaster);
    const begun = performance.now();
    await store(record, patients.slice(warm));
    const seconds = (performance.now() - begun) / 1000;
    const after = usageOf(process.pid, postmaster);
    const { rows } = await database.query('SELECT count(DISTINCT person) AS count FROM link');
    const cpuMs = after.hubCpuMs + after.postgresCpuMs - before.hubCpuMs - before.postgresCpuMs;
    return { cpuMs, seconds, persons: Number(rows[0]!.count) };
  });
}

async function store(record: FhirRecord, patients: Patient[]): Promise<void> {
  for (let from = 0; from < patients.length; from += perTransaction) {
    const batch = patients.slice(from, from + perTransaction).map((patient) => {
      const scanned = scanResource(JSON.stringify(patient));
      if (isFhirError(scanned)) throw new Error(scanned.error);
      return { scanned, id: patient.id! };
    });
    await record.writer.write({
      keys: batch.map(({ id }) => ({ type: 'Patient', id })),
      patients: batch.map(({ id }) => id),
      size: batch.length,
      alone: true,
      apply: (set) => {
        for (const { scanned, id } of batch) set.put(scanned, 'Patient', id);
      },
    });
  }
}

/** Each site's registration of each person, as that site's source patient. */
function* registrations(people: number): Generator<Patient> {
  const bySite = new Map(sites().map((site) => [site.key, site]));
  for (const { records } of truth({ people, seed: 77 })) {
    for (const record of records) yield patientOf(record, bySite.get(record.site)!);
  }
}

function patientOf({ identifier, stated }: TruthRecord, site: Site): Patient {
  const telecom = [
    ...[stated.phone, stated.mobile].flatMap((value) => (value ? [{ system: 'phone' as const, value }] : [])),
    ...(stated.email ? [{ system: 'email' as const, value: stated.email }] : []),
  ];
  const { address } = stated;
  return {
    resourceType: 'Patient',
    id: newId(),
    meta: { tag: [{ system: 'urn:causeway:source', code: site.key, display: site.name }] },
    identifier: [
      { ...identifier, type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] } },
    ],
    name: [nameOf(stated)],
    gender: ({ F: 'female', M: 'male', U: 'unknown' } as const)[stated.sex],
    ...(stated.birthDate ? { birthDate: stated.birthDate } : {}),
    ...(address
      ? { address: [{ line: [address.line], city: address.city, state: address.state, postalCode: address.zip }] }
      : {}),
    ...(telecom.length > 0 ? { telecom } : {}),
  };
}

function nameOf({ family, given, middle, suffix }: Demographics) {
  return {
    use: 'official' as const,
    family,
    given: [given, ...(middle ? [middle] : [])],
    ...(suffix ? { suffix: [suffix] } : {}),
  };
}
