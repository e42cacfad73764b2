/**
 * Clients that show who they are by the certificate with which they connected, and tokens that are good with it only
 * (RFC 8705), as `oidc-provider` asks for it.
 */
import type { X509Certificate } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { clientCertificate } from '../client-certificate.ts';

export const mutualTlsMethods = ['tls_client_auth', 'self_signed_tls_client_auth'];

/** @param isAsked whether the hub asks clients for certificates */
export function mutualTls(isAsked: boolean): object {
  return {
    enabled: isAsked,
    certificateBoundAccessTokens: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: true,
    getCertificate: ({ req }: KoaContextWithOIDC) => {
      const certificate = clientCertificate(req)?.certificate;
      return certificate && certificate.validToDate.getTime() > Date.now() ? certificate : undefined;
    },
    certificateAuthorized: ({ req }: KoaContextWithOIDC) => clientCertificate(req)?.isVerified === true,
    certificateSubjectMatches: ({ req }: KoaContextWithOIDC, property: string, expected: string) => {
      const shown = clientCertificate(req);
      return shown !== undefined && isFor(shown.certificate, property, expected);
    },
  };
}

/** After the provider: tells of the certificate by which a client got its token. */
export function toldCertificates(
  seen: (client: string, certificate: X509Certificate) => void,
): Parameters<Provider['use']>[0] {
  return async (ctx, next) => {
    await next();
    const { client } = (ctx as unknown as KoaContextWithOIDC).oidc ?? {};
    if (ctx.path !== '/token' || ctx.status !== 200 || !mutualTlsMethods.includes(client?.clientAuthMethod ?? ''))
      return;
    const shown = clientCertificate(ctx.req);
    if (shown) seen(client!.clientId, shown.certificate);
  };
}

/** Whether a certificate is for the subject that a client was registered with (RFC 8705 §2.1.2). */
export function isFor(certificate: X509Certificate, property: string, expected: string): boolean {
  const names = alternativeNames(certificate.subjectAltName ?? '');
  const has = (kind: string, isSame: (value: string) => boolean) =>
    names.some((name) => name.kind === kind && isSame(name.value));
  switch (property) {
    case 'tls_client_auth_subject_dn':
      return plainName(subjectOf(certificate)) === plainName(expected);
    case 'tls_client_auth_san_dns':
      return has('DNS', (value) => value.toLowerCase() === expected.toLowerCase());
    case 'tls_client_auth_san_uri':
      return has('URI', (value) => value === expected);
    case 'tls_client_auth_san_ip':
      return certificate.checkIP(expected) !== undefined;
    case 'tls_client_auth_san_email':
      return has('email', (value) => value === expected);
    default:
      return false;
  }
}

/** The subject as RFC 4514 writes it: the last part first. Node writes one part a line, the first first, escaped likewise. */
function subjectOf({ subject }: X509Certificate): string {
  return subject
    .split('\n')
    .reverse()
    .map((part) => part.replaceAll(' + ', '+'))
    .join(',');
}

/** A name without the freedoms that its writer has: blanks behind commas, small letters of types. */
function plainName(name: string): string {
  return name.trim().replace(/(^|(?<!\\)[,+]) *([A-Za-z][A-Za-z0-9-]*|[\d.]+) *= */g, (_, before, type) => {
    return `${before}${type.toUpperCase()}=`;
  });
}

/** Node lists them as `DNS:a.example, URI:"https://…"`; what could be mistaken for another name is quoted as in JSON. */
function alternativeNames(list: string): { kind: string; value: string }[] {
  const one = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
  const names: { kind: string; value: string }[] = [];
  for (let match = one.exec(list); match; match = one.exec(list)) {
    const [, kind, value] = match as unknown as [string, string, string];
    names.push({ kind, value: value.startsWith('"') ? JSON.parse(value) : value });
  }
  return names;
}
