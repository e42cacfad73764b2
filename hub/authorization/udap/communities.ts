/**
 * The trust communities that the hub belongs to, as a file of the operator's describes them: whose certificates are trusted,
 * what is revoked, and the certificate by which the hub shows itself there.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Anchors, checkTrust, keyOf, urisOf } from './chain.ts';
import { PemConverter, X509Certificate, X509Crl } from './x509.ts';

export interface Community extends Anchors {
  /** By which clients name it. */
  uri: string;
  name: string;
  server: ServerCertificate;
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

/** A community as the file describes it. Paths are relative to the file. */
interface Described {
  uri: string;
  name: string;
  /** PEM file of the authorities that are trusted. */
  anchors: string;
  /** Files or addresses of revocation lists, PEM or DER. */
  crls?: string[];
  /** PEM files: the hub's certificate, with those between it and an anchor after it; and its key. */
  certificate: string;
  key: string;
}

/** The communities that can be read, and what is wrong with the others. */
export interface ReadCommunities {
  communities: Community[];
  faults: string[];
}

/**
 * Reads the file and all that it names.
 * @param fetched what an address of a revocation list gives
 * @throws Error where the file itself is not as it must be
 */
export async function readCommunities(
  file: string,
  fetched: (url: string) => Promise<Response>,
): Promise<ReadCommunities> {
  const described = checked(JSON.parse(await readFile(file, 'utf8')));
  const folder = dirname(resolve(file));
  const read = await Promise.allSettled(described.map((one) => community(one, folder, fetched)));
  return {
    communities: read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
    faults: read.flatMap((one, i) =>
      one.status === 'rejected' ? [`${described[i]!.name}: ${(one.reason as Error).message}`] : [],
    ),
  };
}

/** The files of certificates that a file of communities names; where it cannot be read, it stands for itself. */
export async function communityFiles(file: string): Promise<{ what: string; path: string }[]> {
  try {
    return checked(JSON.parse(await readFile(file, 'utf8'))).flatMap(({ name, anchors, certificate }) => [
      { what: `the trust community ${name}`, path: resolve(dirname(file), certificate) },
      { what: `the authorities of the trust community ${name}`, path: resolve(dirname(file), anchors) },
    ]);
  } catch {
    return [{ what: 'the trust communities', path: file }];
  }
}

const members = ['uri', 'name', 'anchors', 'crls', 'certificate', 'key'];

function checked(content: unknown): Described[] {
  const list = (content as { communities?: unknown })?.communities;
  if (!Array.isArray(list) || list.length === 0) throw new Error('communities must be a list of trust communities.');
  for (const one of list) {
    const unknown = Object.keys(one).find((name) => !members.includes(name));
    if (unknown !== undefined) throw new Error(`A community has ${unknown}, which is not known.`);
    for (const name of ['uri', 'name', 'anchors', 'certificate', 'key']) {
      if (typeof one[name] !== 'string' || one[name] === '') throw new Error(`A community needs ${name}, a text.`);
    }
    if (!URL.canParse(one.uri)) throw new Error(`The uri of a community must be a URI; it is ${one.uri}.`);
    const { crls } = one;
    if (crls !== undefined && !(Array.isArray(crls) && crls.every((crl) => typeof crl === 'string'))) {
      throw new Error('The crls of a community are a list of files or addresses.');
    }
  }
  if (new Set(list.map(({ uri }) => uri)).size < list.length) throw new Error('Two communities have the same uri.');
  return list as Described[];
}

async function community(
  described: Described,
  folder: string,
  fetched: (url: string) => Promise<Response>,
): Promise<Community> {
  const { uri, name } = described;
  const certificates = async (path: string) =>
    pems(await readFile(resolve(folder, path), 'utf8')).map((der) => new X509Certificate(der));
  const [anchors, chain] = await Promise.all([certificates(described.anchors), certificates(described.certificate)]);
  const [own, ...between] = chain;
  if (anchors.length === 0 || !own) throw new Error('the anchors and the certificate must be PEM files.');
  const key = createPrivateKey(await readFile(resolve(folder, described.key)));
  const isPair = keyOf(own).equals(createPublicKey(key));
  if (!isPair) throw new Error('the key is not that of the certificate.');
  const lists = described.crls && (await Promise.all(described.crls.map((crl) => revocations(crl, folder, fetched))));
  const trust = { anchors, revoked: lists?.flat() };
  await checkTrust(own, between, trust);
  const x5c = chain.map((one) => Buffer.from(one.rawData).toString('base64'));
  const server = { x5c, key, alg: algorithmOf(key), uris: urisOf(own), expires: own.notAfter };
  return { uri, name, ...trust, server };
}

async function revocations(
  from: string,
  folder: string,
  fetched: (url: string) => Promise<Response>,
): Promise<X509Crl[]> {
  const bytes = /^https?:/.test(from)
    ? Buffer.from(await answerOf(await fetched(from), from))
    : await readFile(resolve(folder, from));
  const isPem = bytes.subarray(0, 64).toString('latin1').includes('-----BEGIN');
  return isPem ? pems(bytes.toString('latin1')).map((der) => new X509Crl(der)) : [new X509Crl(bytes)];
}

async function answerOf(response: Response, from: string): Promise<ArrayBuffer> {
  if (response.status === 200) return response.arrayBuffer();
  throw new Error(`the revocation list at ${from} was answered with ${response.status}.`);
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
