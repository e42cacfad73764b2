/**
 * Where an answer that was given in part goes on (HL7 v2.5.1 chapter 5, section 5.6: interactive continuation). A pointer is
 * good for the same query of the same sender, until the query is cancelled or the time is over; the same part may be asked
 * for again.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '../database/index.ts';

/** The query that is gone on with. */
export interface ContinuedQuery {
  source: string;
  /** QPD-2. */
  tag: string;
  /** QPD as it was written: what is asked must be the same. */
  asked: string;
}

const goodFor = '15 minutes';

export class Continuations {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps where a query goes on; returns the pointer to it. */
  async keep({ source, tag, asked }: ContinuedQuery, cursor: string): Promise<string> {
    const pointer = randomBytes(16).toString('hex');
    await this.#database.query({
      name: 'query_continue',
      text: `WITH old AS (DELETE FROM query_continuation WHERE expires < now())
             INSERT INTO query_continuation (pointer, source, tag, asked, cursor, expires)
             VALUES ($1, $2, $3, $4, $5, now() + interval '${goodFor}')`,
      values: [pointer, source, storable(tag), digest(asked), cursor],
    });
    return pointer;
  }

  /** Where the query goes on; undefined where the pointer is not one of it, or not any more. */
  async find(pointer: string, { source, tag, asked }: ContinuedQuery): Promise<string | undefined> {
    const { rows } = await this.#database.query({
      name: 'query_continued',
      text: `SELECT cursor FROM query_continuation
             WHERE pointer = $1 AND source = $2 AND tag = $3 AND asked = $4 AND expires > now()`,
      values: [storable(pointer), source, storable(tag), digest(asked)],
    });
    return rows[0]?.cursor;
  }

  /** Ends a query: its pointers are good no longer. */
  async cancel(source: string, tag: string): Promise<void> {
    await this.#database.query({
      name: 'query_cancel',
      text: 'DELETE FROM query_continuation WHERE source = $1 AND tag = $2',
      values: [source, storable(tag)],
    });
  }
}

/** Text as PostgreSQL takes it. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed().slice(0, 200);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
