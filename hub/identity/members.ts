/**
 * The persons that a transaction looks at, with all their source patients: the rows of `link` in memory. Changes go to
 * the rows as they are made, and to the history of links with the transaction's numbers.
 */
import type { NamedStatement, Transaction } from '../database/index.ts';
import { newId } from '../record/index.ts';

/** A source patient and the person it belongs to. */
export interface Member {
  home: number;
  patient: string;
  source: string;
  person: string;
  presented: string | null;
  grade: 'source' | 'auto' | 'confirmed';
  /** The digest of what matching looks at, see `demographics-store.ts`; null where it was never noted. */
  demographics: string | null;
}

/** Who changes a link, and why. */
export interface Ground {
  by: string;
  reason: string;
  probability?: number;
}

/** A change of a person that others have to hear of. */
export interface PersonChange {
  person: string;
  /** Homes that belonged to the person before and after. */
  before: number[];
  after: number[];
}

/** A source patient that came to another person. */
interface Moved {
  event: 'linked' | 'unlinked';
  patient: string;
  person: string;
  previous: string;
  /** The source patients that it is with now, or was with until now. */
  others: string[];
  ground: Ground;
}

/** A source patient that is new, or says something else than before. */
export interface Statement {
  home: number;
  patient: string;
  source: string;
  placeholder: string | undefined;
  demographics: string;
  /** Its blocking keys. */
  keys: bigint[];
}

/** The columns of `link` that a Member is made of. */
export const memberColumns = 'l.home, l.patient, l.source, l.person, l.presented, l.grade, l.demographics::text';

export class Members {
  readonly #transaction: Transaction;
  readonly #now: Date;
  readonly #byHome = new Map<number, Member>();
  readonly #byPerson = new Map<string, Set<Member>>();
  readonly #before = new Map<string, number[]>();
  readonly #touched = new Set<string>();
  readonly #moved: Moved[] = [];

  constructor(transaction: Transaction, now: Date) {
    this.#transaction = transaction;
    this.#now = now;
  }

  get(home: number): Member | undefined {
    return this.#byHome.get(home);
  }

