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
  for (const { after, by, resource } of patients) {
    if (by === undefined || after.deleted) continue;
    const links = (resource as Patient | undefined)?.link ?? [];
    for (const { other, type } of links) {
      if (type !== 'replaced-by') continue;
      const survivor = await homeOf(set, index, patients, other);
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

type Other = NonNullable<Patient['link']>[number]['other'];

async function homeOf(
  set: WriteSet,
  index: IndexKey,
  patients: readonly ResourceChange[],
  { reference, identifier }: Other,
): Promise<number | undefined> {
  const id = /^Patient\/([A-Za-z0-9\-.]{1,64})$/.exec(reference ?? '')?.[1];
  if (id !== undefined) {
    const rid = ridOf(id);
    const beside = patients.find(({ after }) => after.rid === rid && !after.deleted);
    if (beside) return beside.after.home;
    const { rows } = await set.transaction.query({
      name: 'replaced_by_id',
      text: 'SELECT home FROM link WHERE patient = $1',
      values: [rid],
    });
    return rows[0]?.home;
  }
  const { system, value } = identifier ?? {};
  if (system === undefined || value === undefined) return undefined;
  const has = ({ resource }: ResourceChange) =>
    (resource as Patient | undefined)?.identifier?.some((one) => one.system === system && one.value === value);
  const beside = patients.filter(has);
  if (beside.length > 0) return beside.length === 1 ? beside[0]!.after.home : undefined;
  const { rows } = await set.transaction.query({
    name: 'replaced_by_number',
    text: `SELECT DISTINCT r.home FROM index_token t JOIN resource r ON r.home = t.home AND r.rkey = t.rkey
           WHERE t.value = $1 AND r.type = ${typeCode('Patient')} AND NOT r.deleted AND r.tokens && ARRAY[$2]::bigint[]
           LIMIT 2`,
    values: index.keyed([tokenHash('Patient', 'identifier', value), codedHash('Patient', 'identifier', system, value)]),
  });
  return rows.length === 1 ? rows[0]!.home : undefined;
}
