/**
 * Versions of resources that deliveries are made of. Which version it is, how it is labelled and whether the person gave consents
 * is asked of the database each time, and what several deliveries ask for at the same time by one statement; the texts of
 * versions, which never change, are kept in memory for a while.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Meta, Resource } from '@medplum/fhirtypes';
import type { Database, Row } from '../database/index.ts';
import { type HomeKeys, openText, type ResourceChange, sealIdentity } from '../record/index.ts';
import { Together } from '../together.ts';
import { type Known, KnownTexts } from './known-texts.ts';
import type { Reference } from './references.ts';

export interface Wanted {
  rid: string;
  /** Its home; what belongs to no patient is read wherever it is named. */
  home: number;
  /** Undefined: now. */
  at: Date | undefined;
}

export interface Version {
  home: number;
  type: string;
  rid: string;
  version: number;
  labels: number;
  /** Whether whose it is gave consents, which then decide with the rest. */
  isConsented: boolean;
  said: Known;
}

interface Question {
  wanted: readonly Wanted[];
  resolve(found: Version[][]): void;
  reject(error: unknown): void;
}

const statementsAtOnce = 2;
const questionsInOne = 64;
/** From the focus on, how many references are foreseen one after the other. */
const steps = 3;

export class Versions {
  readonly #database: Database;
  readonly #keys: HomeKeys;
  readonly #known = new KnownTexts();
  readonly #questions = new Together<Question>((questions) => this.#answer(questions), {
    atOnce: statementsAtOnce,
    most: questionsInOne,
  });

  constructor(database: Database, keys: HomeKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  /** Keeps the texts of what was just committed. */
  keep(changes: readonly ResourceChange[]): void {
    for (const change of changes) {
      const { after } = change;
      if (!after.deleted && after.text !== undefined) this.#known.keep(after, after.text, parsed(change));
    }
  }

  /** Of each that is wanted the last version by its time that was no deletion; of several where types share an id. */
  read(wanted: readonly Wanted[]): Promise<Version[][]> {
    return new Promise((resolve, reject) => this.#questions.ask({ wanted, resolve, reject }));
  }

  /**
   * What a focus refers to, and what that refers to, as far as it is known in memory: probably what will be read of it next.
   * @returns ids of resources
   */
  foreseen(type: string, rid: string): Set<string> {
    const found = new Set<string>();
    let next: Reference[] = [{ type, rid }];
    for (let step = 0; step <= steps && next.length > 0; step++) {
      next = next.flatMap((one) => {
        const known = this.#known.of(one.type, one.rid);
        return known ? known.references(step === 0) : [];
      });
      next = next.filter((one) => !found.has(one.rid) && found.add(one.rid));
    }
    return found;
  }

  async #answer(questions: readonly Question[]): Promise<void> {
    try {
      const { asked, places } = together(questions);
      const known = asked.map(({ rid }) => this.#known.ofId(rid));
      const { rows } = await this.#database.query({
        name: 'outbox_versions',
        text: `SELECT DISTINCT ON (w.place, v.rid, v.type) w.place, v.home, v.type, v.rid, v.version, v.labels,
                 v.updated,
                 CASE WHEN v.type = w.type AND v.updated = w.updated THEN NULL ELSE v.body END AS body,
                 EXISTS (SELECT 1 FROM consent_provision c WHERE c.home = v.home) AS consented
               FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::smallint[], $5::timestamptz[])
                 WITH ORDINALITY AS w (rid, home, at, type, updated, place)
               CROSS JOIN LATERAL (
                 SELECT home, type, rid, version, updated, deleted, body, labels FROM resource r WHERE r.rid = w.rid
                 UNION ALL
                 SELECT home, type, rid, version, updated, deleted, body, labels FROM resource_history h WHERE h.rid = w.rid) v
               WHERE (v.home = w.home OR (v.home < 0 AND v.type <> ${typeCode('Patient')})) AND NOT v.deleted
                 AND v.updated <= coalesce(w.at, 'infinity')
               ORDER BY w.place, v.rid, v.type, v.version DESC`,
        values: [
          list(asked, ({ rid }) => rid),
          list(asked, ({ home }) => home),
          list(asked, ({ at }) => instant(at)),
          list(known, (one) => (one === undefined ? 'NULL' : typeCode(one.type)!)),
          list(known, (one) => instant(one?.updated)),
        ],
      });
      const homes = await this.#keys.load(
        this.#database,
        rows.map(({ home }) => home),
      );
      const found = asked.map((): Version[] => []);
      for (const row of rows) {
        const at = row.place - 1;
        const version = this.#opened(row, homes.get(row.home), known[at]);
        if (version) found[at]!.push(version);
      }
      for (const [i, { resolve }] of questions.entries()) resolve(places[i]!.map((place) => found[place]!));
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }

  /** @param known where the row has no text @returns undefined where its home's key is gone */
  #opened(row: Row, key: Buffer | undefined, known: Known | undefined): Version | undefined {
    if (!key) return undefined;
    const { home, rid, version, labels, consented: isConsented } = row as Version & { consented: boolean };
    const one = { home, type: typeName(row.type)!, rid, version, labels, isConsented };
    if (!row.body) return known && { ...one, said: known };
    const opened = openText(row.body, key, sealIdentity(one));
    return { ...one, said: this.#known.keep({ ...one, updated: row.updated }, opened) };
  }
}

/** What the text of a change says; undefined where the text was given another time since it was parsed. */
function parsed(change: ResourceChange): Resource | undefined {
  const lastUpdated = (change.meta as Meta | undefined)?.lastUpdated;
  return lastUpdated === change.after.updated.toISOString() ? (change.parsed() as object as Resource) : undefined;
}

/** What is asked, each once, and where among it is what each question asks. */
function together(questions: readonly Question[]): { asked: Wanted[]; places: number[][] } {
  const known = new Map<string, number>();
  const asked: Wanted[] = [];
  const placeOf = (one: Wanted) => {
    const key = keyOf(one);
    let place = known.get(key);
    if (place === undefined) {
      place = asked.push(one) - 1;
      known.set(key, place);
    }
    return place;
  };
  return { asked, places: questions.map(({ wanted }) => wanted.map(placeOf)) };
}

/** What tells one that is wanted from all others. */
export function keyOf({ rid, home, at }: Wanted): string {
  return `${rid} ${home} ${at?.getTime()}`;
}

function instant(at: Date | undefined): string {
  return at === undefined ? 'NULL' : `"${at.toISOString()}"`;
}

/** A PostgreSQL array literal; the driver's own way of writing arrays costs several times as much. */
function list<T>(items: readonly T[], value: (item: T) => string | number): string {
  return `{${items.map(value).join(',')}}`;
}
