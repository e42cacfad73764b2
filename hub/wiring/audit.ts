/** What goes through the log of accesses: it is numbered and signed, cosigned, looked at, and searched for who looks at too many. */
import { CheckpointFile, KeyRetention, SelfCheck, Sequencer, witnessing } from '../audit/index.ts';
import { FanOut, notify } from '../trust/index.ts';
import type { Store } from './store.ts';
import type { Trust } from './trust.ts';
import type { Wiring } from './wiring.ts';

export type AuditParts = Awaited<ReturnType<typeof wireAudit>>;

export async function wireAudit({ config, log, fault }: Wiring, { database, system, master, audit }: Store & Trust) {
  const checkpointFile = new CheckpointFile(config.dataDir);
  const host = new URL(config.publicUrl ?? 'http://causeway').host;
  const tellOfAudit = (text: string) => {
    log.error({ audit: text }, 'the audit log is not as it was');
    return system.transaction(async (transaction) => notify(transaction, 'role:privacy-officer', 'audit', { text }));
  };
  const { witness, witnesses } = await witnessing({
    database: system,
    master,
    config,
    host,
    alarm: (transaction, text) => {
      log.error({ audit: text }, 'witnesses of the audit log have to be looked at');
      notify(transaction, 'role:privacy-officer', 'witness', { text });
    },
    fault: fault('checkpoints of the audit log were not given to witnesses'),
  });
  return {
    witness,
    witnesses,
    checkpointFile,
    sequencer: new Sequencer({
      database: system,
      master,
      file: checkpointFile,
      host,
      fault: fault('the audit log was not signed'),
    }),
    keyRetention:
      config.auditYears === undefined
        ? undefined
        : new KeyRetention(system, audit, config.auditYears, fault('keys of the audit log were not destroyed in time')),
    selfCheck: new SelfCheck(system, checkpointFile, tellOfAudit, fault('the audit log was not looked at')),
    fanOut: new FanOut(
      database,
      audit,
      (alarm) => log.warn(alarm, 'far more persons were looked at within an hour than usual'),
      fault('the record of accesses was not looked through'),
    ),
  };
}
