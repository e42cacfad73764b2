/** Makes the input of a number: the same for the same seed, number and seeds of inputs. */
import { encodeFrame } from '@causeway/hl7v2';
import { amplified, mutateBytes } from './mutate-bytes.ts';
import { batched, mutateEr7 } from './mutate-er7.ts';
import { mutateJson } from './mutate-json.ts';
import { mutateXml } from './mutate-xml.ts';
import type { Random } from './random.ts';
import type { Format, Seeds } from './seeds.ts';

/** How a target's inputs are shaped: as one file, or messages as a batch or as a stream of frames. */
export interface Shape {
  format: Format;
  as: 'file' | 'batch' | 'stream';
}

/** An input longer than this is cut. */
const longest = 512 * 1024;
/** So long one is that had a piece of it repeated many times. */
const amplifiedBytes = 256 * 1024;

export function makeInput(random: Random, { format, as }: Shape, seeds: Seeds): Buffer {
  const own = seeds[format];
  const mutated = () => changed(small(own, random), random, format, small(own, random));
  if (as === 'file') return ended(mutated(), random);
  const several = Array.from({ length: random.few(6) }, mutated);
  const bytes =
    as === 'batch'
      ? Buffer.from(
          batched(
            several.map((one) => one.toString('latin1')),
            random,
          ),
          'latin1',
        )
      : Buffer.concat(several.map((one) => (random.once(8) ? one : encodeFrame(one))));
  return ended(random.once(2) ? mutateBytes(bytes, random, several[0]!) : bytes, random);
}

/** One of three, the smallest: most inputs shall be quick, so that there can be many. */
function small(seeds: readonly Uint8Array[], random: Random): Buffer {
  const three = [random.pick(seeds), random.pick(seeds), random.pick(seeds)];
  const { buffer, byteOffset, length } = three.sort((a, b) => a.length - b.length)[random.once(10) ? 2 : 0]!;
  return Buffer.from(buffer, byteOffset, length);
}

/** Some changes in terms of the format, then, in half of the inputs, some of bytes. */
function changed(bytes: Buffer, random: Random, format: Format, other: Buffer): Buffer {
  let input = bytes;
  const encoding = random.once(6) ? 'latin1' : 'utf8';
  for (let left = random.few(6); left > 0; left--) {
    const next = Buffer.from(structural(input.toString(encoding), random, format, other.toString(encoding)), encoding);
    if (next.length <= longest) input = next;
  }
  if (random.once(2)) for (let left = random.few(4); left > 0; left--) input = mutateBytes(input, random, other);
  return input;
}

function structural(text: string, random: Random, format: Format, other: string): string {
  if (text === '') return text;
  if (format === 'er7') return mutateEr7(text, random, other);
  if (format === 'cda' || format === 'xml') return mutateXml(text, random, other);
  return mutateJson(text, random);
}

function ended(bytes: Buffer, random: Random): Buffer {
  const whole = random.once(400) && bytes.length > 0 ? amplified(bytes, random, amplifiedBytes) : bytes;
  return whole.subarray(0, longest);
}
