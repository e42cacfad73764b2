/**
 * Whether certificates are revoked: by lists that the operator names, and by the responder (OCSP) or the lists that a
 * certificate itself names (HL7 FHIR UDAP Security, "JWT validation"; RFC 5280 §6.1.3). Addresses in certificates are asked
 * only when a path of signatures leads to an anchor: nobody else says what the hub fetches.
 */
import type { Logger } from 'pino';
import { faultText } from '../../faults.ts';
import { nameOf, Untrusted } from './chain.ts';
import { ocspRequest, readOcspResponse, responderAddresses, type Told } from './ocsp.ts';
import { covers, listAddresses, readLists } from './revocation-lists.ts';
import type { RevocationRule } from './revocation-rules.ts';
import type { X509Certificate, X509Crl } from './x509.ts';

export interface RevocationTerms {
  rule: RevocationRule;
  /** Lists that the operator named. */
  lists: readonly X509Crl[];
}

/** Fetches an address, guarded. @param request of OCSP, which is sent @throws Error */
export type RevocationFetch = (address: string, request?: Buffer) => Promise<Buffer>;

interface Kept<T> {
  value: Promise<T>;
  until: number;
}

const mostAddresses = 2;
const mostKept = 1_000;
const mostLists = 100;
const freshMs = 3_600_000;
/** How soon is tried again what could not be learned. */
const failedMs = 30_000;

export class Revocations {
  readonly #fetch: RevocationFetch;
  readonly #unreached: (address: string, error: unknown) => void;
  readonly #lists = new Map<string, Kept<readonly X509Crl[]>>();
  readonly #told = new Map<string, Kept<Told>>();

  /** @param unreached told of an address that gave no answer that can be used */
  constructor(fetch: RevocationFetch, unreached: (address: string, error: unknown) => void) {
    this.#fetch = fetch;
    this.#unreached = unreached;
  }

  /** The lists at an address, an hour old at most, or as old as they may be while it is out of reach. @throws Error */
  lists(address: string, now = new Date()): Promise<readonly X509Crl[]> {
    const before = this.#lists.get(address);
    return kept(this.#lists, address, mostLists, now, async () => {
      try {
        const lists = readLists(await this.#fetch(address));
        return { value: lists, until: now.getTime() + freshMs };
      } catch (error) {
        this.#unreached(address, error);
        const last = await before?.value.catch(() => undefined);
        if (last?.every(({ nextUpdate }) => nextUpdate !== undefined && nextUpdate > now)) {
          return { value: last, until: now.getTime() + failedMs };
        }
        throw error;
      }
    });
  }

  /** Checks that a certificate is not revoked. @throws Untrusted where it is, or where that must be known and is not */
  async check(
    certificate: X509Certificate,
    issuer: X509Certificate,
    { rule, lists }: RevocationTerms,
    now = new Date(),
  ): Promise<void> {
    if (rule === 'off' || (await this.#isToldBy(lists, certificate, issuer, now))) return;
    const responders = responderAddresses(certificate).slice(0, mostAddresses);
    const addresses = listAddresses(certificate).slice(0, mostAddresses);
    if (responders.length + addresses.length === 0) {
      if (rule !== 'required' && lists.length === 0) return;
      throw new Untrusted(`nothing tells whether ${nameOf(certificate)} is revoked`);
    }
    for (const address of responders) {
      const told = await this.#askedOf(address, certificate, issuer, now).catch(() => undefined);
      if (told?.status === 'revoked') throw revoked(certificate);
      if (told?.status === 'good') return;
    }
    for (const address of addresses) {
      const found = await this.lists(address, now).catch(() => []);
      if (await this.#isToldBy(found, certificate, issuer, now)) return;
    }
    if (rule === 'reachable') return;
    throw new Untrusted(`it cannot be learned now whether ${nameOf(certificate)} is revoked`);
  }

  /** Whether lists tell that it is not revoked. @throws Untrusted where one tells that it is */
  async #isToldBy(lists: readonly X509Crl[], certificate: X509Certificate, issuer: X509Certificate, now: Date) {
    let isTold = false;
    for (const list of lists) {
      if (!(await covers(list, certificate, issuer, now))) continue;
      if (list.findRevoked(certificate)) throw revoked(certificate);
      isTold = true;
    }
    return isTold;
  }

  async #askedOf(address: string, certificate: X509Certificate, issuer: X509Certificate, now: Date): Promise<Told> {
    const key = [address, Buffer.from(issuer.rawData).toString('base64'), certificate.serialNumber].join(' ');
    return kept(this.#told, key, mostKept, now, async () => {
      try {
        const answer = await this.#fetch(address, await ocspRequest(certificate, issuer));
        const told = await readOcspResponse(answer, certificate, issuer, now);
        return { value: told, until: Math.min(told.until.getTime(), now.getTime() + freshMs) };
      } catch (error) {
        this.#unreached(address, error);
        throw error;
      }
    });
  }
}

/** What was learned, learned anew when it is over; who asks meanwhile waits for the same. What failed is tried again soon. */
async function kept<T>(
  map: Map<string, Kept<T>>,
  key: string,
  most: number,
  now: Date,
  learn: () => Promise<{ value: T; until: number }>,
): Promise<T> {
  const known = map.get(key);
  if (known && known.until > now.getTime()) return known.value;
  map.delete(key);
  if (map.size >= most) map.delete(map.keys().next().value!);
  const learned = learn();
  const entry: Kept<T> = { value: learned.then(({ value }) => value), until: Number.POSITIVE_INFINITY };
  entry.value.catch(() => {});
  map.set(key, entry);
  await learned.then(
    ({ until }) => (entry.until = until),
    () => (entry.until = now.getTime() + failedMs),
  );
  return entry.value;
}

/** Says in the log which address gave no answer that can be used. */
export function unreachedIn(log: Logger): (address: string, error: unknown) => void {
  return (address, error) => {
    log.warn({ address, error: faultText(error) }, 'what tells of revoked certificates was not answered');
  };
}

function revoked(certificate: X509Certificate): Untrusted {
  return new Untrusted(`${nameOf(certificate)} is revoked`);
}
