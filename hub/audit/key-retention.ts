/**
 * Destroys the keys of months when what is private of their events has been kept for as long as the operator says: it can
 * never be opened again, and every leaf and proof stays as it is. Each key is an event of its own. One hub at a time looks,
 * once a day.
 */
import { type Database, type LedWork, Rounds } from '../database/index.ts';
import type { AuditLog } from './audit-log.ts';
import { monthSubject } from './event.ts';

/** Nothing is destroyed before: accountings of disclosures reach back so far (45 CFR 164.528). */
export const leastYears = 6;

const everyMs = 24 * 3_600_000;
const afterFaultMs = 3_600_000;
const firstMs = 60_000;

export class KeyRetention implements LedWork {
  readonly #database: Database;
  readonly #audit: AuditLog;
  readonly #years: number;
  readonly #rounds: Rounds;

  /** @param years how long what is private is kept, in full @param fault is told why a key could not be destroyed */
  constructor(database: Database, audit: AuditLog, years: number, fault: (error: unknown) => void) {
    if (years < leastYears) throw new RangeError(`What is private of the audit log is kept for ${leastYears} years.`);
    this.#database = database;
    this.#audit = audit;
    this.#years = years;
    this.#rounds = new Rounds({
      round: async () => {
        await this.destroyDue(new Date());
        return everyMs;
      },
      ...{ firstMs, afterFaultMs, fault },
    });
  }

  start(): void {
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Destroys the keys of the months that ended so long ago, one after the other; returns which. */
  async destroyDue(now: Date): Promise<string[]> {
    const { rows } = await this.#database.query<{ name: string }>(
      `SELECT name FROM audit_subject WHERE name LIKE 'month:%' AND name < $1 ORDER BY name`,
      [monthSubject(yearsBefore(now, this.#years))],
    );
    for (const { name } of rows) {
      await this.#database.transaction(async (transaction) => {
        await this.#audit.destroyMonth(transaction, name);
        transaction.send(await this.#audit.insertion([eventOf(name, now)]));
      });
      this.#audit.forgetMonth(name);
    }
    return rows.map(({ name }) => name);
  }
}

/** Since when what is private of events has to be there. */
export function keptSince(): string {
  return yearsBefore(new Date(), leastYears);
}

function yearsBefore(now: Date, years: number): string {
  const then = new Date(now);
  then.setUTCFullYear(then.getUTCFullYear() - years);
  return then.toISOString();
}

function eventOf(month: string, now: Date) {
  const who = { who: 'retention', role: 'system', organization: 'local' };
  return { at: now.toISOString(), ...who, action: 'destroy-audit-key', what: month, status: 200 };
}
