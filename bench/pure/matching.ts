/**
 * Matching: registrations of the region, with their misspellings and moves, are stored through the record and the
 * person index on an embedded database, as the inbox does; the same without the person index tells what matching costs.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFhirError, scanResource } from '@causeway/fhir';
import { type Demographics, type Site, sites, type TruthRecord, truth } from '@causeway/region';
import type { Patient } from '@medplum/fhirtypes';
import { type Database, migrate, openDatabase, startEmbeddedDatabase } from '../../hub/database/index.ts';
import { PersonIndex } from '../../hub/identity/index.ts';
import { FhirRecord, newId, useDefinitions } from '../../hub/record/index.ts';
import { usageOf } from '../server/usage.ts';

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
const warm = 512;

/** Matches the registrations of so many people. */
export async function matchingRun(people: number): Promise<MatchingResult> {
  const patients = [...registrations(people)];
  const alone = await stored(patients, false);
  const matched = await stored(patients, true);
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
  withPersons: boolean,
): Promise<{ cpuMs: number; seconds: number; persons: number }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'causeway-match-'));
  const server = await startEmbeddedDatabase({ dataDir });
  let database: Database | undefined;
  try {
    database = await openDatabase({ connection: server.connection });
    await migrate(database);
    await useDefinitions(join(tmpdir(), 'causeway-bench'));
    const record = new FhirRecord(database, randomBytes(32));
    if (withPersons) new PersonIndex(database, record);
    await store(record, patients.slice(0, warm));
    const before = usageOf(process.pid, server.pid);
    const begun = performance.now();
    await store(record, patients.slice(warm));
    const seconds = (performance.now() - begun) / 1000;
    const after = usageOf(process.pid, server.pid);
    const { rows } = await database.query('SELECT count(DISTINCT person) AS count FROM link');
    const cpuMs = after.hubCpuMs + after.postgresCpuMs - before.hubCpuMs - before.postgresCpuMs;
    return { cpuMs, seconds, persons: Number(rows[0]!.count) };
  } finally {
    await database?.close();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
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
