/** Stored messages, converted anew some at a time. Memory holds what is noted of each; what was made of it lies in a spool. */
import { deserialize, serialize } from 'node:v8';
import type { DocumentVersion, IdentityEvent } from '@causeway/mapping';
import type { Queryable, Row } from '../database/index.ts';
import { faultReason } from '../faults.ts';
import { open, type TextSpool } from '../record/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import type { Participants } from '../trust/index.ts';
import { type PreparedFact, prepareFact } from './apply.ts';
import type { ConversionPool } from './conversion-pool.ts';
import { type ConvertedMessage, noConversion } from './converted.ts';
import { type StatedKey, statedBy, withRemark } from './document-versions.ts';
import { keyOf } from './fold.ts';
import { mapVersion } from './map-version.ts';
import { messageIdentity } from './receive.ts';

export interface ConversionParts {
  database: Queryable;
  participants: Participants;
  master: MasterKey;
  pool: ConversionPool;
}

/** Messages whose statements are part of the record, or would be. */
export const foldable = "state IN ('processed', 'dead')";

/** A message by its place in the log. */
export interface ListedMessage {
  seq: number;
  /** Bytes of the original. */
  size: number;
}

/** A message, converted by today's map. */
export class LaneMessage {
  readonly seq: number;
  readonly id: string;
  readonly controlId: string;
  readonly type: string;
  readonly source: string;
  readonly received: Date;
  /** See `mapVersion`. */
  readonly map: bigint;
  /** Why it cannot be converted now; what it made stands as it is. */
  readonly error: string | undefined;
  readonly identityEvents: readonly IdentityEvent[];
  /** Ids of the Patients it states. */
  readonly patients: readonly string[];
  /** Of a document whose versions follow each other. */
  readonly document: DocumentVersion | undefined;
  /** What became of it as such. */
  remark: string | undefined;
  readonly #spool: TextSpool;
  readonly #place: number;
  #stated: readonly StatedKey[] | undefined;

  constructor(row: Row, map: bigint, conversion: ConvertedMessage, spool: TextSpool) {
    this.seq = row.seq;
    this.id = row.id;
    this.controlId = row.control_id;
    this.type = row.type;
    this.source = row.source;
    this.received = row.received;
    this.map = map;
    this.error = conversion.error;
    this.identityEvents = conversion.identityEvents;
    this.patients = conversion.facts.flatMap(({ type, id }) => (type === 'Patient' ? id : []));
    this.document = conversion.document;
    this.#spool = spool;
    this.#place = spool.put(serialize(conversion), inSpool);
  }

  /** Read from the spool each time. */
  get conversion(): ConvertedMessage {
    const conversion = deserialize(this.#spool.opened(this.#place, inSpool)) as ConvertedMessage;
    return this.remark === undefined ? conversion : withRemark(conversion, this.remark);
  }

  /** Which resources it states; kept once it was asked for. */
  get stated(): readonly StatedKey[] {
    this.#stated ??= statedBy(this.conversion);
    return this.#stated;
  }

  get facts(): PreparedFact[] {
    return this.conversion.facts.map(prepareFact);
  }
}

/** What the spool knows conversions by. */
const inSpool = 'conversion';

/** Messages that a condition holds of, in their order. */
export async function listMessages(database: Queryable, condition: string, value: unknown): Promise<ListedMessage[]> {
  const { rows } = await database.query(
    `SELECT seq, size FROM message WHERE ${condition} AND ${foldable} ORDER BY seq`,
    [value],
  );
  return rows as ListedMessage[];
}

const messagesAtOnce = 64;
const bytesAtOnce = 16 * 1024 * 1024;

/**
 * Opens and converts messages, in their order.
 * @param stated is told the key of each resource that one states
 */
export async function convertListed(
  parts: ConversionParts,
  listed: readonly ListedMessage[],
  spool: TextSpool,
  stated: (key: string) => void,
): Promise<LaneMessage[]> {
  const messages: LaneMessage[] = [];
  for (let from = 0; from < listed.length; ) {
    let [to, bytes] = [from, 0];
    while (to < listed.length && to - from < messagesAtOnce && (to === from || bytes < bytesAtOnce)) {
      bytes += listed[to++]!.size;
    }
    const seqs = listed.slice(from, to).map(({ seq }) => seq);
    for (const { row, map, conversion } of await convertSome(parts, seqs)) {
      for (const { type, id } of conversion.facts) stated(keyOf(type, id));
      messages.push(new LaneMessage(row, map, conversion, spool));
    }
    from = to;
  }
  return messages;
}

interface Converted {
  row: Row;
  map: bigint;
  conversion: ConvertedMessage;
}

async function convertSome(parts: ConversionParts, seqs: number[]): Promise<Converted[]> {
  const { rows } = await parts.database.query(
    `SELECT seq, id, source, dialect, type, control_id, received, charset, sealing_key, body FROM message
     WHERE seq = ANY($1) AND ${foldable} ORDER BY seq`,
    [seqs],
  );
  const opened = rows.flatMap((row) => {
    const bytes = original(parts.master, row);
    return bytes === undefined ? [] : [{ row, bytes }];
  });
  const participants = new Map(rows.map(({ source }) => [source, parts.participants.byKey(source)]));
  const maps = new Map([...participants].map(([source, { settings }]) => [source, mapVersion(settings)]));
  const conversions = await parts.pool.convert(
    opened.map(({ row, bytes }) => {
      const { key, name, settings } = participants.get(row.source)!;
      return {
        id: row.id,
        dialect: row.dialect,
        bytes,
        charset: row.charset ?? undefined,
        received: row.received.toISOString(),
        source: { key, name, settings },
      };
    }),
  );
  const byRow = new Map(opened.map(({ row }, i) => [row, conversions[i]!]));
  return rows.map((row) => ({ row, map: maps.get(row.source)!, conversion: storable(byRow.get(row)) }));
}

/** Undefined where the original was erased or does not open. */
function original(master: MasterKey, { id, sealing_key: key, body }: Row): Buffer | undefined {
  if (key === null) return undefined;
  try {
    return open(body, unwrapDataKey(master, key, messageIdentity(id)), messageIdentity(id));
  } catch {
    return undefined;
  }
}

/** A conversion whose facts can be stored; else why there is none. */
function storable(conversion: ConvertedMessage | undefined): ConvertedMessage {
  if (conversion === undefined) return noConversion('The original was erased or does not open.');
  try {
    for (const fact of conversion.facts) prepareFact(fact);
    return conversion;
  } catch (error) {
    return noConversion(faultReason(error));
  }
}
