/** The designs that are compared: how each lays its tables, writes a batch of resources and finds by hashes. */
import type { Database, Transaction } from '../../hub/database/index.ts';
import type { SourceRow } from './source.ts';

export interface Design {
  name: string;
  /** Its schema in the database of the experiment. */
  schema: string;
  says: string;
  /** Where the hashes of a search are looked up. */
  lookup: 'rows' | 'array';
  /** Whether `resource.tokens` holds the markers of `:missing` too. */
  markers: boolean;
  gin?: 'fastupdate = on' | 'fastupdate = off';
  /** Whether a search joins index and resources plainly and states the leading filter again, as the hub does. */
  joinsPlainly?: boolean;
}

export const designs: Design[] = [
  {
    name: 'narrow rows',
    schema: 'narrow',
    says: 'b-tree on index_token (value, rkey DESC, home); resource.tokens not indexed',
    lookup: 'rows',
    markers: true,
  },
  {
    name: 'narrow rows, plain join',
    schema: 'narrow',
    says: 'the same tables; a plain join of index and resources, and r.tokens tested for the leading hash again',
    lookup: 'rows',
    markers: true,
    joinsPlainly: true,
  },
  {
    name: 'GIN, fastupdate on',
    schema: 'gin_on',
    says: 'GIN on resource.tokens, pending list of 4 MB',
    lookup: 'array',
    markers: true,
    gin: 'fastupdate = on',
  },
  {
    name: 'GIN, fastupdate off',
    schema: 'gin_off',
    says: 'GIN on resource.tokens, entries written at once',
    lookup: 'array',
    markers: true,
    gin: 'fastupdate = off',
  },
  {
    name: 'GIN, fastupdate off, no markers',
    schema: 'gin_lean',
    says: 'the same without the hashes that say that a parameter has a value',
    lookup: 'array',
    markers: false,
    gin: 'fastupdate = off',
  },
];

/** Makes the tables as the hub's migrations make them, apart from how hashes are found. */
export async function makeTables(database: Database, design: Design): Promise<void> {
  const { schema, gin } = design;
  await database.query(`CREATE SCHEMA ${schema}`);
  for (const table of tablesOf(design)) {
    await database.query(`CREATE TABLE ${schema}.${table} (LIKE public.${table} INCLUDING ALL)`);
  }
  if (gin) await database.query(`CREATE INDEX resource_tokens ON ${schema}.resource USING gin (tokens) WITH (${gin})`);
}

/** The tables that a design has. */
export function tablesOf({ lookup }: Design): string[] {
  return ['resource', 'index_range', 'index_string', ...(lookup === 'rows' ? ['index_token'] : [])];
}

/** Writes resources with their index entries, in as few statements as the hub does. */
export async function writeBatch(transaction: Transaction, design: Design, rows: SourceRow[]): Promise<void> {
  await writeResources(transaction, design, rows);
  const ranges = rows.flatMap((row) => row.ranges.map((range) => ({ ...range, home: row.home, rkey: row.rkey })));
  await transaction.query({
    name: `${design.schema}_range`,
    text: `INSERT INTO ${design.schema}.index_range (param, low, high, unit, home, rkey)
           SELECT * FROM unnest($1::integer[], $2::float8[], $3::float8[], $4::bigint[], $5::bigint[], $6::bigint[])`,
    values: [
      literal(ranges, ({ param }) => param),
      literal(ranges, ({ low }) => low),
      literal(ranges, ({ high }) => high),
      literal(ranges, ({ unit }) => unit ?? 'NULL'),
      literal(ranges, ({ home }) => home),
      literal(ranges, ({ rkey }) => rkey),
    ],
  });
  const strings = rows.flatMap((row) => row.strings.map((string) => ({ ...string, home: row.home, rkey: row.rkey })));
  await transaction.query({
    name: `${design.schema}_string`,
    text: `INSERT INTO ${design.schema}.index_string (param, value, home, rkey)
           SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[])`,
    values: [
      literal(strings, ({ param }) => param),
      literal(strings, ({ value }) => `"${value.replace(/["\\]/g, '\\$&')}"`),
      literal(strings, ({ home }) => home),
      literal(strings, ({ rkey }) => rkey),
    ],
  });
  if (design.lookup === 'array') return;
  const tokens = rows.flatMap(({ tokens: values, home, rkey }) => values.map((value) => ({ value, home, rkey })));
  await transaction.query({
    name: `${design.schema}_token`,
    text: `INSERT INTO ${design.schema}.index_token (value, rkey, home)
           SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])`,
    values: [
      literal(tokens, ({ value }) => value),
      literal(tokens, ({ rkey }) => rkey),
      literal(tokens, ({ home }) => home),
    ],
  });
}

async function writeResources(transaction: Transaction, design: Design, rows: SourceRow[]): Promise<void> {
  const starts: number[] = [];
  let offset = 1;
  for (const { body } of rows) {
    starts.push(offset);
    offset += body.length;
  }
  await transaction.query({
    name: `${design.schema}_resource`,
    text: `INSERT INTO ${design.schema}.resource (home, rkey, type, rid, version, seq, updated, deleted, tokens, body)
           SELECT home, rkey, type, rid, 1, rkey, now(), false, tokens::bigint[], substring($8::bytea FROM start FOR length)
           FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::uuid[], $5::text[], $6::integer[], $7::integer[])
             AS v (home, rkey, type, rid, tokens, start, length)`,
    values: [
      literal(rows, ({ home }) => home),
      literal(rows, ({ rkey }) => rkey),
      literal(rows, ({ type }) => type),
      literal(rows, ({ rid }) => rid),
      literal(rows, ({ allTokens, tokens }) => `"${design.markers ? allTokens : `{${tokens.join(',')}}`}"`),
      `{${starts.join(',')}}`,
      literal(rows, ({ body }) => body.length),
      Buffer.concat(rows.map(({ body }) => body)),
    ],
  });
}

function literal<T>(items: T[], value: (item: T) => string | number): string {
  return `{${items.map(value).join(',')}}`;
}

/** Bytes of tables and indexes by name. */
export async function sizes(database: Database, { schema }: Design): Promise<Record<string, number>> {
  const { rows } = await database.query({
    text: `SELECT c.relname, pg_relation_size(c.oid) AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = $1 AND c.relkind IN ('r', 'i') ORDER BY c.relname`,
    values: [schema],
  });
  return Object.fromEntries(rows.map(({ relname, bytes }) => [relname, Number(bytes)]));
}

/**
 * Row-level security as it would be with homes in a setting of the session: `all`, or a list. The settings are read
 * once a statement.
 */
export async function secureRows(database: Database, design: Design): Promise<void> {
  const { schema } = design;
  for (const table of tablesOf(design)) {
    await database.query(`ALTER TABLE ${schema}.${table} ENABLE ROW LEVEL SECURITY`);
    await database.query(`ALTER TABLE ${schema}.${table} FORCE ROW LEVEL SECURITY`);
    await database.query(`CREATE POLICY homes ON ${schema}.${table} USING (
      (SELECT current_setting('causeway.homes')) = 'all' OR home < 0
      OR home = ANY ((SELECT string_to_array(nullif(current_setting('causeway.homes'), 'all'), ',')::bigint[])::bigint[]))`);
  }
}
