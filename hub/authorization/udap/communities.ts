/**
 * The trust communities that the hub belongs to, as a file of the operator's describes them: whose certificates are trusted,
 * what is revoked, and the certificate by which the hub shows itself there.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Anchors, checkTrust, keyOf, urisOf } from './chain.ts';
import {
  type DescribedCommunity,
  type DescribedProvider,
  type DescribedTiered,
  describedCommunities,
} from './community-file.ts';
import type { Revocations } from './revocation.ts';
import { readLists } from './revocation-lists.ts';
import type { RevocationRule } from './revocation-rules.ts';
import { PemConverter, X509Certificate, type X509Crl } from './x509.ts';

export interface Community extends Anchors {
  /** By which clients name it. */
  uri: string;
  name: string;
  rule: RevocationRule;
  server: ServerCertificate;
  /** By which the hub signs as an identity provider; undefined where it signs nobody in for others of the community. */
  provider: ServerCertificate | undefined;
  /** Where users of apps may be signed in by identity providers of the community; paths are absolute. */
  tiered: Required<DescribedTiered> | undefined;
}

/** The certificate by which the hub signs what it tells of itself. */
export interface ServerCertificate {
  /** The certificate and those between it and an anchor: DER in base64. */
  x5c: string[];
  key: KeyObject;
  alg: 'RS256' | 'ES256' | 'ES384';
  uris: string[];
  expires: Date;
}

/** The communities that can be read, and what is wrong with the others. */
export interface ReadCommunities {
  communities: Community[];
  faults: string[];
}

/**
 * Reads the file and all that it names.
 * @throws Error where the file itself is not as it must be
 */
export async function readCommunities(file: string, revocations: Revocations): Promise<ReadCommunities> {
  const described = describedCommunities(JSON.parse(await readFile(file, 'utf8')));
  const folder = dirname(resolve(file));
  const read = await Promise.allSettled(described.map((one) => community(one, folder, revocations)));
  return {
    communities: read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    faults: read.flatMap((one, i) =>
      one.status === 'rejected' ? [`${described[i]!.name}: ${(one.reason as Error).message}`] : [],
    ),
  };
}

async function community(described: DescribedCommunity, folder: string, revocations: Revocations): Promise<Community> {
  const { uri, name, crls = [], revocation: rule = 'required' } = described;
  const anchors = await certificatesOf(resolve(folder, described.anchors));
  if (anchors.length === 0) throw new Error('the anchors must be a PEM file.');
  const lists = (await Promise.all(crls.map((crl) => listsOf(crl, folder, revocations)))).flat();
  const by = (one: RevocationRule): Anchors['revocation'] =>
    one === 'off'
      ? undefined
      : (certificate, issuer, now) => revocations.check(certificate, issuer, { rule: one, lists }, now);
  // Of the hub's own certificates others ask; that nobody answers for a while is no reason to leave the community.
  const trust = { anchors, revocation: by(rule === 'off' ? 'off' : 'reachable') };
  const own = (named: DescribedProvider) => ownCertificate(named, folder, trust);
  const server = await own(described);
  const provider = described.provider && (await own(described.provider));
  const { tiered } = described;
  const files = Object.entries(tiered?.accounts ?? {}).map(([idp, file]) => [idp, resolve(folder, file)]);
  return {
    ...{ uri, name, rule, anchors, revocation: by(rule), server, provider },
    tiered: tiered && { ...tiered, accounts: Object.fromEntries(files) },
  };
}

async function ownCertificate(named: DescribedProvider, folder: string, trust: Anchors): Promise<ServerCertificate> {
  const chain = await certificatesOf(resolve(folder, named.certificate));
  const [own, ...between] = chain;
  if (!own) throw new Error('the certificate must be a PEM file.');
  const key = createPrivateKey(await readFile(resolve(folder, named.key)));
  const isPair = keyOf(own).equals(createPublicKey(key));
  if (!isPair) throw new Error('the key is not that of the certificate.');
  await checkTrust(own, between, trust);
  const x5c = chain.map((one) => Buffer.from(one.rawData).toString('base64'));
  return { x5c, key, alg: algorithmOf(key), uris: urisOf(own), expires: own.notAfter };
}

async function certificatesOf(path: string): Promise<X509Certificate[]> {
  return pems(await readFile(path, 'utf8')).map((der) => new X509Certificate(der));
}

async function listsOf(from: string, folder: string, revocations: Revocations): Promise<readonly X509Crl[]> {
  if (!/^https?:/.test(from)) return readLists(await readFile(resolve(folder, from)));
  return revocations.lists(from).catch((error) => {
    throw new Error(`the revocation list at ${from} cannot be had: ${(error as Error).message}`);
  });
}

function pems(text: string): ArrayBuffer[] {
  return PemConverter.isPem(text) ? PemConverter.decode(text) : [];
}

/** HL7 asks for RS256 of servers; keys of elliptic curves have their own. */
function algorithmOf(key: KeyObject): ServerCertificate['alg'] {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  if (curve === 'prime256v1') return 'ES256';
  if (curve === 'secp384r1') return 'ES384';
  throw new Error('the key must be RSA, or EC on P-256 or P-384.');
}
