/** The index that leads a search: statements that give `home, rkey` of what a filter finds. */
import { hashArray, type Lead, leadRows, patientOf, type SearchContext } from './predicate.ts';

/**
 * The resource of each index row, taken one by one in the order of the rows. Left to the planner, which takes home and
 * number for independent and expects next to no resources, all resources of the type are read, joined and sorted first.
 */
export function eachResource(lead: string, alias: string): string {
  return `CROSS JOIN LATERAL (SELECT * FROM resource c WHERE c.home = ${lead}.home AND c.rkey = ${lead}.rkey LIMIT 1) ${alias}`;
}

/** So many values are merged in the order of pages; more are sorted. */
const merged = 16;

/** A condition on the columns of a place; on `home` alone where no `rkey` is given. */
export type Within = (home: string, rkey?: string) => string;

/**
 * What a lead finds, each once, in the order of pages. Rows of one value lie in it, so that a page is read without looking
 * at the rest; those of a few values are merged. Others are sorted by what their indexes say, before any resource is read.
 * @returns the statement, and the order of its rows
 */
export function orderedRows(context: SearchContext, lead: Lead, within: Within): { sql: string; order: Order } {
  if ('rows' in lead) {
    // Found first and then sorted: the planner would rather go through all of an index that has the order.
    const rows = `WITH found AS MATERIALIZED (${lead.rows()})
      SELECT DISTINCT home, rkey FROM found WHERE ${within('home', 'rkey')} ORDER BY home, rkey DESC OFFSET 0`;
    return { sql: rows, order: byPlace };
  }
  if (lead.patients) {
    // A home has one Patient.
    const homes = `SELECT DISTINCT home FROM (${merge(context, lead, 'home', within('home'))}) rows ORDER BY home OFFSET 0`;
    const sql = `SELECT hit.home, p.rkey FROM (${homes}) hit ${patientOf('hit', 'p')} WHERE ${within('hit.home', 'p.rkey')}`;
    return { sql, order: (alias) => `${alias}.home` };
  }
  const rows = merge(context, lead, 'home, rkey', within('home', 'rkey'));
  if (lead.hashes.length === 1) return { sql: rows, order: byPlace };
  return { sql: `SELECT DISTINCT home, rkey FROM (${rows}) rows ORDER BY home, rkey DESC OFFSET 0`, order: byPlace };
}

/** ORDER BY for the rows of an alias. */
type Order = (alias: string) => string;

const byPlace: Order = (alias) => `${alias}.home, ${alias}.rkey DESC`;

/** What a lead finds, each once, in any order. */
export function foundRows(context: SearchContext, lead: Lead, within: Within): string {
  if ('hashes' in lead && !lead.patients && lead.hashes.length === 1) {
    return merge(context, lead, 'home, rkey', within('home', 'rkey'));
  }
  return `SELECT DISTINCT home, rkey FROM (${leadRows(context, lead)}) rows WHERE ${within('home', 'rkey')}`;
}

/** The rows of hashes, those of several in the order of pages where they are few. */
function merge(context: SearchContext, { hashes }: { hashes: bigint[] }, columns: string, within: string): string {
  const of = (value: string) => `SELECT ${columns} FROM index_token WHERE value = ${value} AND ${within}`;
  const one = (hash: bigint) => of(`${context.parameter(String(hash))}::bigint`);
  if (hashes.length === 1) return one(hashes[0]!);
  if (hashes.length === 0 || hashes.length > merged)
    return of(`ANY(${context.parameter(hashArray(hashes))}::bigint[])`);
  const order = columns.replace('rkey', 'rkey DESC');
  return hashes.map((hash) => `(${one(hash)} ORDER BY ${order})`).join(' UNION ALL ');
}
