/**
 * The MLLP server. A positive acknowledgement leaves only after the message is on disk; what cannot be read is answered
 * with the reason, and kept all the same. Answers leave in the order of the messages.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { acknowledge, encodeFrame, isParseError, MllpDecoder } from '@causeway/hl7v2';
import type { Logger } from 'pino';
import type { Receiver } from '../inbox/index.ts';
import { newId } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptV2 } from './accept.ts';

export interface MllpOptions {
  host: string;
  port: number;
  maximumFrameBytes: number;
  maximumConnections: number;
}

/** Messages of one connection that may wait for their commit before the connection is read on. */
const unansweredPerConnection = 256;

/** Starts the server; resolves when it listens, rejects when the port is taken. */
export function startMllp(
  options: MllpOptions,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, options.maximumFrameBytes, receiver, participants, log);
  });
  server.maxConnections = options.maximumConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error({ error: error.message }, 'the MLLP server failed'));
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : options.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroySoon();
          }),
      });
    });
  });
}

function serve(
  socket: Socket,
  maximumFrameBytes: number,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): void {
  const decoder = new MllpDecoder({ maximumFrameBytes });
  let unanswered = 0;
  let last: Promise<void> = Promise.resolve();
  socket.setNoDelay(true);
  socket.on('error', (error) => log.warn({ error: error.message }, 'an MLLP connection failed'));
  const answerInOrder = (answer: Promise<Uint8Array | undefined>) => {
    unanswered++;
    if (unanswered >= unansweredPerConnection) socket.pause();
    last = last.then(async () => {
      const bytes = await answer;
      if (bytes && socket.writable) socket.write(encodeFrame(bytes));
      unanswered--;
      if (socket.isPaused() && unanswered < unansweredPerConnection / 2) socket.resume();
    });
  };
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) {
      if (event.kind === 'frame') answerInOrder(take(event.content, receiver, participants, log));
      else {
        log.warn({ code: event.code }, event.message);
        if (event.code !== 'garbage') answerInOrder(refuse(event.content, event.message, receiver, participants));
      }
    }
  });
  socket.on('end', () => {
    for (const event of decoder.end()) {
      if (event.kind === 'error' && event.code === 'truncated') {
        answerInOrder(refuse(event.content, event.message, receiver, participants));
      }
    }
    void last.then(() => socket.end());
  });
}

async function take(
  content: Uint8Array,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Promise<Uint8Array | undefined> {
  const { received, parsed } = acceptV2(content, participants);
  const time = new Date();
  try {
    await receiver.receive(received);
  } catch (error) {
    log.error({ error: (error as Error).message }, 'a message could not be stored');
    const conditions = [{ errorCode: '207' as const, message: 'The hub could not store the message; send it again.' }];
    return acknowledge(parsed, { outcome: 'reject', time, controlId: newId(), conditions })?.bytes;
  }
  const outcome = isParseError(parsed) ? 'reject' : 'accept';
  return acknowledge(parsed, { outcome, time, controlId: newId().slice(0, 20) })?.bytes;
}

/** Keeps what came of a frame that was cut off or too large, and says so. */
async function refuse(
  content: Uint8Array,
  reason: string,
  receiver: Receiver,
  participants: Participants,
): Promise<Uint8Array | undefined> {
  const { received, parsed } = acceptV2(content, participants);
  await receiver.receive({ ...received, refused: reason }).catch(() => {});
  const conditions = [{ errorCode: '199' as const, message: reason }];
  const time = new Date();
  return acknowledge(parsed, { outcome: 'reject', time, controlId: newId().slice(0, 20), conditions })?.bytes;
}
