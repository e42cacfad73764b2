/**
 * The requests that the hub itself refused, with the exception of the information blocking rule that covers each (45 CFR
 * 171): put together by day, kind and caller, so that no flood of requests fills it. Each single one is in the record of
 * accesses. What was withheld from those whom it was to be sent to is counted from the deliveries, and those that are kept no
 * longer when they go (a trigger of the table `delivery`).
 */
import type { Database, Row, Transaction } from '../database/index.ts';
import { type ExceptionCode, exceptions, type ObservedKind, observedKinds } from './exceptions.ts';

/** A request that was refused. */
export interface Refused {
  kind: ObservedKind;
  organization: string;
  /** The account, app or system that asked. */
  requester: string;
  action: string;
}

/** Requests of one day, kind and caller. */
export interface Refusal extends Refused {
  /** YYYY-MM-DD, in UTC. */
  day: string;
  times: number;
  firstAt: Date;
  lastAt: Date;
  says: string;
  /** `none`: somebody found that it should have been answered. */
  exception: ExceptionCode | 'none';
  citation: string | undefined;
  /** Undefined where the exception is that of its kind. */
  decided: { by: string; at: Date; note: string } | undefined;
}

/** Which refusals of a day are meant. */
export type RefusalKey = Refused & { day: string };

const flushMs = 1_000;
/** More callers of one second are counted under one name: only an attack has so many. */
const mostKeys = 1_000;
const others = 'others';

export class Refusals {
  readonly #database: Database;
  readonly #fault: (error: unknown) => void;
  #noted = new Map<string, { refused: Refused; times: number; first: Date; last: Date }>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** @param fault is told why what was counted could not be stored; it is tried again */
  constructor(database: Database, fault: (error: unknown) => void) {
    this.#database = database;
    this.#fault = fault;
  }

  /** Counts a request that was refused; stored within a second. */
  observe(refused: Refused): void {
    const now = new Date();
    const counted = this.#noted.size < mostKeys ? refused : { ...refused, requester: others, action: others };
    const key = JSON.stringify([dayOf(now), counted.kind, counted.organization, counted.requester, counted.action]);
    const noted = this.#noted.get(key) ?? { refused: counted, times: 0, first: now, last: now };
    this.#noted.set(key, { ...noted, times: noted.times + 1, last: now });
    this.#flushLater();
  }

  /** Stores what was counted. @throws where the database does not take it; it is kept for the next time */
  async flush(): Promise<void> {
    await this.#turn;
    await this.#flush();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush();
  }

  /** Those of some days, the latest first. @param to the last day, inclusive */
  async list({ from, to, limit }: { from: string; to: string; limit: number }): Promise<Refusal[]> {
    const { rows } = await this.#database.query(
      `SELECT day::text, kind, organization, requester, action, sum(times)::integer AS times, min(first_at) FILTER (WHERE times > 0)
         AS first_at, max(last_at) FILTER (WHERE times > 0) AS last_at, max(exception) AS exception, max(decided_by) AS decided_by,
         max(decided_at) AS decided_at, max(note) AS note
       FROM (
         SELECT * FROM refusal WHERE day BETWEEN $1 AND $2
         UNION ALL
         SELECT created::date, 'withheld', destination, destination, topic, count(*)::integer, min(created), max(created),
           NULL, NULL, NULL, NULL
         FROM delivery WHERE withheld AND NOT unconfirmed AND created >= $1::date AND created < $2::date + 1 GROUP BY 1, 3, 5
       ) AS r (day, kind, organization, requester, action, times, first_at, last_at, exception, decided_by, decided_at, note)
       GROUP BY 1, 2, 3, 4, 5 HAVING sum(times) > 0 ORDER BY 1 DESC, 8 DESC LIMIT $3`,
      [from, to, limit],
    );
    return rows.map(shown);
  }

  /** Says what covers refusals of a day, or that nothing does. @returns whether there are such */
  async decide(
    key: RefusalKey,
    decision: { exception: ExceptionCode | 'none'; by: string; note: string },
    also: (transaction: Transaction) => void,
  ): Promise<boolean> {
    const { day, kind, organization, requester, action } = key;
    const { exception, by, note } = decision;
    const values = [day, kind, organization, requester, action, exception, by, note];
    const set = 'exception = $6, decided_by = $7, decided_at = clock_timestamp(), note = $8';
    return this.#database.transaction(async (transaction) => {
      const { rowCount } = await transaction.query(
        kind === 'withheld'
          ? `INSERT INTO refusal (day, kind, organization, requester, action, exception, decided_by, decided_at, note, times, first_at, last_at)
             SELECT $1::date, $2, $3, $4, $5, $6, $7, clock_timestamp(), $8, 0, now(), now() WHERE $3 = $4 AND (EXISTS (
               SELECT 1 FROM delivery WHERE withheld AND NOT unconfirmed AND destination = $3 AND topic = $5
                 AND created >= $1::date AND created < $1::date + 1)
               OR EXISTS (SELECT 1 FROM refusal WHERE (day, kind, organization, requester, action) = ($1::date, $2, $3, $4, $5)))
             ON CONFLICT (day, kind, organization, requester, action) DO UPDATE SET ${set}`
          : `UPDATE refusal SET ${set}
             WHERE day = $1 AND kind = $2 AND organization = $3 AND requester = $4 AND action = $5`,
        values,
      );
      if (rowCount === 0) return false;
      also(transaction);
      return true;
    });
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#turn = this.#turn
        .then(() => this.#flush())
        .catch((error) => {
          this.#fault(error);
          this.#flushLater();
        });
    }, flushMs).unref();
  }

  async #flush(): Promise<void> {
    const noted = [...this.#noted.values()];
    if (noted.length === 0) return;
    const counted = this.#noted;
    this.#noted = new Map();
    const of = <T>(value: (one: (typeof noted)[number]) => T) => noted.map(value);
    try {
      await this.#database.query(
        `INSERT INTO refusal AS r (day, kind, organization, requester, action, times, first_at, last_at)
         SELECT (f AT TIME ZONE 'UTC')::date, k, o, q, a, n, f, l
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[], $7::timestamptz[])
           AS t (k, o, q, a, n, f, l)
         ON CONFLICT (day, kind, organization, requester, action)
         DO UPDATE SET times = r.times + excluded.times, last_at = greatest(r.last_at, excluded.last_at)`,
        [
          of(({ refused }) => refused.kind),
          of(({ refused }) => refused.organization),
          of(({ refused }) => refused.requester),
          of(({ refused }) => refused.action),
          of(({ times }) => times),
          of(({ first }) => first),
          of(({ last }) => last),
        ],
      );
    } catch (error) {
      for (const [key, one] of counted) {
        const later = this.#noted.get(key);
        this.#noted.set(key, later ? { ...later, times: later.times + one.times, first: one.first } : one);
      }
      throw error;
    }
  }
}

function shown(row: Row): Refusal {
  const kind = row.kind as ObservedKind;
  const exception = (row.exception ?? observedKinds[kind].exception) as ExceptionCode | 'none';
  return {
    day: row.day,
    kind,
    organization: row.organization,
    requester: row.requester,
    action: row.action,
    times: row.times,
    firstAt: row.first_at,
    lastAt: row.last_at,
    says: observedKinds[kind].says,
    exception,
    citation: exception === 'none' ? undefined : exceptions[exception].citation,
    decided: row.decided_at ? { by: row.decided_by, at: row.decided_at, note: row.note } : undefined,
  };
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
