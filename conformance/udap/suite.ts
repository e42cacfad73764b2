/** Suite `udap`: each SHALL for servers among the requirement rows of HL7 UDAP Security 1.0. */
import { type RowSuite, runRows } from '../requirement-rows/rows.ts';
import type { SuiteResult } from '../result.ts';
import { discovery } from './discovery.ts';
import { registrations } from './registrations.ts';
import { tokens } from './tokens.ts';
import { endWorld, makeWorld, type World } from './world.ts';

/** What a data holder does that has users signed in by another's identity provider, and what such a provider does. */
const tiered = [
  238, 239, 241, 245, 247, 248, 249, 250, 251, 253, 254, 255, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267, 268,
  269, 270, 271, 272, 273, 279, 282, 283, 289, 290, 291, 296, 297,
];

const suite: RowSuite<World> = {
  name: 'udap',
  file: 'conformance/udap-security-test-kit/lib/udap_security_test_kit/requirements/udap_security_test_kit_requirements.csv',
  isOurs: ({ actors, strength }) => /server/i.test(actors) && strength.startsWith('SHALL'),
  checks: [...discovery, ...registrations, ...tokens],
  notAsked: {
    ...Object.fromEntries(
      tiered.map((row) => [
        row,
        'Tiered OAuth: hub/authorization/tiered.integration.test.ts tries it with a provider of its own',
      ]),
    ),
    288: 'clients that cannot authenticate do not register so; those of SMART are held by its suite',
  },
  begin: () => makeWorld(),
  end: endWorld,
};

export function runUdap(cases: string): Promise<SuiteResult> {
  return runRows(cases, suite);
}
