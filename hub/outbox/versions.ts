/** Versions of resources that deliveries are made of. What several deliveries ask for at the same time is read by one statement. */
import { typeCode } from '@causeway/fhir';
import type { Database, Row } from '../database/index.ts';
import { Together } from '../together.ts';

export interface Wanted {
  rid: string;
  /** Its home; what belongs to no patient is read wherever it is named. */
  home: number;
  /** Undefined: now. */
  at: Date | undefined;
}

interface Question {
  wanted: readonly Wanted[];
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
}

const statementsAtOnce = 2;
const questionsInOne = 64;

export class Versions {
  readonly #database: Database;
  readonly #questions = new Together<Question>((questions) => this.#answer(questions), {
    atOnce: statementsAtOnce,
    most: questionsInOne,
  });

  constructor(database: Database) {
    this.#database = database;
  }

  /** The last versions by their times that were not deletions, as they are stored. */
  read(wanted: readonly Wanted[]): Promise<Row[]> {
    return new Promise((resolve, reject) => this.#questions.ask({ wanted, resolve, reject }));
  }

  async #answer(questions: readonly Question[]): Promise<void> {
    const all = questions.flatMap(({ wanted }, question) => wanted.map((one) => ({ ...one, question })));
    try {
      const { rows } = await this.#database.query({
        name: 'outbox_versions',
        text: `SELECT DISTINCT ON (w.question, v.rid, v.type) w.question, v.home, v.type, v.rid, v.version, v.body, v.labels,
                 EXISTS (SELECT 1 FROM consent_provision c WHERE c.home = v.home) AS consented
               FROM unnest($1::integer[], $2::uuid[], $3::bigint[], $4::timestamptz[]) AS w (question, rid, home, at)
               CROSS JOIN LATERAL (
                 SELECT home, type, rid, version, updated, deleted, body, labels FROM resource r WHERE r.rid = w.rid
                 UNION ALL
                 SELECT home, type, rid, version, updated, deleted, body, labels FROM resource_history h WHERE h.rid = w.rid) v
               WHERE (v.home = w.home OR (v.home < 0 AND v.type <> ${typeCode('Patient')})) AND NOT v.deleted
                 AND v.updated <= coalesce(w.at, 'infinity')
               ORDER BY w.question, v.rid, v.type, v.version DESC`,
        values: [
          all.map(({ question }) => question),
          all.map(({ rid }) => rid),
          all.map(({ home }) => home),
          all.map(({ at }) => at ?? null),
        ],
      });
      const found = Map.groupBy(rows, (row) => row.question as number);
      for (const [i, { resolve }] of questions.entries()) resolve(found.get(i) ?? []);
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}
