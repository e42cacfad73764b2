/**
 * HL7 v2 messages from MLLP and HTTP: stored, and only then answered. What cannot be read is answered with the reason, and
 * kept all the same. Original mode is answered AA or AR at once; enhanced mode CA or CR, and AA or AE when the message is
 * processed (HL7 v2.9 chapter 2, sections 2.9.2 and 2.9.3).
 */
import {
  type Acknowledgement,
  type AcknowledgementOptions,
  acknowledge,
  acknowledgementCode,
  isBatch,
  isEnhanced,
  isParseError,
  type Message,
  type ParseError,
  splitBatch,
} from '@causeway/hl7v2';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import type { Receipt, Received, Receiver } from '../inbox/index.ts';
import type { Deliveries } from '../outbox/index.ts';
import type { QueryResponder, TakenQuery } from '../query/index.ts';
import { newId } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptV2, isQuestion, type Origin, questionReason } from './accept.ts';
import type { AnswerWay, ApplicationAcks } from './application-acks.ts';
import { batchAnswer, envelopeOf } from './batch-answer.ts';
import type { RefusedMessages } from './refused-messages.ts';
import type { Sending } from './sending.ts';
import { Turns } from './turns.ts';

/** An answer, with its first acknowledgement code; of a batch the worst. */
export type Answer = Pick<Acknowledgement, 'bytes' | 'code' | 'encoding'>;

export interface V2GateParts {
  receiver: Receiver;
  participants: Participants;
  acks: ApplicationAcks;
  deliveries: Deliveries;
  responder: QueryResponder;
  sending: Sending;
  refused: RefusedMessages;
  log: Logger;
}

const unsupportedType = { errorCode: '200', segment: 'MSH', field: 9 } as const;
/** Queries that are answered at a time; messages wait for none of them. */
const queriesAtOnce = 4;
const severity = ['AA', 'CA', 'AE', 'CE', 'AR', 'CR'];

export class V2Gate {
  readonly #parts: V2GateParts;
  readonly #queries = new Turns(queriesAtOnce);

  constructor(parts: V2GateParts) {
    this.#parts = parts;
  }

