/** What the access decision looks at: agreements, the network's policy, relations, what persons decided. */
import { Consents, relationTokensBy } from '../consent/index.ts';
import { ridOf, type WriteSet } from '../record/index.ts';
import { Agreements, NetworkPolicy, Onboarding, Relations } from '../trust/index.ts';
import type { RecordParts } from './record.ts';
import type { Store } from './store.ts';
import type { Trust } from './trust.ts';
import type { Wiring } from './wiring.ts';

export type Decision = Awaited<ReturnType<typeof wireDecision>>;
/** What all that comes and goes stands on. */
export type Ground = Store & Trust & RecordParts & Decision;

export async function wireDecision(
  { log, fault, onStop }: Wiring,
  { database, system, participants, accessLog, record, persons }: Store & Trust & RecordParts,
) {
  const agreements = new Agreements(database);
  const onboarding = new Onboarding(database, agreements);
  const policy = new NetworkPolicy(database, participants, agreements);
  policy.relationTokens = relationTokensBy(record.keys.index);
  await policy.load();
  policy.watch(fault('what the network has decided was not brought up to date'));
  onStop(() => policy.close());
  agreements.watch((expiring) =>
    log.warn({ expiring }, 'certificates or agreements end within 30 days, or have ended'),
  );
  onStop(() => agreements.close());
  const relations = new Relations(system, ridOf);
  accessLog.relations = relations;
  const consents = new Consents(record, persons, () => policy.lastKnown.zone);
  policy.beforeChange((transaction, { zone }) => consents.expect(transaction, zone));
  await system.transaction((transaction) => consents.expect(transaction, policy.lastKnown.zone), { scope: 'all' });
  consents.watch(system, fault('what persons decided was not read anew; their records stay closed'));
  onStop(() => consents.close());
  const recorded = new WeakMap<WriteSet, () => void>();
  record.writer.beforeCommit((set, transaction) => {
    recorded.set(set, accessLog.recordWith(transaction, set.accesses, set.newPatients));
  });
  record.writer.afterCommit((set) => recorded.get(set)?.());
  return { agreements, onboarding, policy, relations };
}
