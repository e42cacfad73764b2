/**
 * Which rows belong to an answer of `$everything`: those of a person's homes and those elsewhere that name the person
 * (the Patient compartment, https://hl7.org/fhir/R4/compartmentdefinition-patient.html), those that name an encounter,
 * or those of everybody. Rows come in an order that never changes, a page after a place.
 */
import {
  compartmentParameters,
  isInPatientCompartment,
  resourceTypes,
  searchParameters,
  typeCode,
} from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import { hash64, referenceMask, selfHash } from './keys.ts';
import type { ShownRow } from './read.ts';
import { hashArray } from './search/index.ts';

/** Whose rows. */
export type Scope =
  | { of: 'person'; homes: number[]; rids: string[] }
  | { of: 'encounter'; home: number; rid: string }
  | { of: 'everybody' };

/** The key of the row that a page ended with. */
export interface Place {
  home: number;
  rkey: number;
}

/** Which of the scope's rows: types as their codes, versions not older than a time. */
export interface RowFilter {
  types: number[] | undefined;
  since: Date | undefined;
}

const patient = typeCode('Patient')!;
const encounter = typeCode('Encounter')!;

/** What is read of a row, with the id of the person that its patient is presented as; the ids to be put in only then. */
function columnsOf(body: string, presented = 'l.presented'): string {
  const refs = `CASE WHEN ${presented} IS NOT NULL THEN r.refs END AS refs`;
  return `r.home, r.rkey, r.type, r.rid, r.version, ${refs}, r.labels, ${body}, ${presented} AS presented`;
}

const whole = columnsOf('r.body');

/** The rows that come first: the person's source Patients, or the encounter itself. */
export async function leadingRows(
  database: Database,
  access: Access,
  scope: Scope,
  filter: RowFilter,
): Promise<ShownRow[]> {
  if (scope.of === 'everybody') return [];
  return select(database, access, filter, (parameter, conditions) => {
    const own =
      scope.of === 'person'
        ? `r.type = ${patient} AND r.home = ANY(${parameter(scope.homes)}::bigint[])`
        : `r.type = ${encounter} AND r.rid = ${parameter(scope.rid)}`;
    return `SELECT ${whole} FROM resource r LEFT JOIN link l ON l.home = r.home
            WHERE ${own} AND ${conditions} ORDER BY r.rkey`;
  });
}

/** A page of rows, and whether there are more. */
export interface RowPage {
  rows: ShownRow[];
  more: boolean;
}

/** Longer texts are left out of a page, whose rows are many, and read by themselves; see `wholeRows`. */
const shortBytes = 16 * 1024;
const shortBody = `CASE WHEN octet_length(r.body) <= ${shortBytes} THEN r.body END AS body`;
const columns = columnsOf(shortBody);
const rowsAtOnce = 1_000;

/** The next of the other rows after a place, at most `limit`; long texts are left out. */
export async function rowsAfter(
  database: Database,
  access: Access,
  scope: Scope,
  filter: RowFilter,
  after: Place | undefined,
  limit: number,
): Promise<RowPage> {
  const count = Math.min(limit, rowsAtOnce);
  const found = await select(database, access, filter, (parameter, conditions) => {
    const most = parameter(count + 1);
    if (scope.of === 'everybody') return everybody(after, most, parameter, conditions);
    const from = parameter(after?.rkey ?? 0);
    const rows = scope.of === 'person' ? personRows : encounterRows;
    return `SELECT * FROM (${rows(scope as never, from, most, parameter, conditions)}) r ORDER BY rkey LIMIT ${most}`;
  });
  return { rows: found.slice(0, count), more: found.length > count };
}

/** Rows with their texts, however long: as given where they have them, else read again as they are by then. */
export async function wholeRows(
  database: Database,
  access: Access,
  filter: RowFilter,
  rows: ShownRow[],
): Promise<ShownRow[]> {
  const long = rows.find(({ body }) => body === null);
  if (!long) return rows;
  return select(
    database,
    access,
    filter,
    (parameter, conditions) => `SELECT ${whole} FROM resource r LEFT JOIN link l ON l.home = r.home
      WHERE r.home = ${parameter(long.home)}::bigint AND r.rkey = ${parameter(long.rkey)}::bigint AND ${conditions}`,
  );
}

type Parameter = (value: unknown) => string;

