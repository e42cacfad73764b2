/**
 * Which persons an account stands for: its own, or those whom it represents. A binding is made by staff who saw proof, by an
 * invitation with two things that the site knows of the person, or by an external provider that has proved who somebody is.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Database, Queryable, Row } from '../database/index.ts';

export const relations = ['self', 'parent', 'guardian', 'carer', 'other'] as const;
export type Relation = (typeof relations)[number];
export type Proofing = 'in-person' | 'invitation' | 'external';

export interface Binding {
  id: string;
  username: string;
  patient: string;
  relation: Relation;
  proofing: Proofing;
  evidence: string;
  by: string;
  since: Date;
  until: Date | undefined;
}

/** What an invitation stands for. */
export interface Invited {
  patient: string;
  relation: Relation;
  by: string;
}

const invitationDays = 14;
const invitationTries = 5;

export class Bindings {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Binds an account. @param binding its id made by the caller */
  async bind(binding: Omit<Binding, 'since'>, database: Queryable = this.#database): Promise<Binding> {
    const { id, username, patient, relation, proofing, evidence, by, until } = binding;
    const { rows } = await database.query(
      `INSERT INTO account_person (id, username, patient, relation, proofing, evidence, bound_by, until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *`,
      [id, username, patient, relation, proofing, evidence, by, until ?? null],
    );
    return bindingOf(rows[0]!);
  }

  /** Ends a binding; returns whether it held. */
  async end(id: string, by: string, database: Queryable = this.#database): Promise<boolean> {
    const { rowCount } = await database.query(
      'UPDATE account_person SET ended = now(), ended_by = $2 WHERE id = $1 AND ended IS NULL',
      [id, by],
    );
    return rowCount === 1;
  }

  /** The bindings of an account that hold now. */
  async of(username: string): Promise<Binding[]> {
    const { rows } = await this.#database.query({
      name: 'bindings_of',
      text: `SELECT * FROM account_person WHERE username = $1 AND ended IS NULL AND (until IS NULL OR until > now())
             ORDER BY since`,
      values: [username],
    });
    return rows.map(bindingOf);
  }

  /** Whether an account stands for somebody, or did since an external provider said so: whoever ended that decides. */
  async isDecided(username: string, database: Queryable = this.#database): Promise<boolean> {
    const { rows } = await database.query(
      `SELECT 1 FROM account_person WHERE username = $1 AND (ended IS NULL OR proofing = 'external') LIMIT 1`,
      [username],
    );
    return rows.length > 0;
  }

  /** The bindings to any of these Patients that hold now. */
  async to(patients: readonly string[], database: Queryable = this.#database): Promise<Binding[]> {
    const { rows } = await database.query(
      `SELECT * FROM account_person WHERE patient = ANY($1) AND ended IS NULL AND (until IS NULL OR until > now())
       ORDER BY since`,
      [patients],
    );
    return rows.map(bindingOf);
  }

  /** Makes a code that binds the account of whoever has it, and knows two things of the person. It is told once. */
  async invite(invited: Invited, database: Queryable = this.#database): Promise<string> {
    const code = randomBytes(15).toString('base64url');
    await database.query(
      `WITH old AS (DELETE FROM invitation WHERE expires < now())
       INSERT INTO invitation (code, patient, relation, made_by, expires)
       VALUES ($1, $2, $3, $4, now() + interval '${invitationDays} days')`,
      [digest(code), invited.patient, invited.relation, invited.by],
    );
    return code;
  }

  /** What a code stands for; each look counts as a try. Undefined where it is none, or was tried too often. */
  async invited(code: string): Promise<Invited | undefined> {
    const { rows } = await this.#database.query(
      `UPDATE invitation SET tries = tries + 1 WHERE code = $1 AND expires > now() AND tries < ${invitationTries}
       RETURNING patient, relation, made_by`,
      [digest(code)],
    );
    return rows[0] && { patient: rows[0].patient, relation: rows[0].relation, by: rows[0].made_by };
  }

  /** Uses a code up; returns whether it was still there. */
  async accept(code: string, database: Queryable = this.#database): Promise<boolean> {
    const { rowCount } = await database.query('DELETE FROM invitation WHERE code = $1', [digest(code)]);
    return rowCount === 1;
  }
}

function digest(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}

function bindingOf(row: Row): Binding {
  return {
    id: row.id,
    username: row.username,
    patient: row.patient,
    relation: row.relation,
    proofing: row.proofing,
    evidence: row.evidence,
    by: row.bound_by,
    since: row.since,
    until: row.until ?? undefined,
  };
}
