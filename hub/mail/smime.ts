/**
 * S/MIME (RFC 8551): a MIME entity signed (detached, SHA-256) and then encrypted (AES-256-CBC, the key by RSA) as CMS
 * (RFC 5652). Structures by `pkijs`, arithmetic by Node.
 */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  constants as cryptoConstants,
  publicEncrypt,
  randomBytes,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';

/** Who signs: a certificate with its chain, and its key, as PEM. */
export interface Signer {
  certificates: string;
  key: string;
}

const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const oid = {
  rsa: '1.2.840.113549.1.1.1',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256: '2.16.840.1.101.3.4.2.1',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
};

/** The certificates in a PEM text. */
export function certificatesIn(text: string): X509Certificate[] {
  return (text.match(pem) ?? []).map((one) => new X509Certificate(one));
}

/** An entity with its signature beside it (multipart/signed). @param entity with CRLF line ends */
export async function signedEntity(entity: string, { certificates, key }: Signer): Promise<string> {
  const signature = await detachedSignature(Buffer.from(entity), certificates, key);
  const boundary = `signed-${randomUUID()}`;
  return [
    `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    entity,
    `--${boundary}`,
    'Content-Type: application/pkcs7-signature; name="smime.p7s"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="smime.p7s"',
    '',
    base64(signature),
    `--${boundary}--`,
    '',
  ].join('\r\n');
}

/** An entity that only the holder of a certificate's key can read (application/pkcs7-mime). */
export async function encryptedEntity(entity: string, recipient: X509Certificate): Promise<string> {
  return [
    'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="smime.p7m"',
    '',
    base64(await enveloped(Buffer.from(entity), recipient)),
    '',
  ].join('\r\n');
}

/** Lines of 76 characters (RFC 2045 §6.8). */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('base64')
    .replaceAll(/.{76}(?=.)/g, '$&\r\n');
}

async function detachedSignature(content: Buffer, certificates: string, key: string): Promise<Uint8Array> {
  const [pki, { Null, ObjectIdentifier, OctetString, UTCTime }] = await libraries();
  const chain = certificatesIn(certificates).map(({ raw }) => pki.Certificate.fromBER(raw));
  const own = chain[0]!;
  const privateKey = createPrivateKey(key);
  const sha256 = new pki.AlgorithmIdentifier({ algorithmId: oid.sha256, algorithmParams: new Null() });
  const attribute = (type: string, value: object) => new pki.Attribute({ type, values: [value] });
  // In the order of their encodings, as DER has a set.
  const signedAttrs = new pki.SignedAndUnsignedAttributes({
    type: 0,
    attributes: [
      attribute(oid.contentType, new ObjectIdentifier({ value: pki.ContentInfo.DATA })),
      attribute(oid.signingTime, new UTCTime({ valueDate: new Date() })),
      attribute(oid.messageDigest, new OctetString({ valueHex: createHash('sha256').update(content).digest() })),
    ],
  });
  const signed = Buffer.from(signedAttrs.toSchema().toBER());
  // As a SET, not as the tagged element that it is in the message (RFC 5652 §5.4).
  signed[0] = 0x31;
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const signatureAlgorithm = isRsa
    ? new pki.AlgorithmIdentifier({ algorithmId: oid.sha256WithRsa, algorithmParams: new Null() })
    : new pki.AlgorithmIdentifier({ algorithmId: oid.ecdsaWithSha256 });
  const { issuer, serialNumber } = own;
  const data = new pki.SignedData({
    version: 1,
    digestAlgorithms: [sha256],
    encapContentInfo: new pki.EncapsulatedContentInfo({ eContentType: pki.ContentInfo.DATA }),
    certificates: chain,
    signerInfos: [
      new pki.SignerInfo({
        version: 1,
        sid: new pki.IssuerAndSerialNumber({ issuer, serialNumber }),
        digestAlgorithm: sha256,
        signedAttrs,
        signatureAlgorithm,
        signature: new OctetString({ valueHex: sign('sha256', signed, privateKey) }),
      }),
    ],
  });
  return messageOf(pki, pki.ContentInfo.SIGNED_DATA, data.toSchema(true));
}

async function enveloped(content: Buffer, recipient: X509Certificate): Promise<Uint8Array> {
  const [pki, { Null, OctetString }] = await libraries();
  const [key, iv] = [randomBytes(32), randomBytes(16)];
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(content), cipher.final()]);
  const padding = cryptoConstants.RSA_PKCS1_PADDING;
  const { issuer, serialNumber } = pki.Certificate.fromBER(recipient.raw);
  const transported = new pki.KeyTransRecipientInfo({
    version: 0,
    rid: new pki.IssuerAndSerialNumber({ issuer, serialNumber }),
    keyEncryptionAlgorithm: new pki.AlgorithmIdentifier({ algorithmId: oid.rsa, algorithmParams: new Null() }),
    encryptedKey: new OctetString({ valueHex: publicEncrypt({ key: recipient.publicKey, padding }, key) }),
  });
  const data = new pki.EnvelopedData({
    version: 0,
    recipientInfos: [new pki.RecipientInfo({ variant: 1, value: transported })],
    encryptedContentInfo: new pki.EncryptedContentInfo({
      contentType: pki.ContentInfo.DATA,
      contentEncryptionAlgorithm: new pki.AlgorithmIdentifier({
        algorithmId: oid.aes256Cbc,
        algorithmParams: new OctetString({ valueHex: iv }),
      }),
      encryptedContent: new OctetString({ valueHex: encrypted }),
    }),
  });
  return messageOf(pki, pki.ContentInfo.ENVELOPED_DATA, data.toSchema());
}

function libraries() {
  return Promise.all([import('pkijs'), import('asn1js')]);
}

function messageOf(pki: typeof import('pkijs'), contentType: string, content: object): Uint8Array {
  return new Uint8Array(new pki.ContentInfo({ contentType, content }).toSchema().toBER());
}
