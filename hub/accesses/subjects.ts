/** Under which ids a person is, or was, in the audit log. */
import type { Database } from '../database/index.ts';
import { type FhirRecord, logicalId } from '../record/index.ts';
import { accessOf } from '../trust/index.ts';

const own = accessOf({ username: 'accesses', name: 'Accesses', role: 'system', organization: 'hub' });

/**
 * The ids under which accesses to source patients were recorded: their own, and those of the persons they were, and are,
 * part of.
 */
export async function subjectIds(
  { database, record }: { database: Database; record: FhirRecord },
  homes: readonly number[],
): Promise<string[]> {
  const { rows } = await database.query<{ rid: string; persons: string[] }>({
    name: 'subject_ids',
    text: `SELECT p.rid, array(SELECT person FROM link WHERE patient = p.rid
                               UNION SELECT person FROM link_history WHERE patient = p.rid) AS persons
           FROM patient_home p WHERE p.home = ANY($1)`,
    values: [homes],
  });
  const ids = new Set<string>();
  for (const { rid, persons } of rows) {
    // One that a client chose is not the one it is stored under.
    const stored = await record.reader.read(own, 'Patient', rid);
    for (const id of [rid, ...(stored && !stored.deleted ? [logicalId(stored.text)] : []), ...persons]) ids.add(id);
  }
  return [...ids];
}
