/** The table of custom search parameters: which there are, and how far each is indexed. */
import type { CustomParameter } from '@causeway/fhir';
import type { Queryable, Row, Transaction } from '../database/index.ts';

/** `indexing`: what was written before is not indexed by it yet. `retired`: what is indexed by it is to be removed. */
export type ParameterState = 'indexing' | 'active' | 'retired';

export interface ParameterRow {
  id: number;
  /** The SearchParameter resource. */
  rid: string;
  definition: CustomParameter;
  state: ParameterState;
  /** Resources up to this sequence number are to be gone through. */
  since: number;
  place: ParameterPlace | undefined;
  done: number;
  total: number | undefined;
}

/** The last resource that was gone through: the type's code, home and key. */
export interface ParameterPlace {
  type: number;
  home: number;
  rkey: number;
}

/** All parameters, and how often they were changed, at one moment. */
export async function loadParameters(database: Queryable): Promise<{ version: number; rows: ParameterRow[] }> {
  const { rows } = await database.query({
    name: 'parameters_load',
    text: `SELECT c.parameters, p.* FROM clock c LEFT JOIN search_parameter p ON true ORDER BY p.id`,
  });
  return { version: rows[0]!.parameters, rows: rows.filter(({ id }) => id !== null).map(rowOf) };
}

/** Begins the use of a parameter; `since` is filled in when the transaction takes its sequence numbers. */
export function enterParameter(transaction: Transaction, rid: string, definition: CustomParameter): void {
  transaction.send({
    text: `INSERT INTO search_parameter (rid, definition, state) VALUES ($1, $2, 'indexing')`,
    values: [rid, JSON.stringify(definition)],
  });
}

/** Ends the use of a parameter. */
export function retireParameter(transaction: Transaction, id: number): void {
  transaction.send({
    text: `UPDATE search_parameter SET state = 'retired', changed = now(), since = NULL, type = NULL, home = NULL,
             rkey = NULL, done = 0, total = NULL WHERE id = $1 AND state <> 'retired'`,
    values: [id],
  });
}

/** What is to be done next: removing what rests long enough that no hub searches by it, else indexing. */
export async function nextWork(database: Queryable, restMs: number): Promise<ParameterRow | 'rest' | undefined> {
  const { rows } = await database.query({
    name: 'parameters_next',
    text: `SELECT *, state = 'retired' AND changed > now() - $1 * interval '1 ms' AS rests FROM search_parameter
           WHERE state <> 'active' ORDER BY state = 'retired' DESC, id LIMIT 1`,
    values: [restMs],
  });
  const [row] = rows;
  return row && (row.rests ? 'rest' : rowOf(row));
}

/** The parameter as it is now, locked; undefined where it is no longer in that state. */
export async function lockParameter(
  transaction: Transaction,
  { id, state }: ParameterRow,
): Promise<ParameterRow | undefined> {
  const { rows } = await transaction.query({
    name: 'parameter_lock',
    text: 'SELECT * FROM search_parameter WHERE id = $1 AND state = $2 FOR UPDATE',
    values: [id, state],
  });
  return rows[0] && rowOf(rows[0]);
}

/** Notes how far a parameter is. */
export function noteProgress(transaction: Transaction, { id, place, done, total }: ParameterRow): void {
  transaction.send({
    name: 'parameter_note',
    text: 'UPDATE search_parameter SET type = $2, home = $3, rkey = $4, done = $5, total = $6 WHERE id = $1',
    values: [id, place?.type ?? null, place?.home ?? null, place?.rkey ?? null, done, total ?? null],
  });
}

/** Notes that all resources were gone through. */
export function noteEnd(transaction: Transaction, { id, state, done }: ParameterRow): void {
  transaction.send(
    state === 'retired'
      ? { text: 'DELETE FROM search_parameter WHERE id = $1', values: [id] }
      : {
          text: `UPDATE search_parameter SET state = 'active', done = $2, total = $2 WHERE id = $1`,
          values: [id, done],
        },
  );
}

/** All index rows were removed: those of custom parameters have to be made again, where anything is stored. */
export async function forgetCustomEntries(transaction: Transaction): Promise<void> {
  await transaction.query(`DELETE FROM search_parameter WHERE state = 'retired'`);
  await transaction.query(
    `UPDATE search_parameter SET state = CASE WHEN c.seq = 0 THEN 'active' ELSE 'indexing' END, since = c.seq,
       type = NULL, home = NULL, rkey = NULL, done = 0, total = NULL FROM clock c`,
  );
}

function rowOf({ id, rid, definition, state, since, type, home, rkey, done, total }: Row): ParameterRow {
  const place = type === null ? undefined : { type, home, rkey };
  return { id, rid, definition, state, since, place, done, total: total ?? undefined };
}
