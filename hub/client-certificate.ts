/** The certificate that a client showed when it connected by HTTPS. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

export interface ClientCertificate {
  certificate: X509Certificate;
  /** SHA-256 of it in base64url, by which tokens are bound to it (RFC 8705 §3.1). */
  thumbprint: string;
  /** Whether an authority that the hub trusts for clients signed it, and it has not ended. */
  isVerified: boolean;
}

const shown = new WeakMap<Socket, Omit<ClientCertificate, 'isVerified'> | undefined>();

/** Undefined where none was asked for or shown, and where the request came by plain HTTP. */
export function clientCertificate({ socket }: Pick<IncomingMessage, 'socket'>): ClientCertificate | undefined {
  const { authorized } = socket as TLSSocket;
  if (!shown.has(socket)) shown.set(socket, read(socket as TLSSocket));
  const known = shown.get(socket);
  // A connection may outlive what it was made with.
  return known && { ...known, isVerified: authorized && known.certificate.validToDate.getTime() > Date.now() };
}

function read(socket: TLSSocket): Omit<ClientCertificate, 'isVerified'> | undefined {
  const certificate = socket.getPeerX509Certificate?.();
  return certificate && { certificate, thumbprint: createHash('sha256').update(certificate.raw).digest('base64url') };
}
