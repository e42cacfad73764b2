/**
 * Takes messages in: sealed, committed, and only then acknowledged. Messages that arrive while one commit is on its way
 * are committed together by the next.
 */
import { createHash } from 'node:crypto';
import type { Database, Queryable, Transaction } from '../database/index.ts';
import { hash64, newId, seal } from '../record/index.ts';
import { newDataKey, wrapDataKey } from '../secrets/index.ts';
import { judge, lockLinks, type SequencePosition, type SequenceVerdict, storeLinks } from './sequence.ts';

export type Dialect = 'hl7v2' | 'ccda' | 'fhir' | 'unknown';

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

interface Pending {
  received: Received;
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

export class Receiver {
  readonly #database: Database;
  readonly #master: Buffer;
  readonly #onCommit: () => void;
  #queue: Pending[] = [];
  /** Lanes of the commits on their way. */
  readonly #committing = new Set<string>();
  #running = 0;
  #window = { since: 0, received: 0, before: 0 };

  constructor(database: Database, master: Buffer, onCommit: () => void) {
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
      this.#queue.push({ received, resolve, reject });
      if (this.#running < commitsAtOnce) {
        this.#running++;
        setImmediate(() => void this.#drain());
      }
    });
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
      if (this.#committing.has(lane) || passedOver.has(lane)) {
        passedOver.add(lane);
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
    const rows = batch.map(({ received }) => this.#row(received));
    const extras = rows.some(({ received }) => received.sequence ?? received.applicationWish);
    const receipts = extras
      ? await this.#database.transaction(async (transaction) => {
          const verdicts = await inSequence(transaction, rows);
          const stored = await store(transaction, rows, verdicts);
          await oweAcknowledgements(transaction, rows, stored, verdicts);
          return stored.map((receipt, i) => ({ ...receipt, sequence: verdicts.get(rows[i]!) }));
        })
      : await store(this.#database, rows, new Map());
    for (const [i, pending] of batch.entries()) pending.resolve(receipts[i]!);
  }

  #row(received: Received): Row {
    const id = newId();
    const key = newDataKey();
    return {
      id,
      received,
      key: wrapDataKey(this.#master, key, messageIdentity(id)),
      digest: createHash('sha256').update(received.bytes).digest(),
      body: seal(Buffer.from(received.bytes), key, messageIdentity(id)),
    };
  }
}

interface Row {
  id: string;
  received: Received;
  key: Buffer;
  digest: Buffer;
  body: Buffer;
}

/** Stores messages, those of a sequence that are refused as such; answers what became of each. */
async function store(database: Queryable, rows: Row[], verdicts: Map<Row, SequenceVerdict>): Promise<Receipt[]> {
  const bodies: Buffer[] = [];
  const starts: number[] = [];
  let offset = 1;
  for (const row of rows) {
    starts.push(offset);
    bodies.push(row.key, row.digest, row.body);
    offset += row.key.length + row.digest.length + row.body.length;
  }
  const refused = (row: Row) => row.received.refused ?? verdicts.get(row)?.refused;
  const stateOf = (row: Row) => (refused(row) !== undefined ? 'refused' : row.received.settled ? 'kept' : 'received');
  const list = (value: (row: Row, i: number) => string | number) => `{${rows.map(value).join(',')}}`;
  const { rows: inserted } = await database.query({
    name: 'receive',
    text: `
      INSERT INTO message (id, received, source, dialect, type, control_id, lane, size, sealing_key, digest, body,
                           state, error, charset)
      SELECT id, $1, source, dialect, type, control_id, lane, size,
             substring($2::bytea FROM start FOR key), substring($2 FROM start + key FOR ${digestBytes}),
             substring($2 FROM start + key + ${digestBytes} FOR length),
             state, error, charset
      FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::integer[],
                  $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::text[], $15::text[])
        AS v (id, source, dialect, type, control_id, lane, size, start, key, length, state, error, charset)
      ON CONFLICT (source, control_id, digest) DO NOTHING RETURNING id`,
    values: [
      new Date(),
      Buffer.concat(bodies),
      list((row) => row.id),
      list((row) => quoted(row.received.source)),
      list((row) => row.received.dialect),
      list((row) => quoted(row.received.type)),
      list((row) => quoted(row.received.controlId)),
      list((row) => String(hash64(row.received.lane))),
      list((row) => row.received.bytes.length),
      list((_, i) => starts[i]!),
      list((row) => row.key.length),
      list((row) => row.body.length),
      list(stateOf),
      list((row) => quotedOrNull(refused(row))),
      list((row) => quotedOrNull(row.received.charset)),
    ],
  });
  const made = new Set(inserted.map((row) => row.id));
  const again = rows.filter((row) => !made.has(row.id));
  if (again.length === 0) return rows.map(({ id }) => ({ id, duplicate: false }));
  const earlier = await earlierIds(database, again);
  const taken = again.filter((row) => stateOf(row) === 'received').map((row) => earlier.get(identityOf(row))!);
  const revived = await revive(database, taken);
  return rows.map((row) => {
    const id = made.has(row.id) ? row.id : earlier.get(identityOf(row))!;
    return { id, duplicate: id !== row.id && !revived.has(id) };
  });
}

/**
 * Takes messages that were refused and came again, the same bytes, in a way that is right: whole where the frame was cut
 * off, or when their number was due. Their place in the log is the later one.
 */
async function revive(database: Queryable, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await database.query({
    name: 'receive_revive',
    text: `UPDATE message SET seq = DEFAULT, state = 'received', error = NULL, received = now()
           WHERE id = ANY($1::uuid[]) AND state = 'refused' RETURNING id`,
    values: [ids],
  });
  return new Set(rows.map((row) => row.id));
}

/** The ids under which the same messages were received before. */
async function earlierIds(database: Queryable, rows: Row[]): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map();
  const { rows: found } = await database.query({
    name: 'receive_earlier',
    text: `SELECT id, source, control_id, digest FROM message
           JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS v (source, control_id, digest)
             USING (source, control_id, digest)`,
    values: [
      rows.map(({ received }) => printable(received.source)),
      rows.map(({ received }) => printable(received.controlId)),
      rows.map(({ digest }) => digest),
    ],
  });
  return new Map(found.map((row) => [`${row.digest.toString('hex')} ${row.source} ${row.control_id}`, row.id]));
}

