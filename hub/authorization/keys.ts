/**
 * The keys with which id tokens are signed: one for each algorithm that clients verify, made at the first start, sealed
 * under the master key, and replaced from time to time. A new key is published before it signs, and an old one after it
 * stopped, so that a client that fetches the key set now and then (OpenID Connect Core §10.1.1) misses none.
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { type Database, locks } from '../database/index.ts';
import { type MasterKey, unwrapDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';

const algorithms = ['RS256', 'ES384'] as const;

const minute = 60_000;
const day = 24 * 60 * minute;
/** How long a key is published before it signs, signs, and is published after another took its place. */
const ages = { publishedMs: 60 * minute, signsMs: 90 * day, keptMs: 2 * day };

export interface StoredKey {
  kid: string;
  alg: string;
  created: Date;
}

/** The keys in the order in which they are to be used: of each algorithm the one that signs first. Others are published. */
export function inOrder<K extends StoredKey>(keys: readonly K[], now: number): K[] {
  const newestFirst = keys.toSorted((a, b) => b.created.getTime() - a.created.getTime());
  return algorithms.flatMap((alg) => {
    const own = newestFirst.filter((key) => key.alg === alg);
    const signing = own.find(({ created }) => now - created.getTime() >= ages.publishedMs) ?? own.at(-1);
    const kept = own.filter((key, i) => key !== signing && (i === 0 || isKept(own[i - 1]!, now)));
    return signing ? [signing, ...kept] : [];
  });
}

/** Whether the key before one took its place so lately that it is still needed. */
function isKept(successor: StoredKey, now: number): boolean {
  return now - successor.created.getTime() < ages.publishedMs + ages.keptMs;
}

export class SigningKeys {
  readonly #database: Database;
  readonly #master: MasterKey;

  constructor(database: Database, master: MasterKey) {
    this.#database = database;
    this.#master = master;
  }

  /** The private keys in use, those that sign first. Makes them where there are none, or where they are old. */
  async load(now = Date.now()): Promise<JWK[]> {
    const stored = await this.#stored(now);
    return stored.map(({ kid, alg, sealed }) => {
      const key = JSON.parse(unwrapDataKey(this.#master, sealed, context(kid)).toString()) as JWK;
      return { ...key, kid, alg, use: 'sig' };
    });
  }

  /** Makes new keys although the ones in use are not old; they sign when they have been published for an hour. */
  async rotate(now = Date.now()): Promise<void> {
    await this.#make(now, () => true);
  }

  /** The keys in the order of `inOrder`, without what is private. */
  async list(now = Date.now()): Promise<StoredKey[]> {
    const keys = inOrder(await this.#rows(this.#database), now);
    return keys.map(({ kid, alg, created }) => ({ kid, alg, created }));
  }

  async #stored(now: number): Promise<(StoredKey & { sealed: Buffer })[]> {
    const rows = await this.#rows(this.#database);
    const due = algorithms.filter((alg) => !rows.some((key) => key.alg === alg && !isOld(key, now)));
    if (due.length > 0) {
      await this.#make(now);
      return inOrder(await this.#rows(this.#database), now);
    }
    return inOrder(rows, now);
  }

  async #make(now: number, isDue = (own: StoredKey[]) => own.every((key) => isOld(key, now))): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction.query('SELECT pg_advisory_xact_lock($1)', [locks.signingKeys]);
      const rows = await this.#rows(transaction);
      for (const alg of algorithms) {
        if (!isDue(rows.filter((key) => key.alg === alg))) continue;
        const { privateKey } = await generateKeyPair(alg, { extractable: true });
        const key = await exportJWK(privateKey);
        const kid = await calculateJwkThumbprint(key);
        const sealed = wrapDataKey(this.#master, Buffer.from(JSON.stringify(key)), context(kid));
        await transaction.query('INSERT INTO oauth_key (kid, alg, sealed, created) VALUES ($1, $2, $3, $4)', [
          kid,
          alg,
          sealed,
          new Date(now),
        ]);
      }
      const used = inOrder(await this.#rows(transaction), now).map(({ kid }) => kid);
      await transaction.query('DELETE FROM oauth_key WHERE kid <> ALL($1)', [used]);
    });
  }

  async #rows(on: Pick<Database, 'query'>): Promise<(StoredKey & { sealed: Buffer })[]> {
    const { rows } = await on.query<StoredKey & { sealed: Buffer }>('SELECT kid, alg, sealed, created FROM oauth_key');
    return rows;
  }
}

function isOld({ created }: StoredKey, now: number): boolean {
  return now - created.getTime() >= ages.signsMs;
}

/** Where the sealed private keys are. */
export const signingKeyColumn: WrappedColumn = {
  table: 'oauth_key',
  column: 'sealed',
  key: 'kid',
  type: 'text',
  context,
};

function context(kid: string): string {
  return `oauth_key/${kid}`;
}
