/**
 * Whether an organisation may send, and what becomes of a message by which it is tested. On its way onto the network it sends
 * messages that say so (HL7 v2, MSH-11 `T` or `D`): they are answered and kept, and nothing of them comes into the record.
 */
import { isParseError, type Message, type ParseError } from '@causeway/hl7v2';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import type { Received } from '../inbox/index.ts';
import type { Agreements, NetworkPolicy, Onboarding, ParticipantState } from '../trust/index.ts';

export interface SendingParts {
  policy: NetworkPolicy;
  agreements: Agreements;
  onboarding: Onboarding;
  /** What is about somebody whose record was erased, as it is kept. */
  erased: (received: Received) => Received;
  log: Logger;
}

const onTheWay: readonly (ParticipantState | undefined)[] = ['invited', 'keys', 'tested', 'signed'];

export class Sending {
  readonly #parts: SendingParts;

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** What is received, refused where its sender may not send; a test is kept only. An acknowledgement is no sending. */
  async judged(received: Received, parsed?: Message | ParseError): Promise<Received> {
    if (received.refused !== undefined || received.settled) return received;
    await this.#parts.policy.fresh();
    if (this.#isTest(received, parsed)) return { ...received, settled: true, applicationWish: undefined };
    const refused = this.#parts.policy.refused(received.source, 'send');
    if (refused !== undefined) return { ...received, refused, lane: 'refused', applicationWish: undefined };
    return this.#parts.erased(received);
  }

  /** Notes that a test was accepted, when it is on disk. */
  async accepted(received: Received, parsed?: Message | ParseError): Promise<void> {
    const { agreements, onboarding, log } = this.#parts;
    if (agreements.standing(received.source).state !== 'keys' || !this.#isTest(received, parsed)) return;
    await onboarding
      .testAccepted(received.source, `${received.type} ${received.controlId}`.slice(0, 100))
      .catch((error) => log.error({ error: faultText(error) }, 'a test message was not noted'));
  }

  #isTest({ source, refused }: Received, parsed: Message | ParseError | undefined): boolean {
    if (refused !== undefined || parsed === undefined || isParseError(parsed)) return false;
    return (
      onTheWay.includes(this.#parts.agreements.standing(source).state) && /^[TD]$/.test(parsed.get('MSH-11.1') ?? '')
    );
  }
}
