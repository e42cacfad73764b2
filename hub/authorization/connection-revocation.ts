/**
 * Whether the certificate of who is at the other end of a connection is revoked: of a client of the hub's, or of a server that the
 * hub connects to. Its path was verified with the connection (by OpenSSL); what reads revocation lists is loaded with the first
 * certificate that is shown.
 */
import { createHash } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import type { CertificateRevocation } from './certificate-revocation.ts';

/** A certificate and those above it, DER, the last being an authority that the hub trusts. */
type Path = readonly Buffer[];

const mostPaths = 5_000;
/** How long what was found out about a connection holds; what tells of its certificate may hold for longer. */
const verdictMs = 60_000;
const longestPath = 8;

export class ConnectionRevocation {
  readonly #certificates: CertificateRevocation;
  readonly #log: Logger;
  readonly #isServer: boolean;
  /** By the certificate: connections that go on with an earlier session bring no path. */
  readonly #paths = new Map<string, Path>();
  readonly #verdicts = new WeakMap<TLSSocket, { value: Promise<string | undefined>; until: number }>();

  /** @param otherEnd a server always shows a certificate */
  constructor(certificates: CertificateRevocation, log: Logger, otherEnd: 'client' | 'server') {
    this.#certificates = certificates;
    this.#log = log;
    this.#isServer = otherEnd === 'server';
  }

  /** Why the certificate of a connection is not taken, as the rest of a sentence; undefined where nothing is against it. Never rejects. */
  async distrust(socket: TLSSocket): Promise<string | undefined> {
    if (!this.#certificates.isAsked || !socket.authorized || socket.destroyed) return undefined;
    const known = this.#verdicts.get(socket);
    if (known && known.until > Date.now()) return known.value;
    const value = this.#judged(socket);
    this.#verdicts.set(socket, { value, until: Date.now() + verdictMs });
    return value;
  }

  async #judged(socket: TLSSocket): Promise<string | undefined> {
    try {
      const path = this.#pathOf(socket);
      return path.length === 0 ? undefined : await this.#refusal(path);
    } catch (error) {
      this.#log.error(
        { error: faultText(error) },
        'whether the certificate of a connection is revoked was not found out',
      );
      return 'it cannot be learned now whether its certificate is revoked';
    }
  }

  async #refusal(path: Path): Promise<string | undefined> {
    if (!path.slice(0, -1).some((der) => this.#certificates.isOpen(der))) return undefined;
    const [{ Untrusted }, { X509Certificate }] = await Promise.all([
      import('./udap/chain.ts'),
      import('./udap/x509.ts'),
    ]);
    const certificates = path.map((der) => new X509Certificate(new Uint8Array(der)));
    try {
      const below = certificates.slice(0, -1);
      await Promise.all(below.map((one, i) => this.#certificates.check(one, certificates[i + 1]!)));
      return undefined;
    } catch (error) {
      if (!(error instanceof Untrusted)) throw error;
      return error.message;
    }
  }

  /** @throws Error where the path is not known */
  #pathOf(socket: TLSSocket): Path {
    const shown = socket.getPeerCertificate(true);
    if (!shown?.raw && this.#isServer) throw new Error('the certificate is not known');
    if (!shown?.raw) return [];
    const path: Buffer[] = [];
    let last: DetailedPeerCertificate | undefined = shown;
    for (; last?.raw && path.length < longestPath; last = last.issuerCertificate) {
      // An authority’s own certificate is its own issuer.
      if (path.some((one) => one.equals(last!.raw))) break;
      path.push(last.raw);
    }
    const key = createHash('sha256').update(shown.raw).digest('base64');
    const isWhole = last?.raw?.equals(path.at(-1)!) === true;
    if (!isWhole) {
      const known = this.#paths.get(key);
      if (known) return known;
      throw new Error('the path of the certificate is not known');
    }
    this.#paths.delete(key);
    if (this.#paths.size >= mostPaths) this.#paths.delete(this.#paths.keys().next().value!);
    this.#paths.set(key, path);
    return path;
  }
}
