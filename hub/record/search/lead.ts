/** The index that leads a search: statements that give `home, rkey` of what a filter finds. */
import { type Lead, leadRows, type SearchContext } from './predicate.ts';

/**
 * The resource of each index row, taken one by one in the order of the rows. Left to the planner, which takes home and
 * number for independent and expects next to no resources, all resources of the type are read, joined and sorted first.
 */
export function eachResource(lead: string, alias: string): string {
  return `CROSS JOIN LATERAL (SELECT * FROM resource c WHERE c.home = ${lead}.home AND c.rkey = ${lead}.rkey LIMIT 1) ${alias}`;
}

/** So many values are merged in the order of pages; more are sorted. */
const merged = 16;

/**
 * What a lead finds, each once. Rows of one value lie in the order of pages, so that a page is read without looking at
 * the rest; those of a few values are merged.
 * @param within a condition on `home` and `rkey`
 */
export function orderedRows(context: SearchContext, lead: Lead, within: string): { sql: string; inOrder: boolean } {
  if ('rows' in lead) {
    return { sql: `SELECT DISTINCT home, rkey FROM (${lead.rows()}) rows WHERE ${within}`, inOrder: false };
  }
  const [only, ...more] = lead.hashes;
  const one = (hash: bigint) =>
    `SELECT home, rkey FROM index_token WHERE value = ${context.parameter(String(hash))}::bigint AND ${within}`;
  if (only !== undefined && more.length === 0) return { sql: one(only), inOrder: true };
  if (lead.hashes.length > 0 && lead.hashes.length <= merged) {
    const parts = lead.hashes.map((hash) => `(${one(hash)} ORDER BY home, rkey DESC)`);
    const sql = `SELECT DISTINCT home, rkey FROM (${parts.join(' UNION ALL ')}) rows ORDER BY home, rkey DESC`;
    return { sql: `SELECT * FROM (${sql} OFFSET 0) ordered`, inOrder: true };
  }
  return { sql: `SELECT DISTINCT home, rkey FROM (${leadRows(context, lead)}) rows WHERE ${within}`, inOrder: false };
}
