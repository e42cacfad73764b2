/**
 * Emergency accesses ("break the glass"): begun by an eligible clinician who proves again who it is and says why, for one
 * person and at most an hour; told to the patient and the privacy officers, and open until somebody has reviewed them.
 */
import type { Database, Row, Transaction } from '../database/index.ts';
import { notify } from './notices.ts';

/** Reasons that may be given. */
export const emergencyReasons = ['life-threat', 'unconscious', 'urgent-care', 'public-danger', 'other'] as const;
export type EmergencyReason = (typeof emergencyReasons)[number];

export interface Emergency {
  id: string;
  username: string;
  organization: string;
  patient: string;
  reasonCode: EmergencyReason;
  reason: string;
  stepUp: string;
  begun: Date;
  ends: Date;
  ended: Date | undefined;
  review: { verdict: 'appropriate' | 'inappropriate'; by: string; at: Date; comment: string } | undefined;
}

const minutes = 60;
/** Reviews that are open longer are told of as overdue. */
const reviewHours = 72;
const naggingMs = 3_600_000;

export class Emergencies {
  readonly #database: Database;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Says again and again how many reviews are overdue, until none is. */
  watch(overdue: (count: number) => void): void {
    const look = async () => {
      const found = await this.reviewsOpen().catch(() => undefined);
      if (found && found.overdue > 0) overdue(found.overdue);
    };
    this.#timer = setInterval(() => void look(), naggingMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Whether an account may begin one. */
  async mayBegin(username: string): Promise<boolean> {
    const { rows } = await this.#database.query(
      `SELECT role = 'clinician' AND may_emergency AS may FROM account WHERE username = $1`,
      [username],
    );
    return rows[0]?.may ?? false;
  }

  /** Begins one, and tells of it. Another of the same account ends. @param id made by the caller */
  async begin(
    given: Pick<Emergency, 'id' | 'username' | 'organization' | 'patient' | 'reasonCode' | 'reason' | 'stepUp'> & {
      name: string;
    },
    transaction: Transaction,
  ): Promise<Emergency> {
    await transaction.query(
      'UPDATE emergency_access SET ended = now() WHERE username = $1 AND ended IS NULL AND ends > now()',
      [given.username],
    );
    const { rows } = await transaction.query(
      `INSERT INTO emergency_access (id, username, organization, patient, reason_code, reason, step_up, ends)
       VALUES ($1, $2, $3, $4, $5, $6, $7, now() + interval '${minutes} minutes') RETURNING *`,
      [given.id, given.username, given.organization, given.patient, given.reasonCode, given.reason, given.stepUp],
    );
    const { id, patient, reasonCode, reason, name, organization } = given;
    const about = { emergency: id, patient, reasonCode, reason, by: name, organization };
    tell(transaction, given.patient, 'emergency-begun', about);
    return emergencyOf(rows[0]!);
  }

  /** Ends one of an account's own; returns whether it was under way. */
  async end(id: string, username: string, transaction: Transaction): Promise<boolean> {
    const { rowCount } = await transaction.query(
      'UPDATE emergency_access SET ended = now() WHERE id = $1 AND username = $2 AND ended IS NULL AND ends > now()',
      [id, username],
    );
    return rowCount === 1;
  }

  /** The one of this id that an account has under way; without an id the latest. */
  async underWay(username: string, id?: string): Promise<Emergency | undefined> {
    const { rows } = await this.#database.query({
      name: 'emergency_under_way',
      text: `SELECT * FROM emergency_access WHERE username = $1 AND ($2::uuid IS NULL OR id = $2)
               AND ended IS NULL AND ends > now() ORDER BY begun DESC LIMIT 1`,
      values: [username, id ?? null],
    });
    return rows[0] && emergencyOf(rows[0]);
  }

  /** Those that nobody has reviewed, the oldest first; or those that were, the latest first. */
  async list(state: 'open' | 'reviewed', limit = 100): Promise<Emergency[]> {
    const { rows } = await this.#database.query(
      state === 'open'
        ? `SELECT * FROM emergency_access WHERE verdict IS NULL ORDER BY begun LIMIT ${limit}`
        : `SELECT * FROM emergency_access WHERE verdict IS NOT NULL ORDER BY reviewed_at DESC LIMIT ${limit}`,
    );
    return rows.map(emergencyOf);
  }

  /** Reviews one; returns whether it was open, and not the reviewer's own. */
  async review(
    id: string,
    by: string,
    verdict: 'appropriate' | 'inappropriate',
    comment: string,
    transaction: Transaction,
  ): Promise<Emergency | undefined> {
    const { rows } = await transaction.query(
      `UPDATE emergency_access SET verdict = $2, reviewed_by = $3, reviewed_at = now(), comment = $4,
         ended = coalesce(ended, least(ends, now()))
       WHERE id = $1 AND verdict IS NULL AND username <> $3 RETURNING *`,
      [id, verdict, by, comment],
    );
    if (!rows[0]) return undefined;
    const reviewed = emergencyOf(rows[0]);
    notify(transaction, `patient:${reviewed.patient}`, 'emergency-reviewed', { emergency: id, verdict });
    notify(transaction, `account:${reviewed.username}`, 'emergency-reviewed', { emergency: id, verdict, comment });
    return reviewed;
  }

  /** How many reviews are open, and how many of them for too long. */
  async reviewsOpen(): Promise<{ open: number; overdue: number }> {
    const { rows } = await this.#database.query(
      `SELECT count(*) AS open, count(*) FILTER (WHERE begun < now() - interval '${reviewHours} hours') AS overdue
       FROM emergency_access WHERE verdict IS NULL`,
    );
    return { open: Number(rows[0]!.open), overdue: Number(rows[0]!.overdue) };
  }
}

function tell(transaction: Transaction, patient: string, kind: string, about: object): void {
  notify(transaction, `patient:${patient}`, kind, about);
  notify(transaction, 'role:privacy-officer', kind, about);
}

function emergencyOf(row: Row): Emergency {
  return {
    id: row.id,
    username: row.username,
    organization: row.organization,
    patient: row.patient,
    reasonCode: row.reason_code,
    reason: row.reason,
    stepUp: row.step_up,
    begun: row.begun,
    ends: row.ends,
    ended: row.ended ?? undefined,
    review: row.verdict
      ? { verdict: row.verdict, by: row.reviewed_by, at: row.reviewed_at, comment: row.comment }
      : undefined,
  };
}
