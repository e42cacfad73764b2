/**
 * Suite `smart`: each SHALL for servers among the requirement rows of SMART App Launch 2.2, held against a whole hub over
 * HTTP. Rows that are about brands and app state are of specifications beside it. A row that has neither a check nor a
 * reason why none can be counts as failed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type SuiteResult, Verdicts } from '../result.ts';
import { checks, notAsked } from './checks.ts';
import { readRequirements } from './requirements.ts';
import { endWorld, makeWorld } from './world.ts';

const file =
  'conformance/smart-app-launch-test-kit/lib/smart_app_launch/requirements/smart_app_launch_test_kit_requirements.csv';

export async function runSmart(cases: string): Promise<SuiteResult> {
  const verdicts = new Verdicts();
  const path = join(cases, file);
  if (!existsSync(path)) return { ...verdicts.result, summary: 'smart: there are no requirement rows.' };
  const rows = readRequirements(path).filter(
    ({ set, actors, strength, url }) =>
      set.endsWith('_2.2.0') &&
      actors.includes('Server') &&
      strength.startsWith('SHALL') &&
      !/brand|app-state/.test(url),
  );
  const found = await outcomes();
  for (const { id, text } of rows) {
    const row = Number(id);
    if (notAsked[row] !== undefined) continue;
    const outcome = found.get(row) ?? [`no check for: ${text.slice(0, 120)}`];
    verdicts.check(`row ${id}`, () => ({ reasons: outcome }));
  }
  const left = rows.filter(({ id }) => notAsked[Number(id)] !== undefined);
  const reasons = left.map(({ id }) => `${id}: ${notAsked[Number(id)]}`).join('; ');
  return {
    ...verdicts.result,
    rows: rows.length,
    not_asked: left.length,
    summary: `smart: ${rows.length} rows; not asked (${left.length}): ${reasons}`,
  };
}

/** For each row why it does not hold; nothing where it does. */
async function outcomes(): Promise<Map<number, string[]>> {
  const found = new Map<number, string[]>();
  const world = await makeWorld();
  try {
    for (const { name, rows, run } of checks) {
      const reasons = await run(world).then(
        () => [],
        (error: Error) => [`${name}: ${error.message}`],
      );
      for (const row of rows) found.set(row, [...(found.get(row) ?? []), ...reasons]);
    }
  } finally {
    await endWorld(world);
  }
  return found;
}
