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
export async function distrustOf(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  revocation: CertificateRevocation,
  now = new Date(),
): Promise<CertificateDistrust | undefined> {
  const [{ checkHolds, checkTrust, Unlearned, Untrusted }, x509] = await Promise.all([
    import('./udap/chain.ts'),
    import('./udap/x509.ts'),
  ]);
  const read = ({ raw }: X509Certificate) => new x509.X509Certificate(new Uint8Array(raw));
  try {
    const isPinned = trusted.some(({ raw }) => raw.equals(certificate.raw));
    if (isPinned) {
      checkHolds(read(certificate), now);
      await revocation.checkPinned(read(certificate), [...trusted, ...others].map(read), now);
    } else {
      const terms = {
        anchors: trusted.map(read),
        revocation: (...asked: Parameters<CertificateRevocation['check']>) => revocation.check(...asked),
      };
      await checkTrust(read(certificate), others.map(read), terms, now);
    }
    return undefined;
  } catch (error) {
    const why = error instanceof Untrusted ? error.message : 'a certificate cannot be read';
    return { why, isPassing: error instanceof Unlearned };
  }
}

/** Whether a certificate that is trusted by itself is revoked. @param certificates it, and others among which its authority's may be */
export async function revocationOf(
  [certificate, ...others]: readonly X509Certificate[],
  revocation: CertificateRevocation,
): Promise<CertificateDistrust | undefined> {
  if (!certificate || !revocation.isAsked) return undefined;
  const [{ Unlearned, Untrusted }, x509] = await Promise.all([import('./udap/chain.ts'), import('./udap/x509.ts')]);
  const read = ({ raw }: X509Certificate) => new x509.X509Certificate(new Uint8Array(raw));
  try {
    await revocation.checkPinned(read(certificate), others.map(read));
    return undefined;
  } catch (error) {
    const why = error instanceof Untrusted ? error.message : 'a certificate cannot be read';
    return { why, isPassing: error instanceof Unlearned };
  }
}
