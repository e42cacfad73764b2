/** Loops as people work on them: listed, opened with what happened to them, noted on, assigned, acknowledged, closed. */
import { typeName } from '@causeway/fhir';
import type { Database, Transaction } from '../database/index.ts';
import { type Access, accessCondition, scopeOf } from '../trust/index.ts';
import type { LoopKind } from './loop-evidence.ts';

export interface Loop {
  id: string;
  kind: LoopKind;
  state: 'open' | 'accepted' | 'closed';
  why: string;
  opened: Date;
  due: Date;
  escalated: Date | null;
  /** Who it is from and, where one organisation has to act, who that is. */
  source: string;
  site: string | null;
  focus: string;
  /** The Patient of who it is from. */
  patient: string;
  assignee: string | null;
  closed: Date | null;
  closedBy: string | null;
  outcome: string | null;
}

export interface LoopEvent {
  at: Date;
  by: string;
  event: string;
  note: string | null;
}

export interface LoopQuery {
  kind?: string | undefined;
  /** `open` are those that are not closed. */
  state?: 'open' | 'late' | 'closed' | undefined;
  assignee?: string | undefined;
  limit: number;
}

/** Whose loops are shown: those of one organisation and of those for whom it cares, as far as it may read what they are about. */
export interface Viewer {
  access: Access;
  organization: string;
}

const columns = `c.id, c.kind, c.state, c.why, c.opened, c.due, c.escalated, c.source, c.site, c.focus_type, c.focus_rid,
  c.assignee, c.closed, c.closed_by, c.outcome, l.patient`;

export class LoopList {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The most urgent first; of the closed the latest. @param viewer undefined: all */
  async list({ kind, state = 'open', assignee, limit }: LoopQuery, viewer?: Viewer): Promise<Loop[]> {
    const values: unknown[] = [];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const conditions = [`c.state ${state === 'closed' ? '=' : '<>'} 'closed'`];
    if (state === 'late') conditions.push('c.due <= now()');
    if (kind !== undefined) conditions.push(`c.kind = ${parameter(kind)}`);
    if (assignee !== undefined) conditions.push(`c.assignee = ${parameter(assignee)}`);
    if (viewer) conditions.push(isOf(viewer, parameter));
    const database = viewer ? this.#database.as(scopeOf(viewer.access)) : this.#database;
    const { rows } = await database.query(
      `SELECT ${columns} FROM care_loop c JOIN link l ON l.home = c.home WHERE ${conditions.join(' AND ')}
       ORDER BY ${state === 'closed' ? 'c.closed DESC' : 'c.due'}, c.id LIMIT ${Number(limit)}`,
      values,
    );
    return rows.map(shown);
  }

  /** One of them with what happened to it; undefined where there is none, or the viewer may not see it. */
  async read(id: string, viewer?: Viewer): Promise<(Loop & { events: LoopEvent[] }) | undefined> {
    const values: unknown[] = [id];
    const condition = viewer ? isOf(viewer, (value) => `$${values.push(value)}`) : 'true';
    const database = viewer ? this.#database.as(scopeOf(viewer.access)) : this.#database;
    const { rows } = await database.query(
      `SELECT ${columns} FROM care_loop c JOIN link l ON l.home = c.home WHERE c.id = $1 AND ${condition}`,
      values,
    );
    if (!rows[0]) return undefined;
    const events = await this.#database.query(
      'SELECT at, by_whom AS by, event, note FROM care_loop_event WHERE loop = $1 ORDER BY id',
      [id],
    );
    return { ...shown(rows[0]), events: events.rows as LoopEvent[] };
  }

  /** Those of these ids that the viewer may see. */
  async visible(ids: readonly string[], viewer: Viewer): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const values: unknown[] = [ids];
    const condition = isOf(viewer, (value) => `$${values.push(value)}`);
    const { rows } = await this.#database
      .as(scopeOf(viewer.access))
      .query(`SELECT c.id FROM care_loop c WHERE c.id = ANY($1::uuid[]) AND ${condition}`, values);
    return new Set(rows.map((row) => row.id as string));
  }

  /** How many are open, and how many of them late. */
  async counts(): Promise<{ open: number; late: number }> {
    const { rows } = await this.#database.query(
      `SELECT count(*)::integer AS open, (count(*) FILTER (WHERE due <= now()))::integer AS late
       FROM care_loop WHERE state <> 'closed'`,
    );
    return { open: rows[0]!.open, late: rows[0]!.late };
  }
}

/** Notes something on a loop. */
export async function noteOn(transaction: Transaction, id: string, by: string, note: string): Promise<void> {
  await event(transaction, id, by, 'noted', note);
}

/** Gives a loop to somebody, or to nobody. @returns whether it is open */
export async function assign(transaction: Transaction, id: string, by: string, to: string | null): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `UPDATE care_loop SET assignee = $2 WHERE id = $1 AND state <> 'closed'`,
    [id, to],
  );
  if (rowCount === 1) await event(transaction, id, by, 'assigned', to);
  return rowCount === 1;
}

/** Closes a loop. @returns whether it was open */
export async function close(
  transaction: Transaction,
  id: string,
  by: string,
  outcome: string,
  note: string | null,
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `UPDATE care_loop SET state = 'closed', closed = clock_timestamp(), closed_by = $2, outcome = $3
     WHERE id = $1 AND state <> 'closed'`,
    [id, by, outcome],
  );
  if (rowCount === 1) await event(transaction, id, by, outcome === 'acknowledged' ? 'acknowledged' : 'closed', note);
  return rowCount === 1;
}

async function event(transaction: Transaction, id: string, by: string, what: string, note: string | null) {
  await transaction.query('INSERT INTO care_loop_event (loop, by_whom, event, note) VALUES ($1, $2, $3, $4)', [
    id,
    by,
    what,
    note,
  ]);
}

/** That a loop is of the viewer's organisation, or of somebody for whom it cares, and about what the viewer may read. */
function isOf({ access, organization }: Viewer, parameter: (value: unknown) => string): string {
  const key = parameter(organization);
  return `(c.source = ${key} OR c.site = ${key} OR (c.site IS NULL AND EXISTS (
      SELECT FROM link p JOIN link o ON o.person = p.person JOIN care_relationship k ON k.home = o.home
      WHERE p.home = c.home AND k.site = ${key} AND (k.ends IS NULL OR k.ends > now()))))
    AND EXISTS (SELECT FROM resource r WHERE r.rid = c.focus_rid AND r.type = c.focus_type AND NOT r.deleted
      AND ${accessCondition(access, 'r', parameter)})`;
}

function shown(row: Record<string, unknown>): Loop {
  const { focus_type: type, focus_rid: rid, closed_by: closedBy, ...loop } = row;
  return { ...loop, closedBy, focus: `${typeName(type as number)}/${rid}` } as Loop;
}
