/** The message list: every message, its state, what became of it, and its original. */
import { typeCode } from '@causeway/fhir';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { LedgerEntry } from '@causeway/mapping';
import type { Database, Row } from '../database/index.ts';
import { openLarge, RecordError, ridOf } from '../record/index.ts';
import { type MasterKey, unwrapDataKey } from '../secrets/index.ts';
import { type Access, accessCondition, type Participants } from '../trust/index.ts';
import type { ConversionPool } from './conversion-pool.ts';
import type { ToConvert } from './converted.ts';
import { mapVersion } from './map-version.ts';
import { type Dialect, messageIdentity } from './receive.ts';

export interface MessageFilter {
  state?: string;
  source?: string;
  dialect?: string;
  q?: string;
  /** A kind of source field that was not mapped, as `Messages.notMapped` tells it. */
  notMapped?: string;
  before?: string;
  limit: number;
}

/** How many messages the work list looks at, and how many kinds it tells. */
const surveyed = 20_000;
const shownKinds = 200;

/** Of a larger original no ledger is made for whoever opens it: it would be hundreds of thousands of rows. */
const ledgerBytes = 2 * 1024 * 1024;
const ledgerReason =
  'The original has more than 2 MiB, so that its account is not told field by field; the counts are of all of it.';

const columns = `seq, id, received, source, dialect, type, control_id, size, state, attempts, error, patient, resources,
  mapped, consumed, structural, kept, rejected, issues`;

export class Messages {
  readonly #database: Database;
  readonly #master: MasterKey;
  readonly #participants: Participants;
  readonly #pool: ConversionPool;

  constructor(database: Database, master: MasterKey, participants: Participants, pool: ConversionPool) {
    this.#database = database;
    this.#master = master;
    this.#participants = participants;
    this.#pool = pool;
  }

  /** Messages, newest first. */
  async list(filter: MessageFilter): Promise<{ messages: object[]; next: string | null }> {
    const values: unknown[] = [];
    const parameter = (value: unknown) => `$${values.push(value)}`;
    const conditions = ['true'];
    if (filter.state) conditions.push(`state = ${parameter(filter.state)}`);
    if (filter.source) conditions.push(`source = ${parameter(filter.source)}`);
    if (filter.dialect) conditions.push(`dialect = ${parameter(filter.dialect)}`);
    if (filter.notMapped) conditions.push(`not_mapped @> ARRAY[${parameter(filter.notMapped)}]`);
    if (filter.before) conditions.push(`seq < ${parameter(/^\d{1,15}$/.test(filter.before) ? filter.before : '0')}`);
    if (filter.q) {
      const text = parameter(filter.q);
      conditions.push(
        `(control_id = ${text} OR id::text = ${text} OR type ILIKE ${parameter(`%${escapeLike(filter.q)}%`)})`,
      );
    }
    const { rows } = await this.#database.query(
      `SELECT ${columns} FROM message WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ${filter.limit + 1}`,
      values,
    );
    const page = rows.slice(0, filter.limit);
    return {
      messages: page.map((row) => this.#describe(row)),
      next: rows.length > filter.limit ? String(page.at(-1)!.seq) : null,
    };
  }

