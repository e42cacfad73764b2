/** Who there is: participants and accounts; and the record of what each of them sees. */
import { AuditLog, type BroughtIn, Journal, journalFolders, takeOver } from '../audit/index.ts';
import type { Config } from '../config.ts';
import type { Database } from '../database/index.ts';
import { AccessLog, Accounts, notify, Participants, type Role, Users } from '../trust/index.ts';
import type { Store } from './store.ts';
import type { Wiring } from './wiring.ts';

export type Trust = Awaited<ReturnType<typeof wireTrust>>;

export async function wireTrust(wiring: Wiring, { database, system, master }: Store) {
  const { config, progress, fault, onStop } = wiring;
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
  const journal = new Journal({
    database,
    audit,
    master,
    ...journalFolders(config.dataDir),
    isAlone: config.databaseUrl === undefined,
    isFirst: isJournalFirst(config),
    told: (brought) => tellOf(wiring, system, brought),
    fault: fault('what waits in the journal of accesses was not brought into their record'),
  });
  audit.settled = () => journal.settle().catch(() => {});
  const accessLog = new AccessLog(database, audit, journal);
  onStop(() => accessLog.close());
  await journal.open();
  return { participants, accounts, users, audit, accessLog };
}

/** A disk beside a database elsewhere may be one that does not come back: there it has to be asked for. */
function isJournalFirst({ accessJournal, databaseUrl }: Config): boolean {
  return accessJournal === undefined ? databaseUrl === undefined : accessJournal === 'disk';
}

function tellOf({ log, fault }: Wiring, system: Database, { entries, damaged, lost }: BroughtIn): void {
  if (entries > 0) log.warn({ entries }, 'accesses that waited in a journal were brought into their record');
  if (damaged + lost === 0) return;
  log.error({ damaged, lost }, 'journals of accesses are damaged or gone: see access-journal in the data directory');
  const text = `Of journals of accesses ${damaged} pieces are damaged, and ${lost} files are gone: what was in them is not in the record.`;
  system
    .transaction(async (transaction) => notify(transaction, 'role:privacy-officer', 'audit', { text }))
    .catch(fault('nobody was told of a damaged journal of accesses'));
}

/** Whether a role needs a second factor to sign in. */
function needsFactor({ requireSecondFactor }: Config, role: Role): boolean {
  const officers: readonly Role[] = ['privacy-officer', 'auditor', 'administrator'];
  return requireSecondFactor === 'everybody' || (requireSecondFactor === 'officers' && officers.includes(role));
}
