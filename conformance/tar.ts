/** Reads tar archives (POSIX.1-1988 ustar with the GNU and pax long names) held in memory; only regular files. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';

export interface TarMember {
  path: string;
  bytes: Buffer;
}

const BLOCK = 512;

/** Whether a file's name says that it is an archive this module opens. */
export function isArchive(name: string): boolean {
  return /\.(tar|tgz|tar\.gz|tar\.zst)$/i.test(name);
}

/**
 * The files of an archive, in its order.
 * @throws Error when the archive is cut off or its compression cannot be undone
 */
export function* tarMembers(name: string, bytes: Buffer): Generator<TarMember> {
  const tar = unpacked(name, bytes);
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const size = Number.parseInt(textOf(header, 124, 12).trim() || '0', 8);
    const body = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (!(size >= 0) || body.length < size) throw new Error(`${name} is cut off: a member is not whole`);
    const kind = String.fromCharCode(header[156]!);
    if (kind === 'L') longName = textOf(body, 0, size);
    else if (kind === 'x') longName = /\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1] ?? longName;
    else {
      const prefix = textOf(header, 345, 155);
      const path = longName ?? (prefix === '' ? '' : `${prefix}/`) + textOf(header, 0, 100);
      longName = undefined;
      if (kind === '0' || kind === '\0') yield { path, bytes: body };
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function unpacked(name: string, bytes: Buffer): Buffer {
  if (/gz$/i.test(name)) return gunzipSync(bytes);
  return /zst$/i.test(name) ? zstdDecompressSync(bytes) : bytes;
}

function textOf(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString('utf8');
}
