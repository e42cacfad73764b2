/**
 * FHIR Subscriptions: takes up what clients ask for, with the change that asks for it; one hub at a time looks at the
 * changes of the record and tells the channels.
 */
import type { Server } from 'node:http';
import { isFhirError, scanResource } from '@causeway/fhir';
import type { Subscription } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import type { Database } from '../database/index.ts';
import type { Distrust } from '../distrusting-agent.ts';
import { faultText } from '../faults.ts';
import type { Mailer } from '../mail/index.ts';
import { checkFurther, type FhirRecord, RecordError, type WriteSet } from '../record/index.ts';
import { type Access, type AccessLog, type Asker, accessOf, askerOf } from '../trust/index.ts';
import { type Answering, ownerFor } from './answers.ts';
import { refused } from './channel.ts';
import { type Definition, readDefinition } from './definition.ts';
import { MailPace } from './mail.ts';
import { Matcher } from './matcher.ts';
import { type NotificationType, notification } from './notification.ts';
import { ownerOf } from './owner.ts';
import { type Live, Registry } from './registry.ts';
import { type Pauses, PushSender, patientsOf, tellings } from './sender.ts';
import { type Event, fared, forget, type Kept, keep, keptOf, removeOld } from './store.ts';
import { WebsocketChannel, websocketPath } from './websocket.ts';

export interface SubscriptionsParts {
  database: Database;
  record: FhirRecord;
  accessLog: AccessLog;
  log: Logger;
  /** What may be read on behalf of whoever asked, now; undefined where they may not ask any more. */
  accessOf(asker: Asker): Promise<Access | undefined>;
  /** Addresses below which endpoints may lie in private networks, or be plain http. */
  notifyTo: readonly string[];
  /** What may be held against their certificates. */
  distrust?: Distrust | undefined;
  /** For how many days events are kept. */
  days: number;
  /** The key of tokens for sockets. */
  tokenKey: Buffer;
  /** Undefined where the hub sends no mail. */
  mailer: Mailer | undefined;
  pauses?: Partial<Pauses>;
}

/** The hub's own. */
const hub = accessOf({ username: 'subscriptions', name: 'Subscriptions', role: 'system', organization: 'local' });
const usualPauses: Pauses = { firstMs: 1_000, longestMs: 600_000, mailMs: 900_000 };
/** Between two mails to one mailbox, where those of one subscription are no closer. */
const mailboxMs = 60_000;
/** How often is looked for changes that other hubs make. */
const lookMs = 1_000;
const tidyMs = 3_600_000;
/** For how long is remembered what somebody may read: within this time what was taken from them ends. */
const rememberedMs = 2_000;

export class Subscriptions {
  readonly #parts: SubscriptionsParts;
  readonly #registry: Registry;
  readonly #matcher: Matcher;
  readonly #sender: PushSender;
  readonly #websockets: WebsocketChannel;
  readonly #accesses = new Map<string, { access: Promise<Access | undefined>; until: number }>();
  #base = 'http://localhost/fhir';
  #timers: NodeJS.Timeout[] = [];
  #leads = false;
  #looking: Promise<void> | undefined;
  #again = false;

