/** Writes where each document waits. It has been taken once it was opened. */
import type { PickupPlace } from '../trust/index.ts';
import type { Answer, Client, Outgoing } from './answer.ts';
import { mailAnswer } from './direct-client.ts';
import type { Pickup } from './pickup.ts';

export class PickupClient implements Client {
  readonly #place: PickupPlace;
  readonly #pickup: Pickup | undefined;

  /** @param pickup undefined where the hub sends no mail */
  constructor(place: PickupPlace, pickup: Pickup | undefined) {
    this.#place = place;
    this.#pickup = pickup;
  }

  async send({ about }: Outgoing): Promise<Answer> {
    if (!this.#pickup) return { kind: 'unreachable', reason: 'This hub sends no mail (--smtp-host).' };
    try {
      await this.#pickup.announce(about.deliveryId, this.#place);
      return { kind: 'accepted' };
    } catch (error) {
      return mailAnswer(error);
    }
  }

  close(): void {}
}
