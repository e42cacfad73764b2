/** HL7 v2 messages over MLLP: framed beforehand, so that the client costs little while it is measured. */
import { connect, type Socket } from 'node:net';
import { messages } from '@causeway/region';
import type { Work } from './load.ts';

export interface MllpTarget {
  host: string;
  port: number;
}

/** The town whose sites' messages are sent: larger than any run needs, told as a stream. */
const region = { people: 100_000, seed: 77 };

/** The HL7 v2 messages of the simulated region, framed. */
export function* frames(): Generator<Buffer> {
  for (const { dialect, body } of messages(region)) {
    if (dialect === 'hl7v2') yield Buffer.from(`\v${body}\x1c\r`);
  }
}

/** Sends messages over so many connections, each waiting for its acknowledgement before the next. */
export async function mllpWork(target: MllpTarget, connections: number, supply: () => Buffer): Promise<Work> {
  const senders = await Promise.all(Array.from({ length: connections }, () => MllpSender.open(target)));
  return {
    clients: connections,
    operation: async (client) => {
      await senders[client]!.send(supply());
      return { units: 1, resources: 0, bytes: 0 };
    },
    close: () => {
      for (const sender of senders) sender.close();
    },
  };
}

const accepted = Buffer.from('\rMSA|AA|');

class MllpSender {
  readonly #socket: Socket;
  #waiting: { resolve(): void; reject(error: Error): void } | undefined;
  #answer: Buffer = Buffer.alloc(0);

  static open({ host, port }: MllpTarget): Promise<MllpSender> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new MllpSender(socket)));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the MLLP connection.')));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** Resolves when the message was accepted (AA). Rejects on any other answer. */
  send(frame: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(frame);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#answer = this.#answer.length === 0 ? chunk : Buffer.concat([this.#answer, chunk]);
    if (this.#answer.at(-1) !== 0x0d || this.#answer.at(-2) !== 0x1c) return;
    const waiting = this.#waiting;
    const isAccepted = this.#answer.includes(accepted);
    const text = isAccepted ? '' : this.#answer.toString('latin1').slice(0, 300);
    this.#waiting = undefined;
    this.#answer = Buffer.alloc(0);
    if (isAccepted) waiting?.resolve();
    else waiting?.reject(new Error(`A message was not accepted: ${text}`));
  }
}