  /**
   * Whether the original may be opened by somebody who reads records: it may see all that the message made, there is something
   * of that, and it may see what the message said again. An original is given out whole or not at all.
   */
  async isOpenTo(access: Access, id: string): Promise<boolean> {
    const values: unknown[] = [ridOf(id)];
    const sees = (table: 'resource' | 'resource_history') =>
      `SELECT ${accessCondition(access, 'r', (value) => `$${values.push(value)}`, table)} AS sees
       FROM ${table} r WHERE r.message = $1 AND NOT r.deleted`;
    const text = `SELECT coalesce(bool_and(sees), false) AS is_open FROM (${sees('resource')} UNION ALL ${sees('resource_history')}) v`;
    const { rows } = await this.#database.query(text, values);
    return rows[0]!.is_open && (access.limits.isCustodian || (await this.#seesStated(access, id)));
  }

  /**
   * Whether somebody may see what a message states, as it is now. Of what was there already, with the same content, a message
   * makes no version that could tell; so it is converted again.
   */
  async #seesStated(access: Access, id: string): Promise<boolean> {
    const { rows: messages } = await this.#database.query(
      'SELECT id, source, dialect, charset, received, sealing_key, body FROM message WHERE id = $1',
      [ridOf(id)],
    );
    const [row] = messages;
    // Of an original that was erased nothing is given out.
    if (!row?.sealing_key) return true;
    const [converted] = await this.#pool.convert([this.#toConvert(row, await this.#open(row))]);
    if (converted!.error !== undefined) return false;
    const values: unknown[] = [
      converted!.facts.map((fact) => ridOf(fact.id)),
      converted!.facts.map(({ type }) => typeCode(type)),
    ];
    const condition = accessCondition(access, 'r', (value) => `$${values.push(value)}`);
    const { rows } = await this.#database.query(
      `SELECT 1 FROM unnest($1::uuid[], $2::smallint[]) AS k (rid, type)
       JOIN resource r ON r.rid = k.rid AND r.type = k.type WHERE NOT r.deleted AND (${condition}) IS NOT TRUE LIMIT 1`,
      values,
    );
    return rows.length === 0;
  }

  /**
   * One message with its original and its ledger. The ledger is made again from the original, since a conversion is a
   * pure function of it. @throws RecordError 404, 410
   */
  async read(id: string): Promise<{ [name: string]: unknown }> {
    const { rows } = await this.#database.query(
      `SELECT ${columns}, issue_list, charset, sealing_key, body, map_version::text,
         (SELECT to_jsonb(a) FROM application_ack a WHERE a.message = message.id) AS application_ack
       FROM message WHERE id = $1`,
      [ridOf(id)],
    );
    const row = rows[0];
    if (!row) throw new RecordError(404, 'not-found', 'There is no message of this id.');
    if (!row.sealing_key) throw new RecordError(410, 'deleted', 'The original of this message was erased.');
    const bytes = await this.#open(row);
    const resources = await this.#database.query(
      `SELECT type, rid, version FROM resource WHERE message = $1
       UNION ALL SELECT type, rid, version FROM resource_history WHERE message = $1`,
      [row.id],
    );
    const { original, encoding } = decode(row.dialect, bytes, row.charset ?? undefined);
    return {
      ...this.#describe(row),
      original,
      encoding,
      applicationAcknowledgement: row.application_ack && shownAcknowledgement(row.application_ack),
      issueList: row.issue_list ?? [],
      ledger: bytes.length > ledgerBytes ? [] : await this.#ledger(row, bytes),
      ...(bytes.length > ledgerBytes && { ledgerLeftOut: ledgerReason }),
      // The ledger is today's map's; what the message made may be an earlier one's.
      isOfEarlierMap: row.state === 'processed' && row.map_version !== this.#mapOf(row.source),
      resources: resources.rows,
    };
  }

  /** A document that came as a message, byte by byte; undefined where there is none of this id. @throws RecordError 410 */
  async document(id: string): Promise<{ bytes: Buffer; dialect: Dialect; person: string | undefined } | undefined> {
    const { rows } = await this.#database.query(
      `SELECT id, dialect, sealing_key, body, patient FROM message WHERE id = $1 AND dialect = 'ccda' AND state <> 'refused'`,
      [ridOf(id)],
    );
    const row = rows[0];
    if (!row) return undefined;
    if (!row.sealing_key) throw new RecordError(410, 'deleted', 'The original of this document was erased.');
    const bytes = await this.#open(row);
    return { bytes, dialect: row.dialect, person: row.patient ?? undefined };
  }

  /** Whether what a message says is in the record. */
  async isProcessed(id: string): Promise<boolean> {
    const { rows } = await this.#database.query({
      name: 'message_processed',
      text: `SELECT state = 'processed' AS done FROM message WHERE id = $1`,
      values: [ridOf(id)],
    });
    return rows[0]?.done === true;
  }

  /** Has a message processed again. @throws RecordError 404, 409 */
  async replay(id: string): Promise<void> {
    const { rows } = await this.#database.query(
      `UPDATE message SET state = 'received', attempts = 0, next_attempt = NULL, error = NULL
       WHERE id = $1 AND state NOT IN ('refused', 'kept') AND sealing_key IS NOT NULL RETURNING id`,
      [ridOf(id)],
    );
    if (rows.length === 0)
      throw new RecordError(409, 'conflict', 'There is no message of this id that can be replayed.');
  }

  /**
   * The work list of the maps: the kinds of source fields that carried content and were not mapped, the most frequent
   * first, of the newest messages. @param source of one sender only
   */
  async notMapped(source: string | undefined): Promise<{ messages: number; kinds: object[] }> {
    const newest = `SELECT source, dialect, not_mapped FROM message
      WHERE state = 'processed' AND ($1::text IS NULL OR source = $1) ORDER BY seq DESC LIMIT ${surveyed}`;
    const [kinds, messages] = await Promise.all([
      this.#database.query(
        `SELECT source, dialect, kind, count(*) AS messages FROM (${newest}) m, unnest(not_mapped) AS kind
         GROUP BY source, dialect, kind ORDER BY messages DESC, kind LIMIT ${shownKinds}`,
        [source ?? null],
      ),
      this.#database.query(`SELECT count(*) AS messages FROM (${newest}) m`, [source ?? null]),
    ]);
    return {
      messages: messages.rows[0]!.messages,
      kinds: kinds.rows.map((row) => ({ ...row, sourceName: this.#participants.byKey(row.source).name })),
    };
  }

  /** Counts by stage and by source. */
  async status(): Promise<{ [name: string]: unknown }> {
    const states = await this.#database.query(
      `SELECT state, count(*) AS count, sum(kept + rejected) AS not_mapped, count(*) FILTER (WHERE issues > 0) AS questionable
       FROM message GROUP BY state`,
    );
    const sources = await this.#database.query(
      'SELECT source, count(*) AS received, max(received) AS last FROM message GROUP BY source ORDER BY source',
    );
    const acks = await this.#database.query(`SELECT count(*) AS kept FROM application_ack WHERE state = 'kept'`);
    const count = (state: string) => Number(states.rows.find((row) => row.state === state)?.count ?? 0);
    return {
      received: states.rows.reduce((sum, row) => sum + Number(row.count), 0),
      processed: count('processed'),
      waiting: count('received'),
      failed: count('failed'),
      dead: count('dead'),
      refused: count('refused'),
      acknowledgementsKept: acks.rows[0]!.kept,
      notMapped: states.rows.reduce((sum, row) => sum + Number(row.not_mapped ?? 0), 0),
      questionable: states.rows.reduce((sum, row) => sum + Number(row.questionable), 0),
      sources: sources.rows.map((row) => ({
        key: row.source,
        name: this.#participants.byKey(row.source).name,
        received: Number(row.received),
        lastAt: row.last,
      })),
    };
  }

  #describe(row: Row): { [name: string]: unknown } {
    const { resources, mapped, consumed, structural, kept, rejected } = row;
    return {
      id: row.id,
      receivedAt: row.received,
      source: row.source,
      sourceName: this.#participants.byKey(row.source).name,
      dialect: row.dialect,
      type: row.type,
      controlId: row.control_id,
      size: row.size,
      state: row.state,
      attempts: row.attempts,
      error: row.error,
      counts: { resources, mapped, consumed, structural, kept, rejected },
      issues: row.issues,
      person: row.patient,
    };
  }

  #mapOf(source: string): string {
    return String(mapVersion(this.#participants.byKey(source).settings));
  }

  /** Of a message that a converter fails at there is none; its original can be read all the same. */
  async #ledger(row: Row, bytes: Buffer): Promise<LedgerEntry[]> {
    return row.state === 'refused' || row.state === 'kept' ? [] : this.#pool.ledger(this.#toConvert(row, bytes));
  }

  #open(row: Row): Promise<Buffer> {
    const identity = messageIdentity(row.id);
    return openLarge(row.body, unwrapDataKey(this.#master, row.sealing_key, identity), identity);
  }

  #toConvert(row: Row, bytes: Buffer): ToConvert {
    const { key, name, settings } = this.#participants.byKey(row.source);
    const { id, dialect, charset } = row as { id: string; dialect: Dialect; charset: string | null };
    const said = { charset: charset ?? undefined, received: row.received.toISOString() };
    return { id, dialect, bytes, ...said, source: { key, name, settings } };
  }
}

/** An application acknowledgement as people see it. */
function shownAcknowledgement(row: Row): object {
  const { state, code, control_id: controlId, attempts, sent: sentAt, answered: answeredAt, error } = row;
  return { state, code, controlId, attempts, sentAt, answeredAt, error };
}

function decode(dialect: string, bytes: Buffer, charset: string | undefined): { original: string; encoding: string } {
  if (dialect === 'hl7v2') {
    const message = parseMessage(bytes, charset === undefined ? {} : { charset });
    if (!isParseError(message)) return { original: message.toString(), encoding: message.encoding };
  }
  return { original: bytes.toString(), encoding: 'utf-8' };
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
