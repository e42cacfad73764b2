/**
 * What a program can look at of the safeguards: each check looks when it is asked, and says what it saw. What cannot be
 * looked at is `unknown`, and never good.
 */
import { typeName } from '@causeway/fhir';
import type { AuditLog, WitnessState } from '../audit/index.ts';
import { backupState } from '../backup/index.ts';
import type { Database } from '../database/index.ts';
import { type HomeKeys, openText, sealIdentity } from '../record/index.ts';
import type { Certificates, Endpoint, Participant } from '../trust/index.ts';
import type { CheckName } from './safeguard-list.ts';

export interface CheckResult {
  state: 'good' | 'attention' | 'bad' | 'unknown';
  /** What was seen, in a sentence, without personal data. */
  says: string;
}

/** What the checks look at. */
export interface CheckParts {
  database: Database;
  keys: HomeKeys;
  certificates: Pick<Certificates, 'list'>;
  participants: { all(): Participant[] };
  settings: CheckSettings;
  /** Accounts whose passwords everybody can read, as those of the demonstration. */
  knownAccounts(): Promise<{ username: string; password: string }[]>;
  isPassword(username: string, password: string): Promise<boolean>;
  audit: Pick<AuditLog, 'status'>;
}

export interface CheckSettings {
  host: string;
  isHttps: boolean;
  publicUrl: string | undefined;
  mllpPlain: boolean;
  sessionIdleMinutes: number;
  requireSecondFactor: string;
  /** A witness that cosigns nothing for so long is behind. */
  witnessAlarmMinutes: number;
}

const idleDays = 90;
const backUpDays = 1;
const drillDays = 90;
const verifiedDays = 2;
const unsignedSeconds = 60;
const idleMinutes = 30;
const sampled = 100;
/** Who signs in for work. */
const staff = `role NOT IN ('patient', 'proxy', 'system')`;

const good = (says: string): CheckResult => ({ state: 'good', says });
const attention = (says: string): CheckResult => ({ state: 'attention', says });
const bad = (says: string): CheckResult => ({ state: 'bad', says });
const unknown = (says: string): CheckResult => ({ state: 'unknown', says });

/** Looks at one thing. What fails is not known. */
export async function check(parts: CheckParts, name: CheckName): Promise<CheckResult> {
  try {
    return await checks[name](parts);
  } catch {
    return unknown('This could not be looked at; the log says why.');
  }
}

