/**
 * Source patients as the matcher sees them. What was prepared for comparison is kept in memory for a while, as compact
 * text; a digest of it lies in the source patient's row of `link`, so that what is kept is known to be current. The
 * Patients themselves stay in the record.
 */
import { hash } from 'node:crypto';
import { typeCode } from '@causeway/fhir';
import { demographicsOf, type Prepared, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { Queryable } from '../database/index.ts';
import { type HomeKeys, openText, sealIdentity } from '../record/index.ts';

/** A source patient's statement, read and prepared for comparison. */
export interface SourcePatient {
  home: number;
  version: number;
  updated: string;
  patient: Patient;
  prepared: Prepared;
}

const keptPrepared = 20_000;
const keptPatients = 1_000;

export class DemographicsStore {
  readonly #keys: HomeKeys;
  readonly #prepared = new Map<number, { digest: string; text: string }>();
  readonly #patients = new Map<number, SourcePatient>();

  constructor(keys: HomeKeys) {
    this.#keys = keys;
  }

  /** Keeps what was prepared of a source patient; returns its digest, a signed 64-bit number. */
  remember(home: number, prepared: Prepared): string {
    const text = JSON.stringify(prepared);
    const digest = hash('sha256', text, 'buffer').readBigInt64BE().toString();
    keep(this.#prepared, keptPrepared, home, { digest, text });
    return digest;
  }

  /** What matching looks at in source patients, by the digests that their links hold. */
  async prepared(
    database: Queryable,
    members: readonly { home: number; demographics: string | null }[],
  ): Promise<Map<number, Prepared>> {
    const found = new Map<number, Prepared>();
    const missing = new Map<number, string | null>();
    for (const { home, demographics } of members) {
      const kept = this.#prepared.get(home);
      if (kept && kept.digest === demographics) found.set(home, JSON.parse(kept.text));
      else missing.set(home, demographics);
    }
    for (const [home, { prepared }] of await this.#read(database, [...missing.keys()])) {
      const digest = missing.get(home);
      if (digest) keep(this.#prepared, keptPrepared, home, { digest, text: JSON.stringify(prepared) });
      found.set(home, prepared);
    }
    return found;
  }

  /** The current statements of these source patients, those that exist. */
  async load(database: Queryable, homes: readonly number[]): Promise<Map<number, SourcePatient>> {
    const found = new Map<number, SourcePatient>();
    if (homes.length === 0) return found;
    const { rows } = await database.query<{ home: number; version: number }>({
      name: 'patient_versions',
      text: `SELECT home, version FROM resource WHERE home = ANY($1) AND type = ${patientType} AND NOT deleted`,
      values: [homes],
    });
    const stale: number[] = [];
    for (const { home, version } of rows) {
      const known = this.#patients.get(home);
      if (known?.version === version) found.set(home, known);
      else stale.push(home);
    }
    for (const [home, source] of await this.#read(database, stale)) {
      keep(this.#patients, keptPatients, home, source);
      found.set(home, source);
    }
    return found;
  }

  async #read(database: Queryable, homes: number[]): Promise<Map<number, SourcePatient>> {
    const found = new Map<number, SourcePatient>();
    if (homes.length === 0) return found;
    const { rows } = await database.query({
      name: 'patient_texts',
      text: `SELECT home, rid, version, updated, body FROM resource
             WHERE home = ANY($1) AND type = ${patientType} AND NOT deleted`,
      values: [homes],
    });
    const keys = await this.#keys.load(
      database,
      rows.map((row) => row.home),
    );
    for (const row of rows) {
      const key = keys.get(row.home);
      if (!key) continue;
      const identity = sealIdentity({ type: 'Patient', rid: row.rid, version: row.version });
      const patient = JSON.parse(openText(row.body, key, identity)) as Patient;
      found.set(row.home, read(row.home, row.version, row.updated, patient));
    }
    return found;
  }
}

const patientType = typeCode('Patient');

/** Keeps an entry, and lets the oldest go where there are too many. */
function keep<T>(kept: Map<number, T>, most: number, home: number, entry: T): void {
  kept.delete(home);
  if (kept.size >= most) kept.delete(kept.keys().next().value!);
  kept.set(home, entry);
}

/** Prepares a Patient for comparison. */
export function read(home: number, version: number, updated: Date, patient: Patient): SourcePatient {
  return { home, version, updated: updated.toISOString(), patient, prepared: prepare(demographicsOf(patient)) };
}

/** What the organisation a stored resource came from is called. */
export function sourceName(patient: Patient): string | undefined {
  return patient.meta?.tag?.find(({ system }) => system === 'urn:causeway:source')?.display;
}

/** The key of the organisation a stored resource came from; `api` where a client wrote it directly. */
export function sourceOf(patient: Patient): string {
  return patient.meta?.tag?.find(({ system }) => system === 'urn:causeway:source')?.code ?? 'api';
}
