/**
 * Opens S/MIME (RFC 8551, CMS of RFC 5652): decrypts what was encrypted for the hub's certificate, and verifies the
 * signatures of what is inside. Structures by `pkijs`, arithmetic by Node. What cannot be decrypted and what is not verified
 * are told alike, so that nobody learns by trying ciphertexts how far they came.
 */
import {
  createDecipheriv,
  createHash,
  createPrivateKey,
  constants as cryptoConstants,
  type KeyObject,
  privateDecrypt,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { Certificate, EnvelopedData, KeyTransRecipientInfo, SignedData, SignerInfo } from 'pkijs';
import { contentType, decodedBody, type Entity, entityOf, partsOf, withLineEnds } from './mime.ts';
import { certificatesIn, type Signer } from './smime.ts';

/** A mail that is not what it has to be; the message says what is wrong, in words of the hub. */
export class UnopenedMail extends Error {
  override name = 'UnopenedMail';
}

/** What was signed, and with which certificates. Whether these may be trusted is another question. */
export interface SignedContent {
  /** What was encrypted: the content with its signatures, byte for byte. */
  signed: Buffer;
  /** The entity that was signed, byte for byte. */
  content: Buffer;
  /** Those whose signatures hold, at least one. */
  signers: X509Certificate[];
  /** All that came along. */
  certificates: X509Certificate[];
}

type Pki = typeof import('pkijs');

const ciphers: { [oid: string]: string } = {
  '2.16.840.1.101.3.4.1.2': 'aes-128-cbc',
  '2.16.840.1.101.3.4.1.22': 'aes-192-cbc',
  '2.16.840.1.101.3.4.1.42': 'aes-256-cbc',
};
const digests: { [oid: string]: string } = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const oid = {
  rsa: '1.2.840.113549.1.1.1',
  oaep: '1.2.840.113549.1.1.7',
  pss: '1.2.840.113549.1.1.10',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  keyIdentifier: '2.5.29.14',
};
/** Those with RSA (PKCS #1) and ECDSA, by themselves or named with a digest. */
const plainSignatures = /^1\.2\.840\.113549\.1\.1\.(?:1|11|12|13)$|^1\.2\.840\.10045\.(?:2\.1|4\.3\.[234])$/;
const mostRecipients = 100;
const mostSigners = 5;
const mostCertificates = 20;
const unopened = 'The mail cannot be decrypted with the certificate of this address, or its signature does not hold.';

/**
 * Decrypts a mail that is for the hub, and verifies what is in it.
 * @param own the hub's certificate, with an RSA key
 * @throws UnopenedMail
 */
export async function openMail(mail: Entity, own: Signer): Promise<SignedContent> {
  const { value, parameters } = contentType(mail);
  const isEncrypted =
    /^application\/(?:x-)?pkcs7-mime$/.test(value) &&
    (parameters['smime-type'] ?? 'enveloped-data') === 'enveloped-data';
  if (!isEncrypted)
    throw new UnopenedMail('Only encrypted mail is taken here (application/pkcs7-mime, enveloped-data).');
  try {
    const signed = await decrypted(decodedBody(mail), own);
    return { ...(await verified(signed)), signed };
  } catch {
    throw new UnopenedMail(unopened);
  }
}

/** Why a mail is not opened; nobody is told more than that it was not. */
class Unverified extends Error {}

async function decrypted(cms: Buffer, { certificates, key }: Signer): Promise<Buffer> {
  const pki = await import('pkijs');
  const info = contentInfo(pki, cms, pki.ContentInfo.ENVELOPED_DATA);
  const { recipientInfos, encryptedContentInfo }: EnvelopedData = new pki.EnvelopedData({ schema: info.content });
  const cipher = ciphers[encryptedContentInfo.contentEncryptionAlgorithm.algorithmId];
  const iv = bytesOf(encryptedContentInfo.contentEncryptionAlgorithm.algorithmParams);
  if (cipher === undefined || recipientInfos.length > mostRecipients) throw new Unverified();
  const own = pki.Certificate.fromBER(certificatesIn(certificates)[0]!.raw);
  const transported = recipientInfos
    .map(({ variant, value }) => (variant === 1 ? (value as KeyTransRecipientInfo) : undefined))
    .find((one) => one && isFor(pki, one.rid, own));
  if (!transported) throw new Unverified();
  const contentKey = transportedKey(pki, transported, createPrivateKey(key));
  const decipher = createDecipheriv(cipher, contentKey, iv);
  const encrypted = Buffer.from(encryptedContentInfo.getEncryptedContent());
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}

/** What was encrypted for a key. With PKCS #1 v1.5, Node gives random bytes where the padding is wrong. */
function transportedKey(
  pki: Pki,
  { keyEncryptionAlgorithm, encryptedKey }: KeyTransRecipientInfo,
  key: KeyObject,
): Buffer {
  const encrypted = bytesOf(encryptedKey);
  const { algorithmId, algorithmParams } = keyEncryptionAlgorithm;
  if (algorithmId === oid.rsa) return privateDecrypt({ key, padding: cryptoConstants.RSA_PKCS1_PADDING }, encrypted);
  if (algorithmId !== oid.oaep) throw new Unverified();
  const { hashAlgorithm } = new pki.RSAESOAEPParams(algorithmParams ? { schema: algorithmParams } : {});
  const oaepHash = digests[hashAlgorithm.algorithmId] ?? 'sha1';
  return privateDecrypt({ key, padding: cryptoConstants.RSA_PKCS1_OAEP_PADDING, oaepHash }, encrypted);
}

type Verified = Omit<SignedContent, 'signed'>;

async function verified(bytes: Buffer): Promise<Verified> {
  const pki = await import('pkijs');
  const entity = entityOf(bytes);
  const { value, parameters } = contentType(entity);
  if (value === 'multipart/signed') {
    const [content, signature, ...more] = partsOf(entity.body, parameters.boundary ?? '') ?? [];
    if (!content || !signature || more.length > 0) throw new Unverified();
    const data = signedData(pki, decodedBody(entityOf(signature)));
    return verifiedBy(pki, data, content) ?? verifiedBy(pki, data, withLineEnds(content)) ?? fail();
  }
  const isOpaque = /^application\/(?:x-)?pkcs7-mime$/.test(value) && parameters['smime-type'] !== 'enveloped-data';
  if (!isOpaque) throw new Unverified();
  const data = signedData(pki, decodedBody(entity));
  return verifiedBy(pki, data, bytesOf(data.encapContentInfo.eContent)) ?? fail();
}

function fail(): never {
  throw new Unverified();
}

/** Undefined where no signature holds for these bytes. */
function verifiedBy(pki: Pki, data: SignedData, content: Buffer): Verified | undefined {
  const known = (data.certificates ?? []).filter((one) => one instanceof pki.Certificate).slice(0, mostCertificates);
  const read = (one: Certificate) => new X509Certificate(Buffer.from(one.toSchema(true).toBER()));
  const signers = data.signerInfos.slice(0, mostSigners).flatMap((info) => {
    const own = known.find((one) => isFor(pki, info.sid, one));
    const certificate = own && read(own);
    return certificate && holds(pki, info, certificate.publicKey, content) ? [certificate] : [];
  });
  return signers.length > 0 ? { content, signers, certificates: known.map(read) } : undefined;
}

/** RFC 5652 §5.4, §5.6. */
function holds(pki: Pki, info: SignerInfo, key: KeyObject, content: Buffer): boolean {
  const digest = digests[info.digestAlgorithm.algorithmId];
  if (digest === undefined) return false;
  let signed = content;
  if (info.signedAttrs) {
    const value = (type: string) => {
      const found = info.signedAttrs!.attributes.filter((one) => one.type === type);
      return found.length === 1 && found[0]!.values.length === 1 ? found[0]!.values[0] : undefined;
    };
    const stated = value(oid.messageDigest);
    const isOfData = value(oid.contentType)?.valueBlock.toString() === pki.ContentInfo.DATA;
    if (!stated || !isOfData || !bytesOf(stated).equals(createHash(digest).update(content).digest())) return false;
    signed = Buffer.from(info.signedAttrs.encodedValue);
  }
  const { algorithmId, algorithmParams } = info.signatureAlgorithm;
  const signature = bytesOf(info.signature);
  if (plainSignatures.test(algorithmId)) return verify(digest, signed, key, signature);
  if (algorithmId !== oid.pss) return false;
  const { hashAlgorithm, saltLength } = new pki.RSASSAPSSParams({ schema: algorithmParams });
  const padding = cryptoConstants.RSA_PKCS1_PSS_PADDING;
  return hashAlgorithm.algorithmId === info.digestAlgorithm.algorithmId
    ? verify(digest, signed, { key, padding, saltLength }, signature)
    : false;
}

function signedData(pki: Pki, cms: Buffer): SignedData {
  return new pki.SignedData({ schema: contentInfo(pki, cms, pki.ContentInfo.SIGNED_DATA).content });
}

function contentInfo(pki: Pki, cms: Buffer, wanted: string) {
  const info = pki.ContentInfo.fromBER(new Uint8Array(cms));
  if (info.contentType !== wanted) throw new Unverified();
  return info;
}

/** Whether an identifier (issuer and serial number, or key identifier) is that of a certificate. */
function isFor(pki: Pki, id: unknown, certificate: Certificate): boolean {
  if (id instanceof pki.IssuerAndSerialNumber)
    return id.issuer.isEqual(certificate.issuer) && id.serialNumber.isEqual(certificate.serialNumber);
  const own = certificate.extensions?.find(({ extnID }) => extnID === oid.keyIdentifier)?.parsedValue;
  return own !== undefined && bytesOf(own).equals(bytesOf(id));
}

/** The bytes of an octet string, also of one that is cut in pieces. */
function bytesOf(value: unknown): Buffer {
  const { valueBlock, idBlock } = (value ?? {}) as {
    idBlock?: { isConstructed: boolean };
    valueBlock?: { valueHexView?: Uint8Array; value?: unknown[] };
  };
  if (!valueBlock) throw new Unverified();
  if (idBlock?.isConstructed) return Buffer.concat((valueBlock.value ?? []).map(bytesOf));
  if (!valueBlock.valueHexView) throw new Unverified();
  return Buffer.from(valueBlock.valueHexView);
}
