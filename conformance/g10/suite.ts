/**
 * Suite `g10`: the rows of the test procedure for § 170.315(g)(10), and each search that US Core says SHALL be supported, in each
 * version that the test kit knows.
 */
import { type RowSuite, runRows } from '../requirement-rows/rows.ts';
import type { SuiteResult } from '../result.ts';
import { checks, notAsked } from './checks.ts';
import { endG10World, makeG10World, type World } from './world.ts';

const suite: RowSuite<World> = {
  name: 'g10',
  file: 'conformance/onc-certification-g10-test-kit/lib/onc_certification_g10_test_kit/requirements/onc_certification_g10_test_kit_requirements.csv',
  isOurs: ({ actors }) => actors.includes('Server'),
  checks,
  notAsked,
  begin: makeG10World,
  end: endG10World,
  async also({ cases }, verdicts) {
    for (const [name, reasons] of cases) verdicts.check(name, () => ({ reasons }));
  },
};

export function runG10(cases: string): Promise<SuiteResult> {
  return runRows(cases, suite);
}
