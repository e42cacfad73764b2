/**
 * Erasure of a person on lawful request: one asks, another confirms, and then it is carried out, in steps that may be begun
 * again after any interruption. Its fact stays: in the audit log, in the table, and in the register beside the data, which
 * is applied again to a database that was restored from before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditLog } from '../audit/index.ts';
import { backupName } from '../backup/index.ts';
import type { Database, LedWork, Row, Transaction } from '../database/index.ts';
import { type FhirRecord, newId, RecordError } from '../record/index.ts';
import { type Access, type AccessLog, type AccessNote, accessOf } from '../trust/index.ts';
import { Register } from './register.ts';
import type { Stops } from './stops.ts';
import { type Extent, isNaming, type Preview, patientType, previewOf, subjectOf, underWay } from './subject.ts';
import { accountsOf, eraseDeliveries, type Subject, type Swept, sweep } from './sweep.ts';
import type { Tokens } from './tokens.ts';

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

const heldBy = 'deliveries of the person that are being sent, or imports that go on';
const otherRecords = 'The person has other records than when this was asked for: withdraw it, and ask anew.';

/** The hub itself acts, by what people decided. */
const own: Access = accessOf({ username: 'erasure', name: 'Erasure', role: 'system', organization: 'local' });

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

export class Erasures implements LedWork {
  readonly #parts: ErasureParts;
  readonly #register: Register;
  #ending = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(parts: ErasureParts) {
    this.#parts = parts;
    this.#register = new Register(parts.dataDir);
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
  async applyRegister(): Promise<number> {
    const { database } = this.#parts;
    const { rows } = await database.query<{
      id: string;
      state: string;
      erased_at: Date | null;
      tokens: Buffer[] | null;
    }>(
      `SELECT id, state, erased_at, (SELECT array_agg(token) FROM erasure_stop WHERE erasure = id) AS tokens FROM erasure
       WHERE state IN ('confirmed', 'erased', 'lifted')`,
    );
    const known = new Map(rows.map((row) => [row.id, row]));
    const lines = this.#register.lines();
    const named = new Set(lines.map((line) => ('erasure' in line ? line.erasure : line.lifted)));
    for (const { id, state, erased_at: at, tokens } of rows) {
      if (state !== 'erased' || named.has(id)) continue;
      const said = (tokens ?? []).map((token) => token.toString('base64url'));
      this.#register.add({ v: 1, erasure: id, at: at!.toISOString(), tokens: said });
    }
    let applied = 0;
    const lifted = new Set(lines.flatMap((line) => ('lifted' in line ? line.lifted : [])));
    for (const line of lines) {
      if (!('erasure' in line) || ['confirmed', 'erased', 'lifted'].includes(known.get(line.erasure)?.state ?? ''))
        continue;
      await this.#applyAgain(line.erasure, line.tokens, lifted.has(line.erasure));
      applied++;
    }
    for (const { id, state } of rows) {
      if (state === 'erased' && lifted.has(id)) await this.#liftAgain(id);
    }
    return applied;
  }

