/** What tells of the certificates of a test authority, over a real socket: lists, and a responder that is openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TestHolder, Wishes } from './testing.ts';
import {
  AuthorityInfoAccessExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
} from './x509.ts';

/** How a certificate says where to ask. */
export type Way = 'ocsp' | 'crl';

export class TestRevocation {
  readonly revoked = new Set<TestHolder>();
  /** What was asked, as `crl` or `ocsp`. */
  readonly asked: Way[] = [];
  /** `fails`: it answers with an error; `silent`: not at all. */
  state: 'answers' | 'fails' | 'silent' = 'answers';
  /** Who signs answers in place of the authority. */
  responder: TestHolder | undefined;
  readonly #authority: TestHolder;
  readonly #issued: TestHolder[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'causeway-ocsp-'));
  readonly #server: Server;

  private constructor(authority: TestHolder) {
    this.#authority = authority;
    this.#server = createServer(async (request, response) => {
      if (request.url === '/issuer') return response.end(Buffer.from(authority.certificate.rawData));
      const way = request.url === '/ocsp' ? 'ocsp' : 'crl';
      this.asked.push(way);
      const sent = await buffer(request);
      if (this.state === 'silent') return;
      if (this.state === 'fails') return response.writeHead(500).end();
      response.end(way === 'ocsp' ? await this.answer(sent) : await authority.revocations([...this.revoked]));
    });
  }

  static async start(authority: TestHolder): Promise<TestRevocation> {
    const started = new TestRevocation(authority);
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A certificate of the authority that says where to ask about it. @param uri undefined: for a server at 127.0.0.1 */
  async issue(name: string, uri: string | undefined, ways: readonly Way[], wishes: Wishes = {}): Promise<TestHolder> {
    const access = { ocsp: `${this.url}/ocsp`, caIssuers: `${this.url}/issuer` };
    const extensions: Extension[] = [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new SubjectAlternativeNameExtension(
        uri === undefined ? [{ type: 'ip', value: '127.0.0.1' }] : [{ type: 'url', value: uri }],
      ),
      ...(ways.includes('ocsp') ? [new AuthorityInfoAccessExtension(access)] : []),
      ...(ways.includes('crl') ? [new CRLDistributionPointsExtension([`${this.url}/list.crl`])] : []),
    ];
    const holder = await this.#authority.issue(name, uri, { extensions, ...wishes });
    this.#issued.push(holder);
    return holder;
  }

  /** As a server takes it: certificate and key, PEM. */
  async tls(name: string, ways: readonly Way[]): Promise<{ holder: TestHolder; cert: string; key: string }> {
    const holder = await this.issue(name, undefined, ways);
    const key = await crypto.subtle.exportKey('pkcs8', holder.keys.privateKey);
    return { holder, cert: holder.certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
  }

  /** A certificate that the authority lets answer for it. */
  delegate(usages = ['1.3.6.1.5.5.7.3.9']): Promise<TestHolder> {
    const extensions = [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages, true),
    ];
    return this.#authority.issue('Responder', undefined, { extensions });
  }

  /** What openssl answers to a request, DER. */
  async answer(request: Buffer, days = 1): Promise<Buffer> {
    const path = (name: string) => join(this.#folder, name);
    const signer = this.responder ?? this.#authority;
    const key = await crypto.subtle.exportKey('pkcs8', signer.keys.privateKey);
    const index = this.#issued.map((holder) => {
      const { serialNumber, subject } = holder.certificate;
      const isRevoked = this.revoked.has(holder);
      return `${isRevoked ? 'R\t350101000000Z\t250101000000Z' : 'V\t350101000000Z\t'}\t${serialNumber.toUpperCase()}\tunknown\t/${subject}`;
    });
    writeFileSync(path('index.txt'), `${index.join('\n')}\n`);
    writeFileSync(path('index.txt.attr'), 'unique_subject = no\n');
    writeFileSync(path('ca.pem'), this.#authority.certificate.toString('pem'));
    writeFileSync(path('signer.pem'), signer.certificate.toString('pem'));
    writeFileSync(path('signer.key'), PemConverter.encode(key, 'PRIVATE KEY'));
    writeFileSync(path('request'), request);
    const words = ['ocsp', '-index', path('index.txt'), '-CA', path('ca.pem'), '-rsigner', path('signer.pem')];
    const files = ['-rkey', path('signer.key'), '-reqin', path('request'), '-respout', path('answer')];
    execFileSync('openssl', [...words, ...files, '-rmd', 'sha256', '-ndays', String(days)], { stdio: 'pipe' });
    return readFileSync(path('answer'));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
