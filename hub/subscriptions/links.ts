/**
 * The events of persons: source patients that came to another person, or were taken out of theirs. They have numbers among
 * those of the record's changes, and name who was concerned when they happened, so that none is passed over whatever
 * happens next.
 */
import type { Database } from '../database/index.ts';
import { type FhirRecord, logicalId, type StoredResource } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { About } from './definition.ts';
import { factsOf } from './facts.ts';
import { isLasting } from './lasting.ts';
import type { Live, Registry } from './registry.ts';
import type { Found } from './store.ts';

export interface LinkParts {
  database: Database;
  record: FhirRecord;
  registry: Registry;
  /** What may be seen on behalf of whoever asked; undefined where they may not ask any more. */
  accessOf(live: Live): Promise<Access | undefined>;
  fault(error: unknown): void;
  /** Whether whoever asked may see a resource, and their criteria hold for what they may see. */
  maySee(live: Live, about: About, rid: string, id: string): Promise<boolean>;
}

interface Row {
  seq: number;
  event: 'linked' | 'unlinked';
  at: Date;
  moved: string[];
  others: string[];
  persons: string[];
}

/**
 * The events with numbers after `from` and up to `to`. Each is about a source Patient: of those that came to another
 * person, the first that whoever asked may see. Who sees source patients of one side alone is told nothing: to them
 * nothing has changed.
 */
export async function linkEvents(parts: LinkParts, from: number, to: number): Promise<{ seq: number; found: Found }[]> {
  const { database, registry } = parts;
  if (registry.aboutPersons().length === 0) return [];
  const { rows } = await database.query<Row>({
    name: 'subscription_links',
    text: `SELECT seq, event, min(at) AS at, array_agg(patient::text ORDER BY id) AS moved, min(others::text)::text[] AS others,
             ARRAY[person::text, previous::text] AS persons
           FROM link_history WHERE seq > $1 AND seq <= $2 GROUP BY seq, event, person, previous ORDER BY seq, min(id)`,
    values: [from, to],
  });
  const found: { seq: number; found: Found }[] = [];
  for (const row of rows) {
    for (const live of registry.aboutPersons()) {
      if (live.definition.topic?.link !== row.event || live.kept.since >= row.seq) continue;
      const patient = await focusOf(parts, live, row).catch((error) => {
        if (!isLasting(error)) throw error;
        parts.fault(error);
      });
      if (!patient) continue;
      const { rid, version, text } = patient;
      const about = { type: 'Patient', rid, id: logicalId(text), version };
      found.push({ seq: row.seq, found: { subscription: live.kept.rid, kind: 'update', ...about, at: row.at } });
    }
  }
  return found;
}

async function focusOf(parts: LinkParts, live: Live, { moved, others, persons }: Row) {
  const access = await parts.accessOf(live);
  if (!access) return undefined;
  const read = async (rids: readonly string[]) => {
    const found = await Promise.all(rids.map((rid) => parts.record.reader.read(access, 'Patient', rid)));
    return found.flatMap((one) => (one && !one.deleted ? one : []));
  };
  const [first, second] = [await read(moved), await read(others)];
  if (first.length === 0 || second.length === 0) return undefined;
  const all = new Set([...moved, ...others, ...persons]);
  for (const patient of [...first, ...second]) if (await isAskedFor(parts, live, patient, all)) return patient;
  return undefined;
}

/** Whether the criteria hold for a source patient. @param all whom the event is about */
async function isAskedFor({ record, maySee }: LinkParts, live: Live, patient: StoredResource, all: Set<string>) {
  const { rid, text } = patient;
  const [about] = live.definition.abouts;
  const holds = about!.held.holds(factsOf(patient, text, record.keys.index, undefined, all));
  return holds && maySee(live, about!, rid, logicalId(text));
}
