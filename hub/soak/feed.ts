/** Feeds a hub that is killed meanwhile. */
import { type MllpClient, openMllp } from '../testing-mllp.ts';

const connections = 4;
const windowPerConnection = 16;

export interface FeedMessage {
  controlId: string;
  text: string;
  /** Messages of one lane go over one connection, in order. */
  lane: number;
}

/** The messages and their senders: each connection keeps a window of unanswered ones, and sends them again after a kill. */
export class Feed {
  readonly texts: readonly FeedMessage[];
  readonly #answered = new Set<string>();
  #senders: Promise<void>[] = [];
  #waiting: { count: number; done: () => void }[] = [];

  constructor(messages: readonly FeedMessage[]) {
    this.texts = messages;
  }

  get count(): number {
    return this.#answered.size;
  }

  /** Sends what is not acknowledged of the first so many. */
  send(port: number, upTo = this.texts.length): void {
    const left = this.texts.slice(0, upTo).filter(({ controlId }) => !this.#answered.has(controlId));
    this.#senders = Array.from({ length: connections }, (_, n) =>
      this.#sendOver(
        port,
        left.filter(({ lane }) => lane % connections === n),
      ),
    );
  }

  /** Resolves when so many messages are acknowledged. */
  acknowledged(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ count, done }));
  }

  /** Resolves when no connection sends any longer. */
  async stopped(): Promise<void> {
    await Promise.all(this.#senders);
  }

  async #sendOver(port: number, messages: { controlId: string; text: string }[]): Promise<void> {
    let client: MllpClient;
    try {
      client = await openMllp(port);
    } catch {
      return;
    }
    const open: Promise<void>[] = [];
    for (const { controlId, text } of messages) {
      client.send(text);
      open.push(client.answer().then((answer) => this.#take(controlId, answer)));
      if (open.length < windowPerConnection) continue;
      if (!(await settles(open.shift()!))) break;
    }
    await Promise.all(open.map(settles));
    client.end();
  }

  #take(controlId: string, answer: string): void {
    if (!answer.includes(`\rMSA|AA|${controlId}\r`))
      throw new Error('The answer is not the acknowledgement of the message.');
    this.#answered.add(controlId);
    for (const one of this.#waiting) if (this.count >= one.count) one.done();
    this.#waiting = this.#waiting.filter(({ count }) => this.count < count);
  }
}

async function settles(promise: Promise<void>): Promise<boolean> {
  try {
    await promise;
    return true;
  } catch (error) {
    if (!(error as Error).message.includes('closed')) throw error;
    return false;
  }
}
