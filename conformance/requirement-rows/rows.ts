/**
 * Requirement rows held against a whole hub over HTTP. Each row has a check that tries what it asks, or a reason why
 * nothing can; one that has neither counts as failed, and so does one that has both, or of which the file knows nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type SuiteResult, Verdicts } from '../result.ts';
import { type Requirement, readRequirements } from './requirements.ts';

/** Tries something; throws where it is not as the rows ask. */
export interface Check<World> {
  name: string;
  rows: readonly (number | string)[];
  run(world: World): Promise<void>;
}

export interface RowSuite<World> {
  name: string;
  /** The requirement rows, below the folder of cases. */
  file: string;
  /** Whether a row is of what is held against the hub: each SHALL, and whatever else a check names. */
  isOurs(row: Requirement): boolean;
  checks: readonly Check<World>[];
  /** Why no request to the hub can show what a row asks, by row. */
  notAsked: Readonly<Record<string, string>>;
  begin(cases: string): Promise<World>;
  end(world: World): Promise<void>;
  /** Cases beside the rows. */
  also?(world: World, verdicts: Verdicts): Promise<void>;
}

export async function runRows<World>(cases: string, suite: RowSuite<World>): Promise<SuiteResult> {
  const { name, notAsked, checks } = suite;
  const verdicts = new Verdicts();
  const path = join(cases, suite.file);
  if (!existsSync(path)) return { ...verdicts.result, summary: `${name}: there are no requirement rows.` };
  const checked = new Set(checks.flatMap((check) => check.rows.map(String)));
  const rows = readRequirements(path).filter(
    (row) => suite.isOurs(row) && (row.strength.startsWith('SHALL') || checked.has(row.id)),
  );
  const found = await outcomes(cases, suite, verdicts);
  for (const { id, text } of rows) {
    const reasons = found.get(id);
    if (notAsked[id] !== undefined && !reasons) continue;
    const both = notAsked[id] === undefined ? [] : ['has a check and a reason for none'];
    const outcome = reasons ?? [`no check for: ${text.slice(0, 120)}`];
    verdicts.check(`row ${id}`, () => ({ reasons: [...both, ...outcome] }));
  }
  const known = new Set(rows.map(({ id }) => id));
  const unknown = [...checked, ...Object.keys(notAsked)].filter((id) => !known.has(id));
  for (const id of new Set(unknown)) verdicts.check(`row ${id}`, () => ({ reasons: ['the file has no such row'] }));
  const left = rows.filter(({ id }) => notAsked[id] !== undefined);
  return {
    ...verdicts.result,
    rows: rows.length,
    not_asked: left.length,
    summary: [`${name}: ${told(rows)}, not asked ${left.length}:`, ...reasonsOf(left, notAsked)].join('\n'),
  };
}

/** How many rows there are, by how strongly they ask. */
function told(rows: readonly Requirement[]): string {
  const byStrength = Map.groupBy(rows, ({ strength }) => strength);
  return [...byStrength].map(([strength, own]) => `${own.length} ${strength}`).join(', ');
}

/** Reasons with the rows that they are given for. */
function reasonsOf(left: readonly Requirement[], notAsked: Readonly<Record<string, string>>): string[] {
  const byReason = Map.groupBy(left, ({ id }) => notAsked[id]!);
  return [...byReason].map(([reason, rows]) => `  ${rows.map(({ id }) => id).join(', ')}: ${reason}`);
}

/** For each row why it does not hold; nothing where it does. */
async function outcomes<World>(
  cases: string,
  suite: RowSuite<World>,
  verdicts: Verdicts,
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const world = await suite.begin(cases);
  try {
    for (const { name, rows, run } of suite.checks) {
      const reasons = await run(world).then(
        () => [],
        (error: Error) => [`${name}: ${error.message}`],
      );
      for (const row of rows.map(String)) found.set(row, [...(found.get(row) ?? []), ...reasons]);
    }
    await suite.also?.(world, verdicts);
  } finally {
    await suite.end(world);
  }
  return found;
}
