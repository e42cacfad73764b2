/** Whether certificates of one kind are revoked, by the rule that the operator chose for these, and by the lists of their authorities. */
import type { RevocationSources } from './revocation-sources.ts';
import type { RevocationRule } from './udap/revocation-rules.ts';
import type { X509Certificate, X509Crl } from './udap/x509.ts';

/** By their OIDs as they are encoded: lists (2.5.29.31) and responders (1.3.6.1.5.5.7.48.1) that a certificate may name. */
const naming = [Buffer.from('0603551d1f', 'hex'), Buffer.from('06082b06010505073001', 'hex')];

export interface CertificateRevocationParts {
  rule: RevocationRule;
  /** Files or addresses of revocation lists. */
  lists: readonly string[];
  sources: RevocationSources;
}

export class CertificateRevocation {
  readonly #parts: CertificateRevocationParts;

  constructor(parts: CertificateRevocationParts) {
    this.#parts = parts;
  }

  get isAsked(): boolean {
    return this.#parts.rule !== 'off';
  }

  /**
   * Whether there is anything to ask about a certificate, which is told without reading it: what reads certificates takes some
   * 26 MiB of memory. Where there is nothing, `check` finds nothing against it.
   * @param der the certificate
   */
  isOpen(der: Buffer): boolean {
    const { rule, lists } = this.#parts;
    if (rule === 'off') return false;
    return rule === 'required' || lists.length > 0 || naming.some((oid) => der.includes(oid));
  }

  /** @throws Untrusted where the certificate is revoked, or that must be known and is not */
  async check(certificate: X509Certificate, issuer: X509Certificate, now = new Date()): Promise<void> {
    const { rule, sources } = this.#parts;
    if (rule === 'off') return;
    const [revocations, lists] = await Promise.all([sources.opened(), this.#lists()]);
    await revocations.check(certificate, issuer, { rule, lists }, now);
  }

  /**
   * As `check`, of a certificate that is trusted by itself, not by a path to an authority.
   * @param atHand certificates among which its authority's may be
   */
  async checkPinned(certificate: X509Certificate, atHand: readonly X509Certificate[], now = new Date()): Promise<void> {
    const { rule, lists, sources } = this.#parts;
    if (rule === 'off') return;
    const [{ Unlearned }, { namesSomebody }, revocations] = await Promise.all([
      import('./udap/chain.ts'),
      import('./udap/revocation.ts'),
      sources.opened(),
    ]);
    // Nobody tells of it, whoever its authority is.
    if (rule !== 'required' && lists.length === 0 && !namesSomebody(certificate)) return;
    const issuer = await revocations.issuerOf(certificate, atHand, now).catch((error) => {
      if (rule === 'reachable' && error instanceof Unlearned) return undefined;
      throw error;
    });
    if (issuer) await this.check(certificate, issuer, now);
  }

  /** Those that the operator named. @throws Unlearned where one cannot be had, and somebody must tell */
  async #lists(): Promise<X509Crl[]> {
    const { rule, lists, sources } = this.#parts;
    const found = lists.map((one) =>
      sources.lists(one).catch(async () => {
        if (rule === 'reachable') return [];
        const { Unlearned } = await import('./udap/chain.ts');
        throw new Unlearned('a revocation list cannot be had');
      }),
    );
    return (await Promise.all(found)).flat();
  }
}
