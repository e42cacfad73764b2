/** What is done with a message of HL7 v2 that has come, before and after the inbox has it. */
import { ApplicationAcks, RefusedMessages, Sending, V2Gate } from '../gate/index.ts';
import { QueryResponder } from '../query/index.ts';
import type { Ground } from './decision.ts';
import type { Inbox } from './inbox.ts';
import type { Outbox } from './outbox.ts';
import type { Wiring } from './wiring.ts';

export type MessageParts = ReturnType<typeof wireMessages>;

export function wireMessages({ log, onStop }: Wiring, parts: Ground & Inbox & Outbox) {
  const { system, master, participants, accessLog, record, persons, stops, policy, receiver, deliveries } = parts;
  const { agreements, onboarding } = parts;
  const acks = new ApplicationAcks(system, master, log);
  onStop(() => acks.stop());
  const responder = new QueryResponder({ record, persons, database: system, participants, policy, accessLog, log });
  const sending = new Sending({ policy, agreements, onboarding, erased: (received) => stops.judged(received), log });
  const refused = new RefusedMessages(accessLog, log);
  const gate = new V2Gate({ receiver, participants, acks, deliveries, responder, sending, refused, log });
  return { acks, sending, refused, gate };
}
