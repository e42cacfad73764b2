/**
 * Versions of a large transaction that wait in a spool until they are written: sealed as they will be stored, with what
 * they are found by, so that memory holds neither their texts nor their index entries.
 */
import { deserialize, serialize } from 'node:v8';
import type { Access } from '../trust/index.ts';
import type { Row } from './flush.ts';
import type { IndexEntries } from './index-entries.ts';
import { withTime } from './prepare.ts';
import { openText, seal, sealIdentity } from './sealing.ts';
import type { TextSpool } from './text-spool.ts';
import type { Version } from './transaction-resources.ts';
import type { Change } from './write-set.ts';

export class Settled {
  /** Bytes of the sealed text. */
  readonly length: number;
  readonly #row: Row;
  readonly #time: Date;
  readonly #spool: TextSpool;
  readonly #key: Buffer;
  readonly #body: number;
  readonly #index: number;

  /** Takes a row's text and index entries out of memory. @param key of the row's home */
  constructor(row: Row, spool: TextSpool, key: Buffer) {
    const sealed = seal(row.text!, key, sealIdentity(row));
    this.length = sealed.length;
    this.#row = row;
    this.#time = row.updated;
    this.#spool = spool;
    this.#key = key;
    this.#body = spool.keep(sealed);
    this.#index = spool.put(serialize(row.index), row.type);
    row.text = undefined;
    row.after.text = undefined;
    row.index = undefined;
    row.settled = this;
    row.after.settled = this;
  }

  /** The sealed text, with the time that the version has by now. */
  body(): Buffer {
    if (this.#row.updated === this.#time) return this.#spool.bytes(this.#body);
    return seal(this.text(), this.#key, sealIdentity(this.#row));
  }

  text(): string {
    const row = this.#row;
    const text = openText(this.#spool.bytes(this.#body), this.#key, sealIdentity(row));
    return row.updated === this.#time ? text : withTime(text, row.timeAt, row.updated);
  }

  index(): IndexEntries {
    return deserialize(this.#spool.opened(this.#index, this.#row.type)) as IndexEntries;
  }
}

/** A change whose resource is opened and read anew each time: look at its type before. */
export class SettledChange implements Change {
  readonly before: Version | undefined;
  readonly after: Version;
  readonly meta: unknown;
  readonly by?: Access;

  constructor({ before, after, meta, by }: Change) {
    this.before = before;
    this.after = after;
    this.meta = meta;
    if (by) this.by = by;
  }

  parsed(): Record<string, unknown> {
    return JSON.parse(this.after.settled!.text()) as Record<string, unknown>;
  }
}