  homes(): number[] {
    return [...this.#byHome.keys()];
  }

  of(person: string): Member[] {
    return [...(this.#byPerson.get(person) ?? [])];
  }

  /** Loads these source patients and everybody in their persons. */
  async load(homes: readonly number[]): Promise<void> {
    const wanted = homes.filter((home) => !this.#byHome.has(home));
    if (wanted.length === 0) return;
    const { rows } = await this.#transaction.query<Member>({
      name: 'link_members',
      text: `SELECT ${memberColumns}
             FROM (SELECT DISTINCT person FROM link WHERE home = ANY($1)) p JOIN link l USING (person) ORDER BY l.home`,
      values: [literal(wanted)],
    });
    for (const row of rows) this.take(row);
  }

  /** Takes in a row that was read; persons are read whole. */
  take(row: Member): void {
    if (this.#byHome.has(row.home)) return;
    this.#put(row);
    const before = this.#before.get(row.person);
    if (before) before.push(row.home);
    else this.#before.set(row.person, [row.home]);
  }

  /** Gives new source patients a person each, to begin with, and notes what they are found by. */
  enter(statements: readonly Statement[]): void {
    if (statements.length === 0) return;
    const persons = statements.map(({ home, patient, source, demographics }) => {
      const person = newId();
      this.#put({ home, patient, source, person, presented: null, grade: 'source', demographics });
      return person;
    });
    this.#transaction.send({
      name: 'link_enter',
      text: `WITH v AS (
               SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::text[])
                 AS v (home, patient, source, person, placeholder, demographics, keys)
             ), entered AS (
               INSERT INTO link (home, patient, source, person, grade, placeholder, demographics, keys, since)
               SELECT home, patient, source, person, 'source', placeholder, demographics, keys::bigint[], $8 FROM v
             )
             INSERT INTO blocking_key (key, home) SELECT unnest(keys::bigint[]), home FROM v`,
      values: [
        literal(statements.map(({ home }) => home)),
        literal(statements.map(({ patient }) => patient)),
        statements.map(({ source }) => source),
        literal(persons),
        statements.map(({ placeholder }) => placeholder ?? null),
        literal(statements.map(({ demographics }) => demographics)),
        literal(statements.map(({ keys }) => `"{${keys.join(',')}}"`)),
        this.#now.toISOString(),
      ],
    });
  }

  /** Notes what known source patients say now, and what they are found by. */
  restate(statements: readonly Statement[]): void {
    if (statements.length === 0) return;
    const homes = literal(statements.map(({ home }) => home));
    for (const { home, demographics } of statements) this.#byHome.get(home)!.demographics = demographics;
    this.#transaction.send(forgetKeys(homes));
    this.#transaction.send({
      name: 'link_restate',
      text: `WITH v AS (
               SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[])
                 AS v (home, placeholder, demographics, keys)
             ), restated AS (
               UPDATE link l SET placeholder = v.placeholder, demographics = v.demographics, keys = v.keys::bigint[]
               FROM v WHERE l.home = v.home
             )
             INSERT INTO blocking_key (key, home) SELECT unnest(keys::bigint[]), home FROM v`,
      values: [
        homes,
        statements.map(({ placeholder }) => placeholder ?? null),
        literal(statements.map(({ demographics }) => demographics)),
        literal(statements.map(({ keys }) => `"{${keys.join(',')}}"`)),
      ],
    });
  }

  /** Takes source patients out that are deleted. */
  leave(homes: readonly number[]): void {
    const known = homes.filter((home) => this.#byHome.has(home));
    if (known.length === 0) return;
    for (const home of known) {
      const member = this.#byHome.get(home)!;
      this.touch(member.person);
      this.#byHome.delete(home);
      this.#byPerson.get(member.person)!.delete(member);
    }
    this.#transaction.send(forgetKeys(literal(known)));
    const text = 'DELETE FROM link WHERE home = ANY($1)';
    this.#transaction.send({ name: 'link_leave', text, values: [literal(known)] });
  }

  /** Makes two persons one; the one with more source patients stays. */
  merge(one: string, other: string, ground: Ground): void {
    const [mine, theirs] = [this.of(one), this.of(other)];
    const [kept, retired, moved] = mine.length >= theirs.length ? [one, other, theirs] : [other, one, mine];
    const others = this.of(kept).map(({ patient }) => patient);
    this.touch(kept);
    this.touch(retired);
    for (const member of moved) {
      this.#move(member, kept);
      this.#moved.push({ event: 'linked', patient: member.patient, person: kept, previous: retired, others, ground });
    }
    this.#transaction.send({
      name: 'link_move',
      text: `UPDATE link SET person = $2, grade = CASE WHEN grade = 'source' THEN 'auto' ELSE grade END, since = $3
             WHERE home = ANY($1)`,
      values: [literal(moved.map(({ home }) => home)), kept, this.#now],
    });
    if (ground.by !== 'matching') return;
    this.#transaction.send({
      name: 'link_grade_auto',
      text: `UPDATE link SET grade = 'auto' WHERE person = $1 AND grade = 'source'`,
      values: [kept],
    });
  }

  /** Gives a source patient a person of its own again. */
  split(member: Member, ground: Ground): void {
    const previous = member.person;
    this.touch(previous);
    this.#move(member, newId());
    member.grade = 'source';
    this.touch(member.person);
    this.#transaction.send({
      name: 'link_split',
      text: `UPDATE link SET person = $2, grade = 'source', since = $3 WHERE home = $1`,
      values: [member.home, member.person, this.#now],
    });
    const { patient, person } = member;
    const others = this.of(previous).map((other) => other.patient);
    this.#moved.push({ event: 'unlinked', patient, person, previous, others, ground });
  }

  /** Notes how sure the links of these source patients are. */
  grade(homes: readonly number[], grade: 'source' | 'confirmed'): void {
    this.#transaction.send({
      name: 'link_grade',
      text: `UPDATE link SET grade = $2 WHERE home = ANY($1) AND grade <> 'confirmed'`,
      values: [literal(homes), grade],
    });
  }

  /** Says that a person is to be presented anew. */
  touch(person: string): void {
    this.#touched.add(person);
  }

  /** The persons that were touched, with who is left in them. */
  touched(): { person: string; members: Member[] }[] {
    return [...this.#touched].map((person) => ({ person, members: this.of(person) }));
  }

  /** Notes as whom the source patients of touched persons are presented: the person where it has several, else themselves. */
  present(): void {
    const stale = this.touched().flatMap(({ person, members }) => {
      const presented = members.length > 1 ? person : null;
      return members.filter((member) => member.presented !== presented).map((member) => ({ member, presented }));
    });
    if (stale.length === 0) return;
    for (const { member, presented } of stale) member.presented = presented;
    this.#transaction.send({
      name: 'link_present',
      text: `UPDATE link l SET presented = v.presented FROM unnest($1::bigint[], $2::uuid[]) AS v (home, presented)
             WHERE l.home = v.home`,
      values: [
        literal(stale.map(({ member }) => member.home)),
        literal(stale.map(({ presented }) => presented ?? 'NULL')),
      ],
    });
  }

  /** The touched persons whose source patients are others than before. */
  changes(): PersonChange[] {
    return this.touched().flatMap(({ person, members }) => {
      const before = this.#before.get(person) ?? [];
      const after = members.map(({ home }) => home);
      const same = before.length === after.length && before.every((home) => after.includes(home));
      return same ? [] : { person, before, after };
    });
  }

  /** Writes which source patients came to other persons, under the number that the clock has then. */
  remember(): void {
    for (const { event, patient, person, previous, others, ground } of this.#moved) {
      this.#transaction.send({
        name: 'link_history',
        text: `INSERT INTO link_history (seq, at, by_whom, event, patient, person, previous, others, probability, reason)
               SELECT seq, $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM clock`,
        values: [
          this.#now,
          ground.by,
          event,
          patient,
          person,
          previous,
          literal(others),
          ground.probability ?? null,
          ground.reason,
        ],
      });
    }
  }

  get hasMoved(): boolean {
    return this.#moved.length > 0;
  }

  #put(member: Member): void {
    this.#byHome.set(member.home, member);
    const mates = this.#byPerson.get(member.person);
    if (mates) mates.add(member);
    else this.#byPerson.set(member.person, new Set([member]));
  }

  #move(member: Member, person: string): void {
    this.#byPerson.get(member.person)!.delete(member);
    member.person = person;
    this.#put(member);
  }
}

/** Takes the blocking keys of source patients away, those that their rows name. */
export function forgetKeys(homes: string): NamedStatement {
  return {
    name: 'blocking_key_forget',
    text: `DELETE FROM blocking_key b USING (SELECT home, unnest(keys) AS key FROM link WHERE home = ANY($1)) AS o
           WHERE b.key = o.key AND b.home = o.home`,
    values: [homes],
  };
}

/** An array of numbers, ids or what is quoted already, as PostgreSQL reads it; the driver's own way costs more. */
export function literal(values: readonly (number | string | bigint)[]): string {
  return `{${values.join(',')}}`;
}
