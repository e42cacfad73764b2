/**
 * Suspensions of what a person is told of disclosures to a health oversight agency or law enforcement (45 CFR 164.528(a)(2)):
 * for the time that a written statement says, or for 30 days at most on an oral one.
 */
import type { AuditedEvent } from '../audit/index.ts';
import type { Database, Queryable } from '../database/index.ts';

export interface Hold {
  id: string;
  patient: string;
  /** The organisation, client or account to whom was disclosed. */
  recipient: string;
  statement: 'written' | 'oral';
  evidence: string;
  by: string;
  made: Date;
  until: Date;
  ended: Date | undefined;
}

export const oralDays = 30;

const columns = 'id, patient, recipient, statement, evidence, by_whom AS by, made, until, ended';

export async function holdsOf(database: Database, patients: readonly string[]): Promise<Hold[]> {
  const { rows } = await database.query<Hold>({
    name: 'accounting_holds',
    text: `SELECT ${columns} FROM accounting_hold WHERE patient = ANY($1) ORDER BY made DESC`,
    values: [patients],
  });
  return rows.map((row) => ({ ...row, ended: row.ended ?? undefined }));
}

export async function makeHold(database: Queryable, hold: Omit<Hold, 'made' | 'ended'>): Promise<void> {
  const { id, patient, recipient, statement, evidence, by, until } = hold;
  await database.query(
    `INSERT INTO accounting_hold (id, patient, recipient, statement, evidence, by_whom, until)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, patient, recipient, statement, evidence, by, until],
  );
}

/** Ends a hold before its time; returns whether it held. */
export async function endHold(database: Queryable, id: string, by: string): Promise<boolean> {
  const { rowCount } = await database.query(
    `UPDATE accounting_hold SET ended = now(), ended_by = $2 WHERE id = $1 AND ended IS NULL AND until > now()`,
    [id, by],
  );
  return rowCount === 1;
}

/** What is kept from a person by the holds that are on now. */
export function heldBy(holds: readonly Hold[], now: Date): ((audited: AuditedEvent) => boolean) | undefined {
  const recipients = new Set(
    holds.filter(({ ended, until }) => ended === undefined && until > now).map(({ recipient }) => recipient),
  );
  if (recipients.size === 0) return undefined;
  return ({ event, entry }) =>
    [event.organization, event.client, entry.who, entry.who?.replace(/^(site|client):/, ''), deliveredTo(entry)].some(
      (key) => key !== undefined && recipients.has(key),
    );
}

/** The destination of a delivery. */
export function deliveredTo({ action, what = '' }: { action: string; what?: string }): string | undefined {
  return action === 'deliver' ? / to (\S+)$/.exec(what)?.[1] : undefined;
}
