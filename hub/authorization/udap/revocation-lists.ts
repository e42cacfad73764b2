/** Which revocation lists tell of a certificate (RFC 5280 §5 and §6.3): complete, current ones of its issuer, or their part for it. */
import type { IssuingDistributionPoint } from 'pkijs';
import { hasUnknown, isStrong, sameBytes } from './chain.ts';
import {
  BasicConstraintsExtension,
  CRLDistributionPointsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  type X509Certificate,
  X509Crl,
} from './x509.ts';

const issuingDistributionPoint = '2.5.29.28';

/** Those in a file or an answer, PEM or DER. @throws Error where it is neither */
export function readLists(bytes: Buffer): X509Crl[] {
  const isPem = bytes.subarray(0, 64).toString('latin1').includes('-----BEGIN');
  return isPem
    ? PemConverter.decode(bytes.toString('latin1')).map((der) => new X509Crl(der))
    : [new X509Crl(new Uint8Array(bytes))];
}

/** The http(s) addresses of lists that a certificate names for all reasons, of its issuer's own. */
export function listAddresses(certificate: X509Certificate): string[] {
  const points = certificate.getExtension(CRLDistributionPointsExtension)?.distributionPoints ?? [];
  return points
    .filter(({ reasons, cRLIssuer }) => reasons === undefined && cRLIssuer === undefined)
    .flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
    .flatMap(({ uniformResourceIdentifier: uri }) => (uri !== undefined && /^https?:/.test(uri) ? [uri] : []));
}

/** Whether a list is one that would name a certificate, were it revoked. */
export async function covers(
  list: X509Crl,
  certificate: X509Certificate,
  issuer: X509Certificate,
  now: Date,
): Promise<boolean> {
  if (!sameBytes(list.issuerName.toArrayBuffer(), issuer.subjectName.toArrayBuffer())) return false;
  if (now < list.thisUpdate || list.nextUpdate === undefined || now > list.nextUpdate) return false;
  const usage = issuer.getExtension(KeyUsagesExtension)?.usages;
  if (usage !== undefined && (usage & KeyUsageFlags.cRLSign) === 0) return false;
  if (hasUnknown(list.extensions, [issuingDistributionPoint]) || !isStrong(list.signatureAlgorithm)) return false;
  const scope = list.extensions.find(({ type }) => type === issuingDistributionPoint);
  if (scope && !(await isInScope(scope, certificate))) return false;
  return list.verify({ publicKey: issuer.publicKey }).catch(() => false);
}

/** Whether a list that tells of some certificates only tells of this one (RFC 5280 §6.3.3 b 2). */
async function isInScope(scope: Extension, certificate: X509Certificate): Promise<boolean> {
  const [pki, { fromBER }] = await Promise.all([import('pkijs'), import('asn1js')]);
  let point: IssuingDistributionPoint;
  try {
    point = new pki.IssuingDistributionPoint({ schema: fromBER(scope.value).result });
  } catch {
    return false;
  }
  const { onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts, onlySomeReasons, indirectCRL } =
    point;
  const isAuthority = certificate.getExtension(BasicConstraintsExtension)?.ca === true;
  if (indirectCRL || onlyContainsAttributeCerts || onlySomeReasons !== undefined) return false;
  if (isAuthority ? onlyContainsUserCerts : onlyContainsCACerts) return false;
  if (point.distributionPoint === undefined) return true;
  const named = Array.isArray(point.distributionPoint) ? point.distributionPoint : [];
  const own = listAddresses(certificate);
  return named.some(({ type, value }) => type === 6 && own.includes(String(value)));
}
