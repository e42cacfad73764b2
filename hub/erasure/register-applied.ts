/** The register of erasures, held against a database that may have been restored from before they were carried out. */
import { type CarryingOut, type ErasureParts, lift, own } from './carry-out.ts';
import type { Register } from './register.ts';
import type { Subject } from './sweep.ts';

export class RegisterApplied {
  readonly #parts: ErasureParts;
  readonly #register: Register;
  readonly #carrying: CarryingOut;

  constructor(parts: ErasureParts, register: Register, carrying: CarryingOut) {
    this.#parts = parts;
    this.#register = register;
    this.#carrying = carrying;
  }

  /**
   * Carries out what the register knows and the database does not, since it was restored from before; and writes into the
   * register what it lacks. To be done before anything is answered. @returns how many were carried out again
   */
  async apply(): Promise<number> {
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
    await this.#carrying.carryOut(subject, true);
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
}
