/** The keyed hashes by which somebody is known whose record was erased. */
import { createHmac } from 'node:crypto';
import type { Database } from '../database/index.ts';
import {
  existingErasureKey,
  keepErasureKey,
  type MasterKey,
  newDataKey,
  unwrapDataKey,
  type WrappedColumn,
  wrapDataKey,
} from '../secrets/index.ts';

export class Tokens {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Of a source patient or person, by the UUID of its id. */
  patient(rid: string): Buffer {
    return this.#of(`patient ${rid}`);
  }

  /** Of a lane of messages, by its number. */
  lane(lane: string): Buffer {
    return this.#of(`lane ${lane}`);
  }

  #of(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

/** The key of a database, which is made at the first start; it lies in the folder of keys too. @throws KeyError */
export async function tokensOf(database: Database, master: MasterKey, dataDir: string): Promise<Tokens> {
  const made = existingErasureKey(dataDir) ?? newDataKey();
  await database.query('INSERT INTO erasure_key (id, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    keyId,
    wrapDataKey(master, made, context(keyId)),
  ]);
  const { rows } = await database.query('SELECT wrapped FROM erasure_key WHERE id = $1', [keyId]);
  const key = unwrapDataKey(master, rows[0]!.wrapped, context(keyId));
  keepErasureKey(dataDir, key);
  return new Tokens(key);
}

const keyId = 'register';

/** Where the wrapped key is. */
export const erasureKeyColumn: WrappedColumn = {
  table: 'erasure_key',
  column: 'wrapped',
  key: 'id',
  type: 'text',
  context,
};

function context(id: string): string {
  return `erasure/${id}`;
}
