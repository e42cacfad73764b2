/**
 * Documents to whoever has no interface but a Direct address (Applicability Statement for Secure Health Transport; "XDR and
 * XDM for Direct Messaging"): mail with an XDM zip, signed by the hub and encrypted for the receiver alone. Its headers name
 * nobody but sender and receiver.
 */
import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { MailError, type Mailer } from './mailer.ts';
import { base64, certificatesIn, encryptedEntity, type Signer, signedEntity } from './smime.ts';
import { type XdmDocument, xdmZip } from './xdm.ts';

/** Whom a document is for. */
export interface DirectReceiver {
  address: string;
  /** Absolute path of the PEM file of the receiver's certificate, read at each mail. */
  certificate: string;
}

export interface DirectMail {
  /** A UUID: the same at every attempt. */
  id: string;
  created: Date;
  document: XdmDocument;
}

/** What is told to who sent Direct mail: its disposition (RFC 8098; "Implementation Guide for Delivery Notification in Direct"). */
export interface DirectNotification {
  /** A UUID: the same at every attempt. */
  id: string;
  created: Date;
  /** The Message-ID of what came, without its brackets. */
  original: string;
  disposition: 'processed' | 'dispatched';
}

/** Why a certificate cannot be written to, as the rest of a sentence; whether another time may do better. */
export interface NotForMail {
  why: string;
  isPassing: boolean;
}

/** @param certificates that of the receiver, and others that came with it */
export type JudgeReceiver = (certificates: readonly X509Certificate[]) => Promise<NotForMail | undefined>;

type Settings = Pick<Config, 'directPort'> & { directAddress: string; directCertificate: string; directKey: string };

export class Direct {
  readonly #mailer: Mailer;
  readonly #settings: Settings;
  readonly #judge: JudgeReceiver;

  /** @param judge says whether the certificate of a receiver is revoked */
  constructor(mailer: Mailer, settings: Settings, judge: JudgeReceiver) {
    this.#mailer = mailer;
    this.#settings = settings;
    this.#judge = judge;
  }

  /** That of a hub that has a Direct address; undefined without one. */
  static of(config: Config, mailer: Mailer | undefined, judge: JudgeReceiver): Direct | undefined {
    const { directAddress, directCertificate, directKey, directPort } = config;
    if (!mailer || !directAddress || !directCertificate || !directKey) return undefined;
    return new Direct(mailer, { directAddress, directCertificate, directKey, directPort }, judge);
  }

  /** Whether mail comes in, so that it will be heard what became of what is sent. */
  get isHeard(): boolean {
    return this.#settings.directPort !== undefined;
  }

  /**
   * Resolves when the mail server has taken it: not that the receiver has it.
   * @throws MailError where a certificate or the server does not let it
   */
  async send(mail: DirectMail, receiver: DirectReceiver): Promise<void> {
    const theirs = await readPem(receiver.certificate);
    await this.#checkReceiver(theirs);
    const message = await directMessage(mail, await this.#signer(), receiver.address, theirs);
    await this.#mailer.sendWritten({ from: this.#settings.directAddress, to: receiver.address, message });
  }

  /** Resolves when the mail server has taken it. @param certificate of the receiver, as PEM @throws MailError */
  async notify(notification: DirectNotification, to: string, certificate: string): Promise<void> {
    await this.#checkReceiver(certificate);
    const message = await notificationMessage(notification, await this.#signer(), to, certificate);
    // Nothing is told of a notification that does not arrive (RFC 8098 §3).
    await this.#mailer.sendWritten({ from: '', to, message });
  }

  /** @throws MailError where a certificate is revoked, or that must be known and is not */
  async #checkReceiver(text: string): Promise<void> {
    const found = await this.#judge(certificatesIn(text));
    if (found) throw new MailError(`The receiver is not written to: ${found.why}.`, !found.isPassing);
  }

  async #signer(): Promise<Signer & { from: string }> {
    const { directAddress: from, directCertificate, directKey } = this.#settings;
    const [certificates, key] = await Promise.all([readPem(directCertificate), readPem(directKey)]);
    return { from, certificates, key };
  }
}

