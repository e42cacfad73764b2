/**
 * Merged Patients as a caller may see them. Where the access decision hides some of a person's source patients, the
 * merged Patient is made anew of the others, so that it tells nothing that only a hidden one says.
 */
import { typeCode } from '@causeway/fhir';
import type { Patient } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { type HomeKeys, openText, redacted, type StoredResource, sealIdentity, withLabels } from '../record/index.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import { read } from './demographics-store.ts';
import { mergedPatient } from './merged-patient.ts';

/**
 * @param merged merged Patients by their persons' ids
 * @returns those of persons of whom the caller may see any source patient
 */
export async function visiblePersons(
  { database, keys }: { database: Database; keys: HomeKeys },
  access: Access,
  merged: Map<string, StoredResource>,
): Promise<Map<string, StoredResource>> {
  if (merged.size === 0 || access.limits.isCustodian) return merged;
  const values: unknown[] = [`{${[...merged.keys()].join(',')}}`];
  const condition = accessCondition(access, 'c', (value) => `$${values.push(value)}`);
  const { rows } = await database.as(scopeOf(access)).query({
    text: `SELECT l.presented, l.home, r.rid, r.version, r.updated, r.labels, r.body
           FROM link l LEFT JOIN LATERAL (
             SELECT * FROM resource c WHERE c.home = l.home AND c.type = ${typeCode('Patient')} AND NOT c.deleted
               AND ${condition} LIMIT 1) r ON true
           WHERE l.person = ANY($1) AND l.presented = l.person`,
    values,
  });
  const found = new Map<string, StoredResource>();
  for (const [person, sources] of Map.groupBy(rows, (row) => row.presented as string)) {
    const visible = sources.filter((row) => row.rid !== null);
    const whole = merged.get(person)!;
    if (visible.length === 0) continue;
    const text = visible.length === sources.length ? whole.text : await remade(whole, visible);
    // What any of its sources is labelled counts for what is put together of them.
    found.set(person, { ...whole, text: redacted(access, { ...whole, text }) });
  }
  return found;

  async function remade({ rid, version, updated }: StoredResource, visible: typeof rows): Promise<string> {
    const homeKeys = await keys.load(
      database,
      visible.map((row) => row.home),
    );
    const sources = visible.flatMap((row) => {
      const key = homeKeys.get(row.home);
      if (!key) return [];
      const identity = sealIdentity({ type: 'Patient', rid: row.rid, version: row.version });
      return read(row.home, row.version, row.updated, JSON.parse(openText(row.body, key, identity)) as Patient);
    });
    const labels = visible.reduce((sum, row) => sum | row.labels, 0);
    return withLabels(JSON.stringify(mergedPatient(rid, version, updated, sources)), labels);
  }
}