  async #applyAgain(id: string, tokens: readonly string[], isLifted: boolean): Promise<void> {
    const { database } = this.#parts;
    const subject = await this.#subjectIn(id, new Set(tokens));
    const { homes, ids } = subject;
    await database.query(
      `INSERT INTO erasure (id, state, patients, homes, extent, legal_basis, reason, requested_by, confirmed_at)
       VALUES ($1, 'confirmed', $2, $3, 'person', '', 'by the register, after a restore', 'register', now())
       ON CONFLICT (id) DO UPDATE SET state = 'confirmed', homes = excluded.homes, patients = excluded.patients`,
      [id, ids, homes],
    );
    await database.query(
      'INSERT INTO erasure_stop (token, erasure) SELECT unnest($1::bytea[]), $2 ON CONFLICT DO NOTHING',
      [tokens.map((token) => Buffer.from(token, 'base64url')), id],
    );
    await this.#carryOut(subject, true);
    if (isLifted) await this.#liftAgain(id);
  }

  async #liftAgain(id: string): Promise<void> {
    await this.#parts.database.transaction(async (transaction) => {
      const { rows } = await transaction.query(
        `UPDATE erasure SET state = 'lifted', ended_by = 'register', ended_at = clock_timestamp() WHERE id = $1 RETURNING homes`,
        [id],
      );
      await lift(transaction, id, rows[0]!.homes);
    });
  }

  /** Whom the tokens of the register mean in this database. */
  async #subjectIn(erasure: string, tokens: ReadonlySet<string>): Promise<Subject> {
    const { database } = this.#parts;
    const homes: number[] = [];
    const rids: string[] = [];
    const isMeant = (rid: string) => tokens.has(this.#parts.tokens.patient(rid).toString('base64url'));
    for (let after = 0; ; ) {
      const { rows } = await database.query<{ rid: string; home: number }>(
        'SELECT rid, home FROM patient_home WHERE home > $1 ORDER BY home LIMIT 10000',
        [after],
      );
      if (rows.length === 0) break;
      for (const { rid, home } of rows) {
        if (!isMeant(rid)) continue;
        homes.push(home);
        rids.push(rid);
      }
      after = rows.at(-1)!.home;
    }
    const persons = await database.query<{ person: string }>(
      'SELECT presented AS person FROM link WHERE home = ANY($1) UNION SELECT unnest(ARRAY[person, previous]) FROM link_history WHERE patient = ANY($2)',
      [homes, rids],
    );
    rids.push(...persons.rows.flatMap(({ person }) => (person !== null && isMeant(person) ? person : [])));
    const ids = new Set(rids);
    for (const rid of rids) {
      const stored = await this.#parts.record.reader.read(own, 'Patient', rid);
      if (stored && !stored.deleted) ids.add((JSON.parse(stored.text) as { id: string }).id);
    }
    return { erasure, homes, rids, ids: [...ids] };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { rows } = await this.#parts.database.query(
          `SELECT id, extent, homes, patients FROM erasure WHERE state = 'confirmed' ORDER BY confirmed_at`,
        );
        for (const asked of rows as Asked[]) {
          if (signal.aborted) return;
          if (this.#isBegun(asked.id) || (await this.#isAsAsked(asked).catch(noLongerThere))) {
            const { id, homes, patients } = asked;
            const rids = patients.filter((one) => uuid.test(one));
            await this.#carryOut({ erasure: id, homes, rids, ids: patients });
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

  /** Whether it is carried out already, wholly or in part. */
  #isBegun(id: string): boolean {
    return this.#register.lines().some((line) => 'erasure' in line && line.erasure === id);
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

  /**
   * Carries out an erasure that was confirmed; where it is held up, says so and leaves it for later.
   * @param isForced nothing holds it up: what was under way when the database was backed up is not any more
   */
  async #carryOut(subject: Subject, isForced = false): Promise<void> {
    const { database, record, accessLog, tokens, stops, audit } = this.#parts;
    const { erasure, homes, rids, ids } = subject;
    const isHeld = async () => {
      if (isForced || (await underWay(database, homes)) === 0) return false;
      await database.query('UPDATE erasure SET held_by = $2 WHERE id = $1', [erasure, heldBy]);
      return true;
    };
    if (await isHeld()) return;
    const stop = rids.map((rid) => tokens.patient(rid).toString('base64url'));
    if (!this.#isBegun(erasure)) this.#register.add({ v: 1, erasure, at: new Date().toISOString(), tokens: stop });
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

/** What is known of the person is forgotten, so that it can come anew. */
async function lift(transaction: Transaction, id: string, homes: readonly number[]): Promise<void> {
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

/** The event names the erasure and nobody. */
function noteOf(access: Access, action: string, id: string, status: number, reason?: string): AccessNote {
  return { access, entry: { action, what: `erasure/${id}`, status, ...(reason === undefined ? {} : { reason }) } };
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
