/**
 * How often values occur, up to a limit: PostgreSQL's statistics know nothing of single hashes. Counted by a look at the
 * index, and remembered for a while, since a choice of index need not be exact.
 */
import { compile } from './compile.ts';
import { hashArray, type Predicate, type SearchContext } from './predicate.ts';
import type { Filter } from './request.ts';

/** From so many on a value is frequent, and its exact count does not matter. */
export const frequent = 2_000;

const rememberedMs = 60_000;
const remembered = 10_000;

export class Frequencies {
  readonly #known = new Map<string, { count: number; until: number }>();

  /** How many index rows a filter that can lead has; `frequent` stands for that many or more. */
  async of(context: SearchContext, type: string, predicate: Predicate, filter: Filter): Promise<number> {
    const lead = predicate.lead!;
    const key = 'hashes' in lead ? hashArray(lead.hashes) : `${type} ${JSON.stringify(filter)}`;
    const known = this.#known.get(key);
    if (known && known.until > Date.now()) return known.count;
    const count = 'hashes' in lead ? await countHashes(context, lead.hashes) : await countRows(context, type, filter);
    if (this.#known.size >= remembered) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, { count, until: Date.now() + rememberedMs });
    return count;
  }
}

async function countHashes(context: SearchContext, hashes: readonly bigint[]): Promise<number> {
  const rows = await context.query(
    `SELECT count(*) AS count FROM (SELECT 1 FROM index_token WHERE value = ANY($1::bigint[]) LIMIT ${frequent}) probe`,
    [hashArray(hashes)],
  );
  return Number(rows[0]!.count);
}

async function countRows(context: SearchContext, type: string, filter: Filter): Promise<number> {
  const values: unknown[] = [];
  const { lead } = await compile({ ...context, parameter: (value) => `$${values.push(value)}` }, type, filter);
  if (!lead || !('rows' in lead)) return frequent;
  const rows = await context.query(
    `SELECT count(*) AS count FROM (SELECT 1 FROM (${lead.rows()}) rows LIMIT ${frequent}) probe`,
    values,
  );
  return Number(rows[0]!.count);
}
