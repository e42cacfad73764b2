/**
 * Whether a certificate is trusted: a path from it to an anchor of a trust community, each certificate of which holds
 * (RFC 5280 §6.1, without name constraints and policies: a certificate that makes these critical is refused), none revoked
 * (`revocation.ts`).
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from './x509.ts';

/** What a path may end at, and how it is known what is revoked. */
export interface Anchors {
  anchors: readonly X509Certificate[];
  /** Checks a certificate of a path that is good otherwise; rejects with Untrusted. Undefined: nobody's revocation is asked for. */
  revocation: ((certificate: X509Certificate, issuer: X509Certificate, now: Date) => Promise<void>) | undefined;
}

/** Why a certificate is not trusted, as the rest of a sentence. */
export class Untrusted extends Error {
  override name = 'Untrusted';
}

/** It cannot be learned now whether it is revoked: another time may tell. */
export class Unlearned extends Untrusted {}

const mostCertificates = 6;
const longestBase64 = 12_000;
const leastRsaBits = 2048;
/** Critical extensions that are looked at here, or that limit what is not asked of these certificates. */
const understood = ['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'];

/**
 * The first certificate of a header `x5c`, others after it in any order. Nothing is verified.
 * @throws Untrusted where they cannot be read
 */
export function readCertificates(x5c: unknown): [X509Certificate, ...X509Certificate[]] {
  const isList = Array.isArray(x5c) && x5c.length > 0 && x5c.every((one) => typeof one === 'string');
  if (!isList) throw new Untrusted('x5c must be a list of certificates');
  if (x5c.length > mostCertificates) throw new Untrusted(`x5c has more than ${mostCertificates} certificates`);
  try {
    return x5c.map((one: string) => {
      if (one.length > longestBase64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(one)) throw new Untrusted('');
      return new X509Certificate(Buffer.from(one, 'base64'));
    }) as [X509Certificate, ...X509Certificate[]];
  } catch {
    throw new Untrusted('x5c has what is no certificate (DER, in base64)');
  }
}

/** The public key of a certificate. @throws Untrusted for one that is too weak or of another kind than RSA or EC */
export function keyOf(certificate: X509Certificate): KeyObject {
  const key = createPublicKey({ key: Buffer.from(certificate.publicKey.rawData), format: 'der', type: 'spki' });
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = key;
  if (kind === 'rsa' && details!.modulusLength! >= leastRsaBits) return key;
  if (kind === 'ec' && ['prime256v1', 'secp384r1', 'secp521r1'].includes(details!.namedCurve!)) return key;
  throw new Untrusted(`${nameOf(certificate)} has a key that is too weak or of no known kind`);
}

/** The uniformResourceIdentifier entries of its Subject Alternative Name. */
export function urisOf(certificate: X509Certificate): string[] {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.filter(({ type }) => type === 'url').map(({ value }) => value);
}

/**
 * Checks that the first certificate is trusted. @param others may stand between it and an anchor
 * @throws Untrusted
 */
export async function checkTrust(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  trust: Anchors,
  now = new Date(),
): Promise<void> {
  const path = await pathFrom(leaf, others, trust.anchors, []);
  if (!path) throw new Untrusted(`${nameOf(leaf)} leads to none of the authorities that are trusted here`);
  for (const [i, certificate] of path.entries()) {
    checkHolds(certificate, now);
    if (i === 0) checkLeaf(certificate);
    else checkAuthority(certificate, i - 1);
  }
  // Only when everything else is right is somebody asked whom a certificate names.
  const { revocation } = trust;
  if (revocation) await Promise.all(path.slice(0, -1).map((one, i) => revocation(one, path[i + 1]!, now)));
}

/** From a certificate to an anchor, each signed by the next. */
async function pathFrom(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  before: readonly X509Certificate[],
): Promise<X509Certificate[] | undefined> {
  const path = [...before, certificate];
  for (const anchor of anchors) if (await isIssuedBy(certificate, anchor)) return [...path, anchor];
  for (const other of others) {
    if (path.some((one) => one.equal(other)) || !(await isIssuedBy(certificate, other))) continue;
    const found = await pathFrom(other, others, anchors, path);
    if (found) return found;
  }
  return undefined;
}

export async function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): Promise<boolean> {
  if (!sameBytes(certificate.issuerName.toArrayBuffer(), issuer.subjectName.toArrayBuffer())) return false;
  return certificate.verify({ publicKey: issuer.publicKey, signatureOnly: true }).catch(() => false);
}

/** Checks a certificate by itself, that of an authority or of whom it is for. @throws Untrusted */
export function checkHolds(certificate: X509Certificate, now: Date): void {
  const name = nameOf(certificate);
  if (now < certificate.notBefore) throw new Untrusted(`${name} is not valid yet`);
  if (now > certificate.notAfter) throw new Untrusted(`${name} has expired`);
  if (!isStrong(certificate.signatureAlgorithm))
    throw new Untrusted(`${name} is signed with a digest that is too weak`);
  if (hasUnknown(certificate.extensions, understood)) {
    throw new Untrusted(`${name} has a critical extension that is not understood here`);
  }
  keyOf(certificate);
}

function checkLeaf(certificate: X509Certificate): void {
  const name = nameOf(certificate);
  if (certificate.getExtension(BasicConstraintsExtension)?.ca) throw new Untrusted(`${name} is an authority’s own`);
  const usage = certificate.getExtension(KeyUsagesExtension)?.usages;
  if (usage !== undefined && (usage & KeyUsageFlags.digitalSignature) === 0) {
    throw new Untrusted(`${name} is not for signatures`);
  }
}

/** @param below how many authorities stand between it and the certificate that is asked about */
function checkAuthority(certificate: X509Certificate, below: number): void {
  const name = nameOf(certificate);
  const constraints = certificate.getExtension(BasicConstraintsExtension);
  if (!constraints?.ca) throw new Untrusted(`${name} is no authority`);
  if (constraints.pathLength !== undefined && constraints.pathLength < below) {
    throw new Untrusted(`${name} may have fewer authorities below it`);
  }
  const usage = certificate.getExtension(KeyUsagesExtension)?.usages;
  if (usage !== undefined && (usage & KeyUsageFlags.keyCertSign) === 0) {
    throw new Untrusted(`${name} may sign no certificates`);
  }
}

export function hasUnknown(extensions: readonly Extension[], known: readonly string[]): boolean {
  return extensions.some(({ critical, type }) => critical && !known.includes(type));
}

export function isStrong(algorithm: X509Certificate['signatureAlgorithm']): boolean {
  return /^SHA-(?:256|384|512)$/.test(algorithm.hash?.name ?? '');
}

export function sameBytes(one: ArrayBuffer, other: ArrayBuffer): boolean {
  return Buffer.from(one).equals(Buffer.from(other));
}

export function nameOf(certificate: X509Certificate): string {
  return `the certificate of ${certificate.subject.slice(0, 100) || 'no name'}`;
}
