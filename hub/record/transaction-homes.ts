/**
 * The homes of the patients that a transaction names, and the keys of those homes: which are known, which it makes, and
 * as whom their patients are shown.
 */
import type { Transaction } from '../database/index.ts';
import { ErasedPerson } from './errors.ts';
import type { HomeKeys } from './home-keys.ts';
import type { HomeNumbers } from './home-numbers.ts';
import { ridOf } from './keys.ts';
import { patientNamed, type ResolveReference } from './prepare.ts';

export class TransactionHomes {
  readonly #transaction: Transaction;
  readonly #keys: HomeKeys;
  readonly #numbers: HomeNumbers;
  readonly #homes = new Map<string, number>();
  readonly #homeKeys = new Map<number, Buffer>();
  /** Homes of patients that are made, until they are written. */
  #made = new Map<string, number>();
  /** The person as whom the patient of a home is shown, where it is one of several sources. */
  readonly #presented = new Map<number, string>();
  /** The Patients under ids of the hub's making whose homes were written: nobody knows them before the commit. */
  readonly entered: string[] = [];
  /** The source patient that stands for a person whose own id was named. */
  readonly #standIns = new Map<string, string>();

  constructor(transaction: Transaction, keys: HomeKeys, numbers: HomeNumbers) {
    this.#transaction = transaction;
    this.#keys = keys;
    this.#numbers = numbers;
  }

  /** Numbers the homes of patients that are made, which nobody knows yet. */
  async expect(rids: readonly string[]): Promise<void> {
    const numbers = await this.#numbers.take(this.#transaction, rids.length);
    rids.forEach((rid, i) => {
      this.#homes.set(rid, numbers[i]!);
      this.#made.set(rid, numbers[i]!);
    });
  }

  /**
   * Looks up the homes of patients by their ids, and makes those there are not yet.
   * @throws ErasedPerson
   */
  async load(patients: ReadonlySet<string>): Promise<void> {
    const rids = [...patients].map(ridOf).filter((rid) => !this.#homes.has(rid));
    if (rids.length === 0) return;
    const known = await this.#transaction.query({
      name: 'patient_home',
      text: `SELECT p.rid, p.home, p.erased, l.presented FROM patient_home p LEFT JOIN link l ON l.home = p.home
             WHERE p.rid = ANY($1)`,
      values: [rids],
    });
    if (known.rows.some(({ erased }) => erased)) throw new ErasedPerson();
    for (const row of known.rows) {
      this.#homes.set(row.rid, row.home);
      if (row.presented) this.#presented.set(row.home, row.presented);
    }
    const unknown = rids.filter((rid) => !this.#homes.has(rid));
    if (unknown.length > 0) await this.#loadStandIns(unknown);
    const fresh = unknown.filter((rid) => !this.#homes.has(rid)).sort();
    if (fresh.length === 0) return;
    if (fresh.some((rid) => this.#keys.isErased(rid))) throw new ErasedPerson();
    const made = await this.#transaction.query({
      name: 'patient_home_make',
      text: `INSERT INTO patient_home (rid) SELECT unnest($1::uuid[])
             ON CONFLICT (rid) DO UPDATE SET rid = excluded.rid RETURNING rid, home`,
      values: [fresh],
    });
    for (const row of made.rows) this.#homes.set(row.rid, row.home);
  }

  /** The number of a patient's home. The patient must have been named in `load` or `expect`. */
  of(patientId: string): number {
    const home = this.#homes.get(ridOf(patientId));
    if (home === undefined) throw new Error('A patient was not loaded before it was written.');
    return home;
  }

  /** As whom the patient of a home is shown, where that is another. */
  presented(home: number): string | undefined {
    return this.#presented.get(home);
  }

  /**
   * What `resolve` does, with references to a merged Patient, or to a version of it, as references to the source that stands
   * for it; whose versions are others.
   */
  sourced(resolve: ResolveReference | undefined): ResolveReference | undefined {
    if (this.#standIns.size === 0) return resolve;
    return (reference) => {
      const resolved = resolve?.(reference);
      const id = patientNamed(resolved ?? reference);
      const source = id === undefined ? undefined : this.#standIns.get(ridOf(id));
      return source === undefined ? resolved : `Patient/${source}`;
    };
  }

  /** Writes the homes that are made, with their keys. @param isWanted which of them, by the patient */
  enter(isWanted: (rid: string) => boolean): void {
    const written = [...this.#made].filter(([rid]) => isWanted(rid));
    if (written.length === 0) return;
    this.#made = new Map();
    for (const [rid] of written) this.entered.push(rid);
    const homes = written.map(([, home]) => home);
    this.#transaction.send({
      name: 'patient_home_made',
      text: 'INSERT INTO patient_home (rid, home) SELECT * FROM unnest($1::uuid[], $2::bigint[])',
      values: [`{${written.map(([rid]) => rid).join(',')}}`, `{${homes.join(',')}}`],
    });
    for (const [home, key] of this.#keys.make(this.#transaction, homes)) this.#homeKeys.set(home, key);
  }

  /** Readies the keys of homes for `key`, making those there are not yet. */
  async loadKeys(homes: readonly number[]): Promise<void> {
    const unknown = homes.filter((home) => !this.#homeKeys.has(home));
    const keys = unknown.length > 0 ? await this.#keys.loadOrMake(this.#transaction, unknown) : [];
    for (const [home, key] of keys) this.#homeKeys.set(home, key);
  }

  /** The key of a home, which must have been readied. */
  key(home: number): Buffer {
    return this.#homeKeys.get(home)!;
  }

  /** Keeps the keys for later transactions, once this one is committed. */
  committed(): void {
    this.#keys.remember(this.#homeKeys);
  }

  /** Persons that are shown as one Patient: what is said about that Patient is kept with its first source. */
  async #loadStandIns(rids: string[]): Promise<void> {
    const { rows } = await this.#transaction.query({
      name: 'person_stand_in',
      text: `SELECT DISTINCT ON (person) person, patient, home, presented FROM link
             WHERE person = ANY($1) AND presented IS NOT NULL ORDER BY person, since, home`,
      values: [rids],
    });
    for (const row of rows) {
      this.#homes.set(row.person, row.home);
      this.#homes.set(row.patient, row.home);
      this.#standIns.set(row.person, row.patient);
      this.#presented.set(row.home, row.presented);
    }
  }
}
