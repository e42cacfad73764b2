/**
 * The data keys of homes: made at the first write, kept unwrapped in memory for a while, wrapped in the database. And the
 * key of what their resources are found by.
 */
import type { Queryable, Transaction } from '../database/index.ts';
import { type MasterKey, newDataKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import { ErasedPerson } from './errors.ts';
import type { IndexKey } from './index-key.ts';
import { OpenedTexts } from './opened-texts.ts';

const cached = 10_000;

/** Hands out the 32-byte data keys of homes. */
export class HomeKeys {
  /** The key of what resources are found by. */
  readonly index: IndexKey;
  readonly #master: MasterKey;
  readonly #keys = new Map<number, Buffer>();
  /** Texts that were opened by these keys. */
  readonly opened = new OpenedTexts();
  /** Whether a patient who is not known here is one whose record was erased. */
  isErased: (rid: string) => boolean = () => false;

  constructor(master: MasterKey, index: IndexKey) {
    this.#master = master;
    this.index = index;
  }

  /** The keys of these homes; of homes that have none, or whose key was destroyed, nothing. */
  async load(database: Queryable, homes: Iterable<number>): Promise<Map<number, Buffer>> {
    const found = await this.#find(database, homes);
    this.remember(found);
    return found;
  }

  async #find(database: Queryable, homes: Iterable<number>): Promise<Map<number, Buffer>> {
    const found = new Map<number, Buffer>();
    const missing: number[] = [];
    for (const home of new Set(homes)) {
      const key = this.#keys.get(home);
      if (key) found.set(home, key);
      else missing.push(home);
    }
    if (missing.length > 0) {
      const { rows } = await database.query({
        name: 'home_key',
        text: 'SELECT home, wrapped FROM home_key WHERE home = ANY($1) AND wrapped IS NOT NULL',
        values: [missing],
      });
      for (const row of rows) found.set(row.home, unwrapDataKey(this.#master, row.wrapped, context(row.home)));
    }
    return found;
  }

  /**
   * The keys of these homes, made for those that have none. The caller hands them to `remember` once its transaction is
   * committed. @throws ErasedPerson for a home whose key was destroyed
   */
  async loadOrMake(database: Queryable, homes: Iterable<number>): Promise<Map<number, Buffer>> {
    const wanted = new Set(homes);
    const found = await this.#find(database, wanted);
    const missing = [...wanted].filter((home) => !found.has(home)).sort((a, b) => a - b);
    if (missing.length === 0) return found;
    const { rows } = await database.query({
      name: 'home_key_make',
      text: `INSERT INTO home_key (home, wrapped) SELECT * FROM unnest($1::bigint[], $2::bytea[])
             ON CONFLICT (home) DO UPDATE SET home = excluded.home RETURNING home, wrapped`,
      values: [missing, missing.map((home) => wrapDataKey(this.#master, newDataKey(), context(home)))],
    });
    for (const row of rows) {
      if (row.wrapped === null) throw new ErasedPerson();
      found.set(row.home, unwrapDataKey(this.#master, row.wrapped, context(row.home)));
    }
    return found;
  }

  /** Keys for homes that are made in this transaction; handed to `remember` once it is committed. */
  make(transaction: Transaction, homes: readonly number[]): Map<number, Buffer> {
    const keys = new Map(homes.map((home) => [home, newDataKey()]));
    const wrapped = [...keys].map(([home, key]) => wrapDataKey(this.#master, key, context(home)).toString('hex'));
    transaction.send({
      name: 'home_key_made',
      text: 'INSERT INTO home_key (home, wrapped) SELECT * FROM unnest($1::bigint[], $2::bytea[])',
      values: [`{${homes.join(',')}}`, `{${wrapped.map((hex) => `"\\\\x${hex}"`).join(',')}}`],
    });
    return keys;
  }

  /** Forgets the keys of homes whose keys were destroyed. */
  forget(homes: readonly number[]): void {
    this.opened.clear();
    for (const home of homes) this.#keys.delete(home);
  }

  /** Keeps keys that a committed transaction made or used. */
  remember(keys: Map<number, Buffer>): void {
    for (const [home, key] of keys) {
      // What is known already drives nothing out.
      if (!this.#keys.has(home) && this.#keys.size >= cached) this.#keys.delete(this.#keys.keys().next().value!);
      this.#keys.set(home, key);
    }
  }
}

/** Where the wrapped keys of homes are. */
export const homeKeyColumn: WrappedColumn = {
  table: 'home_key',
  column: 'wrapped',
  key: 'home',
  type: 'bigint',
  context: (home) => context(Number(home)),
};

/** What a home's key is wrapped together with. */
function context(home: number): string {
  return `home/${home}`;
}
