/** `$explain`: which index serves a search and what it costs. */
import { typeCode } from '@causeway/fhir';
import type { Compiled } from './compiled.ts';
import type { SearchRequest } from './request.ts';
import type { SearchRun } from './run.ts';
import { sortCodes } from './sort-values.ts';
import { pageStatement } from './statement.ts';

/** Which index served a search and what it cost. */
export interface Explanation {
  lead: string;
  rows: number;
  milliseconds: number;
  statement: string;
  /** PostgreSQL's plan with its measurements, as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) gives it. */
  plan: unknown;
}

/** Carries out the statement of a search's first page and tells how. */
export async function explainSearch(run: SearchRun, request: SearchRequest): Promise<Explanation> {
  const compiled = await run.compile(request);
  const statement = pageStatement(compiled, request.cursor, request.count + 1);
  const begun = performance.now();
  const { rows } = await run.database.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement}`, compiled.values);
  const plan = rows[0]!['QUERY PLAN'];
  return {
    lead: leadOf(compiled),
    rows: plan[0].Plan['Actual Rows'],
    milliseconds: Math.round((performance.now() - begun) * 100) / 100,
    statement: statement.replace(/\s+/g, ' '),
    plan,
  };
}

/** What leads a search, for people. */
function leadOf({ byOrder, lead, predicates, filters, request, homes }: Compiled): string {
  if (byOrder) return `the index of ${sortCodes([byOrder])}, in its order`;
  const index = lead ? predicates.indexOf(lead) : -1;
  const filter = filters[index];
  const within = homes ? ` within the records of ${homes.length} source patient${homes.length === 1 ? '' : 's'}` : '';
  if (!filter) return `all resources of type ${request.type} (${typeCode(request.type)})${within}`;
  return `${'parameter' in filter ? filter.parameter.code : filter.kind}${within}`;
}
