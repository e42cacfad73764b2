/**
 * How many bytes of large bodies are in memory at a time. Requests beyond wait, unread, and are put off where it takes too
 * long; of one caller few wait.
 */
import { RecordError } from '../record/index.ts';

interface Waiting {
  who: string;
  bytes: number;
  begin(): void;
  timer: NodeJS.Timeout;
}

export class BodyRoom {
  readonly #room: number;
  readonly #waitMs: number;
  readonly #mostWaiting: number;
  #waiting: Waiting[] = [];
  #held = new Map<string, number>();
  #taken = 0;

  /** @param room bytes; a body that is larger is in memory alone */
  constructor(room: number, { waitMs = 20_000, mostWaiting = 8 } = {}) {
    this.#room = room;
    this.#waitMs = waitMs;
    this.#mostWaiting = mostWaiting;
  }

  /**
   * Waits until there is room.
   * @returns gives the room back
   * @throws RecordError 429 where the caller has too many waiting, 503 where there is no room for too long
   */
  async take(who: string, bytes: number): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(bytes)) await this.#turn(who, bytes);
    else this.#add(who, bytes);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#add(who, -bytes);
      this.#begin();
    };
  }

  #turn(who: string, bytes: number): Promise<void> {
    if (this.#waiting.filter((one) => one.who === who).length >= this.#mostWaiting) {
      const text = 'Too many large bodies of yours wait to be read; send one after the other.';
      throw new RecordError(429, 'throttled', text).with('retry-after', '5');
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(one.timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== one);
        const text = 'Others send too many large bodies just now; send it again later.';
        reject(new RecordError(503, 'transient', text).with('retry-after', '10'));
        this.#begin();
      }, this.#waitMs);
      const one: Waiting = { who, bytes, begin, timer };
      this.#waiting.push(one);
    });
  }

  /** Those who hold least are first, in the order in which they came. */
  #begin(): void {
    for (;;) {
      const next = this.#waiting.toSorted((a, b) => this.#heldBy(a.who) - this.#heldBy(b.who))[0];
      if (!next || !this.#fits(next.bytes)) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#add(next.who, next.bytes);
      next.begin();
    }
  }

  #fits(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#room;
  }

  #heldBy(who: string): number {
    return this.#held.get(who) ?? 0;
  }

  #add(who: string, bytes: number): void {
    this.#taken += bytes;
    const held = this.#heldBy(who) + bytes;
    if (held > 0) this.#held.set(who, held);
    else this.#held.delete(who);
  }
}
