/**
 * The hub's mail: handed to one server by SMTP (RFC 5321), by TLS unless that server is on this machine. `nodemailer` is
 * loaded with the first mail.
 */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  /** Made from what is told, so that a mail that is sent again is known as the same. */
  messageId: string;
}

/** Why mail was not taken, in words that name no person. */
export class MailError extends Error {
  override name = 'MailError';
  /** Whether the server refused the mail for good. */
  readonly isFinal: boolean;

  constructor(message: string, isFinal: boolean) {
    super(message);
    this.isFinal = isFinal;
  }
}

type Settings = Pick<
  Config,
  'smtpHost' | 'smtpPort' | 'smtpTls' | 'smtpCa' | 'smtpUser' | 'smtpPasswordFile' | 'mailFrom'
>;

const connectMs = 15_000;
const silenceMs = 60_000;

export class Mailer {
  readonly #settings: Settings;
  readonly from: string;

  constructor(settings: Settings & { mailFrom: string }) {
    this.#settings = settings;
    this.from = settings.mailFrom;
  }

  /** The mailer of a hub that is told of a server; undefined without one. */
  static of(config: Config): Mailer | undefined {
    const { smtpHost, mailFrom } = config;
    return smtpHost === undefined || mailFrom === undefined ? undefined : new Mailer({ ...config, mailFrom });
  }

  /** Resolves when the server has taken the mail. @throws MailError */
  send({ to, subject, text, messageId }: Mail): Promise<void> {
    const headers = { 'Auto-Submitted': 'auto-generated' };
    return this.#hand({ from: this.from, to, subject, text, messageId, headers });
  }

  /** Hands over a message that is written already. @throws MailError */
  sendWritten({ from, to, message }: { from: string; to: string; message: Uint8Array }): Promise<void> {
    return this.#hand({ envelope: { from, to: [to] }, raw: Buffer.from(message) });
  }

  async #hand(message: object): Promise<void> {
    const { smtpHost, smtpPort, smtpTls, smtpCa, smtpUser, smtpPasswordFile } = this.#settings;
    const { createTransport } = await import('nodemailer');
    const [ca, password] = await Promise.all(
      [smtpCa, smtpPasswordFile].map(async (path) => path && readFile(path, 'utf8')),
    );
    const transport = createTransport({
      host: smtpHost!,
      port: smtpPort,
      secure: smtpTls === 'implicit',
      requireTLS: smtpTls === 'starttls',
      ignoreTLS: smtpTls === 'none',
      tls: { minVersion: 'TLSv1.2', ...(ca ? { ca } : {}) },
      ...(smtpUser && password ? { auth: { user: smtpUser, pass: password.replace(/\r?\n$/, '') } } : {}),
      connectionTimeout: connectMs,
      greetingTimeout: connectMs,
      socketTimeout: silenceMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    try {
      await transport.sendMail(message);
    } catch (error) {
      throw mailError(error as SmtpError);
    } finally {
      transport.close();
    }
  }
}

/** What servers answer may name a mailbox; only the code of it is told (RFC 5321 §4.2.1: 5yz is for good). */
function mailError({ code, responseCode, command, message }: SmtpError): MailError {
  if (code === 'EAUTH') return new MailError('The mail server does not let the hub sign in.', false);
  if (code === 'ETLS') return new MailError('The mail server does not begin TLS.', false);
  if (code === 'ESOCKET' && /certificate/.test(message))
    return new MailError('The certificate of the mail server is not trusted.', false);
  if (responseCode === undefined)
    return new MailError(`The mail server was not reached: ${code ?? 'no connection'}.`, false);
  const whom = command === 'RCPT TO' ? 'the address' : 'the mail';
  return new MailError(`The mail server refused ${whom} (${responseCode}).`, responseCode >= 500);
}

type SmtpError = Error & { code?: string; responseCode?: number; command?: string };
