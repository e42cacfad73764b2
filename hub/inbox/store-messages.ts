/**
 * Writes received messages: one statement for a batch, which is its own transaction, or a transaction where sequence
 * numbers or application acknowledgements belong to it.
 */
import type { Database, Queryable, Transaction } from '../database/index.ts';
import { hash64 } from '../record/index.ts';
import type { Receipt, Received } from './receive.ts';
import { judge, lockLinks, type SequenceVerdict, storeLinks } from './sequence.ts';

/** A message ready to be stored: sealed, with what makes it the same as another. */
export interface Row extends Sealed {
  id: string;
  received: Received;
  digest: Buffer;
  /** Its bytes, sealed as those of the message of another id. */
  sealedAs(id: string): Sealed;
}

/** The bytes of a message, and the key that opens them, wrapped. */
export interface Sealed {
  key: Buffer;
  body: Buffer;
}

/** Stores a batch in its order; answers what became of each message. */
export function storeMessages(database: Database, rows: Row[]): Promise<Receipt[]> {
  const isPlain = rows.every(
    ({ received }) => received.sequence === undefined && received.applicationWish === undefined,
  );
  if (isPlain) return insert(database, rows, new Map());
  return database.transaction(async (transaction) => {
    const verdicts = await inSequence(transaction, rows);
    const stored = await insert(transaction, rows, verdicts);
    await oweAcknowledgements(transaction, rows, stored, verdicts);
    return stored.map((receipt, i) => ({ ...receipt, sequence: verdicts.get(rows[i]!) }));
  });
}

/** Stores messages, those of a sequence that are refused as such; answers what became of each. */
async function insert(database: Queryable, rows: Row[], verdicts: Map<Row, SequenceVerdict>): Promise<Receipt[]> {
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
  const earlier = await earlierOf(database, again);
  const taken = again.filter((row) => stateOf(row) === 'received' && earlier.get(identityOf(row))!.isRefused);
  const revived = await revive(database, new Map(taken.map((row) => [earlier.get(identityOf(row))!.id, row])));
  return rows.map((row) => {
    const id = made.has(row.id) ? row.id : earlier.get(identityOf(row))!.id;
    return { id, duplicate: id !== row.id && !revived.has(id) };
  });
}

/**
 * Takes messages that were refused and came again, the same bytes, in a way that is right: whole where the frame was cut
 * off, or when their number was due. Their place in the log is the later one, and their original the one that came now:
 * the first may be erased.
 * @param again the messages by the ids under which they were refused
 */
async function revive(database: Queryable, again: ReadonlyMap<string, Row>): Promise<Set<string>> {
  if (again.size === 0) return new Set();
  const originals = [...again].map(([id, row]) => row.sealedAs(id));
  const { rows } = await database.query({
    name: 'receive_revive',
    text: `UPDATE message m SET seq = DEFAULT, state = 'received', error = NULL, received = now(),
             sealing_key = v.key, body = v.body
           FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS v (id, key, body)
           WHERE m.id = v.id AND m.state = 'refused' RETURNING m.id`,
    values: [[...again.keys()], originals.map(({ key }) => key), originals.map(({ body }) => body)],
  });
  return new Set(rows.map((row) => row.id));
}

/** The same messages, as they were received before. */
async function earlierOf(database: Queryable, rows: Row[]): Promise<Map<string, { id: string; isRefused: boolean }>> {
  if (rows.length === 0) return new Map();
  const { rows: found } = await database.query({
    name: 'receive_earlier',
    text: `SELECT id, state = 'refused' AS refused, source, control_id, digest FROM message
           JOIN unnest($1::text[], $2::text[], $3::bytea[]) AS v (source, control_id, digest)
             USING (source, control_id, digest)`,
    values: [
      rows.map(({ received }) => printable(received.source)),
      rows.map(({ received }) => printable(received.controlId)),
      rows.map(({ digest }) => digest),
    ],
  });
  return new Map(
    found.map((row) => [
      `${row.digest.toString('hex')} ${row.source} ${row.control_id}`,
      { id: row.id, isRefused: row.refused },
    ]),
  );
}

/** Judges the messages that have sequence numbers, in their order, and moves their links on. */
async function inSequence(transaction: Transaction, rows: Row[]): Promise<Map<Row, SequenceVerdict>> {
  const numbered = rows.filter(({ received }) => received.sequence && received.refused === undefined);
  if (numbered.length === 0) return new Map();
  const last = await lockLinks(
    transaction,
    numbered.map(({ received }) => received.sequence!.link),
  );
  const known = new Set((await earlierOf(transaction, numbered)).keys());
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
