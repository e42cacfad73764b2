/** Suite `bulk`: each SHALL for servers among the requirement rows of Bulk Data Access 2.0. */
import { type RowSuite, runRows } from '../requirement-rows/rows.ts';
import { secured } from '../requirement-rows/secured.ts';
import type { SuiteResult } from '../result.ts';
import { kickOffs } from './kick-off.ts';
import { results } from './results.ts';
import { makeWorld, type World } from './world.ts';

const noAssociated = 'includeAssociatedData is refused, and all Provenance exported (rows 109 to 112)';

const suite: RowSuite<World> = {
  name: 'bulk',
  file: 'conformance/bulk-data-test-kit/lib/bulk_data_test_kit/requirements/bulk_data_test_kit_requirements.csv',
  isOurs: ({ set, actors }) => set.endsWith('_2.0.0') && actors.includes('Server'),
  checks: [...kickOffs, ...results, secured(2)],
  notAsked: {
    92: noAssociated,
    96: noAssociated,
    97: noAssociated,
    98: noAssociated,
    99: noAssociated,
    216: 'requiresAccessToken is always true',
  },
  begin: makeWorld,
  end: ({ hub }) => hub.stop(),
};

export function runBulk(cases: string): Promise<SuiteResult> {
  return runRows(cases, suite);
}
