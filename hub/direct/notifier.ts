/**
 * Tells senders of Direct mail what became of it, as long as it takes, and tells people of what the hub sent and nobody
 * answered: one hub at a time.
 */
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import { type Direct, MailError } from '../mail/index.ts';
import type { DirectMails, DueNotice } from './mails.ts';

const everyMs = 5_000;
const atOnce = 20;
/** Some three days. */
const mostAttempts = 80;

export interface NotifierParts {
  mails: DirectMails;
  direct: Pick<Direct, 'notify'>;
  /** Marks what was sent so long ago and is not answered; how many that are. */
  unanswered(): Promise<number>;
  log: Logger;
}

export class Notifier {
  readonly #parts: NotifierParts;
  #timer: NodeJS.Timeout | undefined;
  #isLeading = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isLeading = true;
    this.wake();
    this.#timer = setInterval(() => this.wake(), everyMs).unref();
  }

  async stop(): Promise<void> {
    this.#isLeading = false;
    clearInterval(this.#timer);
    await this.#turn;
  }

  /** Tells that there may be something to send. */
  wake(): void {
    if (!this.#isLeading) return;
    const { log } = this.#parts;
    const fault = (error: unknown) =>
      log.error({ error: faultText(error) }, 'notifications of Direct mail were not sent');
    this.#turn = this.#turn.then(() => this.#look()).catch(fault);
  }

  async #look(): Promise<void> {
    const { mails, unanswered, log } = this.#parts;
    for (let due = await mails.due(atOnce); due.length > 0 && this.#isLeading; due = await mails.due(atOnce))
      for (const notice of due) await this.#send(notice);
    const late = await unanswered();
    if (late > 0) log.warn({ late }, 'Direct mail was not answered by its receivers in time');
  }

  async #send({ id, created, recipient, certificate, original, disposition, attempts }: DueNotice): Promise<void> {
    const { mails, direct, log } = this.#parts;
    try {
      await direct.notify({ id, created, original, disposition }, recipient, certificate);
    } catch (error) {
      if (!(error instanceof MailError)) throw error;
      if (!error.isFinal && attempts < mostAttempts) return;
      log.warn({ reason: error.message }, 'a notification of Direct mail was given up');
    }
    await mails.settled(id);
  }
}
