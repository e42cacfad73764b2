/**
 * Whether a certificate is trusted by those that somebody chose, and not revoked; what reads certificates is loaded when it is
 * first asked.
 */
import type { X509Certificate } from 'node:crypto';
import type { CertificateRevocation } from './certificate-revocation.ts';

/** Why a certificate is not trusted. */
export interface CertificateDistrust {
  /** The rest of a sentence. */
  why: string;
  /** It cannot be learned now; another time may tell. */
  isPassing: boolean;
}

/**
 * @param trusted the certificate itself, or authorities that a path leads to
 * @param others may stand between
 * @returns undefined where it is trusted
 */
export function distrustOf(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  revocation: CertificateRevocation,
  now = new Date(),
): Promise<CertificateDistrust | undefined> {
  return heldAgainst(async ({ checkHolds, checkTrust }, read) => {
    const isPinned = trusted.some(({ raw }) => raw.equals(certificate.raw));
    if (isPinned) {
      checkHolds(read(certificate), now);
      return revocation.checkPinned(read(certificate), [...trusted, ...others].map(read), now);
    }
    const terms = {
      anchors: trusted.map(read),
      revocation: (...asked: Parameters<CertificateRevocation['check']>) => revocation.check(...asked),
    };
    await checkTrust(read(certificate), others.map(read), terms, now);
  });
}

/** Whether a certificate that is trusted by itself is revoked. @param certificates it, and others among which its authority's may be */
export async function revocationOf(
  [certificate, ...others]: readonly X509Certificate[],
  revocation: CertificateRevocation,
): Promise<CertificateDistrust | undefined> {
  if (!certificate || !revocation.isAsked) return undefined;
  return heldAgainst((_, read) => revocation.checkPinned(read(certificate), others.map(read)));
}

type Chain = typeof import('./udap/chain.ts');
type Read = (certificate: X509Certificate) => import('./udap/x509.ts').X509Certificate;

/** What a check finds against a certificate: why it throws Untrusted, or that something cannot be read. */
async function heldAgainst(
  check: (chain: Chain, read: Read) => Promise<void>,
): Promise<CertificateDistrust | undefined> {
  const [chain, x509] = await Promise.all([import('./udap/chain.ts'), import('./udap/x509.ts')]);
  try {
    await check(chain, ({ raw }) => new x509.X509Certificate(new Uint8Array(raw)));
    return undefined;
  } catch (error) {
    const why = error instanceof chain.Untrusted ? error.message : 'a certificate cannot be read';
    return { why, isPassing: error instanceof chain.Unlearned };
  }
}
