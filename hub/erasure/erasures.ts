/**
 * Erasure of a person on lawful request: one asks, another confirms, and then it is carried out. Its fact stays: in the
 * audit log, in the table, and in the register beside the data, which is applied again to a database that was restored
 * from before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LedWork, Row, Transaction } from '../database/index.ts';
import { newId, RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { CarryingOut, type ErasureParts, lift, noteOf, own } from './carry-out.ts';
import { Register } from './register.ts';
import { RegisterApplied } from './register-applied.ts';
import { type Extent, isNaming, type Preview, previewOf, subjectOf } from './subject.ts';
import type { Swept } from './sweep.ts';

export type ErasureState = 'requested' | 'withdrawn' | 'confirmed' | 'erased' | 'lifted';

export interface Erasure {
  id: string;
  state: ErasureState;
  legalBasis: string;
  reason: string;
  requestedBy: string;
  requestedAt: Date;
  confirmedBy: string | undefined;
  confirmedAt: Date | undefined;
  /** What it waits for. */
  heldBy: string | undefined;
  erasedAt: Date | undefined;
  counts: Swept;
  maintainedAt: Date | undefined;
  endedBy: string | undefined;
  endedAt: Date | undefined;
  refused: number;
  refusedAt: Date | undefined;
  /** Until it is carried out. */
  patients: string[];
}

const lookMs = 2_000;

const otherRecords = 'The person has other records than when this was asked for: withdraw it, and ask anew.';

