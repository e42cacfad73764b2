/**
 * Carries out an erasure, in steps that may be begun again after any interruption, and takes back that somebody is kept
 * erased.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditLog } from '../audit/index.ts';
import { backupName } from '../backup/index.ts';
import type { Database, Transaction } from '../database/index.ts';
import type { FhirRecord } from '../record/index.ts';
import { type Access, type AccessLog, type AccessNote, accessOf } from '../trust/index.ts';
import type { Register } from './register.ts';
import type { Stops } from './stops.ts';
import { patientType, underWay } from './subject.ts';
import { accountsOf, eraseDeliveries, type Subject, type Swept, sweep } from './sweep.ts';
import type { Tokens } from './tokens.ts';

export interface ErasureParts {
  database: Database;
  record: FhirRecord;
  accessLog: AccessLog;
  tokens: Tokens;
  stops: Stops;
  dataDir: string;
  /** Whose keys open what the audit log says of patients. */
  audit: Pick<AuditLog, 'destroyAuditKeys' | 'forgetKeys'>;
  fault: (error: unknown) => void;
}

/** The hub itself acts, by what people decided. */
export const own: Access = accessOf({ username: 'erasure', name: 'Erasure', role: 'system', organization: 'local' });

const heldBy = 'deliveries of the person that are being sent, or imports that go on';

export class CarryingOut {
  readonly #parts: ErasureParts;
  readonly #register: Register;

  constructor(parts: ErasureParts, register: Register) {
    this.#parts = parts;
    this.#register = register;
  }

  /** Whether it is carried out already, wholly or in part. */
  isBegun(id: string): boolean {
    return this.#register.lines().some((line) => 'erasure' in line && line.erasure === id);
  }

  /**
   * Carries out an erasure that was confirmed; where it is held up, says so and leaves it for later.
   * @param isForced nothing holds it up: what was under way when the database was backed up is not any more
   */
  async carryOut(subject: Subject, isForced = false): Promise<void> {
    const { database, record, accessLog, tokens, stops, audit } = this.#parts;
    const { erasure, homes, rids, ids } = subject;
    const isHeld = async () => {
      if (isForced || (await underWay(database, homes)) === 0) return false;
      await database.query('UPDATE erasure SET held_by = $2 WHERE id = $1', [erasure, heldBy]);
      return true;
    };
    if (await isHeld()) return;
    const stop = rids.map((rid) => tokens.patient(rid).toString('base64url'));
    if (!this.isBegun(erasure)) this.#register.add({ v: 1, erasure, at: new Date().toISOString(), tokens: stop });
    const total = await database.transaction((transaction) => eraseDeliveries(transaction, homes, isForced));
    await this.#leave(homes);
    const accounts = await accountsOf(database, ids);
    const first = await database.transaction(async (transaction) => {
      const swept = await sweep(transaction, subject, tokens);
      await audit.destroyAuditKeys(transaction, ids, accounts);
      await accessLog.recordWith(transaction, [noteOf(own, 'erase', erasure, 200)]);
      return swept;
    });
    record.keys.forget(homes);
    audit.forgetKeys(ids, accounts);
    // Whoever began to write before is waited for; what that brought goes too.
    await untilOthersEnded(database);
    const second = await database.transaction(async (transaction) => {
      const late = await eraseDeliveries(transaction, homes, isForced);
      // What was recorded of them meanwhile too.
      await audit.destroyAuditKeys(transaction, ids, accounts);
      return added(late, await sweep(transaction, subject, tokens));
    });
    audit.forgetKeys(ids, accounts);
    if (await isHeld()) return;
    await database.query(
      `UPDATE erasure SET state = 'erased', erased_at = clock_timestamp(), held_by = NULL, patients = '{}', counts = $2
       WHERE id = $1`,
      [erasure, JSON.stringify(added(added(total, first), second))],
    );
    await stops.look();
  }

  /** The source Patients leave their persons, as when they are deleted. */
  async #leave(homes: readonly number[]): Promise<void> {
    const { database, record } = this.#parts;
    const { rows } = await database.query<{ rid: string }>(
      `SELECT rid FROM resource WHERE home = ANY($1) AND type = ${patientType} AND NOT deleted`,
      [homes],
    );
    const keys = rows.map(({ rid }) => ({ type: 'Patient', id: rid }));
    if (keys.length === 0) return;
    await record.writer.write({
      keys,
      patients: [],
      alone: true,
      size: keys.length,
      apply: (set) => {
        for (const { type, id } of keys) {
          const found = set.get(type, id);
          if (found && !found.deleted) set.remove(type, id);
        }
      },
    });
  }
}

/** What is known of the person is forgotten, so that it can come anew. */
export async function lift(transaction: Transaction, id: string, homes: readonly number[]): Promise<void> {
  const all = transaction.as('all');
  const { rows } = await all.query<{ rid: string }>(
    `SELECT rid FROM resource WHERE home = ANY($1) AND type = ${patientType}`,
    [homes],
  );
  await all.query('DELETE FROM erasure_stop WHERE erasure = $1', [id]);
  await all.query('DELETE FROM resource WHERE home = ANY($1) AND deleted AND body IS NULL', [homes]);
  await all.query('DELETE FROM patient_home WHERE erased AND (home = ANY($1) OR rid = ANY($2))', [
    homes,
    rows.map(({ rid }) => rid),
  ]);
}

/** The event names the erasure and nobody. */
export function noteOf(access: Access, action: string, id: string, status: number, reason?: string): AccessNote {
  return { access, entry: { action, what: `erasure/${id}`, status, ...(reason === undefined ? {} : { reason }) } };
}

/**
 * Resolves when every transaction that runs now has ended, also of who only read until now: it may write what it was told
 * may be written. Back-ups write nothing.
 */
async function untilOthersEnded(database: Database): Promise<void> {
  const running = async () => {
    const { rows } = await database.query<{ one: string }>(
      `SELECT pid || ' ' || xact_start AS one FROM pg_stat_activity
       WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
         AND pid <> pg_backend_pid() AND application_name <> $1`,
      [backupName],
    );
    return rows.map(({ one }) => one);
  };
  const others = new Set(await running());
  while (others.size > 0 && (await running()).some((one) => others.has(one))) await delay(100);
}

function added(a: Swept, b: Swept): Swept {
  const sum = { ...a };
  for (const [what, count] of Object.entries(b)) sum[what] = (sum[what] ?? 0) + count;
  return sum;
}
