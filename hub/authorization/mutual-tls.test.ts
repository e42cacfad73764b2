import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { clientCertificate } from '../client-certificate.ts';
import { TestAuthority } from '../testing-certificates.ts';
import { isFor } from './mutual-tls.ts';

const authority = new TestAuthority();
afterAll(() => authority.remove());
afterEach(() => vi.useRealTimers());

const alternative =
  'DNS:Service.example,DNS:*.wide.example,URI:https://service.example/a,IP:10.0.0.7,IP:fd00::7,email:a@service.example';
const read = (name: string, names: string, subject?: string) =>
  new X509Certificate(readFileSync(authority.issue(name, names, subject).certificate));
const certificate = read('service', alternative, '/C=AT/O=Smith, Jones \\+ Sons/OU=Records/CN=service');

test.each([
  ['subject_dn', 'CN=service,OU=Records,O=Smith\\, Jones \\+ Sons,C=AT', true],
  ['subject_dn', 'cn=service, ou=Records, o=Smith\\, Jones \\+ Sons, c=AT', true],
  ['subject_dn', 'C=AT,O=Smith\\, Jones \\+ Sons,OU=Records,CN=service', false],
  ['subject_dn', 'CN=service', false],
  ['subject_dn', 'CN=Service,OU=Records,O=Smith\\, Jones \\+ Sons,C=AT', false],
  ['subject_dn', '', false],
  ['san_dns', 'service.EXAMPLE', true],
  ['san_dns', 'a.wide.example', false],
  ['san_dns', 'https://service.example/a', false],
  ['san_uri', 'https://service.example/a', true],
  ['san_uri', 'https://service.example/', false],
  ['san_ip', '10.0.0.7', true],
  ['san_ip', 'fd00:0:0::7', true],
  ['san_ip', '10.0.0.8', false],
  ['san_email', 'a@service.example', true],
  ['san_email', 'b@service.example', false],
  ['unknown', 'service', false],
])('a certificate is for %s %s: %s', (property, expected, isRight) => {
  expect(isFor(certificate, `tls_client_auth_${property}`, expected)).toBe(isRight);
});

test('a name within another name is none', () => {
  const sly = read('sly', '@names\n[names]\nURI.1=https://a.example/?x, DNS:service.example');
  expect(sly.subjectAltName).toContain('DNS:service.example');
  expect(isFor(sly, 'tls_client_auth_san_dns', 'service.example')).toBe(false);
});

test('a certificate that ends while its connection lasts is one no longer', () => {
  const socket = { authorized: true, getPeerX509Certificate: () => certificate } as unknown as Socket;
  expect(clientCertificate({ socket })?.isVerified).toBe(true);
  vi.setSystemTime(Date.now() + 3 * 86_400_000);
  expect(clientCertificate({ socket })?.isVerified).toBe(false);
});
