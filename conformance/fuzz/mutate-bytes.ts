/** Changes that know nothing of a format: bits, bytes, stretches, ends, encodings. */
import type { Random } from './random.ts';
import { anyValue } from './values.ts';

export type ByteMutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const special = [0x00, 0x08, 0x09, 0x0a, 0x0b, 0x0d, 0x1a, 0x1c, 0x22, 0x26, 0x3c, 0x3e, 0x5c, 0x5e, 0x7c, 0x7e, 0x7f];
const pieces: readonly Buffer[] = [
  Buffer.from([0xef, 0xbb, 0xbf]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xfe, 0xff]),
  Buffer.from([0xc0, 0xaf]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0x1b, 0x24, 0x42]),
  Buffer.from([0x0b]),
  Buffer.from([0x1c, 0x0d]),
  Buffer.from([0x1c, 0x0d, 0x0b]),
  Buffer.from('\rMSH|^~\\&|'),
  Buffer.from('BHS|^~\\&\r'),
];

const mutations: readonly ByteMutation[] = [
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    for (let left = random.few(8); left > 0 && changed.length > 0; left--) {
      changed[random.below(changed.length)]! ^= 1 << random.below(8);
    }
    return changed;
  },
  (bytes, random) => {
    const changed = Buffer.from(bytes);
    for (let left = random.few(8); left > 0 && changed.length > 0; left--) {
      changed[random.below(changed.length)] = random.once(2) ? random.below(256) : random.pick(special);
    }
    return changed;
  },
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), random.pick(pieces)),
  (bytes, random) => inserted(bytes, random.below(bytes.length + 1), Buffer.from(anyValue(random))),
  (bytes, random) => {
    const { from, to } = stretch(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  (bytes, random) => {
    const { from, to } = stretch(bytes, random);
    return inserted(bytes, to, bytes.subarray(from, to));
  },
  (bytes, random) => {
    const { from, to } = stretch(bytes, random);
    return inserted(bytes, random.below(bytes.length + 1), bytes.subarray(from, to));
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random, other) =>
    Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))]),
  (bytes, random) => {
    const text = random.once(2) ? bytes.toString('utf8') : bytes.toString('latin1');
    const wide = Buffer.from(random.once(2) ? `\ufeff${text}` : text, 'utf16le');
    return random.once(2) ? wide : wide.subarray(0, wide.length & ~1).swap16();
  },
  (bytes) => Buffer.from(bytes.toString('utf8'), 'latin1'),
  (bytes) => Buffer.from(bytes.toString('latin1'), 'utf8'),
];

export function mutateBytes(bytes: Buffer, random: Random, other: Buffer): Buffer {
  return random.pick(mutations)(bytes, random, other);
}

/** Repeats a stretch of some bytes until the whole has about so many. */
export function amplified(bytes: Buffer, random: Random, wanted: number): Buffer {
  const from = random.below(bytes.length);
  const piece = bytes.subarray(from, from + random.few(400));
  if (piece.length === 0) return bytes;
  const times = Math.max(1, Math.ceil((wanted - bytes.length) / piece.length));
  return inserted(bytes, from, Buffer.alloc(piece.length * times, piece));
}

function inserted(bytes: Buffer, at: number, piece: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

function stretch(bytes: Buffer, random: Random): { from: number; to: number } {
  const from = random.below(bytes.length);
  return { from, to: Math.min(bytes.length, from + random.few(Math.max(1, bytes.length >> 2))) };
}
