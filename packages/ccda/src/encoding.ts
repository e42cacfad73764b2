/**
 * From bytes to characters as XML 1.0 §4.3.3 and appendix F say: byte order mark first, then the XML declaration,
 * then UTF-8.
 */

export type DecodeResult = { ok: true; text: string; encoding: string } | { ok: false; message: string };

const DECLARED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'utf-8': 'utf-8',
    utf8: 'utf-8',
    'utf-16': 'utf-16le',
    'utf-16le': 'utf-16le',
    'utf-16be': 'utf-16be',
    'us-ascii': 'utf-8',
    ascii: 'utf-8',
    'iso-8859-1': 'latin1',
    latin1: 'latin1',
    'windows-1252': 'windows-1252',
    cp1252: 'windows-1252',
  }),
);

/**
 * Decodes a document. Bytes that the encoding does not allow are an error: a silently replaced character could be
 * part of a dose or of a name.
 * @param isCut the bytes are the beginning of a document, and may end within a character, which is left out
 */
export function decodeXml(bytes: Uint8Array, isCut = false): DecodeResult {
  const encoding = sniff(bytes);
  if (encoding === undefined) {
    return {
      ok: false,
      message: 'the declared encoding is not supported: send UTF-8, UTF-16, ISO-8859-1 or windows-1252',
    };
  }
  if (encoding === 'latin1') {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    return { ok: true, text, encoding: 'iso-8859-1' };
  }
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: isCut });
    return { ok: true, text, encoding };
  } catch {
    return {
      ok: false,
      message: `the bytes are not valid ${encoding}; declare the encoding the document is written in`,
    };
  }
}

function sniff(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0x3c && b === 0 && d === 0) return 'utf-16le';
  if (a === 0 && b === 0x3c && c === 0) return 'utf-16be';
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString('latin1');
  const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1]?.toLowerCase();
  if (declared === undefined) return 'utf-8';
  const encoding = DECLARED.get(declared);
  return encoding?.startsWith('utf-16') ? 'utf-8' : encoding;
}
