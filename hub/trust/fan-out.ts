/**
 * Alarms on unusual fan-out: an organisation, or an account, looks at far more persons in an hour than it usually does. One
 * hub at a time reads what the record of accesses got, every few seconds, and counts distinct persons.
 */
import type { AuditLog, RawEvent } from '../audit/index.ts';
import type { Database } from '../database/index.ts';
import { notify } from './notices.ts';
import { Seen } from './seen.ts';

export interface FanOutAlarm {
  id: number;
  at: Date;
  kind: 'organization' | 'account';
  key: string;
  /** Distinct persons in the hour before. */
  persons: number;
  /** The median of its hours with any, in the last 30 days. */
  usual: number;
}

export interface FanOutTiming {
  everyMs: number;
  /** Entries are read when they are so old: what is committed meanwhile has come. */
  settledMs: number;
}

const timing: FanOutTiming = { everyMs: 10_000, settledMs: 3_000 };
/** Fewer are never told of. */
const floor = 200;
const timesUsual = 3;
const usualDays = 30;
/** Rows of the record that are read in one statement, and statements in a turn: what is left comes in the next. */
const rowsAtOnce = 500;
const readsInTurn = 20;
/** Changes, and what the hub sends by itself, are no looking. */
const notLooking = ['create', 'update', 'patch', 'delete', 'deliver', 'import', 'link', 'unlink', 'merge', 'split'];

export class FanOut {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #timing: FanOutTiming;
  readonly #raised: (alarm: Omit<FanOutAlarm, 'id' | 'at'>) => void;
  readonly #fault: (error: unknown) => void;
  #seen = new Seen();
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** @param raised is told of each alarm @param fault is told where the record of accesses cannot be read */
  constructor(
    database: Database,
    audit: AuditLog,
    raised: (alarm: Omit<FanOutAlarm, 'id' | 'at'>) => void,
    fault: (error: unknown) => void,
    { everyMs, settledMs }: FanOutTiming = timing,
  ) {
    this.#database = database;
    this.#audit = audit;
    this.#raised = raised;
    this.#fault = fault;
    this.#timing = { everyMs, settledMs };
  }

  /** Begins, with the hour before. */
  async start(): Promise<void> {
    const { rows } = await this.#database.query(
      `SELECT coalesce((SELECT min(id) FROM access_log WHERE at > now() - interval '1 hour') - 1,
                       (SELECT max(id) FROM access_log), 0) AS last`,
    );
    this.#last = rows[0]!.last;
    this.#seen = new Seen();
    const look = () => {
      this.#turn = this.#turn.then(() => this.#look()).catch(this.#fault);
    };
    look();
    this.#timer = setInterval(look, this.#timing.everyMs).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  async #look(): Promise<void> {
    for (let read = 0; read < readsInTurn; read++) {
      const count = await this.#read();
      if (count < rowsAtOnce) break;
    }
    const now = Date.now();
    for (const hour of this.#seen.closedHours(now)) await this.#note(hour);
    for (const { kind, key, persons } of this.#seen.over(floor, now)) await this.#judge(kind, key, persons);
  }

  /** Reads what came next; returns how many rows that was. */
  async #read(): Promise<number> {
    const { events, rows, last } = await this.#audit.rawAfter(this.#last, this.#timing.settledMs, rowsAtOnce);
    for (const one of events) this.#see(one);
    this.#last = last;
    return rows;
  }

  /** Persons are told apart by the numbers under which the audit log knows them; patients and proxies are not named. */
  #see({ event, about }: RawEvent): void {
    const { who, organization, action, at } = event;
    if (about.length === 0 || who === undefined || notLooking.includes(action)) return;
    const persons = about.map(String);
    this.#seen.add('account', who, Date.parse(at), persons);
    this.#seen.add('organization', organization, Date.parse(at), persons);
  }

  /** Writes down how many persons were looked at in an hour that is over. */
  async #note({ hour, counts }: { hour: number; counts: { kind: string; key: string; persons: number }[] }) {
    await this.#database.query(
      `INSERT INTO fan_out_hour (kind, key, hour, persons)
       SELECT kind, key, $1, persons FROM unnest($2::text[], $3::text[], $4::integer[]) AS v (kind, key, persons)
       ON CONFLICT (kind, key, hour) DO UPDATE SET persons = greatest(fan_out_hour.persons, excluded.persons)`,
      [
        new Date(hour),
        counts.map(({ kind }) => kind),
        counts.map(({ key }) => key),
        counts.map(({ persons }) => persons),
      ],
    );
    await this.#database.query(`DELETE FROM fan_out_hour WHERE hour < now() - interval '${usualDays} days'`);
  }

  /** Raises an alarm where so many are unusual, once an hour. */
  async #judge(kind: FanOutAlarm['kind'], key: string, persons: number): Promise<void> {
    const { rows } = await this.#database.query(
      `SELECT coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY persons), 0)::integer AS usual
       FROM fan_out_hour WHERE kind = $1 AND key = $2`,
      [kind, key],
    );
    const usual: number = rows[0]!.usual;
    if (persons <= Math.max(floor, timesUsual * usual)) return;
    const isRaised = await this.#database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        `INSERT INTO fan_out_alarm (kind, key, persons, usual) SELECT $1, $2, $3, $4
         WHERE NOT EXISTS (SELECT 1 FROM fan_out_alarm WHERE kind = $1 AND key = $2 AND at > now() - interval '1 hour')`,
        [kind, key, persons, usual],
      );
      if (rowCount === 1) notify(transaction, 'role:privacy-officer', 'fan-out', { kind, key, persons, usual });
      return rowCount === 1;
    });
    if (isRaised) this.#raised({ kind, key, persons, usual });
  }
}

/** The alarms of the last days, the latest first. */
export async function fanOutAlarms(database: Database, days: number, limit = 100): Promise<FanOutAlarm[]> {
  const { rows } = await database.query(
    `SELECT id, at, kind, key, persons, usual FROM fan_out_alarm WHERE at > now() - $1 * interval '1 day'
     ORDER BY at DESC LIMIT $2`,
    [days, limit],
  );
  return rows.map(({ id, at, kind, key, persons, usual }) => ({ id, at, kind, key, persons, usual }));
}
