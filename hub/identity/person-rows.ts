/** The rows of `person`: the merged Patients, sealed under the key of one of their source patients. */
import type { Transaction } from '../database/index.ts';
import { type HomeKeys, seal } from '../record/index.ts';
import type { SourcePatient } from './demographics-store.ts';
import { mergedPatient } from './merged-patient.ts';

/** Writes the next version of a person's merged Patient; nothing where no source can be read any more. */
export async function writePerson(
  transaction: Transaction,
  keys: HomeKeys,
  person: string,
  sources: readonly SourcePatient[],
  at: Date,
): Promise<void> {
  if (sources.length === 0) return;
  const { rows } = await transaction.query({
    name: 'person_version',
    text: 'SELECT version, home FROM person WHERE id = $1',
    values: [person],
  });
  const version = (rows[0]?.version ?? 0) + 1;
  const home = sources.some((source) => source.home === rows[0]?.home) ? rows[0]!.home : sources[0]!.home;
  const key = (await keys.loadOrMake(transaction, [home])).get(home)!;
  const merged = JSON.stringify(mergedPatient(person, version, at, sources));
  await transaction.query({
    name: 'person_write',
    text: `INSERT INTO person (id, home, version, seq, updated, body)
           VALUES ($1, $2, $3, (SELECT seq FROM clock), $4, $5)
           ON CONFLICT (id) DO UPDATE SET home = excluded.home, version = excluded.version, seq = excluded.seq,
             updated = excluded.updated, body = excluded.body`,
    values: [person, home, version, at, seal(merged, key, personIdentity(person, version))],
  });
}

/** What a merged Patient is sealed together with. */
export function personIdentity(person: string, version: number): string {
  return `Person/${person}/${version}`;
}
