/**
 * Whose mail it is: the participant that has the sender's address, where a certificate for that address signed it, and that
 * certificate is trusted for the participant (Applicability Statement for Secure Health Transport, 1.4 and 4).
 */
import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type CertificateDistrust, type CertificateRevocation, distrustOf } from '../authorization/index.ts';
import { certificatesIn, type SignedContent } from '../mail/index.ts';
import type { DirectSenders, Participant } from '../trust/index.ts';

export interface Sender {
  participant: string;
  address: string;
  /** By which it signed. */
  certificate: X509Certificate;
  /** With which it is written to, as PEM; undefined where none is known. */
  writtenWith: string | undefined;
}

/** @returns why it is nobody's, as a sentence, where no participant can be found @param address in lower case */
export async function senderOf(
  participants: readonly Participant[],
  address: string,
  signed: Pick<SignedContent, 'signers' | 'certificates'>,
  revocation: CertificateRevocation,
): Promise<Sender | CertificateDistrust> {
  const bound = signed.signers.filter((certificate) => isFor(certificate, address));
  if (bound.length === 0)
    return { why: 'The certificate of the signature is for another address than the sender’s.', isPassing: false };
  let nobody: CertificateDistrust = { why: 'The sender is not known here.', isPassing: false };
  for (const [participant, { trust }] of possible(participants, address)) {
    const trusted = certificatesIn(await readFile(trust, 'utf8'));
    for (const certificate of bound) {
      const distrust = await distrustOf(certificate, signed.certificates, trusted, revocation);
      if (distrust === undefined)
        return {
          participant: participant.key,
          address,
          certificate,
          writtenWith: await writtenWith(participant, address, certificate),
        };
      // Of several that might be meant, one that may be trusted another time counts.
      if (nobody.isPassing) continue;
      const why = `The certificate of the signature is not trusted for the sender: ${distrust.why}.`;
      nobody = { why, isPassing: distrust.isPassing };
    }
  }
  return nobody;
}

/** Whether a certificate is for an address, or for all of its domain: by its alternative names alone. */
export function isFor(certificate: X509Certificate, address: string): boolean {
  const domain = address.slice(address.indexOf('@') + 1);
  return (
    certificate.checkEmail(address, { subject: 'never' }) !== undefined ||
    certificate.checkHost(domain, { subject: 'never', wildcards: false }) !== undefined
  );
}

/** The certificate by which an address signs, or the one by which it is sent documents. */
async function writtenWith(
  { routes = [] }: Participant,
  address: string,
  certificate: X509Certificate,
): Promise<string | undefined> {
  if (certificate.publicKey.asymmetricKeyType === 'rsa') return certificate.toString();
  const route = routes.find(({ to }) => 'direct' in to && to.direct.address.toLowerCase() === address);
  return route && 'direct' in route.to ? readFile(route.to.direct.certificate, 'utf8') : undefined;
}

/** Who may have an address: those who name it before those who name its domain. */
function possible(participants: readonly Participant[], address: string): [Participant, DirectSenders][] {
  const domain = address.slice(address.indexOf('@') + 1);
  const all = participants.flatMap((one) =>
    sendersOf(one).map((senders) => [one, senders] as [Participant, DirectSenders]),
  );
  const naming = (name: string) => all.filter(([, { senders }]) => senders.some((one) => one.toLowerCase() === name));
  return [...naming(address), ...naming(domain)];
}

/** The addresses of a participant: those that its settings name, and those to which it is sent Direct mail. */
function sendersOf({ transport, routes = [] }: Participant): DirectSenders[] {
  const sentTo = routes.flatMap(({ to }) => ('direct' in to ? [to.direct] : []));
  return [
    ...(transport?.direct ? [transport.direct] : []),
    ...sentTo.map(({ address, certificate }) => ({ senders: [address], trust: certificate })),
  ];
}
