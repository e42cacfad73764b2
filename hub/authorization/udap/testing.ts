/** A trust community for tests, made when it is needed: its authority, certificates, revocation lists, and what clients sign. */
import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactVerify, decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import { keyOf, readCertificates, urisOf } from './chain.ts';
import type { RevocationRule } from './revocation-rules.ts';
import {
  BasicConstraintsExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from './x509.ts';

type Keys = CryptoKeyPair;

const algorithms = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
} as const;
export type TestAlgorithm = keyof typeof algorithms;

const day = 24 * 3600 * 1000;
export const inDays = (days: number) => new Date(Date.now() + days * day);

/** What a certificate is to be other than usual. */
export interface Wishes {
  alg?: TestAlgorithm;
  notBefore?: Date;
  notAfter?: Date;
  /** In place of the usual ones. */
  extensions?: Extension[];
  hash?: string;
}

/** A certificate with its key, and those that lead from it to the root. */
export class TestHolder {
  readonly certificate: X509Certificate;
  readonly keys: Keys;
  readonly alg: TestAlgorithm;
  readonly between: X509Certificate[];

  constructor(certificate: X509Certificate, keys: Keys, alg: TestAlgorithm, between: X509Certificate[]) {
    this.certificate = certificate;
    this.keys = keys;
    this.alg = alg;
    this.between = between;
  }

  get x5c(): string[] {
    return [this.certificate, ...this.between].map(({ rawData }) => Buffer.from(rawData).toString('base64'));
  }

  sign(claims: object, header: object = {}): Promise<string> {
    return new SignJWT(claims as Record<string, unknown>)
      .setProtectedHeader({ alg: this.alg, x5c: this.x5c, ...header })
      .sign(this.keys.privateKey);
  }

  /** A certificate that this one signs; `uri` stands in its Subject Alternative Name. */
  async issue(name: string, uri: string | undefined, wishes: Wishes = {}): Promise<TestHolder> {
    const alg = wishes.alg ?? 'ES256';
    const keys = await newKeys(alg);
    const usual = [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      ...(uri === undefined ? [] : [new SubjectAlternativeNameExtension([{ type: 'url', value: uri }])]),
    ];
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: `CN=${name}`,
      issuer: this.certificate.subject,
      notBefore: wishes.notBefore ?? inDays(-1),
      notAfter: wishes.notAfter ?? inDays(30),
      signingAlgorithm: { ...algorithms[this.alg], hash: wishes.hash ?? algorithms[this.alg].hash } as never,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: wishes.extensions ?? usual,
    });
    const isRoot = this.certificate.subject === this.certificate.issuer;
    return new TestHolder(certificate, keys, alg, isRoot ? [] : [this.certificate, ...this.between]);
  }

  /** An authority below this one. */
  authority(name: string, pathLength?: number): Promise<TestHolder> {
    return this.issue(name, undefined, { extensions: authorityExtensions(pathLength) });
  }

  /** A list of what this authority revoked, DER. */
  async revocations(revoked: readonly TestHolder[], nextUpdate = inDays(7), thisUpdate = inDays(-1)): Promise<Buffer> {
    const list = await X509CrlGenerator.create({
      // As it is encoded there.
      issuer: this.certificate.subjectName,
      thisUpdate,
      nextUpdate,
      signingAlgorithm: algorithms[this.alg] as never,
      signingKey: this.keys.privateKey,
      entries: revoked.map(({ certificate }) => ({ serialNumber: certificate.serialNumber })),
    });
    return Buffer.from(list.rawData);
  }
}

export async function testRoot(name: string, alg: TestAlgorithm = 'ES256'): Promise<TestHolder> {
  const keys = await newKeys(alg);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=${name}`,
    notBefore: inDays(-2),
    notAfter: inDays(60),
    signingAlgorithm: algorithms[alg] as never,
    keys,
    extensions: authorityExtensions(),
  });
  return new TestHolder(certificate, keys, alg, []);
}

/** Files of a community as its description names them. */
export async function writeCommunity(
  folder: string,
  {
    uri,
    name,
    root,
    server,
    revoked,
    revocation,
  }: {
    uri: string;
    name: string;
    root: TestHolder;
    server: TestHolder;
    revoked?: Buffer;
    revocation?: RevocationRule;
  },
): Promise<object> {
  const path = (end: string) => `${name}.${end}`;
  const write = (end: string, content: string | Buffer) => writeFileSync(join(folder, path(end)), content);
  write('anchors.pem', root.certificate.toString('pem'));
  write('server.pem', [server.certificate, ...server.between].map((one) => one.toString('pem')).join('\n'));
  const key = await crypto.subtle.exportKey('pkcs8', server.keys.privateKey);
  write('server.key', PemConverter.encode(key, 'PRIVATE KEY'));
  if (revoked) write('crl', revoked);
  return {
    uri,
    name,
    anchors: path('anchors.pem'),
    certificate: path('server.pem'),
    key: path('server.key'),
    ...(revoked ? { crls: [path('crl')] } : {}),
    ...(revocation ? { revocation } : {}),
  };
}

/** The claims of a software statement of a service without users. */
export function statementClaims(uri: string, endpoint: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: uri,
    sub: uri,
    aud: endpoint,
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
    client_name: 'A service of Harbor',
    contacts: ['mailto:operations@harbor.example'],
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    scope: 'system/Patient.rs system/Observation.rs',
    ...more,
  };
}

/** In place of those of a service: an app with users. */
export const appClaims = {
  client_name: 'An app of Harbor',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['https://app.example/back'],
  logo_uri: 'https://app.example/logo.png',
  scope: 'launch/patient offline_access patient/Patient.rs patient/Observation.rs',
};

/** The claims of the JWT by which a client shows who it is. */
export function assertionClaims(client: string, endpoint: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1000);
  return { iss: client, sub: client, aud: endpoint, iat: now, exp: now + 300, jti: randomUUID(), ...more };
}

/** The extension that says for whom and why a service asks. */
export function b2b(organization: string, more: object = {}): object {
  return {
    extensions: {
      'hl7-b2b': {
        version: '1',
        organization_id: organization,
        organization_name: 'Harbor Hospital',
        purpose_of_use: ['urn:oid:2.16.840.1.113883.5.8#TREAT'],
        ...more,
      },
    },
  };
}

export function authorityExtensions(pathLength?: number): Extension[] {
  return [
    new BasicConstraintsExtension(true, pathLength, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}

function newKeys(alg: TestAlgorithm): Promise<Keys> {
  return crypto.subtle.generateKey(algorithms[alg], true, ['sign', 'verify']) as Promise<Keys>;
}

function serial(): string {
  return `01${randomBytes(8).toString('hex')}`;
}

/** A JWT with a certificate, its signature verified with that one's key. */
export async function readSigned(
  jwt: string,
): Promise<{ alg: string | undefined; claims: JWTPayload; uris: string[]; issuer: string }> {
  const { alg, x5c } = decodeProtectedHeader(jwt);
  const [certificate] = readCertificates(x5c);
  await compactVerify(jwt, keyOf(certificate));
  return { alg, claims: decodeJwt(jwt), uris: urisOf(certificate), issuer: certificate.issuer };
}
