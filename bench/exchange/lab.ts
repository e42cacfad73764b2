/** The laboratory: sends at planned times, whatever became of what it sent before, over connections that each wait for their answer. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { MllpTarget } from '../client/mllp-work.ts';
import { drawsFrom } from '../data/random.ts';

const connections = 16;
const seed = 6;

export class Lab {
  /** When the first byte of each result was written, and by how much later than planned. */
  readonly sent = new Map<number, number>();
  readonly late: number[] = [];
  readonly #lanes: Promise<void>[];
  readonly #senders: Sender[];

  static async open(target: MllpTarget): Promise<Lab> {
    return new Lab(await Promise.all(Array.from({ length: connections }, () => Sender.open(target))));
  }

  private constructor(senders: Sender[]) {
    this.#senders = senders;
    this.#lanes = senders.map(() => Promise.resolve());
  }

  /** Sends a result after those of the same person; a person keeps to a connection. */
  send(result: number, person: number, text: string): void {
    const planned = performance.now();
    const lane = person % connections;
    this.#lanes[lane] = this.#lanes[lane]!.then(() => {
      const now = performance.now();
      this.sent.set(result, now);
      this.late.push(now - planned);
      return this.#senders[lane]!.send(text);
    });
  }

  /**
   * Sends so many a second for a while, at moments drawn by chance as independent senders would choose them.
   * @param of the person and the text of a result
   */
  async run(perSecond: number, seconds: number, results: Iterator<{ result: number; person: number; text: string }>) {
    const draws = drawsFrom(seed);
    const begun = performance.now();
    for (let at = 0; at < seconds * 1_000; at += (-Math.log(1 - draws.unit()) * 1_000) / perSecond) {
      const wait = begun + at - performance.now();
      if (wait > 1) await delay(wait);
      const { result, person, text } = results.next().value!;
      this.send(result, person, text);
    }
    await this.answered();
  }

  /** Resolves when everything sent is acknowledged. */
  async answered(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  close(): void {
    for (const sender of this.#senders) sender.close();
  }
}

class Sender {
  readonly #socket: Socket;
  #waiting: { resolve(): void; reject(error: Error): void } | undefined;
  #answer = '';

  static open({ host, port }: MllpTarget): Promise<Sender> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Sender(socket)));
    });
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('The hub closed the connection.')));
    socket.on('data', (chunk: Buffer) => {
      this.#answer += chunk.toString('latin1');
      if (!this.#answer.endsWith('\x1c\r')) return;
      const answer = this.#answer;
      this.#answer = '';
      if (answer.includes('\rMSA|AA|')) this.#waiting?.resolve();
      else this.#waiting?.reject(new Error(`A message was not accepted: ${answer.slice(0, 300)}`));
    });
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`\v${text}\x1c\r`);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}
