/**
 * Takes Direct mail: opened, its sender found, its documents put into the inbox as those of the participant that sent it, and
 * the mail itself, as it was signed, kept beside them. All of it is on disk when `take` resolves.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { CertificateRevocation } from '../authorization/index.ts';
import type { Received } from '../inbox/index.ts';
import {
  contentType,
  decodedBody,
  type Entity,
  entityOf,
  field,
  mailboxIn,
  openMail,
  receiversOf,
  type SignedContent,
  UnopenedMail,
} from '../mail/index.ts';
import { newId } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { documentsOf } from './documents.ts';
import type { DirectMails, OwedNotice } from './mails.ts';
import { dispositionOf, isReport } from './notifications.ts';
import { type Sender, senderOf } from './senders.ts';

/** A mail is not taken: an SMTP reply (RFC 5321 §4.2), 4yz where trying again may help. */
export class MailRefusal extends Error {
  override name = 'MailRefusal';
  readonly responseCode: number;
  /** Who signed it, where that is a participant. */
  readonly participant: string | undefined;

  constructor(responseCode: number, message: string, participant?: string) {
    super(message);
    this.responseCode = responseCode;
    this.participant = participant;
  }
}

export interface InboxParts {
  /** The hub's Direct address. */
  address: string;
  /** PEM files of the certificate of the hub's address, and of its key. */
  certificate: string;
  key: string;
  participants: Participants;
  /** Of the certificates of senders. */
  revocation: CertificateRevocation;
  mails: DirectMails;
  /** Which message bytes of a participant are. */
  recognise(bytes: Buffer, participant: string): Received;
  /** Puts a message into the inbox. @returns why it was refused, where it was; kept it is all the same */
  take(received: Received): Promise<{ id: string; refused?: string | undefined; isErased?: boolean | undefined }>;
  /** All documents of a mail together. */
  mostBytes: number;
  /** Notes what an address of a participant says of a delivery. */
  heard(sender: Pick<Sender, 'participant' | 'address'>, delivery: string, isTaken: boolean): Promise<void>;
  /** Called when a notification is owed. */
  onNotice(): void;
  log: Logger;
}

const finalDelivery = /\bX-DIRECT-FINAL-DESTINATION-DELIVERY\s*=[^;]*\btrue\b/i;

export class DirectInbox {
  readonly #parts: InboxParts;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** @throws MailRefusal */
  async take(bytes: Buffer): Promise<void> {
    try {
      await this.#take(entityOf(bytes));
    } catch (error) {
      throw error instanceof UnopenedMail ? new MailRefusal(554, error.message) : error;
    }
  }

  async #take(outer: Entity): Promise<void> {
    const { certificate, key, participants, revocation, mails } = this.#parts;
    const [certificates, ownKey] = await Promise.all([readFile(certificate, 'utf8'), readFile(key, 'utf8')]);
    const signed = await openMail(outer, { certificates, key: ownKey });
    const { headers, content } = unwrapped(outer, signed.content);
    // Who was sent a mail may encrypt it for others as its sender signed it.
    if (headers !== outer && !receiversOf(headers).includes(this.#parts.address.toLowerCase()))
      throw new MailRefusal(
        554,
        'The mail that was signed is for somebody else: its To and Cc do not name this address.',
      );
    const from = mailboxIn(field(headers, 'from'));
    if (from === undefined) throw new MailRefusal(554, 'The mail needs one sender (From).');
    const [, messageId] = /^<([^<>\s]{1,250})>$/.exec(field(headers, 'message-id') ?? '') ?? [];
    if (messageId === undefined) throw new MailRefusal(554, 'The mail needs a Message-ID of at most 250 characters.');
    const sender = await senderOf(participants.all(), from, signed, revocation);
    if ('why' in sender) throw new MailRefusal(sender.isPassing ? 451 : 550, sender.why);
    if (isReport(content)) return this.#heard(content, sender);
    const digest = createHash('sha256').update(signed.content).digest();
    const { participant } = sender;
    if (await mails.isTaken({ participant, messageId, digest })) return;
    const documents = await this.#documents(content, participant).catch((error) => {
      throw error instanceof UnopenedMail ? new MailRefusal(554, error.message, participant) : error;
    });
    // It is not noted: the same mail may be right another time.
    if (documents.refused !== undefined) throw new MailRefusal(554, documents.refused, participant);
    // Before the mail is kept, so that an erasure finds it also where its sender never tries again.
    const mail = { id: newId(), participant, sender: from, messageId, digest, documents: documents.ids };
    await mails.begin(mail);
    const message = documents.isErased ? undefined : await this.#original(signed, sender, messageId);
    await mails.note(mail, message, this.#owed(sender, messageId, [outer, headers]));
    this.#parts.onNotice();
  }

  /**
   * Puts the documents into the inbox. What is none that the hub reads is kept there as refused.
   * @returns `refused`: why nothing of the mail was taken
   */
  async #documents(
    content: Entity,
    participant: string,
  ): Promise<{ ids: string[]; isErased: boolean; refused: string | undefined }> {
    const { recognise, take, mostBytes, participants } = this.#parts;
    const documents = await documentsOf(content, participants.byKey(participant).name, mostBytes);
    if (documents.length === 0) throw new MailRefusal(554, 'There is no document in the mail.', participant);
    const taken = [];
    for (const bytes of documents) taken.push(await take(recognise(bytes, participant)));
    const isTaken = taken.some(({ refused }) => refused === undefined);
    return {
      ids: taken.map(({ id }) => id),
      isErased: taken.some(({ isErased }) => isErased),
      refused: isTaken ? undefined : taken[0]!.refused,
    };
  }

  /** A report of what became of what the hub sent. One that says nothing of that is taken all the same. */
  async #heard(report: Entity, sender: Sender): Promise<void> {
    const said = dispositionOf(report);
    const [, delivery] = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@/.exec(said?.original ?? '') ?? [];
    if (said?.isTaken === undefined || delivery === undefined) return;
    await this.#parts.heard(sender, delivery, said.isTaken);
  }

  /** What its sender is told of a mail: that it was taken, and where it asked for that, that it came to whom it is for. */
  #owed({ address, writtenWith }: Sender, original: string, headers: readonly Entity[]): OwedNotice[] {
    if (writtenWith === undefined) {
      this.#parts.log.warn(
        'the sender of Direct mail cannot be told that it was taken: no RSA certificate of it is known',
      );
      return [];
    }
    const asked = headers.some((one) => finalDelivery.test(field(one, 'disposition-notification-options') ?? ''));
    const dispositions = asked ? (['processed', 'dispatched'] as const) : (['processed'] as const);
    const common = { recipient: address, certificate: writtenWith, original };
    return dispositions.map((disposition) => ({ id: newId(), ...common, disposition }));
  }

  /** Keeps the mail as it was signed, so that who said it can be shown. */
  async #original({ signed }: SignedContent, { participant }: Sender, messageId: string): Promise<string> {
    const { id } = await this.#parts.take({
      bytes: signed,
      dialect: 'unknown',
      source: participant,
      type: 'Direct mail',
      controlId: messageId,
      lane: `${participant} direct ${messageId}`,
      settled: true,
    });
    return id;
  }
}

/** What was signed may be a whole mail, whose headers then count (RFC 8551 §3.1). */
function unwrapped(outer: Entity, bytes: Buffer): { headers: Entity; content: Entity } {
  const content = entityOf(bytes);
  if (contentType(content).value !== 'message/rfc822') return { headers: outer, content };
  const inner = entityOf(decodedBody(content));
  return { headers: inner, content: inner };
}
