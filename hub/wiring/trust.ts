/** Who there is: participants and accounts; and the record of what each of them sees. */
import { join } from 'node:path';
import { AuditLog, takeOver } from '../audit/index.ts';
import type { Config } from '../config.ts';
import { AccessLog, Accounts, BesideLog, Participants, type Role, Users } from '../trust/index.ts';
import type { Store } from './store.ts';
import type { Wiring } from './wiring.ts';

export type Trust = Awaited<ReturnType<typeof wireTrust>>;

export async function wireTrust({ config, progress, log, onStop }: Wiring, { database, master }: Store) {
  const participants = new Participants(database);
  await participants.load();
  const accounts = new Accounts(database, {
    master,
    limits: { hours: config.sessionHours, idleMinutes: config.sessionIdleMinutes },
    needsFactor: (role) => needsFactor(config, role),
  });
  const users = new Users(database, accounts);
  const audit = new AuditLog(database, master);
  await takeOver(database, audit, (rows) => progress.say(`Taking over the record of accesses: ${rows} rows`));
  const accessLog = new AccessLog(database, audit, new BesideLog(join(config.dataDir, 'access-log-beside'), master));
  accessLog.watch((brought) => log.warn(brought, 'accesses that were written beside were brought into their record'));
  onStop(() => accessLog.close());
  return { participants, accounts, users, audit, accessLog };
}

/** Whether a role needs a second factor to sign in. */
function needsFactor({ requireSecondFactor }: Config, role: Role): boolean {
  const officers: readonly Role[] = ['privacy-officer', 'auditor', 'administrator'];
  return requireSecondFactor === 'everybody' || (requireSecondFactor === 'officers' && officers.includes(role));
}