export class Erasures implements LedWork {
  readonly #parts: ErasureParts;
  readonly #register: Register;
  readonly #carrying: CarryingOut;
  #ending = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
    this.#register = new Register(parts.dataDir);
    this.#carrying = new CarryingOut(parts, this.#register);
  }

  start(): void {
    this.#ending = new AbortController();
    this.#work = this.#run(this.#ending.signal);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    this.#wake?.();
    await this.#work;
  }

  /** What would go. @throws RecordError 404, 410 */
  async preview(patient: string, extent: Extent): Promise<Preview & { patients: string[]; homes: number[] }> {
    const found = await subjectOf(this.#parts, own, patient, extent);
    return { patients: found.ids, homes: found.homes, ...(await previewOf(this.#parts.database, found)) };
  }

  /** Asks for an erasure. @throws RecordError 400, 404, 409, 410 */
  async request(
    asked: { patient: string; extent: Extent; legalBasis: string; reason: string },
    by: Access,
  ): Promise<Erasure> {
    const found = await subjectOf(this.#parts, own, asked.patient, asked.extent);
    for (const name of ['reason', 'legalBasis'] as const) {
      if (!isNaming(asked[name], found)) continue;
      const text = 'What is said here is kept: say it without a name, number or address of the person.';
      throw new RecordError(400, 'value', text, name);
    }
    const id = newId();
    return this.#parts.accessLog.change(async (transaction) => {
      await this.#refuseSecond(transaction, found.homes);
      const { rows } = await transaction.query(
        `INSERT INTO erasure (id, state, patients, homes, extent, legal_basis, reason, requested_by)
         VALUES ($1, 'requested', $2, $3, $4, $5, $6, $7) RETURNING *`,
        [id, found.ids, found.homes, asked.extent, asked.legalBasis, asked.reason, by.who],
      );
      return { made: erasureOf(rows[0]!), note: noteOf(by, 'erasure-request', id, 201, asked.legalBasis) };
    });
  }

  /**
   * A second person confirms; from then on it is carried out.
   * @throws RecordError 403 where it is the same, 404, 409 where the person is not as when it was asked for, 410
   */
  async confirm(id: string, by: Access): Promise<Erasure> {
    const before = await this.#open(id);
    if (before.requested_by === by.who) {
      throw new RecordError(403, 'forbidden', 'Another person than the one who asked for it confirms an erasure.');
    }
    if (!(await this.#isAsAsked(before as Asked))) throw new RecordError(409, 'conflict', otherRecords);
    const confirmed = await this.#decide(
      id,
      by,
      'erasure-confirm',
      `state = 'confirmed', confirmed_by = $2, confirmed_at = now(), held_by = NULL`,
    );
    this.#wake?.();
    return confirmed;
  }

  /** Nothing is done. @throws RecordError 404, 409 */
  withdraw(id: string, by: Access, reason: string): Promise<Erasure> {
    const set = `state = 'withdrawn', ended_by = $2, ended_at = now(), end_reason = $3`;
    return this.#decide(id, by, 'erasure-withdraw', set, [reason]);
  }

  /** What is sent about the person is taken again; what was erased stays so. @throws RecordError 404, 409 */
  async lift(id: string, by: Access, reason: string): Promise<Erasure> {
    const lifted = await this.#parts.accessLog.change(async (transaction) => {
      const { rows } = await transaction.query(
        `UPDATE erasure SET state = 'lifted', ended_by = $2, ended_at = clock_timestamp(), end_reason = $3
         WHERE id = $1 AND state = 'erased' RETURNING *`,
        [id, by.who, reason],
      );
      if (!rows[0]) throw new RecordError(409, 'conflict', 'There is no erasure of this id that holds.');
      await lift(transaction, id, rows[0].homes);
      this.#register.add({ v: 1, lifted: id, at: new Date().toISOString() });
      return { made: erasureOf(rows[0]), note: noteOf(by, 'erasure-lift', id, 200) };
    });
    await this.#parts.stops.look();
    return lifted;
  }

  /** The latest first. */
  async list(): Promise<Erasure[]> {
    const { rows } = await this.#parts.database.query('SELECT * FROM erasure ORDER BY requested_at DESC LIMIT 1000');
    return rows.map(erasureOf);
  }

  /**
   * Carries out what the register knows and the database does not, since it was restored from before; and writes into the
   * register what it lacks. To be done before anything is answered. @returns how many were carried out again
   */
  applyRegister(): Promise<number> {
    return new RegisterApplied(this.#parts, this.#register, this.#carrying).apply();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { rows } = await this.#parts.database.query(
          `SELECT id, extent, homes, patients FROM erasure WHERE state = 'confirmed' ORDER BY confirmed_at`,
        );
        for (const asked of rows as Asked[]) {
          if (signal.aborted) return;
          if (this.#carrying.isBegun(asked.id) || (await this.#isAsAsked(asked).catch(noLongerThere))) {
            const { id, homes, patients } = asked;
            const rids = patients.filter((one) => uuid.test(one));
            await this.#carrying.carryOut({ erasure: id, homes, rids, ids: patients });
          } else await this.#giveBack(asked.id);
        }
      } catch (error) {
        this.#parts.fault(error);
      }
      const waking = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([waking, delay(lookMs, undefined, { signal }).catch(() => {})]);
    }
  }

  /** Whether the records of the person are those that they were. @throws RecordError 404, 410 */
  async #isAsAsked({ patients, extent, homes }: Asked): Promise<boolean> {
    const found = await subjectOf(this.#parts, own, patients[0]!, extent);
    return String([...found.homes].sort()) === String([...homes].sort());
  }

  /** What two persons decided was about others. */
  async #giveBack(id: string): Promise<void> {
    await this.#parts.accessLog.change(async (transaction) => {
      const { rowCount } = await transaction.query(
        `UPDATE erasure SET state = 'requested', confirmed_by = NULL, confirmed_at = NULL, held_by = $2
         WHERE id = $1 AND state = 'confirmed'`,
        [id, otherRecords],
      );
      return { made: rowCount, note: noteOf(own, 'erasure-give-back', id, 409) };
    });
  }

  async #open(id: string) {
    const { rows } = await this.#parts.database.query(`SELECT * FROM erasure WHERE id = $1`, [id]);
    if (!rows[0]) throw new RecordError(404, 'not-found', 'There is no erasure of this id.');
    if (rows[0].state !== 'requested') throw new RecordError(409, 'conflict', 'This erasure was decided already.');
    return rows[0];
  }

  async #decide(id: string, by: Access, action: string, set: string, more: unknown[] = []): Promise<Erasure> {
    await this.#open(id);
    return this.#parts.accessLog.change(async (transaction) => {
      const { rows } = await transaction.query(
        `UPDATE erasure SET ${set} WHERE id = $1 AND state = 'requested' RETURNING *`,
        [id, by.who, ...more],
      );
      if (!rows[0]) throw new RecordError(409, 'conflict', 'This erasure was decided already.');
      return { made: erasureOf(rows[0]), note: noteOf(by, action, id, 200) };
    });
  }

  async #refuseSecond(transaction: Transaction, homes: readonly number[]): Promise<void> {
    const { rows } = await transaction.query(
      `SELECT 1 FROM erasure WHERE state IN ('requested', 'confirmed') AND homes && $1`,
      [homes],
    );
    if (rows.length > 0) throw new RecordError(409, 'conflict', 'The erasure of this person was asked for already.');
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Of whom it was asked for, as the row has it. */
type Asked = Pick<Erasure, 'id' | 'patients'> & { extent: Extent; homes: number[] };

/** Nobody of a confirmed erasure is found where others were erased or expunged meanwhile. */
function noLongerThere(error: unknown): false {
  if (error instanceof RecordError) return false;
  throw error;
}

function erasureOf(row: Row): Erasure {
  return {
    id: row.id,
    state: row.state,
    legalBasis: row.legal_basis,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    confirmedBy: row.confirmed_by ?? undefined,
    confirmedAt: row.confirmed_at ?? undefined,
    heldBy: row.held_by ?? undefined,
    erasedAt: row.erased_at ?? undefined,
    counts: row.counts,
    maintainedAt: row.maintained_at ?? undefined,
    endedBy: row.ended_by ?? undefined,
    endedAt: row.ended_at ?? undefined,
    refused: Number(row.refused),
    refusedAt: row.refused_at ?? undefined,
    patients: row.patients,
  };
}
