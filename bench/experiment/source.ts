/** The rows that both designs are filled with: what the hub itself writes for the bench's bundles. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { typeCode } from '@causeway/fhir';
import { type Database, migrate } from '../../hub/database/index.ts';
import { PersonIndex } from '../../hub/identity/index.ts';
import { FhirRecord, useDefinitions } from '../../hub/record/index.ts';
import type { Access } from '../../hub/trust/index.ts';
import { patientStory } from '../data/bundle.ts';

/** One resource as PostgreSQL is sent it; arrays as array literals. */
export interface SourceRow {
  home: number;
  rkey: number;
  type: number;
  rid: string;
  /** `{…}`: every hash of the resource, markers included. */
  allTokens: string;
  /** The hashes of its rows in `index_token`. */
  tokens: string[];
  ranges: { param: number; low: string; high: string; unit: string | null }[];
  strings: { param: number; value: string }[];
  body: Buffer;
}

/** What the searches ask for. */
export interface Known {
  identifiers: string[];
  patients: { rid: string; home: number }[];
  encounters: string[];
  families: string[];
}

const access: Access = {
  who: 'bench',
  name: 'bench',
  role: 'system',
  organization: 'bench',
  purpose: 'HOPERAT',
  homes: 'all',
};

const run = 'index';

/** Fills the hub's own tables with so many people's stories, and reads back what it wrote. */
export async function sourceRows(database: Database, people: number): Promise<{ rows: SourceRow[]; known: Known }> {
  await migrate(database);
  await useDefinitions(join(tmpdir(), 'causeway-bench'));
  const record = new FhirRecord(database, randomBytes(32));
  new PersonIndex(database, record);
  const known: Known = { identifiers: [], patients: [], encounters: [], families: [] };
  for (let serial = 0; serial < people; serial++) {
    const story = patientStory(run, serial);
    await record.bundle(access, story.text, {
      base: '',
      single: () => Promise.reject(new Error('A story has creates only.')),
      fault: () => {},
    });
    known.identifiers.push(`${run}-${serial}`);
    known.families.push(story.family);
  }
  const patients = await database.query('SELECT rid, home FROM patient_home ORDER BY home');
  known.patients = patients.rows as Known['patients'];
  const encounters = await database.query(
    `SELECT rid FROM resource WHERE type = ${typeCode('Encounter')} ORDER BY rkey`,
  );
  known.encounters = encounters.rows.map(({ rid }) => rid);
  return { rows: await readRows(database), known };
}

async function readRows(database: Database): Promise<SourceRow[]> {
  const resources = await database.query(
    'SELECT home, rkey, type, rid, tokens::text AS all_tokens, body FROM resource WHERE NOT deleted ORDER BY rkey',
  );
  const rows = new Map<number, SourceRow>();
  for (const { all_tokens, ...row } of resources.rows) {
    rows.set(row.rkey, { ...(row as SourceRow), allTokens: all_tokens ?? '{}', tokens: [], ranges: [], strings: [] });
  }
  const tokens = await database.query('SELECT rkey, value::text AS value FROM index_token');
  for (const { rkey, value } of tokens.rows) rows.get(rkey)?.tokens.push(value);
  const ranges = await database.query(
    'SELECT rkey, param, low::text AS low, high::text AS high, unit::text AS unit FROM index_range',
  );
  for (const { rkey, ...range } of ranges.rows) rows.get(rkey)?.ranges.push(range as SourceRow['ranges'][number]);
  const strings = await database.query('SELECT rkey, param, value FROM index_string');
  for (const { rkey, ...string } of strings.rows) rows.get(rkey)?.strings.push(string as SourceRow['strings'][number]);
  return [...rows.values()];
}
