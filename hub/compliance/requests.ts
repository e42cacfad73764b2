/**
 * Requests for health information that came by letter, telephone or in person: filed by the staff, with what is owed to who
 * asked and by when (45 CFR 171 and 164.524), and what was done. Who asked for what is sealed.
 */
import type { Database, Row, Transaction } from '../database/index.ts';
import { newId } from '../record/index.ts';
import { type MasterKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import { clocksOf, type ExceptionCode, exceptions, type RequesterKind, type RequestStep } from './exceptions.ts';

export interface NewRequest {
  /** YYYY-MM-DD. */
  received: string;
  requester: RequesterKind;
  /** Whose information is asked for, where the hub knows the person. */
  patient?: string | undefined;
  about: { name: string; asked: string; manner: string };
}

export interface Clock {
  what: string;
  /** YYYY-MM-DD, the last day. */
  by: string;
  citation: string;
  /** The day on which it was done. */
  met: string | undefined;
  /** Not done, and the day is over; or done after it. */
  isLate: boolean;
}

export interface FiledRequest {
  id: string;
  received: string;
  requester: RequesterKind;
  patient: string | undefined;
  filedAt: Date;
  filedBy: string;
  /** Undefined where it was erased. */
  about: NewRequest['about'] | undefined;
  state: RequestState;
  exception: ExceptionCode | undefined;
  citation: string | undefined;
  clocks: Clock[];
  steps: { at: Date; by: string; step: RequestStep; day: string; note: string | undefined }[];
}

export type RequestState = 'open' | 'fulfilled' | 'refused' | 'withdrawn';

export interface NewStep {
  step: RequestStep;
  /** YYYY-MM-DD. */
  day: string;
  note: string;
  /** Of a refusal. */
  exception?: ExceptionCode | undefined;
}

/** The state that a step leads to; of the others it stays. */
const leadsTo: { [step in RequestStep]?: RequestState } = {
  fulfilled: 'fulfilled',
  refused: 'refused',
  withdrawn: 'withdrawn',
  reopened: 'open',
};

export const requestTextColumn: WrappedColumn = {
  table: 'information_request',
  column: 'about',
  key: 'id',
  type: 'uuid',
  context: contextOf('about'),
};

export const requestNoteColumn: WrappedColumn = {
  table: 'information_request_step',
  column: 'note',
  key: 'id',
  type: 'uuid',
  context: contextOf('note'),
};

export class Requests {
  readonly #database: Database;
  readonly #master: MasterKey;

  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  /** Files a request. @returns its id */
  async file(request: NewRequest, by: string, also: (transaction: Transaction) => void): Promise<string> {
    const id = newId();
    const about = this.#seal('about', id, JSON.stringify(request.about));
    await this.#database.transaction(async (transaction) => {
      await transaction.query(
        `INSERT INTO information_request (id, received, requester, patient, filed_by, about, state)
         VALUES ($1, $2, $3, $4, $5, $6, 'open')`,
        [id, request.received, request.requester, request.patient ?? null, by, about],
      );
      also(transaction);
    });
    return id;
  }

  /** Notes what was done. @returns undefined where there is no such request, else its state */
  async step(
    id: string,
    { step, day, note, exception }: NewStep,
    by: string,
    also: (transaction: Transaction) => void,
  ): Promise<RequestState | undefined> {
    const stepId = newId();
    return this.#database.transaction(async (transaction) => {
      const { rows } = await transaction.query(
        `UPDATE information_request SET state = coalesce($2, state),
           exception = CASE WHEN $2 IS NULL THEN exception WHEN $2 = 'refused' THEN $3 END
         WHERE id = $1 RETURNING state`,
        [id, leadsTo[step] ?? null, exception ?? null],
      );
      if (rows.length === 0) return undefined;
      await transaction.query(
        'INSERT INTO information_request_step (id, request, by_whom, step, day, note) VALUES ($1, $2, $3, $4, $5, $6)',
        [stepId, id, by, step, day, note === '' ? null : this.#seal('note', stepId, note)],
      );
      also(transaction);
      return rows[0]!.state;
    });
  }

  /** Those of a state, or all; of the open ones those first for which something is due first. @param today YYYY-MM-DD */
  async list(state: RequestState | undefined, today: string, limit = 500): Promise<FiledRequest[]> {
    const { rows } = await this.#database.query(
      `SELECT id, received::text AS day, requester, patient, filed_at, filed_by, about, state, exception
       FROM information_request WHERE $1::text IS NULL OR state = $1 ORDER BY received DESC, id DESC LIMIT $2`,
      [state ?? null, limit],
    );
    const { rows: steps } = await this.#database.query(
      `SELECT id, request, at, by_whom, step, day::text, note FROM information_request_step
       WHERE request = ANY($1) ORDER BY at, id`,
      [rows.map(({ id }) => id)],
    );
    const ofRequest = Map.groupBy(steps, ({ request }) => request as string);
    const found = rows.map((row) => this.#shown(row, ofRequest.get(row.id) ?? [], today));
    return state === 'open' ? found.sort((a, b) => due(a).localeCompare(due(b))) : found;
  }

  /** How many open requests have something due that was not done in time. */
  async late(today: string): Promise<number> {
    const open = await this.list('open', today);
    return open.filter(({ clocks }) => clocks.some(({ isLate, met }) => isLate && met === undefined)).length;
  }

  #shown(row: Row, stepRows: Row[], today: string): FiledRequest {
    const steps = stepRows.map(({ id, at, by_whom: by, step, day, note }) => ({
      at,
      by,
      step: step as RequestStep,
      day: day as string,
      note: note === null ? undefined : this.#open('note', id, note),
    }));
    const exception = (row.exception ?? undefined) as ExceptionCode | undefined;
    const clocks = clocksOf(row.day, row.requester, exception).map(({ what, by, citation, metBy }): Clock => {
      const met = steps
        .filter(({ step }) => metBy.includes(step))
        .map(({ day }) => day)
        .sort()[0];
      const isOver = met === undefined && row.state === 'withdrawn';
      return { what, by, citation, met, isLate: !isOver && (met ?? today) > by };
    });
    return {
      id: row.id,
      received: row.day,
      requester: row.requester,
      patient: row.patient ?? undefined,
      filedAt: row.filed_at,
      filedBy: row.filed_by,
      about: row.about === null ? undefined : JSON.parse(this.#open('about', row.id, row.about)),
      state: row.state,
      exception,
      citation: exception && exceptions[exception].citation,
      clocks,
      steps,
    };
  }

  #seal(what: 'about' | 'note', id: string, text: string): Buffer {
    return wrapDataKey(this.#master, Buffer.from(text), contextOf(what)(id));
  }

  #open(what: 'about' | 'note', id: string, sealed: Buffer): string {
    return unwrapDataKey(this.#master, sealed, contextOf(what)(id)).toString();
  }
}

/** The first day by which something is owed and was not done. */
function due({ clocks }: FiledRequest): string {
  return (
    clocks
      .filter(({ met }) => met === undefined)
      .map(({ by }) => by)
      .sort()[0] ?? '9999'
  );
}

function contextOf(what: 'about' | 'note'): (id: string) => string {
  return (id) => `information-request/${what}/${id}`;
}
