/** Connectors as the gate and the hub see them: what there is, changes, trying one, and the runs themselves. */
import type { ColumnMap } from '@causeway/mapping/columns';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import type { ConversionPool, Receipt, Received } from '../inbox/index.ts';
import { newId, RecordError } from '../record/index.ts';
import type { MasterKey } from '../secrets/index.ts';
import type { Participant, Participants } from '../trust/index.ts';
import { Items } from './items.ts';
import { paceOf } from './rate.ts';
import type { Run, Source } from './run.ts';
import type { ConnectorKind, ConnectorSecrets, ConnectorSettings } from './settings.ts';
import { type Connector, ConnectorStore } from './store.ts';
import { Worker } from './worker.ts';

export interface ConnectorParts {
  database: Database;
  master: MasterKey;
  participants: Participants;
  pool: ConversionPool;
  sources: { [kind in ConnectorKind]: Source };
  /** Recognises what is in a file of a participant. */
  recognise(bytes: Buffer, participant: string): Received;
  /** Puts a message into the inbox, refused where its sender may not send. */
  take(received: Received): Promise<Receipt & { refused?: string | undefined }>;
  /** Why a participant may not send. */
  refused(participant: string): Promise<string | undefined>;
  log: Logger;
}

/** A connector as somebody wrote it. */
export interface StatedConnector {
  participant: string;
  kind: ConnectorKind;
  settings: ConnectorSettings;
  secrets: ConnectorSecrets | undefined;
  map: ColumnMap | undefined;
}

/** What a sample becomes, of which nothing was taken. */
export interface Preview {
  found: string;
  names?: string[];
  rows?: { [column: string]: unknown }[];
  messages: {
    original: string;
    refused?: string | undefined;
    resources: object[];
    issues: object[];
    ledger: object[];
  }[];
}

const shownOriginal = 20_000;
const sampleMs = 60_000;

export class Connectors {
  readonly store: ConnectorStore;
  readonly #parts: ConnectorParts;
  readonly #worker: Worker;

  constructor(parts: ConnectorParts) {
    this.#parts = parts;
    this.store = new ConnectorStore(parts.database, parts.master);
    this.#worker = new Worker({ ...parts, store: this.store });
  }

  start(): void {
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** @throws RecordError 404 */
  async find(key: string): Promise<Connector> {
    const connector = await this.store.find(key);
    if (connector) return connector;
    throw new RecordError(404, 'not-found', 'There is no connector of this key.');
  }

  /** Makes a connector or changes it. Where it is of another source than before, it begins anew. */
  async put(key: string, stated: StatedConnector): Promise<Connector> {
    const before = await this.store.find(key);
    if (stated.map) await this.#putMap(stated.participant, key, stated.map);
    await this.store.put({ key, ...stated }, stated.secrets, before !== undefined && isOther(before, stated));
    this.#worker.wake();
    return this.find(key);
  }

  /** Changes the column map of a connector's rows; stored rows are read by it once they are converted anew. */
  async putMap(key: string, map: ColumnMap): Promise<void> {
    const { participant } = await this.find(key);
    await this.#putMap(participant, key, map);
  }

  mapOf({ key, participant }: Pick<Connector, 'key' | 'participant'>): ColumnMap | undefined {
    return this.#parts.participants.byKey(participant).settings.tables?.[key];
  }

  /** A connector that may be run. @throws RecordError 404, 409 */
  async runnable(key: string): Promise<Connector> {
    const connector = await this.find(key);
    if (connector.paused) throw new RecordError(409, 'conflict', 'The connector is paused.');
    return connector;
  }

  /** @throws RecordError 404, 409 */
  async runNow(key: string): Promise<void> {
    await this.runnable(key);
    await this.store.due(key);
    this.#worker.wake();
  }

  /** @throws RecordError 404 */
  async pause(key: string, paused: boolean): Promise<void> {
    await this.find(key);
    await this.store.pause(key, paused);
    this.#worker.abort(key);
    this.#worker.wake();
  }

  /** What was taken stays; the map stays too, since stored rows are read by it. @throws RecordError 404 */
  async remove(key: string): Promise<void> {
    await this.find(key);
    await this.store.remove(key);
    this.#worker.abort(key);
  }

  itemsOf(key: string): Items {
    return new Items(this.#parts.database, key);
  }

  /** Tries a connector as it is stated, with secrets that are sealed where none are stated. Nothing is taken or kept. */
  async preview(key: string, stated: StatedConnector): Promise<Preview> {
    const { participants, sources, recognise } = this.#parts;
    const own = participants.byKey(stated.participant);
    const participant = stated.map ? withMap(own, key, stated.map) : own;
    const signal = AbortSignal.timeout(sampleMs);
    const run: Omit<Run, 'save' | 'take'> = {
      key,
      participant,
      settings: stated.settings,
      secrets: stated.secrets ?? (await this.#sealedFor(key, stated)),
      items: this.itemsOf(key),
      progress: {},
      signal,
      recognise: (bytes) => recognise(bytes, participant.key),
      pace: paceOf(stated.settings.perSecond, signal),
    };
    const { messages, ...found } = await sources[stated.kind].sample(run);
    return { ...found, messages: await Promise.all(messages.map((one) => this.#convert(one, participant))) };
  }

  /** Sealed secrets go to the source for which they were given, and nowhere else. */
  async #sealedFor(key: string, stated: StatedConnector): Promise<ConnectorSecrets> {
    const before = await this.store.find(key);
    return before && !isOther(before, stated) ? this.store.secretsOf(key) : {};
  }

  async #convert(received: Received, { key, name, settings }: Participant): Promise<Preview['messages'][number]> {
    const { pool } = this.#parts;
    const { bytes, dialect, refused } = received;
    const original = Buffer.from(bytes).toString().slice(0, shownOriginal);
    if (refused !== undefined) return { original, refused, resources: [], issues: [], ledger: [] };
    const message = { id: newId(), dialect, received: new Date().toISOString(), source: { key, name, settings } };
    const [conversion] = await pool.convert([{ ...message, bytes: Buffer.from(bytes) }]);
    const ledger = await pool.ledger({ ...message, bytes });
    const { facts, issues, error } = conversion!;
    return { original, refused: error, resources: facts.map(({ text }) => JSON.parse(text)), issues, ledger };
  }

  async #putMap(key: string, table: string, map: ColumnMap): Promise<void> {
    const { participants } = this.#parts;
    const participant = participants.all().find((one) => one.key === key);
    if (!participant) throw new RecordError(422, 'not-found', 'There is no participant of this key.', 'participant');
    if (JSON.stringify(participant.settings.tables?.[table]) === JSON.stringify(map)) return;
    await participants.put(withMap(participant, table, map));
  }
}

function withMap(participant: Participant, table: string, map: ColumnMap): Participant {
  const { settings } = participant;
  return { ...participant, settings: { ...settings, tables: { ...settings.tables, [table]: map } } };
}

/** Whether it names another source than before. */
function isOther(before: Connector, { kind, participant, settings }: StatedConnector): boolean {
  const place = (one: object) => {
    const { url, host, port, path, database, username, engine, clientId } = one as { [name: string]: unknown };
    return JSON.stringify([url, host, port, path, database, username, engine, clientId]);
  };
  return before.kind !== kind || before.participant !== participant || place(before.settings) !== place(settings);
}
