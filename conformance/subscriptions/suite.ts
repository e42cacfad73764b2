/** Suite `subscriptions`: each SHALL for servers among the requirement rows of Subscriptions R5 Backport 1.1. */
import { type RowSuite, runRows } from '../requirement-rows/rows.ts';
import type { SuiteResult } from '../result.ts';
import { notifications } from './notifications.ts';
import { requests } from './requests.ts';
import { endWorld, makeWorld, type World } from './world.ts';

const suite: RowSuite<World> = {
  name: 'subscriptions',
  file: 'conformance/subscriptions-test-kit/lib/subscriptions_test_kit/requirements/subscriptions_test_kit_requirements.csv',
  isOurs: ({ actors, strength }) => actors.includes('Server') && strength !== 'DEPRECATED',
  checks: [...requests, ...notifications],
  notAsked: {},
  begin: makeWorld,
  end: endWorld,
};

export function runSubscriptions(cases: string): Promise<SuiteResult> {
  return runRows(cases, suite);
}
