/**
 * Suite `ihe`: what the guides of IHE say that servers shall do, transaction by transaction, tried on a whole hub over HTTP
 * (MHD 4.2, PDQm 3.2, PIXm 3.0, QEDm 3.0).
 */
import { type SuiteResult, Verdicts } from '../result.ts';
import { finding } from './finding.ts';
import { pdqm } from './pdqm.ts';
import { pixm } from './pixm.ts';
import { providing } from './providing.ts';
import { qedm } from './qedm.ts';
import { type Case, makeWorld } from './world.ts';

const cases: readonly Case[] = [...pdqm, ...pixm, ...providing, ...finding, ...qedm];

/** What servers shall do that no request to the hub can show, or that is of options which the hub does not declare. */
const notAsked: readonly [string, string][] = [
  ['ITI-65 2:3.65.4.1.3', 'resources named by addresses of other servers are not fetched; a subject there is refused'],
  ['ITI-65 2:3.65.4.1.3.1, 2:3.65.4.1.3.2', 'grouping with XDS, XDR, XDM or MHDS actors, which the hub is not'],
  ['ITI-66 2:3.66.4.1.3.1, ITI-67 2:3.67.4.1.3.1', 'the option XDS on FHIR'],
  ['ITI-66 2:3.66.4.1.2.1, ITI-67 2:3.67.4.1.2.1', 'targetCommunityIdList, of the option Target Communities'],
  [
    'ITI-65 to ITI-119, Security Audit Considerations',
    'audit messages as BALP profiles them: of actors grouped with ATNA',
  ],
  ['ITI-78, ITI-83, ITI-104, ITI-119, Use with IUA', 'scopes named after transactions: of actors grouped with IUA'],
  ['ITI-106 2:3.106.4.1.3', 'FHIR documents: the hub makes metadata of C-CDA'],
  ['PCC-44 2:3.44.4.1.2.1.10', 'Occupational Data for Health: Observations, as any'],
  ['PCC-44 2:3.44.4.2.2', 'a resource of an option that is not supported: all are'],
];

export async function runIhe(): Promise<SuiteResult> {
  const verdicts = new Verdicts();
  const world = await makeWorld();
  try {
    for (const { place, asks, run } of cases) {
      const reasons = await run(world).then(
        () => [],
        (error: Error) => [error.message],
      );
      verdicts.check(`${place}: ${asks}`, () => ({ reasons }));
    }
  } finally {
    await world.hub.stop();
  }
  const byTransaction = Map.groupBy(cases, ({ place }) => place.split(' ')[0]!);
  const counts = [...byTransaction].map(([transaction, own]) => `${transaction} ${own.length}`).join(', ');
  const left = notAsked.map(([place, reason]) => `  ${place}: ${reason}`);
  return {
    ...verdicts.result,
    cases: cases.length,
    summary: [`ihe: ${cases.length} cases: ${counts}. Not asked:`, ...left].join('\n'),
  };
}
