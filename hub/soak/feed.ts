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
    const open: Promise<boolean>[] = [];
    for (const { controlId, text } of messages) {
      client.send(text);
      open.push(client.answer().then((answer) => this.#take(controlId, answer)));
      if (open.length < windowPerConnection) continue;
      if (!(await settles(open.shift()!))) break;
    }
    await Promise.all(open.map(settles));
    client.end();
  }

  /** @returns false where the hub could not store the message, as its database was killed: it is to be sent again */
  #take(controlId: string, answer: string): boolean {
    if (answer.includes(`\rMSA|AR|${controlId}`) && answer.includes('could not store')) return false;
    if (!answer.includes(`\rMSA|AA|${controlId}\r`))
      throw new Error(`The answer is not the acknowledgement of ${controlId}: ${JSON.stringify(answer)}`);
    this.#answered.add(controlId);
    for (const one of this.#waiting) if (this.count >= one.count) one.done();
    this.#waiting = this.#waiting.filter(({ count }) => this.count < count);
    return true;
  }
}

/** Whether a message was taken; else the connection is of no use any more. */
async function settles(taken: Promise<boolean>): Promise<boolean> {
  try {
    return await taken;
  } catch (error) {
    if (!(error as Error).message.includes('closed')) throw error;
    return false;
  }
}