const checks: { [name in CheckName]: (parts: CheckParts) => Promise<CheckResult> } = {
  'open-reviews': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT (SELECT count(*) FROM emergency_access WHERE verdict IS NULL AND begun < now() - interval '3 days')::integer AS emergencies,
              (SELECT count(*) FROM unproven_access WHERE reviewed_at IS NULL AND last_at < now() - interval '7 days')::integer AS unproven`,
    );
    const { emergencies, unproven } = rows[0]!;
    if (emergencies + unproven === 0)
      return good('Emergency accesses and accesses without proof are reviewed in time.');
    return attention(
      `${emergencies} emergency accesses wait for their review for more than three days, ${unproven} accesses without proof for more than a week.`,
    );
  },
  'idle-accounts': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS all, count(*) FILTER (WHERE coalesce(signed_in, made) < now() - $1 * interval '1 day')::integer AS idle
       FROM account WHERE NOT disabled AND ${staff}`,
      [idleDays],
    );
    const { all, idle } = rows[0]!;
    if (idle === 0) return good(`All ${all} accounts of the staff were used within ${idleDays} days.`);
    return attention(`${idle} of ${all} accounts of the staff were not used for ${idleDays} days and are still open.`);
  },
  'failed-sign-ins': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT coalesce(sum(failures), 0)::integer AS failures, count(*) FILTER (WHERE locked_until > now())::integer AS locked
       FROM sign_in_attempt WHERE last > now() - interval '1 day'`,
    );
    const { failures, locked } = rows[0]!;
    const says = `${failures} sign-ins failed within a day; ${locked} names are locked now.`;
    return locked > 5 || failures > 200 ? attention(says) : good(says);
  },
  'password-storage': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS all, count(*) FILTER (WHERE password NOT LIKE '$argon2id$%')::integer AS other FROM account
       WHERE password IS NOT NULL`,
    );
    const { all, other } = rows[0]!;
    return other === 0
      ? good(`All ${all} passwords are kept as Argon2id hashes.`)
      : bad(`${other} of ${all} passwords are not kept as Argon2id hashes.`);
  },
  'back-up': async ({ database }) => {
    const { last } = await backupState(database);
    if (!last) return bad('No back-up was ever made by causeway backup.');
    const days = daysSince(last.created);
    const says = `The last back-up is ${words(days)} old.`;
    return days <= backUpDays ? good(says) : days <= 7 * backUpDays ? attention(says) : bad(says);
  },
  'restore-drill': async ({ database }) => {
    const { drill } = await backupState(database);
    if (!drill) return bad('No back-up was ever tried.');
    const days = daysSince(drill.at);
    const says = `A back-up was tried ${words(days)} ago.`;
    return days <= drillDays ? good(says) : attention(says);
  },
  agreements: async ({ database, participants }) => {
    const keys = participants.all().map(({ key }) => key);
    const { rows } = await database.query(
      `SELECT count(*)::integer AS without FROM unnest($1::text[]) AS p (key) WHERE NOT EXISTS (
         SELECT 1 FROM agreement a WHERE a.participant = p.key AND a.superseded_by IS NULL AND a.valid_from <= now()
           AND a.valid_to > now() AND a.participant_signed_at IS NOT NULL AND a.network_signed_at IS NOT NULL)`,
      [keys],
    );
    const { without } = rows[0]!;
    return without === 0
      ? good(`All ${keys.length} organisations have an agreement in force that both sides signed.`)
      : attention(`${without} of ${keys.length} organisations have no agreement in force that both sides signed.`);
  },
  erasures: async ({ database }) => {
    const { rows } = await database.query(
      `SELECT count(*) FILTER (WHERE state = 'confirmed' AND confirmed_at < now() - interval '1 day')::integer AS undone,
              count(*) FILTER (WHERE state = 'erased' AND maintained_at IS NULL AND erased_at < now() - interval '2 days')::integer AS left
       FROM erasure`,
    );
    const { undone, left } = rows[0]!;
    if (undone + left === 0)
      return good('What was to be erased is erased, and the files of the database are cleared of it.');
    return attention(
      `${undone} erasures that were confirmed wait for more than a day; of ${left} the files of the database are not cleared.`,
    );
  },
  'row-security': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses,
         array(SELECT relname::text FROM pg_class WHERE relname = ANY('{resource,resource_history,person,index_token,index_range,index_string}')
               AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity)) AS open`,
    );
    const { bypasses, open } = rows[0]!;
    if (bypasses) return bad('The hub’s role in the database bypasses row security.');
    return open.length === 0
      ? good('The tables of the record give rows only to statements with a scope; the hub’s role cannot bypass that.')
      : bad(`Row security is off for ${open.join(', ')}.`);
  },
  'demonstration-accounts': async ({ knownAccounts, isPassword }) => {
    const known: string[] = [];
    for (const { username, password } of await knownAccounts()) {
      if (await isPassword(username, password)) known.push(username);
    }
    return known.length === 0
      ? good('Each account is one person’s; there are none whose passwords are public.')
      : bad(`Accounts of the demonstration, whose passwords are public, can sign in: ${known.join(', ')}.`);
  },
  'emergency-access': async ({ database }) => {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS eligible FROM account WHERE role = 'clinician' AND may_emergency AND NOT disabled`,
    );
    const { eligible } = rows[0]!;
    return eligible > 0
      ? good(`Clinicians who may open a record in an emergency, with reason and review: ${eligible}.`)
      : attention('No clinician may open a record in an emergency.');
  },
  'idle-sessions': async ({ settings }) => {
    const minutes = settings.sessionIdleMinutes;
    const says = `A session that is not used ends after ${minutes} minutes.`;
    return minutes <= idleMinutes ? good(says) : attention(says);
  },
  'sealed-records': async ({ database, keys }) => {
    const { rows } = await database.query(
      `SELECT home, type, rid, version, body FROM (
         (SELECT home, type, rid, version, body FROM resource WHERE NOT deleted AND body IS NOT NULL ORDER BY seq DESC LIMIT $1)
         UNION ALL
         (SELECT home, type, rid, version, body FROM resource TABLESAMPLE SYSTEM (1) WHERE NOT deleted AND body IS NOT NULL LIMIT $1)
       ) s`,
      [sampled],
    );
    if (rows.length === 0) return good('There is nothing in the record yet.');
    const found = await keys.load(
      database,
      rows.map(({ home }) => home),
    );
    let opened = 0;
    for (const { home, type, rid, version, body } of rows) {
      const key = found.get(home);
      if (!key) return bad('There are records whose key is missing.');
      try {
        openText(body, key, sealIdentity({ type: typeName(type)!, rid, version }));
        opened++;
      } catch {
        return bad('A record was found that does not open under its key: it was changed, or is damaged.');
      }
    }
    return good(`${opened} records, the newest and some by chance, are sealed (AES-256-GCM) and unchanged.`);
  },
  'audit-log': async ({ audit, settings: { witnessAlarmMinutes } }) => {
    const { state, problem, size, waiting, signed, verified, verifiedAt, witnesses } = await audit.status();
    const contradiction = witnesses.find((one) => one.contradiction !== undefined)?.contradiction;
    if (contradiction !== undefined) return bad(contradiction);
    if (state === 'wrong' || state === 'refused') return bad(problem ?? 'The audit log is not whole.');
    if (state === 'none' || !signed) return unknown('Nothing was signed yet.');
    const lag = (Date.now() - signed.getTime()) / 1_000;
    if (waiting > 0 && lag > unsignedSeconds) return attention(`${waiting} events wait for their signature.`);
    if (!verifiedAt || daysSince(verifiedAt) > verifiedDays) {
      return attention(`${size} events are signed; they were not looked through within ${verifiedDays} days.`);
    }
    const says = `${size} events are signed; ${verified} were looked through and are whole.`;
    if (witnesses.length === 0) return good(says);
    const behind = witnesses.filter((one) => isBehind(one, witnessAlarmMinutes)).map(({ name }) => name);
    const cosigned = `Witnesses that cosign it: ${witnesses.length - behind.length} of ${witnesses.length}.`;
    return behind.length === 0
      ? good(`${says} ${cosigned}`)
      : attention(`${says} ${cosigned} Behind for more than ${witnessAlarmMinutes} minutes: ${behind.join(', ')}.`);
  },
  'second-factors': async ({ database, settings }) => {
    const { rows } = await database.query(
      `SELECT count(*)::integer AS all, count(*) FILTER (WHERE totp IS NOT NULL
          OR EXISTS (SELECT 1 FROM passkey p WHERE p.username = a.username)
          OR (password IS NULL AND EXISTS (SELECT 1 FROM external_account e WHERE e.username = a.username)))::integer AS two
       FROM account a WHERE NOT disabled AND ${staff}`,
    );
    const { all, two } = rows[0]!;
    const says = `${two} of ${all} accounts of the staff have a second factor; the hub asks ${settings.requireSecondFactor} for one.`;
    return two === all ? good(says) : two * 2 >= all ? attention(says) : bad(says);
  },
  transport: async ({ settings: { host, isHttps, publicUrl, mllpPlain } }) => {
    const isLocal = ['127.0.0.1', '::1', 'localhost'].includes(host);
    const isWeb = isHttps || publicUrl?.startsWith('https:') === true;
    if (isWeb && !mllpPlain) return good('HTTP and MLLP are taken over TLS only.');
    if (isLocal) {
      const open = [isWeb ? [] : ['HTTP'], mllpPlain ? ['MLLP'] : []].flat().join(' and ');
      return attention(`${open} without TLS can be reached from this machine only.`);
    }
    return bad(
      `${[isWeb ? [] : ['HTTP'], mllpPlain ? ['MLLP'] : []].flat().join(' and ')} without TLS can be reached from other machines.`,
    );
  },
  'routes-in-clear': async ({ participants }) => {
    const routes = participants
      .all()
      .flatMap(({ key, routes = [] }) => routes.map(({ name, to }) => ({ key, name, to })));
    const clear = routes.filter(({ to }) => isClear(to));
    if (clear.length === 0) return good(`None of ${routes.length} routes sends in clear.`);
    const named = clear.slice(0, 5).map(({ key, name }) => `${key} (${name})`);
    return bad(
      `${clear.length} of ${routes.length} routes send in clear: ${named.join(', ')}${clear.length > 5 ? ', …' : ''}.`,
    );
  },
  certificates: async ({ certificates }) => {
    const listed = await certificates.list();
    const count = (state: string) => listed.filter((one) => one.state === state).length;
    const [expired, soon, unreadable] = [count('expired'), count('soon'), count('unreadable')];
    if (expired + unreadable > 0) return bad(`${expired} certificates have ended, ${unreadable} cannot be read.`);
    return soon > 0
      ? attention(`${soon} of ${listed.length} certificates end within thirty days.`)
      : good(`None of ${listed.length} certificates ends within thirty days.`);
  },
};

/** Whether a witness has not cosigned for long. */
function isBehind({ failing }: WitnessState, alarmMinutes: number): boolean {
  return failing !== undefined && Date.now() - failing.getTime() > alarmMinutes * 60_000;
}

function daysSince(at: string | Date): number {
  return Math.floor((Date.now() - new Date(at).getTime()) / 86_400_000);
}

function words(days: number): string {
  return days === 0 ? 'less than a day' : days === 1 ? 'a day' : `${days} days`;
}

/** Whether others on the way can read what goes by a route. */
function isClear(to: Endpoint): boolean {
  if ('url' in to) return !to.url.startsWith('https:') && !isThisMachine(new URL(to.url).hostname);
  return 'port' in to && to.tls === undefined && !isThisMachine(to.host);
}

function isThisMachine(host: string): boolean {
  return ['127.0.0.1', '[::1]', '::1', 'localhost'].includes(host);
}