async function select(
  database: Database,
  access: Access,
  filter: RowFilter,
  statement: (parameter: Parameter, conditions: string) => string,
): Promise<ShownRow[]> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = ['NOT r.deleted', accessCondition(access, 'r', parameter)];
  if (filter.types) conditions.push(`r.type = ANY(${parameter(filter.types)}::smallint[])`);
  if (filter.since) conditions.push(`r.updated >= ${parameter(filter.since)}::timestamptz`);
  const text = statement(parameter, conditions.join(' AND '));
  const { rows } = await database.as(scopeOf(access)).query({ name: `everything_${hash64(text)}`, text, values });
  return rows as ShownRow[];
}

/** Of each home a page at most, as its index has it in order; and rows of other homes that name one of the source patients. */
function personRows(
  scope: { homes: number[]; rids: string[] },
  from: string,
  most: string,
  parameter: Parameter,
  conditions: string,
): string {
  const own = scope.homes.map((each) => {
    const home = `${parameter(each)}::bigint`;
    const columnsOfHome = columnsOf(shortBody, `(SELECT presented FROM link WHERE home = ${home})`);
    return `(SELECT ${columnsOfHome} FROM resource r
            WHERE r.home = ${home} AND r.rkey > ${from}::bigint AND r.type <> ${patient} AND ${conditions}
            ORDER BY r.rkey LIMIT ${most})`;
  });
  const homes = parameter(scope.homes);
  const hashes = parameter(hashArray(scope.rids.flatMap((rid) => hashesOf('Patient', rid))));
  const elsewhere = `SELECT ${columns} FROM (
            SELECT DISTINCT i.home, i.rkey FROM index_token i
            WHERE i.value = ANY(${hashes}::bigint[]) AND i.rkey > ${from}::bigint AND i.home <> ALL(${homes}::bigint[])
          ) i JOIN resource r ON r.home = i.home AND r.rkey = i.rkey LEFT JOIN link l ON l.home = r.home WHERE ${conditions}`;
  return [...own, elsewhere].join(' UNION ALL ');
}

/** Rows of the encounter's own home that name it. */
function encounterRows(
  scope: { home: number; rid: string },
  from: string,
  _most: string,
  parameter: Parameter,
  conditions: string,
): string {
  const home = parameter(scope.home);
  const hashes = parameter(hashArray(hashesOf('Encounter', scope.rid)));
  return `SELECT ${columns} FROM (
            SELECT DISTINCT i.home, i.rkey FROM index_token i
            WHERE i.value = ANY(${hashes}::bigint[]) AND i.home = ${home}::bigint AND i.rkey > ${from}::bigint
          ) i JOIN resource r ON r.home = i.home AND r.rkey = i.rkey LEFT JOIN link l ON l.home = r.home
          WHERE NOT (r.type = ${encounter} AND r.rid = ${parameter(scope.rid)}::uuid) AND ${conditions}`;
}

/** Every patient's rows, a merged Patient where the home is that its text lies in. */
function everybody(after: Place | undefined, most: string, parameter: Parameter, conditions: string): string {
  const place = `(${parameter(after?.home ?? 0)}::bigint, ${parameter(after?.rkey ?? 0)}::bigint)`;
  return `SELECT ${columns} FROM resource r LEFT JOIN link l ON l.home = r.home
            LEFT JOIN person p ON p.id = l.presented
          WHERE r.home > 0 AND (r.home, r.rkey) > ${place} AND ${conditions}
            AND (r.type <> ${patient} OR l.presented IS NULL OR p.home = r.home)
          ORDER BY r.home, r.rkey LIMIT ${most}`;
}

/** The index values of every reference that puts a resource into the compartment of a Patient or an Encounter. */
function hashesOf(target: 'Patient' | 'Encounter', rid: string): bigint[] {
  const self = selfHash(target, rid);
  return parametersTo(target).map(([type, code]) => self ^ referenceMask(type, code, target));
}

const known = new Map<string, [string, string][]>();

/**
 * Types and their search parameters that lead to the target: for a Patient those of the compartment's definition, for an
 * Encounter all, since the operation asks for what has a reference to it.
 */
function parametersTo(target: 'Patient' | 'Encounter'): [string, string][] {
  let found = known.get(target);
  if (!found) {
    found = resourceTypes()
      .filter(isInPatientCompartment)
      .flatMap((type) => codesTo(type, target).map((code): [string, string] => [type, code]));
    known.set(target, found);
  }
  return found;
}

function codesTo(type: string, target: 'Patient' | 'Encounter'): readonly string[] {
  if (target === 'Patient') return compartmentParameters('Patient', type).filter((code) => code !== '_id');
  const references = searchParameters(type).filter((parameter) => parameter.type === 'reference' && !parameter.refusal);
  return references.filter((parameter) => parameter.target?.includes(target)).map(({ code }) => code);
}
