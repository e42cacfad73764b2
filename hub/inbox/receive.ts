/**
 * Takes messages in: sealed, committed, and only then acknowledged. Messages that arrive while one commit is on its way
 * are committed together by the next.
 */
import { createHash } from 'node:crypto';
import type { Database } from '../database/index.ts';
import { digestLarge, newId, seal, sealLarge } from '../record/index.ts';
import { type MasterKey, newDataKey, type WrappedColumn, wrapDataKey } from '../secrets/index.ts';
import type { SequencePosition, SequenceVerdict } from './sequence.ts';
import { type Row, type Sealed, storeMessages } from './store-messages.ts';

export type Dialect = 'hl7v2' | 'ccda' | 'fhir' | 'table' | 'unknown';

/** A message as it came, with what its header says. */
export interface Received {
  bytes: Uint8Array;
  dialect: Dialect;
  /** The participant's key. */
  source: string;
  /** `ADT^A01`, a document type, `Bundle`. */
  type: string;
  /** MSH-10, the document's id, or a Bundle's identifier. */
  controlId: string;
  /** Messages of one lane (a source's patient) are processed in the order in which they came. */
  lane: string;
  /** Why the message was refused; it is kept all the same, and not processed. */
  refused?: string;
  /** It was about a person whose record was erased: nothing of it is left here. */
  isErased?: boolean;
  /** It says nothing about a patient (an acknowledgement, the start of a link): kept, with nothing to process. */
  settled?: boolean;
  /** The charset that the transport told; it counts for that of the message. */
  charset?: string;
  /** MSH-16, where it asks for an application acknowledgement. */
  applicationWish?: string;
  /** Where the message stands on a link that numbers its messages. */
  sequence?: SequencePosition;
}

export interface Receipt {
  id: string;
  /** Whether the same message (source, control id, bytes) was received before; it is not processed again. */
  duplicate: boolean;
  /** What came of the message's sequence number. */
  sequence?: SequenceVerdict;
}

/** One: a message's place in the log is its place among those received, also when a sender does not wait for answers. */
const commitsAtOnce = 1;
/** More messages than this in one to two windows: some 500 a second. */
const pressingMessages = 60;
const windowMs = 80;
const messagesPerCommit = 512;
const bytesPerCommit = 64 * 1024 * 1024;
/** Sealing more bytes than this takes so long that it is done aside, before the message waits for its commit. */
const largeBytes = 256 * 1024;

interface Pending {
  received: Received;
  /** Of a large document, once it is sealed. */
  sealed?: Row;
  isSealing: boolean;
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

export class Receiver {
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #onCommit: () => void;
  #queue: Pending[] = [];
  /** Lanes of the commits on their way. */
  readonly #committing = new Set<string>();
  #running = 0;
  #window = { since: 0, received: 0, before: 0 };

  constructor(database: Database, master: MasterKey, onCommit: () => void) {
    this.#database = database;
    this.#master = master;
    this.#onCommit = onCommit;
  }

  /** Whether so much arrives that what is not urgent should wait. */
  get pressed(): boolean {
    this.#turnWindow();
    return this.#window.received + this.#window.before > pressingMessages;
  }

  /** Resolves once the message is on disk. */
  receive(received: Received): Promise<Receipt> {
    this.#turnWindow();
    this.#window.received++;
    return new Promise((resolve, reject) => {
      const isSealing = mayWait(received) && received.bytes.length > largeBytes;
      const pending: Pending = { received, isSealing, resolve, reject };
      this.#queue.push(pending);
      if (isSealing) void this.#sealAside(pending);
      else this.#begin();
    });
  }

  #begin(): void {
    if (this.#running === commitsAtOnce) return;
    this.#running++;
    setImmediate(() => void this.#drain());
  }

  /** Seals a large document while others are committed; it keeps its place among the messages of its lane. */
  async #sealAside(pending: Pending): Promise<void> {
    const { received } = pending;
    const id = newId();
    const { key, identity, wrapped } = this.#newKey(id);
    try {
      const digest = await digestLarge(received.bytes);
      const body = await sealLarge(received.bytes, key, identity);
      pending.sealed = { id, received, digest, key: wrapped, body, sealedAs: (as) => this.#seal(received.bytes, as) };
      pending.isSealing = false;
    } catch (error) {
      this.#queue = this.#queue.filter((one) => one !== pending);
      pending.reject(error);
    }
    this.#begin();
  }

  /** Counts what arrives in two windows, the current one and the one before. */
  #turnWindow(): void {
    const now = performance.now();
    const { since, received } = this.#window;
    if (now - since < windowMs) return;
    this.#window = { since: now, received: 0, before: now - since < 2 * windowMs ? received : 0 };
  }

  async #drain(): Promise<void> {
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      try {
        await this.#commit(batch);
        this.#onCommit();
      } catch (error) {
        for (const pending of batch) pending.reject(error);
      }
      for (const { received } of batch) this.#committing.delete(received.lane);
    }
    this.#running--;
  }

  /**
   * The next messages to commit. A message waits while an earlier one of its lane is in the other commit: whichever
   * commit ends first, a lane's messages become visible in their order.
   */
  #take(): Pending[] {
    const batch: Pending[] = [];
    const left: Pending[] = [];
    const passedOver = new Set<string>();
    let bytes = 0;
    for (const [i, pending] of this.#queue.entries()) {
      const { lane, bytes: content } = pending.received;
      if (batch.length === messagesPerCommit || (batch.length > 0 && bytes + content.length > bytesPerCommit)) {
        left.push(...this.#queue.slice(i));
        break;
      }
      if (pending.isSealing || this.#committing.has(lane) || passedOver.has(lane)) {
        // What is refused is not processed: its place in a lane means nothing.
        if (pending.received.refused === undefined) passedOver.add(lane);
        left.push(pending);
        continue;
      }
      bytes += content.length;
      batch.push(pending);
    }
    for (const { received } of batch) this.#committing.add(received.lane);
    this.#queue = left;
    return batch;
  }

  async #commit(batch: Pending[]): Promise<void> {
    const rows = batch.map(({ received, sealed }) => sealed ?? this.#row(received));
    const receipts = await storeMessages(this.#database, rows);
    for (const [i, pending] of batch.entries()) pending.resolve(receipts[i]!);
  }

  #row(received: Received): Row {
    const id = newId();
    const sealedAs = (as: string) => this.#seal(received.bytes, as);
    const digest = createHash('sha256').update(received.bytes).digest();
    return { id, received, digest, ...sealedAs(id), sealedAs };
  }

  #seal(bytes: Uint8Array, id: string): Sealed {
    const { key, identity, wrapped } = this.#newKey(id);
    return { key: wrapped, body: seal(Buffer.from(bytes), key, identity) };
  }

  #newKey(id: string): { key: Buffer; identity: string; wrapped: Buffer } {
    const key = newDataKey();
    const identity = messageIdentity(id);
    return { key, identity, wrapped: wrapDataKey(this.#master, key, identity) };
  }
}

/**
 * Whether others may be committed first. HL7 v2 keeps the order in which it came across patients, as its merges and its
 * numbers need; what is refused has no place in it.
 */
function mayWait({ dialect, refused, sequence }: Received): boolean {
  return dialect !== 'hl7v2' || (refused !== undefined && sequence === undefined);
}

/** Where the wrapped keys of messages are. */
export const messageKeyColumn: WrappedColumn = {
  table: 'message',
  column: 'sealing_key',
  key: 'id',
  type: 'uuid',
  context: messageIdentity,
};

/** What a message's bytes are sealed together with. */
export function messageIdentity(id: string): string {
  return `message/${id}`;
}
