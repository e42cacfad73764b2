/**
 * Suite `smart`: each SHALL for servers among the requirement rows of SMART App Launch 2.2, brands among them. Rows that are
 * about app state are of a specification beside it.
 */
import { type RowSuite, runRows } from '../requirement-rows/rows.ts';
import type { SuiteResult } from '../result.ts';
import { checks, notAsked } from './checks.ts';
import { endWorld, makeWorld, type World } from './world.ts';

const suite: RowSuite<World> = {
  name: 'smart',
  file: 'conformance/smart-app-launch-test-kit/lib/smart_app_launch/requirements/smart_app_launch_test_kit_requirements.csv',
  isOurs: ({ set, actors, url }) => set.endsWith('_2.2.0') && actors.includes('Server') && !/app-state/.test(url),
  checks,
  notAsked,
  begin: () => makeWorld(),
  end: endWorld,
};

export function runSmart(cases: string): Promise<SuiteResult> {
  return runRows(cases, suite);
}
