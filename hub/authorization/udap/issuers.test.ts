import { expect, test } from 'vitest';
import { readIssuers } from './issuers.ts';
import { testRoot } from './testing.ts';
import { X509Certificates } from './x509.ts';

test('certificates of authorities are read as DER, PEM and PKCS #7; others are not taken for any', async () => {
  const root = await testRoot('Root');
  const client = await root.issue('Client', 'https://client.example');
  const names = (bytes: Buffer) => readIssuers(bytes).map(({ subject }) => subject);
  expect(names(Buffer.from(root.certificate.rawData))).toEqual(['CN=Root']);
  expect(names(Buffer.from(root.certificate.toString('pem')))).toEqual(['CN=Root']);
  const both = new X509Certificates([client.certificate, root.certificate]);
  expect(names(Buffer.from(both.export('raw') as ArrayBuffer))).toEqual(['CN=Root']);
  expect(() => readIssuers(Buffer.from(client.certificate.rawData))).toThrow('no certificate of an authority');
  expect(() => readIssuers(Buffer.from('nothing'))).toThrow();
});