async function readPem(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new MailError(`A certificate or key cannot be read (${error.code}).`, false);
  });
}

/** The message whole, with its headers. @throws MailError where the receiver's certificate is not fit */
export async function directMessage(
  { id, created, document }: DirectMail,
  signer: Signer & { from: string },
  to: string,
  certificate: string,
): Promise<Buffer> {
  const zip = await xdmZip({ id, submitted: created, from: signer.from, to, document });
  const subject = 'A clinical document';
  // That it came to whom it is for may be told beside that it was taken.
  const wish = 'Disposition-Notification-Options: X-DIRECT-FINAL-DESTINATION-DELIVERY=optional,true';
  return enclosed({ id, created, subject, wishes: [wish], entity: entityOf(zip, id) }, signer, to, certificate);
}

/** A disposition notification whole. @throws MailError where the receiver's certificate is not fit */
export async function notificationMessage(
  { id, created, original, disposition }: DirectNotification,
  signer: Signer & { from: string },
  to: string,
  certificate: string,
): Promise<Buffer> {
  const boundary = `report-${id}`;
  const final = disposition === 'dispatched' ? ['X-DIRECT-FINAL-DESTINATION-DELIVERY:'] : [];
  const entity = [
    `Content-Type: multipart/report; report-type=disposition-notification; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    disposition === 'processed' ? 'Your message was taken.' : 'Your message has come to whom it was for.',
    '',
    `--${boundary}`,
    'Content-Type: message/disposition-notification',
    '',
    `Reporting-UA: ${signer.from.split('@')[1]}; Causeway`,
    `Final-Recipient: rfc822; ${signer.from}`,
    `Original-Message-ID: <${original}>`,
    `Disposition: automatic-action/MDN-sent-automatically; ${disposition}`,
    ...final,
    '',
    `--${boundary}--`,
    '',
  ].join('\r\n');
  const subject = disposition === 'processed' ? 'Processed' : 'Dispatched';
  return enclosed({ id, created, subject, wishes: [], entity }, signer, to, certificate);
}

interface Enclosed {
  id: string;
  created: Date;
  subject: string;
  /** Header fields beside the usual ones. */
  wishes: readonly string[];
  entity: string;
}

/** A mail that is signed, and encrypted for its receiver. */
async function enclosed(
  { id, created, subject, wishes, entity }: Enclosed,
  { from, ...signer }: Signer & { from: string },
  to: string,
  certificate: string,
): Promise<Buffer> {
  const recipient = receiverCertificate(certificate, to);
  const headers = [
    `From: ${from}`,
    `To: ${to}`,
    `Date: ${created.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${from.split('@')[1]}>`,
    `Subject: ${subject}`,
    ...wishes,
    'MIME-Version: 1.0',
  ];
  const encrypted = await encryptedEntity(await signedEntity(entity, signer), recipient);
  return Buffer.from(`${headers.join('\r\n')}\r\n${encrypted}`);
}

function entityOf(zip: Uint8Array, id: string): string {
  const boundary = `document-${id}`;
  return [
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    'A clinical document is in the archive. Open INDEX.HTM in it, or let your system read it (IHE XDM).',
    '',
    `--${boundary}`,
    'Content-Type: application/zip; name="xdm.zip"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="xdm.zip"',
    '',
    base64(zip),
    `--${boundary}--`,
    '',
  ].join('\r\n');
}

/** The certificate that stands for an address or its domain (Applicability Statement §2.4), as long as it is valid. */
function receiverCertificate(text: string, address: string) {
  const [certificate] = certificatesIn(text);
  if (!certificate) throw new MailError('There is no certificate of the receiver.', true);
  const now = Date.now();
  if (Date.parse(certificate.validFrom) > now || Date.parse(certificate.validTo) < now)
    throw new MailError('The certificate of the receiver is not valid now.', true);
  const isTheirs = certificate.checkEmail(address) ?? certificate.checkHost(address.split('@')[1]!);
  if (!isTheirs) throw new MailError('The certificate of the receiver is for another address.', true);
  if (certificate.publicKey.asymmetricKeyType !== 'rsa')
    throw new MailError('The certificate of the receiver has no RSA key.', true);
  return certificate;
}
