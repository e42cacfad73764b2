/** Writes each document as Direct mail. Where the hub takes no mail, that the mail server took it is all that is heard of it. */
import { createHash } from 'node:crypto';
import { type Direct, MailError } from '../mail/index.ts';
import type { DirectPlace } from '../trust/index.ts';
import type { Answer, Client, Outgoing } from './answer.ts';

const titles: { [topic: string]: string } = { 'discharge-summary': 'Discharge summary' };

export class DirectClient implements Client {
  readonly #place: DirectPlace;
  readonly #direct: Direct | undefined;

  /** @param direct undefined where the hub has no Direct address */
  constructor(place: DirectPlace, direct: Direct | undefined) {
    this.#place = place;
    this.#direct = direct;
  }

  async send({ bytes, mediaType, about }: Outgoing): Promise<Answer> {
    if (!this.#direct) return { kind: 'unreachable', reason: 'This hub has no Direct address (--direct-address).' };
    const { deliveryId, created, topic } = about;
    const id = createHash('sha256').update(deliveryId).digest('hex').slice(0, 32);
    const document = { id, title: titles[topic] ?? 'Clinical document', bytes, mediaType, created };
    try {
      await this.#direct.send({ id: deliveryId, created, document }, this.#place);
      // What came of it is told by mail, where the hub takes any.
      return { kind: this.#direct.isHeard ? 'accepted' : 'delivered' };
    } catch (error) {
      return mailAnswer(error);
    }
  }

  close(): void {}
}

/** What a destination is said to have answered where mail was not taken. */
export function mailAnswer(error: unknown): Answer {
  if (!(error instanceof MailError)) return { kind: 'unreachable', reason: 'The mail could not be written.' };
  return { kind: error.isFinal ? 'refused' : 'unreachable', reason: error.message };
}
