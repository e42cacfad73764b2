/** The tables of a hub's database, those first that others refer to, and its sequences. */
import type pg from 'pg';

export interface Table {
  name: string;
  columns: string[];
}

/** All tables but the list of migrations, which is written by migrating. Partitions go as their parent. */
export async function tablesOf(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; needs: string[] }>(
    `SELECT c.relname AS name,
            (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
            ARRAY(SELECT f.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
                  WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid) AS needs
     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition AND c.relname <> ALL ($1) ORDER BY c.relname`,
    [[migrationTable, unfinishedTable]],
  );
  const ordered: Table[] = [];
  const done = new Set<string>();
  while (ordered.length < rows.length) {
    const ready = rows.filter(({ name, needs }) => !done.has(name) && needs.every((needed) => done.has(needed)));
    if (ready.length === 0) throw new Error('Tables refer to each other in a circle.');
    for (const { name, columns } of ready) {
      done.add(name);
      ordered.push({ name, columns });
    }
  }
  return ordered;
}

/** What a sequence gave last; as text, since it may be a large number. */
export interface SequencePlace {
  name: string;
  last: string;
  isCalled: boolean;
}

export async function sequencesOf(client: pg.Client): Promise<SequencePlace[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S' ORDER BY relname`,
  );
  const places: SequencePlace[] = [];
  for (const { name } of rows) {
    const place = await client.query(`SELECT last_value::text AS last, is_called FROM ${quoted(name)}`);
    places.push({ name, last: place.rows[0].last, isCalled: place.rows[0].is_called });
  }
  return places;
}

export const migrationTable = 'schema_migration';

/** Is there while a database is being restored. */
export const unfinishedTable = 'restore_unfinished';

/** A name as SQL takes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
