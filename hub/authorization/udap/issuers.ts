/** Where a certificate says that those of its authority are (RFC 5280 §4.2.2.1, `caIssuers`). */
import { AuthorityInfoAccessExtension, BasicConstraintsExtension, X509Certificate, X509Certificates } from './x509.ts';

const mostCertificates = 20;

/** The http(s) addresses of its authority's certificates. */
export function issuerAddresses(certificate: X509Certificate): string[] {
  const named = certificate.getExtension(AuthorityInfoAccessExtension)?.caIssuers ?? [];
  return named.filter(({ type, value }) => type === 'url' && /^https?:/.test(value)).map(({ value }) => value);
}

/** The certificates of authorities in an answer: one in DER, some of PKCS #7, or PEM. @throws Error where there is none */
export function readIssuers(bytes: Buffer): X509Certificate[] {
  const found = certificatesIn(bytes).filter((one) => one.getExtension(BasicConstraintsExtension)?.ca === true);
  if (found.length === 0) throw new Error('the answer has no certificate of an authority');
  return found.slice(0, mostCertificates);
}

function certificatesIn(bytes: Buffer): X509Certificate[] {
  const isPem = bytes.subarray(0, 64).toString('latin1').includes('-----BEGIN');
  const raw = isPem ? bytes.toString('latin1') : new Uint8Array(bytes);
  try {
    return [new X509Certificate(raw)];
  } catch {
    return [...new X509Certificates(raw as string)];
  }
}
