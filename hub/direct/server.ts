/**
 * The SMTP port for Direct mail (RFC 5321): takes mail for the hub's address, and answers 250 when it is on disk. Few mails
 * are in memory at a time; who comes then is asked to try again.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { SMTPServerDataStream } from 'smtp-server';
import { faultText } from '../faults.ts';
import { type DirectInbox, MailRefusal } from './inbox.ts';

export interface DirectServerOptions {
  host: string;
  port: number;
  /** The hub's Direct address. */
  address: string;
  /** Its certificate for STARTTLS; without one that is not offered. */
  tls: SecureContextOptions | undefined;
  mailBytes?: number;
  silenceMs?: number;
  mailMs?: number;
  /** Told of each mail that is not taken, and is not to be sent again as it is. Never rejects. */
  refused(from: string | undefined, refusal: MailRefusal): Promise<void>;
}

export interface DirectServer {
  port: number;
  /** Goes on with another certificate. */
  setSecureContext(options: SecureContextOptions): void;
  close(): Promise<void>;
}

const usualMailBytes = 40 * 1024 * 1024;
/** So many of the largest are in memory, or more that are smaller. */
const mailsAtOnce = 4;
const mostClients = 50;

/** Starts the port; resolves when it listens. */
export async function startDirect(
  {
    host,
    port,
    address,
    tls,
    mailBytes = usualMailBytes,
    silenceMs = 60_000,
    mailMs = 600_000,
    refused,
  }: DirectServerOptions,
  inbox: Pick<DirectInbox, 'take'>,
  log: Logger,
): Promise<DirectServer> {
  const { SMTPServer } = await import('smtp-server');
  let held = 0;
  /** Mails are opened one after the other. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };

  const read = async (stream: SMTPServerDataStream, held: (bytes: number) => boolean): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let isTooMuch = false;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      isTooMuch ||= stream.sizeExceeded || !held(chunk.length);
      if (isTooMuch) chunks.length = 0;
      else chunks.push(chunk);
    }
    if (stream.sizeExceeded) throw new MailRefusal(552, `A mail may have ${mailBytes} bytes at most.`);
    if (isTooMuch) throw new MailRefusal(452, 'There is much mail now: try again later.');
    return Buffer.concat(chunks);
  };

  const server = new SMTPServer({
    ...tls,
    authOptional: true,
    disabledCommands: tls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: mailBytes,
    maxClients: mostClients,
    maxRecipients: 20,
    socketTimeout: silenceMs,
    closeTimeout: 5_000,
    onRcptTo: async (recipient, session, done) => {
      if (recipient.address.toLowerCase() === address.toLowerCase()) return done();
      const refusal = new MailRefusal(550, 'There is no such mailbox here.');
      await refused(session.remoteAddress, refusal);
      done(replied(refusal));
    },
    onData: async (stream, session, done) => {
      let size = 0;
      const hold = (bytes: number) => {
        if (held + bytes > mailsAtOnce * mailBytes) return false;
        held += bytes;
        size += bytes;
        return true;
      };
      const drop = () => [...server.connections].find((one) => one.session.id === session.id)?.close();
      const timer = setTimeout(drop, mailMs);
      try {
        const mail = await read(stream, hold).finally(() => clearTimeout(timer));
        await inTurn(() => inbox.take(mail));
        done(null, 'It was taken.');
      } catch (error) {
        if (error instanceof MailRefusal) {
          log.warn({ reply: error.responseCode }, 'Direct mail was not taken');
          if (error.responseCode >= 500) await refused(session.remoteAddress, error);
        } else
          log.error({ error: faultText(error) }, 'Direct mail could not be taken; its sender is asked to try again');
        done(replied(error));
      } finally {
        held -= size;
      }
    },
  });
  // A client that breaks off is no fault of the server.
  server.on('error', (error) => log.warn({ error: faultText(error) }, 'a connection of Direct mail failed'));
  const listening = once(server.server, 'listening');
  server.listen(port, host);
  await Promise.race([listening, once(server.server, 'error').then(([error]) => Promise.reject(error))]);
  return {
    port: (server.server.address() as AddressInfo).port,
    setSecureContext: (context) => server.updateSecureContext(context),
    close: () => new Promise((closed) => server.close(() => closed())),
  };
}

/** An error as the server answers it. Of a fault of ours nothing is told. */
function replied(error: unknown): Error {
  return error instanceof MailRefusal
    ? error
    : Object.assign(new Error('The mail could not be taken now: try again later.'), { responseCode: 451 });
}
