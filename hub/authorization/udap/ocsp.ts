/**
 * What a responder says of a certificate (OCSP, RFC 6960; requests in the form of RFC 5019). Structures by `pkijs`, arithmetic by
 * Node.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { BasicOCSPResponse, CertID, SingleResponse } from 'pkijs';
import { checkHolds, isIssuedBy } from './chain.ts';
import { AuthorityInfoAccessExtension, ExtendedKeyUsageExtension, X509Certificate } from './x509.ts';

export interface Told {
  status: 'good' | 'revoked' | 'unknown';
  /** Until when this may be taken for so. */
  until: Date;
}

const sha1 = '1.3.14.3.2.26';
const basicResponse = '1.3.6.1.5.5.7.48.1.1';
const ocspSigning = '1.3.6.1.5.5.7.3.9';
/** RSA (PKCS #1) and ECDSA. */
const digests: { [oid: string]: string } = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
};
const mostCertificates = 5;
const mostResponses = 100;
const toleranceMs = 300_000;
/** How old an answer may be that does not say when the next is made. */
const undatedMs = 600_000;

/** The http(s) addresses of the responders that a certificate names. */
export function responderAddresses(certificate: X509Certificate): string[] {
  const named = certificate.getExtension(AuthorityInfoAccessExtension)?.ocsp ?? [];
  return named.filter(({ type, value }) => type === 'url' && /^https?:/.test(value)).map(({ value }) => value);
}

/** The request for one certificate, DER; it goes as `application/ocsp-request`. */
export async function ocspRequest(certificate: X509Certificate, issuer: X509Certificate): Promise<Buffer> {
  const pki = await import('pkijs');
  const reqCert = await certId(certificate, issuer);
  const tbsRequest = new pki.TBSRequest({ requestList: [new pki.Request({ reqCert })] });
  return Buffer.from(new pki.OCSPRequest({ tbsRequest }).toSchema(true).toBER());
}

/** What an answer tells of a certificate. @throws Error where it tells nothing, or is not to be believed */
export async function readOcspResponse(
  bytes: Buffer,
  certificate: X509Certificate,
  issuer: X509Certificate,
  now: Date,
): Promise<Told> {
  const response = await basicOf(bytes);
  const { tbsResponseData } = response;
  if (!(await isSigned(response, issuer, now)))
    throw new Error('the answer of the responder is not signed as it must be');
  const asked = await certId(certificate, issuer);
  const about = tbsResponseData.responses.slice(0, mostResponses).filter(({ certID }) => isSame(certID, asked));
  const [one] = about;
  if (!one || about.length > 1) throw new Error('the answer of the responder is about another certificate');
  return { status: statusOf(one), until: untilOf(one, now) };
}

async function certId(certificate: X509Certificate, issuer: X509Certificate): Promise<CertID> {
  const [pki, { Null, OctetString }] = await Promise.all([import('pkijs'), import('asn1js')]);
  const { serialNumber } = pki.Certificate.fromBER(certificate.rawData);
  const { subject, subjectPublicKeyInfo } = pki.Certificate.fromBER(issuer.rawData);
  const digest = (data: Uint8Array) => {
    const hash = createHash('sha1')
      .update(data as Uint8Array)
      .digest();
    return new OctetString({ valueHex: new Uint8Array(hash).buffer });
  };
  return new pki.CertID({
    hashAlgorithm: new pki.AlgorithmIdentifier({ algorithmId: sha1, algorithmParams: new Null() }),
    issuerNameHash: digest(new Uint8Array(subject.toSchema().toBER())),
    issuerKeyHash: digest(subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView),
    serialNumber,
  });
}

async function basicOf(bytes: Buffer): Promise<BasicOCSPResponse> {
  const pki = await import('pkijs');
  const { responseStatus, responseBytes } = pki.OCSPResponse.fromBER(new Uint8Array(bytes));
  const status = responseStatus.valueBlock.valueDec;
  if (status !== 0 || responseBytes?.responseType !== basicResponse) {
    throw new Error(`the responder answers with status ${status}`);
  }
  return pki.BasicOCSPResponse.fromBER(new Uint8Array(responseBytes.response.valueBlock.valueHexView));
}

/** Whether it was signed by the issuer itself, or by whom it lets answer (RFC 6960 §4.2.2.2). */
async function isSigned(response: BasicOCSPResponse, issuer: X509Certificate, now: Date): Promise<boolean> {
  const digest = digests[response.signatureAlgorithm.algorithmId];
  if (digest === undefined) return false;
  const isBy = (one: X509Certificate) => {
    const key = createPublicKey({ key: Buffer.from(one.publicKey.rawData), format: 'der', type: 'spki' });
    const signature = response.signature.valueBlock.valueHexView;
    return verify(digest, response.tbsResponseData.tbsView, key, signature);
  };
  if (isBy(issuer)) return true;
  for (const sent of (response.certs ?? []).slice(0, mostCertificates)) {
    const one = new X509Certificate(sent.toSchema(true).toBER());
    const isLet = one.getExtension(ExtendedKeyUsageExtension)?.usages.includes(ocspSigning) === true;
    if (!isLet || !isBy(one) || !(await isIssuedBy(one, issuer))) continue;
    checkHolds(one, now);
    return true;
  }
  return false;
}

function isSame(one: CertID, other: CertID): boolean {
  return (
    one.hashAlgorithm.algorithmId === sha1 &&
    one.serialNumber.isEqual(other.serialNumber) &&
    one.issuerNameHash.isEqual(other.issuerNameHash) &&
    one.issuerKeyHash.isEqual(other.issuerKeyHash)
  );
}

function statusOf({ certStatus }: SingleResponse): Told['status'] {
  const { tagNumber } = (certStatus as { idBlock: { tagNumber: number } }).idBlock;
  return tagNumber === 0 ? 'good' : tagNumber === 1 ? 'revoked' : 'unknown';
}

/** @throws Error where it is not of now */
function untilOf({ thisUpdate, nextUpdate }: SingleResponse, now: Date): Date {
  const until = nextUpdate ?? new Date(thisUpdate.getTime() + undatedMs);
  if (thisUpdate.getTime() > now.getTime() + toleranceMs)
    throw new Error('the answer of the responder is of the future');
  if (until <= now) throw new Error('the answer of the responder is too old');
  return until;
}
