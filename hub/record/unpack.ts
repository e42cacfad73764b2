/**
 * Unpacks what `lz4-napi` packed with a dictionary (the LZ4 block format, after the length of what was packed in 4 bytes,
 * little endian). Written here since it is called for each text that is read, and short texts are unpacked sooner than the
 * library's native side is reached and its Buffer collected again (`stored_texts` of the bench).
 */

/** Offsets of LZ4 reach back so far at most. */
const reach = 65_535;
/** Bytes of the longest text. */
export const longestUnpacked = 65_536;

/** Bytes that are copied together. */
const together = 4;

/** The dictionary ends, and the text begins, at `reach`; copying may go on a little beyond the end of the longest text. */
const space = Buffer.alloc(reach + longestUnpacked + together);
const words = new DataView(space.buffer, space.byteOffset, space.length);
let placed: Buffer | undefined;

/** A text as it was packed. Throws for what no packing makes, or makes of another length. */
export function unpackText(packed: Buffer, dictionary: Buffer): string {
  return space.toString('utf8', reach, unpack(packed, dictionary));
}

/** Bytes as they were packed. Throws as `unpackText`. */
export function unpackBytes(packed: Buffer, dictionary: Buffer): Buffer {
  return Buffer.from(space.subarray(reach, unpack(packed, dictionary)));
}

/** Unpacks into the space; returns where the text ends there. */
function unpack(packed: Buffer, dictionary: Buffer): number {
  if (placed !== dictionary) {
    dictionary.copy(space, reach - dictionary.length);
    placed = dictionary;
  }
  const first = reach - dictionary.length;
  const end = reach + packed.readUInt32LE(0);
  if (end > reach + longestUnpacked) throw damaged();
  let at = 4;
  let to = reach;
  while (at < packed.length) {
    const token = packed[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        more = packed[at++]!;
        literals += more;
      }
    }
    // Written so that a length that is no number, read beyond the end, is refused too.
    if (!(at + literals <= packed.length && to + literals <= end)) throw damaged();
    for (const until = at + literals; at < until; ) space[to++] = packed[at++]!;
    if (at === packed.length) break;
    let from = to - (packed[at]! | (packed[at + 1]! << 8));
    at += 2;
    let matched = token & 15;
    if (matched === 15) {
      let more = 255;
      while (more === 255) {
        more = packed[at++]!;
        matched += more;
      }
    }
    const until = to + matched + 4;
    if (!(from >= first && from < to && until <= end)) throw damaged();
    // A match may overlap what it makes, so it is copied from its beginning: word by word where these do not overlap, and
    // what that copies too much is overwritten by what follows.
    if (to - from >= together) {
      for (; to < until; to += together, from += together) words.setInt32(to, words.getInt32(from, true), true);
      to = until;
    } else while (to < until) space[to++] = space[from++]!;
  }
  if (to !== end) throw damaged();
  return end;
}

function damaged(): Error {
  return new Error('A stored text is no packed text.');
}
