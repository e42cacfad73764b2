/** The sender's side of MLLP for tests: messages out, answers in, and the stream as raw as a test wants it. */
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { encodeFrame, MllpDecoder } from '@causeway/hl7v2';

/** One MLLP connection of a sender. */
export interface MllpClient {
  /** Writes one framed message. */
  send(message: string | Uint8Array): void;
  /** Writes bytes as they are. */
  raw(bytes: string | Uint8Array): void;
  /** The next answer; rejects when the connection closes first. */
  answer(): Promise<string>;
  /** The same as bytes. */
  answerBytes(): Promise<Buffer>;
  /** Answers not asked for yet. */
  pending(): number;
  /** Breaks the connection off. */
  destroy(): void;
  /** Says that nothing more will be sent; answers can still come. */
  end(): void;
  /** Resolves when the connection is closed. */
  closed: Promise<void>;
}

/** Connects to a hub's MLLP port, by TLS where told so; rejects when nothing listens. */
export function openMllp(port: number, tls?: ConnectionOptions): Promise<MllpClient> {
  return new Promise((resolve, reject) => {
    const to = { port, host: '127.0.0.1', allowHalfOpen: true };
    const socket = tls ? connectTls({ ...to, ...tls }) : connect(to);
    const decoder = new MllpDecoder();
    const answers: Buffer[] = [];
    const waiting: { resolve(answer: Buffer): void; reject(error: Error): void }[] = [];
    let isClosed = false;
    socket.setNoDelay(true);
    const closed = new Promise<void>((done) => {
      socket.on('close', () => {
        isClosed = true;
        for (const one of waiting.splice(0)) one.reject(new Error('The hub closed the connection.'));
        done();
      });
    });
    socket.on('error', reject);
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind !== 'frame') throw new Error(event.message);
        const answer = Buffer.from(event.content);
        const next = waiting.shift();
        if (next) next.resolve(answer);
        else answers.push(answer);
      }
    });
    const next = (): Promise<Buffer> => {
      const ready = answers.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      if (isClosed) return Promise.reject(new Error('The hub closed the connection.'));
      return new Promise((done, failed) => waiting.push({ resolve: done, reject: failed }));
    };
    socket.on(tls ? 'secureConnect' : 'connect', () =>
      resolve({
        send: (message) => {
          socket.write(encodeFrame(typeof message === 'string' ? Buffer.from(message) : message));
        },
        raw: (bytes) => {
          socket.write(bytes);
        },
        answer: async () => (await next()).toString(),
        answerBytes: next,
        pending: () => answers.length,
        destroy: () => {
          socket.resetAndDestroy();
        },
        end: () => {
          socket.end();
        },
        closed,
      }),
    );
  });
}