  /**
   * Takes a message or a batch.
   *
   * @param way brings the application acknowledgement, where there is to be one
   * @returns undefined where the sender wants no answer
   */
  async take(content: Uint8Array, origin: Origin, way: AnswerWay): Promise<Answer | undefined> {
    if (!isBatch(content)) return this.#takeOne(content, origin, way);
    const batch = splitBatch(content);
    if (isParseError(batch)) return this.refuse(content, batch.message, origin);
    const envelope = envelopeOf(batch);
    const messages = batch.batches.flatMap((one) => one.messages);
    const site = origin.site ?? this.#sourceOf(messages[0]?.bytes, origin);
    const [isKept, ...answers] = await Promise.all([
      this.#keep({ ...envelope, dialect: 'hl7v2', source: site, lane: `${site} batch`, settled: true }),
      ...messages.map(({ bytes }) => this.#takeOne(bytes, origin, way)),
    ]);
    if (!isKept) this.#parts.log.warn('the header of a batch could not be stored');
    const wanted = answers.filter((answer) => answer !== undefined);
    const code = wanted.map((answer) => answer.code).sort((a, b) => severity.indexOf(b) - severity.indexOf(a))[0];
    const bytes = batchAnswer(
      batch,
      wanted.map((answer) => answer.bytes),
      answerId(),
    );
    return { bytes, code: code ?? 'AA', encoding: wanted[0]?.encoding ?? 'utf-8' };
  }

  /** Keeps what came of a message that was cut off or too large, and says so. */
  async refuse(content: Uint8Array, reason: string, origin: Origin): Promise<Answer | undefined> {
    const { received, parsed } = acceptV2(content, this.#parts.participants, origin);
    const mark = { type: 'unreadable', lane: 'refused', settled: false, refused: reason };
    const refused: Received = { ...received, ...mark, sequence: undefined, applicationWish: undefined };
    const receipt = await this.#keep(refused);
    if (!receipt) return notStored(parsed);
    await this.#parts.refused.told(origin, named(receipt), 400);
    return rejection(parsed, [{ errorCode: '199', message: reason }]);
  }

  async #takeOne(content: Uint8Array, origin: Origin, way: AnswerWay): Promise<Answer | undefined> {
    const { sending, participants } = this.#parts;
    const { received: accepted, parsed, query } = acceptV2(content, participants, origin);
    const received = await sending.judged(accepted, parsed);
    const receipt = await this.#keep(received);
    if (!receipt) return notStored(parsed);
    await sending.accepted(accepted, parsed);
    const { expected, refused } = receipt.sequence ?? {};
    // A query is recorded with its answer.
    if (received.refused !== undefined && (query === undefined || isParseError(parsed))) {
      await this.#parts.refused.told(origin, named(receipt), isWrong(received.refused, parsed) ? 400 : 403);
    } else if (refused !== undefined) await this.#parts.refused.told(origin, named(receipt), 400);
    if (!isParseError(parsed) && parsed.type.code === 'ACK') {
      return received.refused === undefined ? this.#noteReply(parsed, received.source) : undefined;
    }
    if (refused !== undefined) {
      return rejection(parsed, [{ errorCode: '199', message: refused, segment: 'MSH', field: 13 }], expected);
    }
    if (query && !isParseError(parsed)) {
      const { source, refused: reason } = received;
      const taken = { message: parsed, kind: query, source, caller: origin.caller, expectedSequenceNumber: expected };
      return this.#answerQuery(taken, reason, way);
    }
    if (received.refused !== undefined) {
      const at =
        !isParseError(parsed) && isQuestion(parsed.type.code) ? unsupportedType : { errorCode: '199' as const };
      const conditions = isParseError(parsed) ? [] : [{ ...at, message: received.refused }];
      return rejection(parsed, conditions, expected);
    }
    if (received.applicationWish !== undefined) {
      await this.#parts.acks.expect(receipt.id, received.source, way, receipt.duplicate);
    }
    const taken = { outcome: 'accept', expectedSequenceNumber: expected, ...stamp() } as const;
    return acknowledge(isParseError(parsed) ? parsed.header! : parsed, taken);
  }

  /**
   * Answers a query: in original mode at once; in enhanced mode by the commit acknowledgement, where it is wanted, and by the
   * response behind it. That is what a query is for, so it goes also where MSH-16 is empty.
   */
  async #answerQuery(query: TakenQuery, refused: string | undefined, way: AnswerWay): Promise<Answer | undefined> {
    const { responder } = this.#parts;
    const answer = await this.#queries.take(1, () =>
      refused === undefined ? responder.answer(query) : responder.refuse(query, refused),
    );
    const { header } = query.message;
    if (!isEnhanced(header)) return answer;
    const outcome = answer.code === 'AA' ? 'accept' : answer.code === 'AE' ? 'error' : 'reject';
    const isWished =
      header.applicationAcknowledgement === undefined ||
      acknowledgementCode(header, outcome, 'application') !== undefined;
    // Not waited for: it leaves behind the answer that is returned here.
    if (isWished) void way.send(answer.bytes);
    const { expectedSequenceNumber } = query;
    return acknowledge(query.message, { outcome: 'accept', expectedSequenceNumber, ...stamp() });
  }

  /**
   * An acknowledgement is never answered, but one of an application that asks for it in MSH-15: it ends what was sent by
   * the hub, or is of nothing that the hub knows.
   */
  async #noteReply(reply: Message, source: string): Promise<Answer | undefined> {
    const { acks, deliveries, log } = this.#parts;
    try {
      const isOurs = (await acks.replied(reply)) || (await deliveries.noteAnswer(source, reply));
      if (!isOurs) log.info({ source }, 'an acknowledgement is of nothing that the hub sent');
    } catch (error) {
      log.error({ error: faultText(error) }, 'an acknowledgement could not be noted');
      return undefined;
    }
    const isOfApplication = reply.get('MSA-1')?.startsWith('A');
    return isOfApplication && reply.header.acceptAcknowledgement !== undefined
      ? acknowledge(reply, { outcome: 'accept', ...stamp() })
      : undefined;
  }

  #sourceOf(content: Uint8Array | undefined, origin: Origin): string {
    return content ? acceptV2(content, this.#parts.participants, origin).received.source : 'unknown';
  }

  async #keep(received: Received): Promise<Receipt | undefined> {
    try {
      return await this.#parts.receiver.receive(received);
    } catch (error) {
      this.#parts.log.error({ error: faultText(error) }, 'a message could not be stored');
      return undefined;
    }
  }
}

function named({ id }: Receipt): string {
  return `HL7 v2 message ${id}`;
}

/** Whether a message is refused for what it is, not for who sends it. */
function isWrong(refused: string, parsed: Message | ParseError): boolean {
  return refused === (isParseError(parsed) ? parsed.message : questionReason);
}

/** The answer to a message that could not be kept: the sender has to send it again. */
function notStored(parsed: Message | ParseError): Answer | undefined {
  return rejection(parsed, [{ errorCode: '207', message: 'The hub could not store the message; send it again.' }]);
}

/** In enhanced mode a sender that wants no commit acknowledgement learns of a rejection by an application's. */
function rejection(
  parsed: Message | ParseError,
  conditions: AcknowledgementOptions['conditions'],
  expectedSequenceNumber?: number,
): Answer | undefined {
  const options = { outcome: 'reject', conditions, expectedSequenceNumber, ...stamp() } as const;
  return acknowledge(parsed, options) ?? acknowledge(parsed, { ...options, stage: 'application' });
}

function stamp(): { time: Date; controlId: string } {
  return { time: new Date(), controlId: answerId() };
}

/** MSH-10 holds 20 characters before v2.7. */
function answerId(): string {
  return newId().replaceAll('-', '').slice(-20);
}
