/** Whether a certificate is trusted by those that somebody chose; what reads certificates is loaded when it is first asked. */
import type { X509Certificate } from 'node:crypto';

/**
 * @param trusted the certificate itself, or authorities that a path leads to
 * @param others may stand between
 * @returns why it is not trusted, as a sentence without its end; undefined where it is
 */
export async function distrustOf(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  now = new Date(),
): Promise<string | undefined> {
  const [{ checkHolds, checkTrust, Untrusted }, x509] = await Promise.all([
    import('./udap/chain.ts'),
    import('./udap/x509.ts'),
  ]);
  const read = ({ raw }: X509Certificate) => new x509.X509Certificate(new Uint8Array(raw));
  try {
    const isPinned = trusted.some(({ raw }) => raw.equals(certificate.raw));
    if (isPinned) checkHolds(read(certificate), now);
    else
      await checkTrust(read(certificate), others.map(read), { anchors: trusted.map(read), revocation: undefined }, now);
    return undefined;
  } catch (error) {
    return error instanceof Untrusted ? error.message : 'a certificate cannot be read';
  }
}
