/**
 * SMART Health Links as texts, and the encryption of their files
 * (https://hl7.org/fhir/uv/smart-health-cards-and-links, links specification). Keys are made and used in the browser alone.
 */
import { base64url, CompactEncrypt, compactDecrypt } from 'jose';

/** What a link says. */
export interface LinkPayload {
  url: string;
  /** 32 bytes, base64url. */
  key: string;
  /** Seconds since 1970. */
  exp?: number;
  flag?: string;
  label?: string;
  v?: number;
}

/** A file as it was before it was encrypted. */
export interface OpenFile {
  contentType: string;
  text: string;
}

/** Of a file after it was decompressed. */
const mostCharacters = 64 * 1024 * 1024;

/** A new key, as links have it. */
export function newKey(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

/** A key that encrypts and decrypts, and that nobody reads. */
export function usableKey(key: string): Promise<CryptoKey> {
  const bytes = new Uint8Array(base64url.decode(key));
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export function encryptFile({ contentType, text }: OpenFile, key: CryptoKey): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: contentType, zip: 'DEF' })
    .encrypt(key);
}

/** @throws Error where it is no such file, or of another key */
export async function decryptFile(jwe: string, key: CryptoKey): Promise<OpenFile> {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe.trim(), key, {
    keyManagementAlgorithms: ['dir'],
    contentEncryptionAlgorithms: ['A256GCM'],
    maxDecompressedLength: mostCharacters,
  });
  return { contentType: protectedHeader.cty ?? '', text: new TextDecoder().decode(plaintext) };
}

/** @param viewer the page that opens links */
export function writeLink(payload: LinkPayload, viewer: string): string {
  return `${viewer}#shlink:/${base64url.encode(JSON.stringify(payload))}`;
}

/** Reads a link, with or without the page before it. @throws Error that says what is wrong with it */
export function readLink(text: string): LinkPayload {
  const encoded = /shlink:\/([A-Za-z0-9_-]+)\s*$/.exec(text)?.[1];
  if (encoded === undefined) throw new Error('This is no SMART Health Link: it has no shlink:/ in it.');
  let payload: Partial<LinkPayload>;
  try {
    payload = JSON.parse(new TextDecoder().decode(base64url.decode(encoded)));
  } catch {
    throw new Error('The link is damaged, or was not copied whole.');
  }
  const { url, key, v = 1 } = payload;
  if (v !== 1) throw new Error('The link is of a later kind than this page knows.');
  if (typeof url !== 'string' || !URL.canParse(url) || typeof key !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(key))
    throw new Error('The link lacks an address or a key.');
  return payload as LinkPayload;
}
