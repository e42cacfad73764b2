/**
 * Merges that a client states in a Patient: `link` of type `replaced-by`, by reference or by the survivor's number
 * (https://hl7.org/fhir/R4/patient.html#dup-records; IHE PIXm, ITI-104, section 2:3.104.4.2).
 */
import { typeCode } from '@causeway/fhir';
import type { Patient } from '@medplum/fhirtypes';
import {
  codedHash,
  type HomeKeys,
  type IndexKey,
  type ResourceChange,
  ridOf,
  tokenHash,
  type WriteSet,
} from '../record/index.ts';
import { type Access, accessCondition } from '../trust/index.ts';

/** A Patient that another replaces, by their homes. */
export interface Replacement {
  replaced: number;
  survivor: number;
  /** Who says so. */
  by: string;
  /** Whether it may be said of records of several organisations. */
  isCustodian: boolean;
}

/**
 * The replacements that clients state in Patients of a transaction; survivors that are not known, or that whoever says so may
 * not see, are passed over.
 */
export async function statedReplacements(
  set: WriteSet,
  { index }: HomeKeys,
  patients: readonly ResourceChange[],
): Promise<Replacement[]> {
  const found: Replacement[] = [];
  const beside = new Beside(patients);
  for (const change of patients) {
    const { after, by } = change;
    if (by === undefined || after.deleted) continue;
    const links = (change.parsed() as Patient | undefined)?.link ?? [];
    for (const { other, type } of links) {
      if (type !== 'replaced-by') continue;
      const survivor = await homeOf(set, index, beside, other);
      if (survivor === undefined || survivor === after.home) continue;
      if (!(await sees(set, patients, by, survivor))) continue;
      found.push({ replaced: after.home, survivor, by: by.who, isCustodian: by.limits.isCustodian === true });
    }
  }
  return found;
}

/** Whether somebody may see the Patient of a home, or has written it in this transaction. */
async function sees(set: WriteSet, patients: readonly ResourceChange[], access: Access, home: number) {
  if (access.limits.isCustodian || patients.some(({ after, by }) => after.home === home && by === access)) return true;
  const values: unknown[] = [home];
  const condition = accessCondition(access, 'r', (value) => `$${values.push(value)}`);
  const { rows } = await set.transaction.query({
    text: `SELECT 1 FROM resource r WHERE r.home = $1 AND r.type = ${typeCode('Patient')} AND NOT r.deleted AND ${condition}`,
    values,
  });
  return rows.length > 0;
}

/** The Patients of a transaction by what may name them; each is read once at most, and only when a number is asked for. */
class Beside {
  readonly #patients: readonly ResourceChange[];
  readonly #homes = new Map<string, number>();
  #numbered: Map<string, Set<number>> | undefined;

  constructor(patients: readonly ResourceChange[]) {
    this.#patients = patients;
    for (const { after } of patients) if (!after.deleted) this.#homes.set(after.rid, after.home);
  }

  homeOf(rid: string): number | undefined {
    return this.#homes.get(rid);
  }

  homesNumbered(system: string, value: string): number[] {
    this.#numbered ??= this.#byNumber();
    return [...(this.#numbered.get(numberKey(system, value)) ?? [])];
  }

  #byNumber(): Map<string, Set<number>> {
    const found = new Map<string, Set<number>>();
    for (const change of this.#patients) {
      for (const { system, value } of (change.parsed() as Patient | undefined)?.identifier ?? []) {
        if (system === undefined || value === undefined) continue;
        const key = numberKey(system, value);
        const homes = found.get(key) ?? new Set();
        found.set(key, homes.add(change.after.home));
      }
    }
    return found;
  }
}

function numberKey(system: string, value: string): string {
  return JSON.stringify([system, value]);
}

type Other = NonNullable<Patient['link']>[number]['other'];

async function homeOf(
  set: WriteSet,
  index: IndexKey,
  beside: Beside,
  { reference, identifier }: Other,
): Promise<number | undefined> {
  const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
  if (id !== undefined) {
    const rid = ridOf(id);
    const home = beside.homeOf(rid);
    if (home !== undefined) return home;
    const { rows } = await set.transaction.query({
      name: 'replaced_by_id',
      text: 'SELECT home FROM link WHERE patient = $1',
      values: [rid],
    });
    return rows[0]?.home;
  }
  const { system, value } = identifier ?? {};
  if (system === undefined || value === undefined) return undefined;
  const homes = beside.homesNumbered(system, value);
  if (homes.length > 0) return homes.length === 1 ? homes[0] : undefined;
  const { rows } = await set.transaction.query({
    name: 'replaced_by_number',
    text: `SELECT DISTINCT r.home FROM index_token t JOIN resource r ON r.home = t.home AND r.rkey = t.rkey
           WHERE t.value = $1 AND r.type = ${typeCode('Patient')} AND NOT r.deleted AND r.tokens && ARRAY[$2]::bigint[]
           LIMIT 2`,
    values: index.keyed([tokenHash('Patient', 'identifier', value), codedHash('Patient', 'identifier', system, value)]),
  });
  return rows.length === 1 ? rows[0]!.home : undefined;
}
