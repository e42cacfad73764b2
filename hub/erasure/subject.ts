/** Who is to be erased, and what will go: what a privacy officer sees before anything is done. */
import { typeCode, typeName } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type FhirRecord, logicalId, RecordError, ridOf } from '../record/index.ts';
import type { Access } from '../trust/index.ts';

/** All that is known of the person here, or what one source says of it. */
export type Extent = 'person' | 'source';

export interface Found {
  homes: number[];
  /** UUIDs of the source patients, and of persons whom nobody is once they are gone. */
  rids: string[];
  /** Ids as they are shown. */
  ids: string[];
  /** The texts of the source Patients. */
  texts: string[];
}

export interface Preview {
  /** Types and how many resources of each, and how many versions in all. */
  resources: { [type: string]: number };
  versions: number;
  /** Originals, and how many of these made something for others too, which stays. */
  messages: number;
  messagesAboutOthers: number;
  /** Sent, by destination: who has it and will have it still. */
  sentTo: { [destination: string]: number };
  /** Not sent yet: these are cancelled. */
  waiting: number;
  /** Being sent right now, and imports that go on: these are waited for. */
  underWay: number;
  accounts: number;
  openLoops: number;
}

/** @throws RecordError 404 where there is nobody of this id */
export async function subjectOf(
  parts: { database: Database; record: FhirRecord },
  access: Access,
  id: string,
  extent: Extent,
): Promise<Found> {
  const { database, record } = parts;
  const homes =
    extent === 'person' ? ((await record.homesOf([id])).get(id) ?? []) : await homeOfSource(database, ridOf(id));
  if (homes.length === 0) throw new RecordError(404, 'not-found', 'There is no record of a Patient of this id.');
  const { rows: patients } = await database.query<{ rid: string; erased: boolean }>(
    'SELECT rid, erased FROM patient_home WHERE home = ANY($1) ORDER BY home',
    [homes],
  );
  if (patients.some(({ erased }) => erased)) {
    throw new RecordError(410, 'deleted', 'The record of this person was erased.');
  }
  const own = patients.map(({ rid }) => rid);
  const { rows: persons } = await database.query<{ person: string }>(
    `SELECT DISTINCT p.person FROM (
       SELECT presented AS person FROM link WHERE home = ANY($1)
       UNION SELECT unnest(ARRAY[person, previous]) FROM link_history WHERE patient = ANY($2)) p
     WHERE p.person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM link o WHERE o.person = p.person AND o.home <> ALL($1))`,
    [homes, own],
  );
  const texts: string[] = [];
  for (const rid of own) {
    const stored = await record.reader.read(access, 'Patient', rid);
    if (stored && !stored.deleted) texts.push(stored.text);
  }
  const rids = [...own, ...persons.map(({ person }) => person)];
  return { homes, rids, ids: [...new Set([...rids, ...texts.map(logicalId)])], texts };
}

async function homeOfSource(database: Database, rid: string): Promise<number[]> {
  const { rows } = await database.query<{ home: number }>(
    'SELECT home FROM patient_home WHERE rid = $1 AND NOT EXISTS (SELECT 1 FROM link WHERE person = $1 AND presented = $1)',
    [rid],
  );
  return rows.map(({ home }) => home);
}

export async function previewOf(database: Database, { homes, ids }: Found): Promise<Preview> {
  const one = async (text: string, values: unknown[] = [homes]) =>
    Number((await database.query(text, values)).rows[0]!.count);
  const own = '(home = ANY($1) OR recipient_home = ANY($1))';
  const made = `SELECT message FROM resource WHERE home = ANY($1) AND message IS NOT NULL
                UNION SELECT message FROM resource_history WHERE home = ANY($1) AND message IS NOT NULL`;
  const types = await database.query<{ type: number; count: number }>(
    'SELECT type, count(*) AS count FROM resource WHERE home = ANY($1) AND NOT deleted GROUP BY type',
    [homes],
  );
  const sent = await database.query<{ destination: string; count: number }>(
    `SELECT destination, count(*) AS count FROM told WHERE ${own} AND state IN ('delivered', 'accepted') GROUP BY destination`,
    [homes],
  );
  return {
    resources: Object.fromEntries(types.rows.map(({ type, count }) => [typeName(type)!, Number(count)])),
    versions: await one(`SELECT (SELECT count(*) FROM resource WHERE home = ANY($1))
      + (SELECT count(*) FROM resource_history WHERE home = ANY($1)) AS count`),
    messages: await one(`SELECT count(*) AS count FROM (${made}) m`),
    messagesAboutOthers: await one(
      `SELECT count(*) AS count FROM (${made}) m WHERE EXISTS (
         SELECT 1 FROM resource r WHERE r.message = m.message AND r.home <> ALL($1) AND r.home > 0)`,
    ),
    sentTo: Object.fromEntries(sent.rows.map(({ destination, count }) => [destination, Number(count)])),
    waiting: await one(
      `SELECT count(*) AS count FROM delivery WHERE ${own} AND state IN ('waiting', 'failed') AND NOT (leased AND leased_until > now())`,
    ),
    underWay: await underWay(database, homes),
    accounts: await one(
      'SELECT count(DISTINCT username) AS count FROM account_person WHERE patient = ANY($1) AND ended IS NULL',
      [ids],
    ),
    openLoops: await one(`SELECT count(*) AS count FROM care_loop WHERE home = ANY($1) AND state <> 'closed'`),
  };
}

/** How much goes on that must end before a person can be erased. */
export async function underWay(database: Database, homes: readonly number[]): Promise<number> {
  const { rows } = await database.query(
    `SELECT (SELECT count(*) FROM delivery WHERE (home = ANY($1) OR recipient_home = ANY($1)) AND leased AND leased_until > now() AND state IN ('waiting', 'failed'))
       + (SELECT count(*) FROM bulk_job WHERE kind <> 'export' AND state IN ('receiving', 'waiting', 'running')) AS count`,
    [homes],
  );
  return Number(rows[0]!.count);
}

/** Whether a text names the person: a part of a name, a number, an address of the source Patients. */
export function isNaming(text: string, { texts }: Pick<Found, 'texts'>): boolean {
  const said = ` ${wordsOf(text)} `;
  return texts
    .flatMap((one) => namesIn(JSON.parse(one)))
    .map(wordsOf)
    .some((name) => name.length > 2 && said.includes(` ${name} `));
}

function wordsOf(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join(' ');
}

interface Named {
  name?: { family?: string; given?: string[]; text?: string }[];
  identifier?: { value?: string }[];
  telecom?: { value?: string }[];
  address?: { line?: string[]; text?: string }[];
  birthDate?: string;
}

function namesIn({ name = [], identifier = [], telecom = [], address = [], birthDate }: Named): string[] {
  return [
    ...name.flatMap(({ family, given = [], text }) => [family, ...given, text]),
    ...identifier.map(({ value }) => value),
    ...telecom.map(({ value }) => value),
    ...address.flatMap(({ line = [], text }) => [...line, text]),
    birthDate,
  ].filter((one) => one !== undefined);
}

export const patientType = typeCode('Patient')!;
