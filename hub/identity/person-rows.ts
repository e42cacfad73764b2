/** The rows of `person`: the merged Patients, sealed under the key of one of their source patients. */
import type { Transaction } from '../database/index.ts';
import { type HomeKeys, seal } from '../record/index.ts';
import type { SourcePatient } from './demographics-store.ts';
import { mergedPatient } from './merged-patient.ts';

/**
 * Makes the next versions of persons' merged Patients, of those of which a source can be read; the returned function
 * writes them, with the time of the transaction's changes.
 */
export async function preparePersons(
  transaction: Transaction,
  keys: HomeKeys,
  persons: readonly { person: string; sources: readonly SourcePatient[] }[],
): Promise<((time: Date) => void) | undefined> {
  const readable = persons.filter(({ sources }) => sources.length > 0);
  if (readable.length === 0) return undefined;
  const { rows } = await transaction.query<{ id: string; version: number; home: number }>({
    name: 'person_versions',
    text: 'SELECT id, version, home FROM person WHERE id = ANY($1)',
    values: [readable.map(({ person }) => person)],
  });
  const stored = new Map(rows.map((row) => [row.id, row]));
  const next = readable.map(({ person, sources }) => {
    const before = stored.get(person);
    const home = sources.some((source) => source.home === before?.home) ? before!.home : sources[0]!.home;
    return { person, sources, home, version: (before?.version ?? 0) + 1 };
  });
  const homeKeys = await keys.loadOrMake(
    transaction,
    next.map(({ home }) => home),
  );
  return (time) => {
    for (const { person, sources, home, version } of next) {
      const merged = JSON.stringify(mergedPatient(person, version, time, sources));
      transaction.send({
        name: 'person_write',
        text: `INSERT INTO person (id, home, version, seq, updated, body)
               VALUES ($1, $2, $3, (SELECT seq FROM clock), $4, $5)
               ON CONFLICT (id) DO UPDATE SET home = excluded.home, version = excluded.version, seq = excluded.seq,
                 updated = excluded.updated, body = excluded.body`,
        values: [person, home, version, time, seal(merged, homeKeys.get(home)!, personIdentity(person, version))],
      });
    }
  };
}

/** What a merged Patient is sealed together with. */
export function personIdentity(person: string, version: number): string {
  return `Person/${person}/${version}`;
}
