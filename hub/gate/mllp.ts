/**
 * The MLLP server. A positive acknowledgement leaves only after the message is on disk; what cannot be read is answered
 * with the reason, and kept all the same. Answers leave in the order of the messages.
 */
import { createServer, type Server, type Socket } from 'node:net';
import {
  acknowledge,
  encodeFrame,
  isParseError,
  type Message,
  MllpDecoder,
  type MllpEvent,
  type ParseError,
} from '@causeway/hl7v2';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import type { Received, Receiver } from '../inbox/index.ts';
import { newId } from '../record/index.ts';
import type { Participants } from '../trust/index.ts';
import { acceptV2 } from './accept.ts';

export interface MllpOptions {
  host: string;
  port: number;
  maximumFrameBytes: number;
  maximumConnections: number;
}

/** Messages, and bytes of messages, of one connection that may wait for their commit before the connection is read on. */
const unansweredPerConnection = 256;
const unansweredBytesPerConnection = 16 * 1024 * 1024;
/** How long a sender may leave its answers unread before its connection is given up. */
const unreadMs = 60_000;

/** Starts the server; resolves when it listens, rejects when the port is taken. */
export function startMllp(
  options: MllpOptions,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Promise<{ port: number; close(): Promise<void> }> {
  const connections = new Set<Connection>();
  // Half open: a sender that closes its side after the last message still gets its answers.
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    const connection = serve(socket, options.maximumFrameBytes, receiver, participants, log);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  server.maxConnections = options.maximumConnections;
  server.on('drop', () =>
    log.warn({ limit: options.maximumConnections }, 'an MLLP connection over the limit was closed'),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error({ error: error.message }, 'the MLLP server failed'));
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : options.port,
        close: async () => {
          const closed = new Promise((done) => server.close(done));
          await Promise.all([...connections].map((connection) => connection.finish()));
          await closed;
        },
      });
    });
  });
}

interface Connection {
  /** Reads no more, answers what was read, and closes. */
  finish(): Promise<void>;
}

function serve(
  socket: Socket,
  maximumFrameBytes: number,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Connection {
  const decoder = new MllpDecoder({ maximumFrameBytes });
  let unanswered = 0;
  let unansweredBytes = 0;
  let finishing = false;
  let last: Promise<void> = Promise.resolve();
  socket.on('error', (error) => log.warn({ error: error.message }, 'an MLLP connection failed'));
  const isFull = (share: number) =>
    unanswered >= unansweredPerConnection * share || unansweredBytes >= unansweredBytesPerConnection * share;
  const answerInOrder = (size: number, answer: Promise<Uint8Array | undefined>) => {
    unanswered++;
    unansweredBytes += size;
    if (isFull(1)) socket.pause();
    last = last.then(async () => {
      try {
        const bytes = await answer;
        if (bytes && socket.writable && !socket.write(encodeFrame(bytes))) await drained(socket);
      } catch (error) {
        log.error({ error: faultText(error) }, 'an MLLP message could not be answered');
        socket.destroy();
      }
      unanswered--;
      unansweredBytes -= size;
      if (!finishing && socket.isPaused() && !isFull(0.5)) socket.resume();
    });
  };
  const handle = (event: MllpEvent) => {
    if (event.kind === 'frame') {
      answerInOrder(event.content.length, take(event.content, receiver, participants, log));
      return;
    }
    log.warn({ code: event.code }, event.message);
    if (event.code === 'garbage') return;
    answerInOrder(event.content.length, refuse(event.content, event.message, receiver, participants, log));
  };
  const finish = async () => {
    await last;
    socket.destroySoon();
  };
  socket.on('data', (chunk) => {
    for (const event of decoder.push(chunk)) handle(event);
  });
  socket.on('end', () => {
    for (const event of decoder.end()) handle(event);
    void finish();
  });
  return {
    finish: () => {
      finishing = true;
      socket.pause();
      return finish();
    },
  };
}

/** Waits until the sender has read its answers; one that never does loses its connection. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      socket.off('drain', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(() => {
      socket.destroy();
      done();
    }, unreadMs);
    socket.on('drain', done).on('close', done);
  });
}

async function take(
  content: Uint8Array,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Promise<Uint8Array | undefined> {
  const { received, parsed } = acceptV2(content, participants);
  if (!(await keep(received, receiver, log))) return notStored(parsed);
  const outcome = isParseError(parsed) ? 'reject' : 'accept';
  return acknowledge(parsed, { outcome, time: new Date(), controlId: answerId() })?.bytes;
}

/** Keeps what came of a frame that was cut off or too large, and says so. */
async function refuse(
  content: Uint8Array,
  reason: string,
  receiver: Receiver,
  participants: Participants,
  log: Logger,
): Promise<Uint8Array | undefined> {
  const { received, parsed } = acceptV2(content, participants);
  const refused = { ...received, type: 'unreadable', lane: 'refused', refused: reason };
  if (!(await keep(refused, receiver, log))) return notStored(parsed);
  const conditions = [{ errorCode: '199' as const, message: reason }];
  return acknowledge(parsed, { outcome: 'reject', time: new Date(), controlId: answerId(), conditions })?.bytes;
}

async function keep(received: Received, receiver: Receiver, log: Logger): Promise<boolean> {
  try {
    await receiver.receive(received);
    return true;
  } catch (error) {
    log.error({ error: faultText(error) }, 'a message could not be stored');
    return false;
  }
}

/** The answer to a message that could not be kept: the sender has to send it again. */
function notStored(parsed: Message | ParseError): Uint8Array | undefined {
  const conditions = [{ errorCode: '207' as const, message: 'The hub could not store the message; send it again.' }];
  return acknowledge(parsed, { outcome: 'reject', time: new Date(), controlId: answerId(), conditions })?.bytes;
}

/** MSH-10 holds 20 characters before v2.7. */
function answerId(): string {
  return newId().replaceAll('-', '').slice(-20);
}
