/**
 * Sends HL7 v2 over MLLP, with TLS where the destination has it: one connection, one message at a time (HL7 v2.9
 * chapter 2, sections 2.9.2 and 2.9.3).
 *
 * In original mode a message is delivered by AA. In enhanced mode CA says that the destination has it, and AA, AE or AR,
 * over the same connection or later over one of its own, what came of it. An acknowledgement that comes after its time is
 * not lost: the connection stays, and the same message is answered by it instead of being sent again.
 */

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { acknowledge, encodeFrame, isParseError, type Message, MllpDecoder, parseMessage } from '@causeway/hl7v2';
import type { Distrust } from '../distrusting-agent.ts';
import { newId } from '../record/index.ts';
import type { MllpEndpoint } from '../trust/index.ts';
import type { Answer, Client, Timeouts, V2Outgoing } from './answer.ts';
import { connectMllp } from './mllp-socket.ts';

const answerBytes = 1024 * 1024;
const idleMs = 30_000;
/** Late acknowledgements that are remembered. */
const lateAtMost = 256;
/** A connection on which so many messages in a row were not answered is given up. */
const unansweredInARow = 2;

interface Waiting {
  controlId: string;
  /** Whether CA came and the application's acknowledgement is waited for. */
  accepted: boolean;
  settle(answer: Answer): void;
}

export interface MllpParts {
  /** Told of acknowledgements that came after their time. */
  onLate?: ((controlId: string, answer: Answer) => void) | undefined;
  /** What may be held against the certificate of the receiver. */
  distrust?: Distrust | undefined;
}

export class MllpClient implements Client {
  readonly #to: MllpEndpoint;
  readonly #timeouts: Timeouts;
  readonly #onLate: (controlId: string, answer: Answer) => void;
  readonly #distrust: Distrust | undefined;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #unanswered = 0;
  /** Messages whose acknowledgement is late, with the acknowledgement once it is there. */
  readonly #late = new Map<string, Answer | undefined>();

  constructor(to: MllpEndpoint, timeouts: Timeouts, { onLate = () => {}, distrust }: MllpParts = {}) {
    this.#to = to;
    this.#timeouts = timeouts;
    this.#onLate = onLate;
    this.#distrust = distrust;
  }

  async send({ bytes, controlId }: V2Outgoing): Promise<Answer> {
    const late = this.#late.get(controlId);
    this.#late.delete(controlId);
    if (late) return late;
    const socket = await this.#connected();
    if (typeof socket === 'string') return { kind: 'unreachable', reason: socket };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#tooLate(), this.#timeouts.answerMs);
      this.#waiting = {
        controlId,
        accepted: false,
        settle: (answer) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          resolve(answer);
        },
      };
      socket.write(encodeFrame(bytes));
    });
  }

  close(): void {
    this.#drop('The sender was stopped.');
  }

  /** The time for an answer is over. The connection stays open for it. */
  #tooLate(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (this.#late.size >= lateAtMost) this.#late.delete(this.#late.keys().next().value!);
    this.#late.set(waiting.controlId, undefined);
    const seconds = this.#timeouts.answerMs / 1000;
    waiting.settle(
      waiting.accepted
        ? { kind: 'accepted' }
        : { kind: 'unreachable', reason: `No acknowledgement came within ${seconds} s.`, mayHave: true },
    );
    if (++this.#unanswered >= unansweredInARow) this.#drop('The connection gave no answers.');
  }

  async #connected(): Promise<Socket | string> {
    if (this.#socket?.writable && (await this.#isTrusted(this.#socket)) && this.#socket?.writable) return this.#socket;
    const socket = await connectMllp(this.#to, this.#timeouts.connectMs, this.#distrust);
    if (typeof socket === 'string') return `The connection failed: ${socket}.`;
    this.#socket = socket;
    this.#unanswered = 0;
    socket.setTimeout(idleMs, () => {
      if (!this.#waiting) socket.destroy();
    });
    let problem: NodeJS.ErrnoException | undefined;
    socket.on('error', (error) => {
      problem = error;
    });
    socket.on('close', () => {
      const reason = problem ? (problem.code ?? problem.message) : 'closed before an answer';
      if (this.#socket === socket) this.#drop(`The connection failed: ${reason}.`);
    });
    const decoder = new MllpDecoder({ maximumFrameBytes: answerBytes });
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind === 'frame') this.#answered(event.content, socket);
        else if (event.code === 'too-large') this.#drop('The acknowledgement was longer than 1 MiB.');
      }
    });
    return socket;
  }

  /** Whether nothing has come to be held against the certificate of a connection; else it is ended. */
  async #isTrusted(socket: Socket): Promise<boolean> {
    const why = socket instanceof TLSSocket ? await this.#distrust?.(socket) : undefined;
    if (why !== undefined && this.#socket === socket) this.#drop(`The connection failed: ${why}.`);
    return why === undefined;
  }

  #answered(content: Uint8Array, socket: Socket): void {
    const message = parseMessage(content);
    if (isParseError(message)) return;
    const controlId = message.get('MSA-2') ?? '';
    const waiting = this.#waiting?.controlId === controlId ? this.#waiting : undefined;
    if (!waiting && !this.#late.has(controlId)) return;
    this.#unanswered = 0;
    confirm(message, socket);
    const answer = answerOf(message);
    if (answer.kind === 'accepted' && this.#to.acknowledgement === 'enhanced') {
      if (waiting) waiting.accepted = true;
      else this.#cameLate(controlId, answer);
      return;
    }
    // A receiver that answers CA to a sender of original mode says no more than that it has the message.
    const final: Answer = answer.kind === 'accepted' ? { kind: 'delivered' } : answer;
    if (waiting) waiting.settle(final);
    else this.#cameLate(controlId, final);
  }

  #cameLate(controlId: string, answer: Answer): void {
    this.#late.set(controlId, answer);
    this.#onLate(controlId, answer);
  }

  #drop(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    for (const [controlId, answer] of this.#late) if (!answer) this.#late.delete(controlId);
    this.#waiting?.settle(
      this.#waiting.accepted ? { kind: 'accepted' } : { kind: 'unreachable', reason, mayHave: true },
    );
  }
}

/** What an acknowledgement says of the message that it is of. */
export function answerOf(acknowledgement: Message): Answer {
  const code = acknowledgement.get('MSA-1') ?? '';
  if (code === 'AA') return { kind: 'delivered' };
  if (code === 'CA') return { kind: 'accepted' };
  const reason = (acknowledgement.get('ERR-8') ?? acknowledgement.get('MSA-3') ?? 'no reason given').slice(0, 300);
  return { kind: 'refused', reason: `Acknowledged with ${code.slice(0, 2)}: ${reason}` };
}

/** An application acknowledgement that asks for it in MSH-15 is answered by a commit acknowledgement. */
function confirm(message: Message, socket: Socket): void {
  if (!message.get('MSA-1')?.startsWith('A') || message.header.acceptAcknowledgement === undefined) return;
  const controlId = newId().replaceAll('-', '').slice(-20);
  const answer = acknowledge(message, { outcome: 'accept', time: new Date(), controlId });
  if (answer && socket.writable) socket.write(encodeFrame(answer.bytes));
}
