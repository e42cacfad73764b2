/** An organisation with a Direct address, as a peer that is not of us: openssl signs, encrypts, opens; nodemailer sends. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';

export interface Attachment {
  content: string | Uint8Array;
  type: string;
  name?: string;
}

export class DirectPeers {
  readonly folder = mkdtempSync(join(tmpdir(), 'causeway-direct-'));
  readonly anchor = this.path('anchor.pem');

  constructor() {
    const made = ['-keyout', 'anchor.key', '-out', 'anchor.pem', '-subj', '/CN=Anchor', '-days', '2'];
    this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', ...made);
    // One key for all of them, since it takes time to make.
    this.openssl('genrsa', '-out', 'rsa.key', '2048');
  }

  /**
   * A certificate by the anchor, or by itself; `alternative` as in `email:dr@practice.example` or `DNS:practice.example`.
   * @param more lines of extensions, as openssl reads them
   */
  issue(name: string, alternative: string, isByItself = false, more: readonly string[] = []): void {
    const lines = [`subjectAltName=${alternative}`, 'basicConstraints=CA:FALSE', ...more];
    writeFileSync(this.path(`${name}.ext`), `${lines.join('\n')}\n`);
    this.openssl('req', '-new', '-key', 'rsa.key', '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signer = isByItself
      ? ['-signkey', 'rsa.key']
      : ['-CA', 'anchor.pem', '-CAkey', 'anchor.key', '-CAcreateserial'];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    this.openssl('x509', '-req', ...files, ...signer, '-days', '2');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  openssl(...words: string[]): Buffer {
    return execFileSync('openssl', words, { stdio: 'pipe', cwd: this.folder });
  }

  /** A mail, signed and encrypted, from who has a certificate. */
  mail(
    signer: string,
    from: string,
    to: string,
    attachments: readonly Attachment[],
    { id = randomUUID(), headers = [] }: { id?: string; headers?: string[] } = {},
  ): Buffer {
    return this.enclosed(signer, from, to, mixed(attachments), id, headers);
  }

  /** The same with any content. */
  enclosed(signer: string, from: string, to: string, content: string, id: string, headers: string[] = []): Buffer {
    writeFileSync(this.path('content'), content);
    this.openssl('cms', '-sign', '-in', 'content', '-signer', `${signer}.pem`, '-inkey', 'rsa.key', '-out', 'signed');
    return this.encrypted('signed', from, to, id, headers);
  }

  /** Encrypts a file for the hub, anew at each call. */
  encrypted(file: string, from: string, to: string, id: string, headers: string[] = []): Buffer {
    this.openssl('cms', '-encrypt', '-aes-256-cbc', '-in', file, '-out', 'mail', 'hub.pem');
    const lines = [`From: Practice <${from}>`, `To: ${to}`, `Message-ID: <${id}@practice.example>`, ...headers, ''];
    return Buffer.concat([Buffer.from(lines.join('\n')), readFileSync(this.path('mail'))]);
  }

  /** A whole mail as the content of another (message/rfc822). */
  wrapped(attachments: readonly Attachment[], from: string, to: readonly string[], id: string): string {
    const headers = ['Content-Type: message/rfc822', '', `From: ${from}`, ...to, `Message-ID: <${id}@inner.example>`];
    return [...headers, mixed(attachments)].join('\n');
  }

  /** What is in a mail that was written to somebody, once it is decrypted and its signature verified. */
  opened(receiver: string, raw: string): string {
    writeFileSync(this.path('got'), raw);
    this.openssl(
      'cms',
      '-decrypt',
      '-in',
      'got',
      '-recip',
      `${receiver}.pem`,
      '-inkey',
      'rsa.key',
      '-out',
      'got.signed',
    );
    return this.openssl('cms', '-verify', '-in', 'got.signed', '-CAfile', 'anchor.pem').toString();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mixed(attachments: readonly Attachment[]): string {
  const parts = attachments.flatMap(({ content, type, name = 'document' }) => [
    '--b',
    `Content-Type: ${type}; name="${name}"`,
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment',
    '',
    Buffer.from(content).toString('base64').replaceAll(/.{76}/g, '$&\n'),
  ]);
  const text = ['--b', 'Content-Type: text/plain', '', 'See what is attached.'];
  return ['Content-Type: multipart/mixed; boundary="b"', '', ...text, ...parts, '--b--', ''].join('\n');
}

/** Sends a message to a port; the code with which it was answered. */
export async function sendMail(port: number, to: string | string[], raw: Buffer): Promise<number> {
  const transport = createTransport({ host: '127.0.0.1', port, secure: false, tls: { rejectUnauthorized: false } });
  try {
    const { response } = await transport.sendMail({ envelope: { from: 'dr@practice.example', to }, raw });
    return Number(response.slice(0, 3));
  } catch (error) {
    return (error as { responseCode?: number }).responseCode ?? 0;
  } finally {
    transport.close();
  }
}
