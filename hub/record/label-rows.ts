/** The labels of stored versions, made anew of their texts: of documents and reports also of what came with them. */
import { daysOf, label } from '@causeway/access';
import { typeCode, typeName } from '@causeway/fhir';
import type { Row, Transaction } from '../database/index.ts';
import type { HomeKeys } from './home-keys.ts';
import { openText, sealIdentity } from './sealing.ts';
import { type Labelling, summing } from './write-set.ts';

/** Past versions first: one that says the resource was deleted has the labels of the one before it. */
export const labelledTables = ['resource_history', 'resource'] as const;
export type LabelledTable = (typeof labelledTables)[number];

/** What is read of a version to label it, as `r`. */
export const labelledColumns = `r.home, r.rkey, r.version, r.type, r.rid, r.deleted, r.message, r.labels, r.body,
  (SELECT h.labels FROM resource_history h
   WHERE r.deleted AND h.rid = r.rid AND h.type = r.type AND h.version = r.version - 1) AS before`;

/** Codes of the types whose resources have the labels of what came with them. */
export const summingCodes = [...summing].map((type) => typeCode(type)!);
const summingArray = `'{${summingCodes.join(',')}}'::smallint[]`;

/** A version with its labels, and the days of its data. */
export interface LabelledVersion {
  row: Row;
  labels: number;
  days: { from: string; to: string } | undefined;
}

/** @param rows as `labelledColumns` have them */
export async function labelRows(
  transaction: Transaction,
  keys: HomeKeys,
  labelling: Labelling,
  rows: readonly Row[],
): Promise<LabelledVersion[]> {
  const homeKeys = await keys.load(
    transaction,
    rows.map((row) => row.home),
  );
  const stated = await statedWith(transaction, keys, labelling, rows);
  const made = new Map<string, number>();
  return rows.map((row) => {
    const resource = resourceOf(row, homeKeys);
    const labels = resource ? labelling(resource) | (stated.get(row) ?? 0) : withoutText(row, made);
    made.set(`${row.type}/${row.rid}/${row.version}`, labels);
    return { row, labels, days: resource && daysOf(resource) };
  });
}

/** What was deleted has the labels of the version before it; what has lost its key those that it has. */
function withoutText({ type, rid, version, deleted, labels, before }: Row, made: ReadonlyMap<string, number>): number {
  const last = made.get(`${type}/${rid}/${version - 1}`) ?? before ?? 0;
  return (deleted ? last : labels) & ~label.unlabelled;
}

/** Stores labels; what somebody changed meanwhile stays as it is. Returns how many versions have others now. */
export async function storeLabels(
  transaction: Transaction,
  table: LabelledTable,
  versions: readonly LabelledVersion[],
): Promise<number> {
  if (versions.length === 0) return 0;
  const { rows } = await transaction.query({
    text: `UPDATE ${table} r SET labels = v.labels, first_day = v.first_day, last_day = v.last_day
           FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::date[], $6::date[], $7::integer[])
             AS v (home, rkey, version, labels, first_day, last_day, before)
           WHERE r.home = v.home AND r.rkey = v.rkey AND r.version = v.version AND r.labels = v.before
           RETURNING r.type, r.labels`,
    values: [
      versions.map(({ row }) => row.home),
      versions.map(({ row }) => row.rkey),
      versions.map(({ row }) => row.version),
      versions.map(({ labels }) => labels),
      versions.map(({ days }) => days?.from ?? null),
      versions.map(({ days }) => days?.to ?? null),
      versions.map(({ row }) => row.labels),
    ],
  });
  return rows.length;
}

function resourceOf({ home, type: code, rid, version, deleted, body }: Row, keys: Map<number, Buffer>) {
  const key = keys.get(home);
  if (deleted || !body || !key) return undefined;
  const identity = sealIdentity({ type: typeName(code)!, rid, version });
  return JSON.parse(openText(body, key, identity)) as Record<string, unknown>;
}

/** Of documents and reports the labels of what their messages stated; where nobody knows that any more, those that they have. */
async function statedWith(
  transaction: Transaction,
  keys: HomeKeys,
  labelling: Labelling,
  rows: readonly Row[],
): Promise<Map<Row, number>> {
  const documents = rows.filter(({ type, deleted }) => summingCodes.includes(type) && !deleted);
  if (documents.length === 0) return new Map();
  const messages = await messagesOf(transaction, documents);
  const wanted = [...new Set([...messages.values()].flat())];
  const of = (table: LabelledTable, columns: string, condition: string) =>
    `SELECT ${columns} FROM ${table} r WHERE r.message = ANY($1::uuid[]) AND ${condition}`;
  const both = (columns: string, condition: string) =>
    labelledTables.map((table) => of(table, columns, condition)).join(' UNION ALL ');
  const others = await transaction.query({
    text: `SELECT message, bit_or(labels) AS labels
           FROM (${both('r.message, r.labels', `NOT r.type = ANY(${summingArray})`)}) stated GROUP BY message`,
    values: [wanted],
  });
  const sums = new Map<string, number>(others.rows.map((row) => [row.message, row.labels & ~label.unlabelled]));
  const own = await transaction.query({
    text: both(
      'r.message, r.home, r.type, r.rid, r.version, r.deleted, r.body',
      `r.type = ANY(${summingArray}) AND r.type <> ${typeCode('Binary')} AND NOT r.deleted`,
    ),
    values: [wanted],
  });
  const homeKeys = await keys.load(
    transaction,
    own.rows.map((row) => row.home),
  );
  for (const row of own.rows) {
    const resource = resourceOf(row, homeKeys);
    if (resource) sums.set(row.message, (sums.get(row.message) ?? 0) | labelling(resource));
  }
  return new Map(
    documents.map((row) => {
      const found = messages.get(row);
      const sum = (found ?? []).reduce((labels, message) => labels | (sums.get(message) ?? 0), 0);
      return [row, found ? sum : row.labels & ~label.unlabelled];
    }),
  );
}

/**
 * The messages by which versions were stated; of one that a client made, those of the versions before it. Of one whose
 * earlier versions are not all there any more, nobody knows.
 */
async function messagesOf(transaction: Transaction, rows: readonly Row[]): Promise<Map<Row, string[]>> {
  const clients = rows.filter(({ message, version }) => message === null && version > 1);
  const { rows: found } =
    clients.length === 0
      ? { rows: [] }
      : await transaction.query({
          text: `SELECT w.place, count(*) AS count, array_agg(DISTINCT h.message) FILTER (WHERE h.message IS NOT NULL) AS messages
                 FROM unnest($1::uuid[], $2::smallint[], $3::integer[]) WITH ORDINALITY AS w (rid, type, version, place)
                 JOIN resource_history h ON h.rid = w.rid AND h.type = w.type AND h.version < w.version GROUP BY w.place`,
          values: [
            clients.map(({ rid }) => rid),
            clients.map(({ type }) => type),
            clients.map(({ version }) => version),
          ],
        });
  const earlier = new Map(found.map(({ place, count, messages }) => [clients[place - 1]!, { count, messages }]));
  return new Map(
    rows.flatMap((row): [Row, string[]][] => {
      if (row.message !== null) return [[row, [row.message]]];
      const { count = 0, messages } = earlier.get(row) ?? {};
      return count === row.version - 1 ? [[row, messages ?? []]] : [];
    }),
  );
}
