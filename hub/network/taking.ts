/** Takes pages of another hub through the inbox, and withdraws what it no longer gives. */
import { createHash } from 'node:crypto';
import { typeName } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import type { Receiver } from '../inbox/index.ts';
import { type FhirRecord, ridOf } from '../record/index.ts';
import type { Page } from './answers.ts';

const lookMs = 50;
/** A page that is not worked off by then is looked at when the next turn comes. */
const patienceMs = 300_000;
/** Any statement that comes later counts for more: what is given again is there again. */
const beforeAll = new Date(0).toISOString();

export class Taking {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #receiver: Receiver;

  constructor({ database, record, receiver }: { database: Database; record: FhirRecord; receiver: Receiver }) {
    this.#database = database;
    this.#record = record;
    this.#receiver = receiver;
  }

  /** Resolves when the pages are in the record. @throws Error where one could not be taken */
  async take(peer: string, remote: string, pages: readonly Page[]): Promise<void> {
    for (const { bytes } of pages) {
      const { id } = await this.#receiver.receive({
        bytes,
        dialect: 'fhir',
        source: peer,
        type: 'Bundle',
        controlId: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
        lane: `${peer} ${remote}`,
      });
      await this.#workedOff(id);
    }
  }

  async #workedOff(id: string): Promise<void> {
    for (const until = Date.now() + patienceMs; Date.now() < until; ) {
      const { rows } = await this.#database.query<{ state: string }>({
        name: 'message_state',
        text: 'SELECT state FROM message WHERE id = $1',
        values: [id],
      });
      const state = rows[0]?.state;
      if (state === 'processed') return;
      if (state !== 'received' && state !== 'failed') throw new Error(`A page of another hub is ${state ?? 'lost'}.`);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    throw new Error('A page of another hub was not worked off in time.');
  }

  /** How many resources of the other hub's Patient are here. */
  async count(patient: string): Promise<number> {
    const { rows } = await this.#database.query<{ count: number }>(
      `SELECT count(*) AS count FROM resource r JOIN link l ON l.home = r.home WHERE l.patient = $1 AND NOT r.deleted`,
      [ridOf(patient)],
    );
    return Number(rows[0]!.count);
  }

  /**
   * Takes out of the record what the other hub told of a Patient and gives no more: it was deleted there, is another person's,
   * or is hidden from this hub; which of these is not told. History keeps it. What others said of the Patient, or changed, stays.
   * @param given `Type/id` of all that it gives
   * @returns how much was taken out
   */
  async withdraw(peer: string, patient: string, given: ReadonlySet<string>): Promise<number> {
    const { rows } = await this.#database.query<{ type: number; rid: string; message: string }>(
      `SELECT r.type, r.rid, r.message FROM resource r JOIN link l ON l.home = r.home JOIN message m ON m.id = r.message
       WHERE l.patient = $1 AND NOT r.deleted AND m.source = $2`,
      [ridOf(patient), peer],
    );
    const gone = rows
      .map(({ type, rid, message }) => ({ type: typeName(type)!, id: rid, message }))
      .filter(({ type, id }) => type !== 'Patient' && !given.has(`${type}/${id}`));
    if (gone.length === 0) return 0;
    await this.#record.writer.write({
      keys: gone,
      patients: [],
      texts: true,
      size: gone.length,
      apply: (set) => {
        for (const { type, id, message } of gone) {
          const known = set.get(type, id);
          if (known && !known.deleted && known.message === message) set.remove(type, id, { asOf: beforeAll });
        }
      },
    });
    return gone.length;
  }
}
