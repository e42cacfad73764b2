/** Source patients as the matcher sees them, kept in memory for a while; their texts stay in the record. */
import { typeCode } from '@causeway/fhir';
import { demographicsOf, type Prepared, prepare } from '@causeway/matching';
import type { Patient } from '@medplum/fhirtypes';
import type { Queryable } from '../database/index.ts';
import { type HomeKeys, open, sealIdentity } from '../record/index.ts';

/** A source patient's statement, read and prepared for comparison. */
export interface SourcePatient {
  home: number;
  version: number;
  updated: string;
  patient: Patient;
  prepared: Prepared;
}

const cached = 20_000;

export class DemographicsStore {
  readonly #keys: HomeKeys;
  readonly #known = new Map<number, SourcePatient>();

  constructor(keys: HomeKeys) {
    this.#keys = keys;
  }

  /** The current statements of these source patients, those that exist. */
  async load(database: Queryable, homes: number[]): Promise<Map<number, SourcePatient>> {
    const found = new Map<number, SourcePatient>();
    if (homes.length === 0) return found;
    const versions = await database.query({
      name: 'patient_versions',
      text: `SELECT home, rkey, version FROM resource WHERE home = ANY($1) AND type = ${typeCode('Patient')} AND NOT deleted`,
      values: [homes],
    });
    const stale: { home: number; rkey: number }[] = [];
    for (const row of versions.rows) {
      const known = this.#known.get(row.home);
      if (known && known.version === row.version) found.set(row.home, known);
      else stale.push({ home: row.home, rkey: row.rkey });
    }
    if (stale.length === 0) return found;
    const { rows } = await database.query({
      name: 'patient_texts',
      text: `SELECT home, rid, version, body FROM resource r
             JOIN unnest($1::bigint[], $2::bigint[]) AS k (home, rkey) USING (home, rkey)`,
      values: [stale.map(({ home }) => home), stale.map(({ rkey }) => rkey)],
    });
    const keys = await this.#keys.load(
      database,
      rows.map((row) => row.home),
    );
    for (const row of rows) {
      const key = keys.get(row.home);
      if (!key) continue;
      const text = open(
        row.body,
        key,
        sealIdentity({ type: 'Patient', rid: row.rid, version: row.version }),
      ).toString();
      const patient = JSON.parse(text) as Patient;
      const source = read(row.home, row.version, patient);
      this.#remember(source);
      found.set(row.home, source);
    }
    return found;
  }

  #remember(source: SourcePatient): void {
    if (this.#known.size >= cached) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(source.home, source);
  }
}

/** Prepares a Patient for comparison. */
export function read(home: number, version: number, patient: Patient): SourcePatient {
  return {
    home,
    version,
    updated: patient.meta?.lastUpdated ?? '',
    patient,
    prepared: prepare(demographicsOf(patient)),
  };
}

/** What the organisation a stored resource came from is called. */
export function sourceName(patient: Patient): string | undefined {
  return patient.meta?.tag?.find(({ system }) => system === 'urn:causeway:source')?.display;
}

/** The key of the organisation a stored resource came from; `api` where a client wrote it directly. */
export function sourceOf(patient: Patient): string {
  return patient.meta?.tag?.find(({ system }) => system === 'urn:causeway:source')?.code ?? 'api';
}
