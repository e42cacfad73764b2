/**
 * Documents to whoever has no interface but a Direct address (Applicability Statement for Secure Health Transport; "XDR and
 * XDM for Direct Messaging"): mail with an XDM zip, signed by the hub and encrypted for the receiver alone. Its headers name
 * nobody but sender and receiver.
 */
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

type Settings = { directAddress: string; directCertificate: string; directKey: string };

export class Direct {
  readonly #mailer: Mailer;
  readonly #settings: Settings;

  constructor(mailer: Mailer, settings: Settings) {
    this.#mailer = mailer;
    this.#settings = settings;
  }

  /** That of a hub that has a Direct address; undefined without one. */
  static of(config: Config, mailer: Mailer | undefined): Direct | undefined {
    const { directAddress, directCertificate, directKey } = config;
    if (!mailer || !directAddress || !directCertificate || !directKey) return undefined;
    return new Direct(mailer, { directAddress, directCertificate, directKey });
  }

  /**
   * Resolves when the mail server has taken it: not that the receiver has it.
   * @throws MailError where a certificate or the server does not let it
   */
  async send(mail: DirectMail, receiver: DirectReceiver): Promise<void> {
    const { directAddress: from, directCertificate, directKey } = this.#settings;
    const [own, key, theirs] = await Promise.all(
      [directCertificate, directKey, receiver.certificate].map((path) =>
        readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
          throw new MailError(`A certificate or key cannot be read (${error.code}).`, false);
        }),
      ),
    );
    const message = await directMessage(mail, { from, certificates: own!, key: key! }, receiver.address, theirs!);
    await this.#mailer.sendWritten({ from, to: receiver.address, message });
  }
}

/** The message whole, with its headers. @throws MailError where the receiver's certificate is not fit */
export async function directMessage(
  { id, created, document }: DirectMail,
  { from, ...signer }: Signer & { from: string },
  to: string,
  certificate: string,
): Promise<Buffer> {
  const recipient = receiverCertificate(certificate, to);
  const zip = await xdmZip({ id, submitted: created, from, to, document });
  const headers = [
    `From: ${from}`,
    `To: ${to}`,
    `Date: ${created.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${from.split('@')[1]}>`,
    'Subject: A clinical document',
    'MIME-Version: 1.0',
  ];
  const entity = await encryptedEntity(await signedEntity(entityOf(zip, id), signer), recipient);
  return Buffer.from(`${headers.join('\r\n')}\r\n${entity}`);
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
