/** How many resources a search finds: exactly, by an estimate, or by the counter that writers keep of a type. */
import { typeCode } from '@causeway/fhir';
import { holds, sortable } from './page.ts';
import type { SearchRequest } from './request.ts';
import type { SearchRun } from './run.ts';
import { countStatement } from './statement.ts';
import { tooCostly } from './wrong.ts';

/** Up to here an estimate is exact; beyond, only the custodian is given one. */
const estimatedFrom = 10_000;

/** The total, as far as it is asked for. */
export async function searchTotal(run: SearchRun, request: SearchRequest): Promise<number | undefined> {
  if (!request.summaryCount && request.total === 'none') return undefined;
  if (isWholeType(run, request)) return stored(run, request.type);
  const whole = { ...request, sort: [], cursor: undefined };
  const compiled = await run.compile(whole);
  if (compiled.checks.length > 0) return checkedTotal(run, whole);
  const isEstimate = request.total === 'estimate' && !request.summaryCount;
  const most = isEstimate ? estimatedFrom + 1 : undefined;
  const rows = await run.query<{ count: number }>(countStatement(compiled, most), compiled.values);
  const count = Number(rows[0]!.count);
  if (!isEstimate || count <= estimatedFrom) return count;
  // What the planner knows of is everybody's: of how many are hidden from the caller it would tell.
  if (!run.lookups.access.limits.isCustodian) return undefined;
  const again = await run.compile(whole);
  const every = countStatement(again).replace('SELECT count(*) AS count FROM', 'SELECT * FROM');
  const { rows: plans } = await run.database.query(
    `EXPLAIN (FORMAT JSON) SELECT * FROM (${every}) counted`,
    again.values,
  );
  return Math.max(count, Math.round(plans[0]!['QUERY PLAN'][0].Plan['Plan Rows']));
}

/** Whether a search finds all of a type; of Patients it finds persons, which are fewer. */
function isWholeType({ lookups }: SearchRun, { type, filters }: SearchRequest): boolean {
  const { homes, limits } = lookups.access;
  return limits.isCustodian && homes === 'all' && filters.length === 0 && type !== 'Patient';
}

async function stored(run: SearchRun, type: string): Promise<number> {
  const { rows } = await run.database.query({
    name: 'resource_count',
    text: 'SELECT count FROM resource_count WHERE type = $1',
    values: [typeCode(type)],
  });
  return rows[0]!.count;
}

async function checkedTotal(run: SearchRun, request: SearchRequest): Promise<number> {
  const compiled = await run.compile(request);
  const rows = await run.rows(compiled, undefined, sortable + 1);
  if (rows.length > sortable) {
    throw tooCostly('_total', `would have to look at more than ${sortable} resources; add filters or leave it out`);
  }
  return (await run.reader.open(run.lookups.access, rows)).filter((one) => holds(compiled, one)).length;
}
