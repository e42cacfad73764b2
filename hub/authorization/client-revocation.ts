/**
 * Whether the certificate that a client connected with is revoked. Its path was verified with the connection (by OpenSSL); what
 * reads revocation lists is loaded with the first certificate that is shown.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { faultText } from '../faults.ts';
import { revocationFetch } from './revocation-fetch.ts';
import type { Revocations } from './udap/revocation.ts';
import type { RevocationRule } from './udap/revocation-rules.ts';

export interface ClientRevocationParts {
  rule: RevocationRule;
  /** Files or addresses of revocation lists. */
  lists: readonly string[];
  /** Addresses below which lists and responders may be in a private network. */
  from: readonly string[];
  log: Logger;
}

/** A certificate and those above it, DER, the last being an authority that the hub trusts. */
type Path = readonly Buffer[];

const mostPaths = 5_000;
/** How long what was found out about a connection holds; what tells of its certificate may hold for longer. */
const verdictMs = 60_000;
const longestPath = 8;

export class ClientRevocation {
  readonly #parts: ClientRevocationParts;
  #revocations: Promise<Revocations> | undefined;
  /** By the certificate: connections that go on with an earlier session bring no path. */
  readonly #paths = new Map<string, Path>();
  readonly #verdicts = new WeakMap<TLSSocket, { value: Promise<string | undefined>; until: number }>();

  constructor(parts: ClientRevocationParts) {
    this.#parts = parts;
  }

  /** Why the certificate of a connection is not taken, as a sentence; undefined where nothing is against it. Never rejects. */
  async distrust(socket: TLSSocket): Promise<string | undefined> {
    if (this.#parts.rule === 'off' || !socket.authorized || socket.destroyed) return undefined;
    const known = this.#verdicts.get(socket);
    if (known && known.until > Date.now()) return known.value;
    const value = this.#judged(socket);
    this.#verdicts.set(socket, { value, until: Date.now() + verdictMs });
    return value;
  }

  async #judged(socket: TLSSocket): Promise<string | undefined> {
    const { log } = this.#parts;
    try {
      const path = this.#pathOf(socket);
      return path.length === 0 ? undefined : await this.#refusal(path);
    } catch (error) {
      log.error({ error: faultText(error) }, 'whether a client certificate is revoked could not be looked up');
      return 'It cannot be learned now whether the client certificate is revoked.';
    }
  }

  async #refusal(path: Path): Promise<string | undefined> {
    const { rule, lists: named } = this.#parts;
    const [{ Untrusted }, { X509Certificate }, { readLists }] = await Promise.all([
      import('./udap/chain.ts'),
      import('./udap/x509.ts'),
      import('./udap/revocation-lists.ts'),
    ]);
    const revocations = await this.#opened();
    const certificates = path.map((der) => new X509Certificate(new Uint8Array(der)));
    try {
      const lists = await Promise.all(
        named.map(async (one) => (/^https?:/.test(one) ? revocations.lists(one) : readLists(await readFile(one)))),
      );
      const terms = { rule, lists: lists.flat() };
      await Promise.all(certificates.slice(0, -1).map((one, i) => revocations.check(one, certificates[i + 1]!, terms)));
      return undefined;
    } catch (error) {
      if (!(error instanceof Untrusted)) throw error;
      return `${error.message[0]!.toUpperCase()}${error.message.slice(1)}.`;
    }
  }

  #opened(): Promise<Revocations> {
    const { from, log } = this.#parts;
    this.#revocations ??= import('./udap/revocation.ts').then(
      (module) => new module.Revocations(revocationFetch(from), module.unreachedIn(log)),
    );
    return this.#revocations;
  }

  /** @throws Error where the path is not known */
  #pathOf(socket: TLSSocket): Path {
    const shown = socket.getPeerCertificate(true);
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