  /** Takes up, in every transaction of the record, what is asked for in it. */
  constructor(parts: SubscriptionsParts) {
    this.#parts = parts;
    const { database, record, accessLog, notifyTo, distrust } = parts;
    const pauses = { ...usualPauses, ...parts.pauses };
    const fault = (error: unknown) => this.#fault(error);
    const allowed = (live: Live) => this.#accessOf(live);
    this.#registry = new Registry(database, record, hub, fault);
    this.#matcher = new Matcher({ database, record, registry: this.#registry, hub, accessOf: allowed, fault });
    this.#sender = new PushSender({
      database,
      record,
      registry: this.#registry,
      accessLog,
      accessOf: allowed,
      showState: (live) => this.#showState(live),
      reach: { allowed: notifyTo, distrust },
      base: () => this.#base,
      pages: () => this.#base.replace(/\/fhir$/, ''),
      mailer: parts.mailer,
      mailPace: new MailPace(Math.min(mailboxMs, pauses.mailMs)),
      pauses,
      fault,
    });
    this.#websockets = new WebsocketChannel({
      database,
      tokenKey: parts.tokenKey,
      definition: (kept) => this.#definition(kept),
      told: (kept, definition, type, events) => this.#told(kept, definition, type, events),
      refused: (from, what, status) => accessLog.strangers.refused(from, what, status),
      fault,
    });
    checkFurther('Subscription', (resource) => {
      const subscription = resource as unknown as Subscription;
      if (subscription.status === 'off') return;
      const { channel } = readDefinition(subscription, record.keys.index);
      if (channel === 'email' && !parts.mailer) throw refused('channel.type', 'is email; this server sends no mail');
    });
    record.writer.beforeCommit((set) => this.#takeUp(set));
    record.writer.afterCommit(({ changes }) => {
      // While nobody wants to be told of anything, changes cost nothing.
      if (this.#registry.isEmpty && !changes.some(({ after }) => after.type === 'Subscription')) return;
      this.#lookSoon();
    });
  }

  /** Begins to take connections. @param url where the FHIR server is reached, for what subscribers are told */
  open(url: string, server: Server): void {
    this.#base = `${url}/fhir`;
    this.#websockets.listen(server);
  }

  /** Ends the connections. */
  close(): Promise<void> {
    return this.#websockets.close();
  }

  /**
   * A token by which a client binds a connection to its subscriptions (`$get-ws-binding-token`).
   * @throws RecordError 404 where it has none that is told over one
   */
  async bindingToken(access: Access, ids: readonly string[] | undefined) {
    const kept = await keptOf(this.#parts.database, { owner: ownerFor(access), ids });
    const bound: Kept[] = [];
    for (const one of kept) if ((await this.#definition(one))?.channel === 'websocket') bound.push(one);
    if (bound.length === 0)
      throw new RecordError(404, 'not-found', 'There is no Subscription whose channel is websocket.');
    const { token, expires } = await this.#websockets.token(bound.map(({ id }) => id));
    const url = `${this.#base.replace(/^http/, 'ws').replace(/\/fhir$/, '')}${websocketPath}`;
    return { token, expires, url, ids: bound.map(({ id }) => id) };
  }

  /** Begins to look and to tell: the business of one hub at a time. */
  async start(): Promise<void> {
    await this.#matcher.start();
    this.#leads = true;
    this.#sender.start();
    this.#timers = [
      setInterval(() => this.#lookSoon(), lookMs),
      setInterval(() => void this.#tidy(), tidyMs),
      setInterval(() => this.#endThoseOver(), lookMs),
    ];
    this.#lookSoon();
  }

  async stop(): Promise<void> {
    this.#leads = false;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await this.#looking;
    await this.#sender.stop();
  }

  /** What those who ask are answered from. */
  answering(): Answering {
    const { database, record } = this.#parts;
    return { database, record, base: this.#base, definition: (kept) => this.#definition(kept) };
  }

  #takeUp(set: WriteSet): void {
    for (const change of set.changes) {
      const { after, by } = change;
      if (after.type !== 'Subscription') continue;
      if (after.deleted) {
        forget(set.transaction, after.rid);
        continue;
      }
      // What the hub itself writes is the state that it notes, or came with a message.
      const resource = by && change.parsed();
      if (!by || !resource) continue;
      const { status, end } = resource as unknown as Subscription;
      keep(set.transaction, {
        rid: after.rid,
        id: after.id,
        version: after.version,
        owner: ownerOf(by),
        asker: askerOf(by),
        state: status === 'off' ? 'off' : 'requested',
        ends: end === undefined ? undefined : new Date(end),
      });
    }
  }

  /** Looks at what has changed, unless that is being done; then once more. */
  #lookSoon(): void {
    if (!this.#leads) return;
    this.#again = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(): Promise<void> {
    try {
      while (this.#again && this.#leads) {
        this.#again = false;
        const { told, more } = await this.#matcher.look();
        for (const live of told) this.#sender.wake(live);
        for (const live of this.#registry.all()) if (live.kept.state === 'requested') this.#begin(live);
        if (told.size > 0) this.#websockets.look();
        if (more) this.#again = true;
      }
    } catch (error) {
      this.#fault(error);
    }
  }

  /** A channel that has to be asked is asked; one to which clients come is ready. */
  #begin(live: Live): void {
    if (live.definition.channel !== 'websocket') {
      this.#sender.wake(live);
      return;
    }
    live.kept.state = 'active';
    void fared(this.#parts.database, live.kept, 'requested')
      .then(() => this.#showState(live))
      .catch((error) => this.#fault(error));
  }

  /** Writes a notification for somebody who is connected, once it is recorded that they are told. */
  async #told(
    kept: Kept,
    definition: Definition,
    type: NotificationType,
    events: readonly Event[],
  ): Promise<string | undefined> {
    const { record, accessLog } = this.#parts;
    const access = await this.#accessOf({ kept, definition });
    if (!access) return undefined;
    const content = definition.topic ? definition.content : 'id-only';
    const told = await tellings(record, access, content, events);
    if (events.length > 0) {
      const what = `Subscription/${kept.id}`;
      await accessLog.record(access, { action: 'notify', what, status: 200, patients: patientsOf(told) });
    }
    return notification(this.#base, kept, { topic: definition.topic, content }, type, told);
  }

  /** Asked anew every few moments: what is taken from whoever asked is told no longer. */
  #accessOf({ kept }: Live): Promise<Access | undefined> {
    const key = kept.rid;
    const known = this.#accesses.get(key);
    if (known && known.until > Date.now()) return known.access;
    const access = this.#parts.accessOf(kept.asker);
    this.#accesses.set(key, { access, until: Date.now() + rememberedMs });
    access.catch(() => this.#accesses.delete(key));
    return access;
  }

  async #definition(kept: Kept): Promise<Definition | undefined> {
    const found = await this.#parts.record.reader.read(hub, 'Subscription', kept.id);
    if (!found || found.deleted) return undefined;
    const subscription = { ...(JSON.parse(found.text) as Subscription), status: 'active' as const };
    return readDefinition(subscription, this.#parts.record.keys.index);
  }

  /** Notes how a subscription fares in its resource; a version of the hub's own. */
  async #showState({ kept }: Live): Promise<void> {
    const { id } = kept;
    await this.#parts.record.writer.write({
      keys: [{ type: 'Subscription', id }],
      patients: [],
      texts: true,
      apply: (set) => {
        const before = set.get('Subscription', id);
        if (!before?.text || before.deleted) return;
        const { error: _, ...rest } = JSON.parse(before.text) as Subscription;
        if (rest.status === 'off' && kept.state !== 'off') return;
        const shown = { ...rest, status: kept.state, ...(kept.reason === undefined ? {} : { error: kept.reason }) };
        const scanned = scanResource(JSON.stringify(shown));
        if (!isFhirError(scanned)) set.put(scanned, 'Subscription', id);
      },
    });
  }

  /** `Subscription.end`: until then it is wanted. */
  #endThoseOver(): void {
    for (const live of this.#registry.all()) {
      const { kept, definition } = live;
      if (kept.state === 'off' || definition.end === undefined || +definition.end > Date.now()) continue;
      kept.state = 'off';
      kept.reason = 'Its time is over.';
      void this.#parts.database
        .query(`UPDATE subscription SET state = 'off', reason = $2 WHERE rid = $1`, [kept.rid, kept.reason])
        .then(() => this.#showState(live))
        .catch((error) => this.#fault(error));
    }
  }

  async #tidy(): Promise<void> {
    await removeOld(this.#parts.database, this.#parts.days).catch((error) => this.#fault(error));
  }

  #fault(error: unknown): void {
    this.#parts.log.error({ error: faultText(error) }, 'subscriptions were not served as they should');
  }
}
