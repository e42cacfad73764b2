/** A mail server of a test: real SMTP with STARTTLS over a socket; keeps what it takes, and answers as it is told to. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { TestAuthority } from '../testing-certificates.ts';
import { Mailer } from './mailer.ts';

export interface TestMail {
  from: string;
  to: string[];
  /** The message as it came. */
  raw: string;
  /** What stands in it, where it is text. */
  text: string;
  isEncrypted: boolean;
  user: string | undefined;
}

export interface TestMailServer {
  port: number;
  /** PEM file of the authority that signed its certificate. */
  ca: string;
  got: TestMail[];
  /** What it answers to the recipients that follow instead of taking them: `450`. */
  refuse: number | undefined;
  /** Lets it wait before it takes a message. */
  hold: Promise<void> | undefined;
  /** Hands mail to it by TLS, without signing in. */
  mailer(): Mailer;
  close(): Promise<void>;
}

/** @param password the one of the user `hub`; without one nobody has to sign in @param options of `smtp-server` */
export async function testMailServer(
  password?: string,
  options: { disabledCommands?: string[] } = {},
): Promise<TestMailServer> {
  const authority = new TestAuthority();
  const { certificate, key } = authority.issue('localhost');
  const got: TestMail[] = [];
  const server = new SMTPServer({
    ...options,
    cert: readFileSync(certificate),
    key: readFileSync(key),
    authOptional: password === undefined,
    onAuth: (auth, _session, done) =>
      auth.username === 'hub' && auth.password === password ? done(null, { user: 'hub' }) : done(new Error('no')),
    onRcptTo: (_address, _session, done) => {
      const { refuse } = mailServer;
      if (refuse === undefined) return done();
      done(Object.assign(new Error('mailbox of Ann Dow'), { responseCode: refuse }));
    },
    onData: async (stream, session, done) => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const raw = Buffer.concat(chunks).toString();
      const { mailFrom, rcptTo } = session.envelope;
      got.push({
        from: mailFrom ? mailFrom.address : '',
        to: rcptTo.map(({ address }) => address),
        raw,
        text: raw.slice(raw.indexOf('\r\n\r\n') + 4).replaceAll('=\r\n', ''),
        isEncrypted: session.secure,
        user: session.user as string | undefined,
      });
      await mailServer.hold;
      done();
    },
  });
  // A client that breaks off is no fault of the server.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const mailServer: TestMailServer = {
    port: (server.server.address() as AddressInfo).port,
    ca: authority.certificate,
    got,
    refuse: undefined,
    hold: undefined,
    mailer: () =>
      new Mailer({
        smtpHost: 'localhost',
        smtpPort: mailServer.port,
        smtpTls: 'starttls',
        smtpCa: mailServer.ca,
        smtpUser: undefined,
        smtpPasswordFile: undefined,
        mailFrom: 'hub@hub.example',
      }),
    close: async () => {
      await new Promise<void>((closed) => server.close(() => closed()));
      authority.remove();
    },
  };
  return mailServer;
}