/** Judges the messages that have sequence numbers, in their order, and moves their links on. */
async function inSequence(transaction: Transaction, rows: Row[]): Promise<Map<Row, SequenceVerdict>> {
  const numbered = rows.filter(({ received }) => received.sequence && received.refused === undefined);
  if (numbered.length === 0) return new Map();
  const last = await lockLinks(
    transaction,
    numbered.map(({ received }) => received.sequence!.link),
  );
  const known = new Set((await earlierIds(transaction, numbered)).keys());
  const verdicts = new Map<Row, SequenceVerdict>();
  for (const row of numbered) {
    verdicts.set(row, judge(last, row.received.sequence!, known.has(identityOf(row))));
    known.add(identityOf(row));
  }
  await storeLinks(transaction, last);
  return verdicts;
}

/** How long the connection that a message came over has the first turn with its application acknowledgement. */
const connectionTurn = '1 minute';

/** Notes the application acknowledgements that senders asked for. */
async function oweAcknowledgements(
  transaction: Transaction,
  rows: Row[],
  receipts: Receipt[],
  verdicts: Map<Row, SequenceVerdict>,
): Promise<void> {
  const owed = rows.flatMap((row, i) => {
    const { received } = row;
    const isRefused = received.refused !== undefined || verdicts.get(row)?.refused !== undefined;
    return received.applicationWish === undefined || receipts[i]!.duplicate || isRefused
      ? []
      : [{ id: receipts[i]!.id, source: printable(received.source), wish: received.applicationWish }];
  });
  if (owed.length === 0) return;
  await transaction.query(
    `INSERT INTO application_ack (message, source, wish, next_attempt)
     SELECT message, source, wish, now() + interval '${connectionTurn}'
     FROM unnest($1::uuid[], $2::text[], $3::text[]) AS v (message, source, wish) ON CONFLICT DO NOTHING`,
    [owed.map(({ id }) => id), owed.map(({ source }) => source), owed.map(({ wish }) => wish)],
  );
}

/** What makes a message the same as another. */
function identityOf({ digest, received }: Row): string {
  return `${digest.toString('hex')} ${printable(received.source)} ${printable(received.controlId)}`;
}

const digestBytes = 32;

/** What a message's bytes are sealed together with. */
export function messageIdentity(id: string): string {
  return `message/${id}`;
}

/** An element of a text array literal. Header values may hold anything; what PostgreSQL cannot store is left out. */
function quoted(value: string): string {
  return `"${printable(value).replace(/["\\]/g, '\\$&')}"`;
}

function quotedOrNull(value: string | undefined): string {
  return value === undefined ? 'NULL' : quoted(value);
}

function printable(value: string): string {
  return value.replaceAll('\0', '').toWellFormed().slice(0, 200);
}
