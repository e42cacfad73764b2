/**
 * One MLLP connection: frames in, answers out in the order of the messages, application acknowledgements behind them.
 * A sender that is faster than the commits, or that reads no answers, is read no further; one that falls silent within a
 * frame, or for long, loses its connection.
 */
import type { Socket } from 'node:net';
import { encodeFrame, MllpDecoder, type MllpEvent } from '@causeway/hl7v2';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import type { Origin } from './accept.ts';
import type { AnswerWay, ApplicationAcks } from './application-acks.ts';
import type { MllpLoad } from './mllp-load.ts';
import type { Answer, V2Gate } from './take-v2.ts';

export interface ConnectionParts {
  gate: V2Gate;
  acks: ApplicationAcks;
  load: MllpLoad;
  log: Logger;
  maximumFrameBytes: number;
  timing: ConnectionTiming;
}

/** Times in milliseconds. */
export interface ConnectionTiming {
  /** Silence after which a connection that has nothing under way is closed. */
  idleMs: number;
  /** Silence after which a frame that has begun counts as cut off. */
  frameSilenceMs: number;
  /** How long a frame may take from its first byte to its last. */
  frameMs: number;
  /** How long a sender may leave its answers unread. */
  unreadMs: number;
  /** How long a connection whose sender has finished waits for application acknowledgements. */
  lingerMs: number;
  /** How often the certificate of a connection that stays is asked about again. */
  askedAgainMs: number;
}

export const usualTiming: Omit<ConnectionTiming, 'idleMs'> = {
  frameSilenceMs: 60_000,
  frameMs: 600_000,
  unreadMs: 60_000,
  lingerMs: 30_000,
  askedAgainMs: 60_000,
};

/** Messages of one connection that may wait for their commit before it is read on. */
const unansweredMessages = 256;

export class MllpConnection implements AnswerWay {
  readonly #socket: Socket;
  readonly #origin: Origin;
  readonly #parts: ConnectionParts;
  readonly #decoder: MllpDecoder;
  #unanswered = 0;
  #unansweredBytes = 0;
  #finishing = false;
  #frameBegun = 0;
  /** Whether the last frame was wide; see `MllpFrame`. */
  #isWide = false;
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Socket, origin: Origin, parts: ConnectionParts) {
    this.#socket = socket;
    this.#origin = origin;
    this.#parts = parts;
    this.#decoder = new MllpDecoder({ maximumFrameBytes: parts.maximumFrameBytes });
    socket.on('error', (error) => parts.log.warn({ error: error.message }, 'an MLLP connection failed'));
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => {
      this.#handle(this.#decoder.end());
      void this.#leave();
    });
    socket.on('timeout', () => this.#silent());
    socket.on('close', () => {
      parts.load.left(this);
      void parts.acks.closed(this);
    });
    this.#expectMore();
  }

  /** Sends a message behind the answers that are under way; whether it left. */
  send(bytes: Uint8Array): Promise<boolean> {
    const sent = this.#last.then(() => this.#write(bytes));
    this.#last = sent.then(
      () => {},
      () => {},
    );
    return sent.catch(() => false);
  }

  /** Reads no more, answers what was read, and closes. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#socket.pause();
    await this.#last;
    this.#socket.destroySoon();
  }

  /** Goes on reading where there is room again. */
  resume(): void {
    if (this.#finishing || !this.#socket.isPaused() || this.#isFull(0.5)) return;
    // The time in which it was not read is not the sender's.
    if (this.#frameBegun > 0) this.#frameBegun = Date.now();
    this.#socket.resume();
  }

  #read(chunk: Buffer): void {
    const events = this.#decoder.push(chunk);
    this.#handle(events);
    this.#expectMore();
    this.#parts.load.holding(this, this.#decoder.heldBytes);
    if (this.#isFull(1)) this.#socket.pause();
  }

  #handle(events: MllpEvent[]): void {
    const { gate, log } = this.#parts;
    for (const event of events) {
      if (event.kind === 'frame') {
        this.#isWide = event.isWide;
        this.#answer(event.content.length, gate.take(event.content, this.#origin, this));
        continue;
      }
      log.warn({ code: event.code }, event.message);
      if (event.code === 'garbage') continue;
      this.#answer(event.content.length, gate.refuse(event.content, event.message, this.#origin));
    }
  }

  #answer(size: number, coming: Promise<Answer | undefined>): void {
    this.#unanswered++;
    this.#unansweredBytes += size;
    this.#parts.load.taken(size);
    const isWide = this.#isWide;
    this.#last = this.#last.then(async () => {
      try {
        const answer = await coming;
        if (answer) await this.#write(answer.bytes, isWide);
      } catch (error) {
        this.#parts.log.error({ error: faultText(error) }, 'an MLLP message could not be answered');
        this.#socket.destroy();
      }
      this.#unanswered--;
      this.#unansweredBytes -= size;
      this.#parts.load.answered(size);
      this.resume();
    });
  }

  /** Whether the frame left; waits until the sender has read enough of what was written before. */
  async #write(bytes: Uint8Array, isWide = this.#isWide): Promise<boolean> {
    const socket = this.#socket;
    if (!socket.writable) return false;
    if (socket.write(encodeFrame(bytes, isWide))) return true;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        socket.off('drain', done).off('close', done);
        resolve(!socket.destroyed);
      };
      const timer = setTimeout(() => socket.destroy(), this.#parts.timing.unreadMs);
      socket.on('drain', done).on('close', done);
    });
  }

  #isFull(share: number): boolean {
    return (
      this.#unanswered >= unansweredMessages * share ||
      this.#parts.load.isFull(share, this.#unansweredBytes) ||
      this.#parts.load.mustWait(this)
    );
  }

  /** The silence that is allowed from here on. */
  #expectMore(): void {
    const { idleMs, frameSilenceMs } = this.#parts.timing;
    const inside = this.#decoder.insideFrame;
    if (!inside) this.#frameBegun = 0;
    else if (this.#frameBegun === 0) this.#frameBegun = Date.now();
    else if (Date.now() - this.#frameBegun > this.#parts.timing.frameMs) this.#cutOff();
    const allowed = inside ? frameSilenceMs : idleMs;
    if (this.#socket.timeout !== allowed) this.#socket.setTimeout(allowed);
  }

  #silent(): void {
    // Whoever is not read, or waits for an answer, is not silent.
    const waits = this.#socket.isPaused() || this.#unanswered > 0 || this.#parts.acks.pending(this) > 0;
    if (waits) this.#socket.setTimeout(this.#socket.timeout ?? 0);
    else if (this.#decoder.insideFrame) this.#cutOff();
    else void this.#leave();
  }

  /** Refuses the frame that never ended, and closes. */
  #cutOff(): void {
    this.#handle(this.#decoder.end());
    void this.#leave();
  }

  /** Closes once everything is answered, application acknowledgements included if they come soon. */
  async #leave(): Promise<void> {
    const until = Date.now() + this.#parts.timing.lingerMs;
    do {
      await this.#last;
      if (this.#parts.acks.pending(this) === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (!this.#socket.destroyed && !this.#finishing && Date.now() < until);
    await this.#last;
    this.#socket.destroySoon();
  }
}
