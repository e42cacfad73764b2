/**
 * What it costs to keep a text: the hub's way of sealing and opening the resources of a story, and the same resources
 * deflated and inflated by Node, as they were kept before. No hub and no database; microseconds of CPU a text.
 */
import { randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { openText, seal } from '../../hub/record/index.ts';
import { patientStory, syntheaSize } from '../data/bundle.ts';

export interface StoredTexts {
  seal_us: number;
  open_us: number;
  /** By deflate, level 1, and nothing enciphered. */
  deflate_us: number;
  inflate_us: number;
  bytes: number;
  sealed_bytes: number;
  deflated_bytes: number;
  operations: number;
}

const people = 20;

export function storedTexts(seconds: number): StoredTexts {
  const texts: { text: string; identity: string }[] = [];
  for (let serial = 0; serial < people; serial++) {
    const story: { entry: { resource: { resourceType: string } }[] } = JSON.parse(
      patientStory('texts', serial, syntheaSize).text,
    );
    for (const { resource } of story.entry) {
      texts.push({ text: JSON.stringify(resource), identity: `${resource.resourceType}/${texts.length}/1` });
    }
  }
  const key = randomBytes(32);
  const sealed = texts.map(({ text, identity }) => seal(text, key, identity));
  const deflated = texts.map(({ text }) => deflateRawSync(text, { level: 1, windowBits: 13, memLevel: 6 }));
  const mean = (lengths: number[]) => lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  const each = (work: (index: number) => unknown) => cpuMicroseconds(texts.length, (seconds * 1000) / 4, work);
  return {
    seal_us: each((i) => seal(texts[i]!.text, key, texts[i]!.identity)),
    open_us: each((i) => openText(sealed[i]!, key, texts[i]!.identity)),
    deflate_us: each((i) => deflateRawSync(texts[i]!.text, { level: 1, windowBits: 13, memLevel: 6 })),
    inflate_us: each((i) => inflateRawSync(deflated[i]!, { chunkSize: 4_000 }).toString()),
    bytes: mean(texts.map(({ text }) => Buffer.byteLength(text))),
    sealed_bytes: mean(sealed.map(({ length }) => length)),
    deflated_bytes: mean(deflated.map(({ length }) => length)),
    operations: texts.length,
  };
}

/** Goes through all again and again for some time, once before to warm up. */
function cpuMicroseconds(count: number, milliseconds: number, work: (index: number) => unknown): number {
  for (let i = 0; i < count; i++) work(i);
  const begun = process.cpuUsage();
  const until = performance.now() + milliseconds;
  let done = 0;
  while (performance.now() < until) {
    for (let i = 0; i < count; i++) work(i);
    done += count;
  }
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / done;
}
