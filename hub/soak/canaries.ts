/** Finds texts in files, however they are written there: as UTF-8, UTF-16, hexadecimal or base64. */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Needle {
  canary: string;
  form: string;
  bytes: Buffer;
}

export interface Sighting {
  where: string;
  canary: string;
  form: string;
}

/** All forms in which a text is looked for. */
export function needlesOf(canaries: readonly string[]): Needle[] {
  return canaries.flatMap((canary) => {
    const plain = canary.normalize('NFD').replaceAll(/\p{M}/gu, '');
    const spellings = new Set([canary, canary.toLowerCase(), canary.toUpperCase(), plain, plain.toLowerCase()]);
    return [...spellings].flatMap((spelling) => formsOf(canary, spelling));
  });
}

function formsOf(canary: string, spelling: string): Needle[] {
  const utf8 = Buffer.from(spelling);
  const utf16 = Buffer.from(spelling, 'utf16le');
  // Base64 of bytes that begin anywhere within three: without the ends, which depend on what stands beside.
  const base64 = [0, 1, 2].map((shift) => {
    const coded = Buffer.concat([Buffer.alloc(shift), utf8])
      .toString('base64')
      .replaceAll('=', '');
    return coded.slice(shift === 0 ? 0 : shift + 1, -1);
  });
  return [
    { canary, form: 'UTF-8', bytes: utf8 },
    { canary, form: 'UTF-16LE', bytes: utf16 },
    { canary, form: 'UTF-16BE', bytes: Buffer.from(utf16).swap16() },
    { canary, form: 'hex', bytes: Buffer.from(utf8.toString('hex')) },
    { canary, form: 'HEX', bytes: Buffer.from(utf8.toString('hex').toUpperCase()) },
    ...base64.map((text) => ({ canary, form: 'base64', bytes: Buffer.from(text) })),
  ];
}

/** Looks through a stream of bytes. */
export async function lookThrough(
  where: string,
  bytes: AsyncIterable<Buffer>,
  needles: readonly Needle[],
): Promise<Sighting[]> {
  const overlap = Math.max(...needles.map((needle) => needle.bytes.length)) - 1;
  const found = new Map<string, Sighting>();
  let end: Buffer = Buffer.alloc(0);
  for await (const piece of bytes) {
    const all = Buffer.concat([end, piece]);
    for (const { canary, form, bytes: needle } of needles) {
      if (all.includes(needle)) found.set(`${canary} ${form}`, { where, canary, form });
    }
    end = all.subarray(Math.max(0, all.length - overlap));
  }
  return [...found.values()];
}

/** Looks through all files of a folder, but for those whose path is passed over. */
export async function lookThroughFiles(
  folder: string,
  needles: readonly Needle[],
  isPassedOver: (path: string) => boolean = () => false,
): Promise<{ sightings: Sighting[]; bytes: number; files: number }> {
  const looked = { sightings: [] as Sighting[], bytes: 0, files: 0 };
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || isPassedOver(path)) continue;
    try {
      const file = createReadStream(path, { highWaterMark: 4 * 1024 * 1024 });
      looked.sightings.push(...(await lookThrough(path.slice(folder.length), file, needles)));
      looked.bytes += statSync(path).size;
      looked.files++;
    } catch (error) {
      // PostgreSQL removes files while it works.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return looked;
}
