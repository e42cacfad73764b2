/**
 * Whether certificates are revoked: by lists that the operator names, and by the responder (OCSP) or the lists that a
 * certificate itself names (HL7 FHIR UDAP Security, "JWT validation"; RFC 5280 §6.1.3). Addresses in certificates are asked
 * only when a path of signatures leads to an anchor: nobody else says what the hub fetches.
 */
import { isIssuedBy, nameOf, Unlearned, Untrusted } from './chain.ts';
import { issuerAddresses, readIssuers } from './issuers.ts';
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

/** What an address is asked: about one certificate, or for what is there. */
export interface Question {
  address: string;
  /** The same for the same question. */
  key: string;
}

/** Told of what is asked. */
export interface AskedQuestions {
  /** No answer came that can be used. @param again asks once more; rejects where none comes then either */
  failed(question: Question, error: unknown, again: () => Promise<unknown>): void;
  answered(question: Question): void;
}

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
  readonly #asked: AskedQuestions;
  readonly #lists = new Map<string, Kept<readonly X509Crl[]>>();
  readonly #told = new Map<string, Kept<Told>>();
  readonly #issuers = new Map<string, Kept<readonly X509Certificate[]>>();

  constructor(fetch: RevocationFetch, asked: AskedQuestions) {
    this.#fetch = fetch;
    this.#asked = asked;
  }

  /** The lists at an address, an hour old at most, or as old as they may be while it is out of reach. @throws Error */
  lists(address: string, now = new Date()): Promise<readonly X509Crl[]> {
    const before = this.#lists.get(address);
    return kept(this.#lists, address, mostLists, now, async () => {
      try {
        const question = { address, key: address };
        const lists = await this.#answerTo(question, now, async () => readLists(await this.#fetch(address)));
        return { value: lists, until: now.getTime() + freshMs };
      } catch (error) {
        const last = await before?.value.catch(() => undefined);
        if (last?.every(({ nextUpdate }) => nextUpdate !== undefined && nextUpdate > now)) {
          return { value: last, until: now.getTime() + failedMs };
        }
        throw error;
      }
    });
  }

  /**
   * The certificate of the authority that issued another, of which nothing is known but that it is trusted itself: one of
   * those at hand, or where the certificate says that it is (RFC 5280 §4.2.2.1).
   * @throws Unlearned where it is not found
   */
  async issuerOf(
    certificate: X509Certificate,
    atHand: readonly X509Certificate[],
    now = new Date(),
  ): Promise<X509Certificate> {
    for (const one of atHand) if (await isIssuedBy(certificate, one)) return one;
    for (const address of issuerAddresses(certificate).slice(0, mostAddresses)) {
      const found = await this.#issuersAt(address, now).catch(() => []);
      for (const one of found) if (await isIssuedBy(certificate, one)) return one;
    }
    throw new Unlearned(`the authority of ${nameOf(certificate)} is not known, which tells whether it is revoked`);
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
    throw new Unlearned(`it cannot be learned now whether ${nameOf(certificate)} is revoked`);
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
    const before = this.#told.get(key);
    return kept(this.#told, key, mostKept, now, async () => {
      try {
        const told = await this.#answerTo({ address, key }, now, async (at) => {
          const answer = await this.#fetch(address, await ocspRequest(certificate, issuer));
          return readOcspResponse(answer, certificate, issuer, at);
        });
        return { value: told, until: Math.min(told.until.getTime(), now.getTime() + freshMs) };
      } catch (error) {
        const last = await before?.value.catch(() => undefined);
        if (last && last.until > now) return { value: last, until: now.getTime() + failedMs };
        throw error;
      }
    });
  }

  #issuersAt(address: string, now: Date): Promise<readonly X509Certificate[]> {
    return kept(this.#issuers, address, mostLists, now, async () => {
      const question = { address, key: address };
      const value = await this.#answerTo(question, now, async () => readIssuers(await this.#fetch(address)));
      return { value, until: now.getTime() + freshMs };
    });
  }

  /** @param ask for an answer that holds at a time */
  async #answerTo<T>(question: Question, now: Date, ask: (at: Date) => Promise<T>): Promise<T> {
    try {
      const answer = await ask(now);
      this.#asked.answered(question);
      return answer;
    } catch (error) {
      this.#asked.failed(question, error, () => ask(new Date()));
      throw error;
    }
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

/** Whether a certificate names anybody who tells of it. */
export function namesSomebody(certificate: X509Certificate): boolean {
  return responderAddresses(certificate).length + listAddresses(certificate).length > 0;
}

function revoked(certificate: X509Certificate): Untrusted {
  return new Untrusted(`${nameOf(certificate)} is revoked`);
}
