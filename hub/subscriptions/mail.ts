/**
 * Mail to a subscriber: that there is something, for which subscription, and where to sign in. It is read on its way by
 * whoever carries it, so it says nothing of anybody's record, and not even what the subscription is about.
 */
import { createHash } from 'node:crypto';
import { type Mail, MailError, type Mailer } from '../mail/index.ts';
import type { Untaken } from './http.ts';
import type { NotificationType } from './notification.ts';
import type { Kept } from './store.ts';

/** How often a mailbox is told at most, however many subscriptions name it; only one hub at a time tells. */
export class MailPace {
  readonly #pauseMs: number;
  readonly #until = new Map<string, number>();

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** Milliseconds for which a mailbox is to be left alone. */
  wait(mailbox: string, now: number): number {
    return Math.max(0, (this.#until.get(mailbox.toLowerCase()) ?? 0) - now);
  }

  told(mailbox: string, now: number): void {
    for (const [known, until] of this.#until) if (until <= now) this.#until.delete(known);
    this.#until.set(mailbox.toLowerCase(), now + this.#pauseMs);
  }
}

export interface MailParts {
  kept: Kept;
  mailbox: string;
  /** Where people sign in. */
  pages: string;
  from: string;
  type: NotificationType;
  /** The number of the last event that is told of. */
  last: number;
}

/** The mail of a handshake, or of the events that follow those that were told. */
export function mailOf({ kept, mailbox, pages, from, type, last }: MailParts): Mail {
  const isFirst = type === 'handshake';
  const told = createHash('sha256').update(`${kept.rid} ${kept.version} ${type} ${kept.told} ${last}`);
  return {
    to: mailbox,
    subject: isFirst ? 'You will be told here' : 'There is something for you',
    text: (isFirst ? welcome : news(last - kept.told))(kept.id, `${pages}/subscriptions/${kept.id}`),
    messageId: `<${told.digest('hex').slice(0, 32)}@${from.split('@')[1]}>`,
  };
}

const welcome = (id: string, place: string) => `This address was given for subscription ${id}.

From now on you are told here when there is something for you.
To see it, or to end this, sign in:
${place}

If you do not know of this, tell whoever runs that site.
`;

const news = (events: number) => (id: string, place: string) =>
  `There ${events === 1 ? 'is 1 event' : `are ${events} events`} for you, of subscription ${id}.

To see what it is, sign in:
${place}

For the protection of those concerned, mail says no more.
`;

/** @returns undefined where the mail server took it */
export async function sendMail(mailer: Mailer | undefined, mail: (from: string) => Mail): Promise<Untaken | undefined> {
  if (!mailer) return { reason: 'This hub sends no mail.', afterMs: 0 };
  try {
    await mailer.send(mail(mailer.from));
    return undefined;
  } catch (error) {
    if (!(error instanceof MailError)) throw error;
    return { reason: error.message, afterMs: 0 };
  }
}
