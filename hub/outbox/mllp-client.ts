/**
 * Sends HL7 v2 over MLLP: one connection, one message at a time, each delivered when its acknowledgement (MSA-1 AA or CA,
 * MSA-2 its control id; HL7 v2.5.1 chapter 2.9.2) is there.
 */
import { connect, type Socket } from 'node:net';
import { encodeFrame, isParseError, MllpDecoder, parseMessage } from '@causeway/hl7v2';
import type { Answer, Client, Timeouts } from './answer.ts';

const answerBytes = 1024 * 1024;
const idleMs = 30_000;

interface Waiting {
  controlId: string;
  settle(answer: Answer): void;
}

export class MllpClient implements Client {
  readonly #host: string;
  readonly #port: number;
  readonly #timeouts: Timeouts;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;

  constructor(to: { host: string; port: number }, timeouts: Timeouts) {
    this.#host = to.host;
    this.#port = to.port;
    this.#timeouts = timeouts;
  }

  async send(bytes: Uint8Array, controlId: string): Promise<Answer> {
    const socket = await this.#connected();
    if (typeof socket === 'string') return { kind: 'unreachable', reason: socket };
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#drop(`No acknowledgement came within ${this.#timeouts.answerMs / 1000} s.`);
      }, this.#timeouts.answerMs);
      this.#waiting = {
        controlId,
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

  #connected(): Promise<Socket | string> {
    if (this.#socket?.writable) return Promise.resolve(this.#socket);
    return new Promise((resolve) => {
      const socket = connect({ host: this.#host, port: this.#port, noDelay: true });
      this.#socket = socket;
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), this.#timeouts.connectMs);
      const failed = (reason: string) => {
        clearTimeout(timer);
        resolve(reason);
      };
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.setTimeout(idleMs, () => {
          if (!this.#waiting) socket.destroy();
        });
        resolve(socket);
      });
      let problem: NodeJS.ErrnoException | undefined;
      socket.on('error', (error) => {
        problem = error;
      });
      socket.on('close', () => {
        const reason = problem ? (problem.code ?? problem.message) : 'closed before an answer';
        failed(`The connection failed: ${reason}.`);
        if (this.#socket === socket) this.#drop(`The connection failed: ${reason}.`);
      });
      const decoder = new MllpDecoder({ maximumFrameBytes: answerBytes });
      socket.on('data', (chunk) => {
        for (const event of decoder.push(chunk)) {
          if (event.kind === 'frame') this.#answered(event.content);
          else if (event.code === 'too-large') this.#drop('The acknowledgement was longer than 1 MiB.');
        }
      });
    });
  }

  #answered(content: Uint8Array): void {
    const message = parseMessage(content);
    if (!this.#waiting || isParseError(message) || message.get('MSA-2') !== this.#waiting.controlId) return;
    const code = message.get('MSA-1') ?? '';
    if (code === 'AA' || code === 'CA') {
      this.#waiting.settle({ kind: 'delivered' });
      return;
    }
    const reason = (message.get('ERR-8') ?? message.get('MSA-3') ?? 'no reason given').slice(0, 300);
    this.#waiting.settle({ kind: 'refused', reason: `Acknowledged with ${code.slice(0, 2)}: ${reason}` });
  }

  #drop(reason: string): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#waiting?.settle({ kind: 'unreachable', reason });
  }
}
