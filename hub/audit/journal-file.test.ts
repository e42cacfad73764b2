import { pbkdf2, randomUUID } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { fixedMasterKey } from '../secrets/index.ts';
import {
  type FrameKind,
  isOpenHere,
  makeJournalFile,
  ownOwner,
  readJournalFile,
  removeUnfinished,
} from './journal-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'causeway-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const master = fixedMasterKey(Buffer.alloc(32, 3));
const fileBytes = 16 * 1024;
const headBytes = 4_096;

async function fileOf(payloads: readonly [FrameKind, Uint8Array][]) {
  const file = await makeJournalFile(folder, master, fileBytes);
  for (const [kind, payload] of payloads) await file.append(kind, Buffer.from(payload));
  file.close();
  return file;
}

const payloads = fc.array(fc.tuple(fc.constantFrom('events', 'entries'), fc.uint8Array({ maxLength: 300 })), {
  minLength: 1,
  maxLength: 12,
}) as fc.Arbitrary<[FrameKind, Uint8Array][]>;

it('gives back what was written, in its order, and whose it is; the file is as large from the beginning', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, async (written) => {
      const file = await makeJournalFile(folder, master, fileBytes);
      expect(statSync(file.path).size).toBe(fileBytes);
      expect(isOpenHere(file.id)).toBe(true);
      for (const [kind, payload] of written) await file.append(kind, Buffer.from(payload));
      file.close();
      expect(isOpenHere(file.id)).toBe(false);
      const found = readJournalFile(file.path, master)!;
      expect(found.frames.map(({ kind, payload, number }) => [kind, [...payload], number])).toEqual(
        written.map(([kind, payload], i) => [kind, [...payload], i + 1]),
      );
      expect(found).toMatchObject({ id: file.id, owner: ownOwner(), damaged: [], isCut: false });
      expect(statSync(file.path).size).toBe(fileBytes);
    }),
    { numRuns: 30 },
  );
});

it('is written while all of Node’s threads for files are busy for long', async () => {
  const file = await makeJournalFile(folder, master, fileBytes);
  let done = 0;
  const derived = promisify(pbkdf2);
  const busy = Array.from({ length: 16 }, () =>
    derived('a password', 'salt', 100_000, 64, 'sha512').then(() => {
      done++;
    }),
  );
  await file.append('events', Buffer.from('x'));
  expect(done).toBeLessThan(8);
  await Promise.all(busy);
  file.close();
  expect(readJournalFile(file.path, master)!.frames).toHaveLength(1);
});

it('is found whole, or not at all, while it is made', async () => {
  const place = join(folder, 'made');
  const making = makeJournalFile(place, master, 1024 * 1024);
  let isMade = false;
  const done = making.then(() => {
    isMade = true;
  });
  let looked = 0;
  const names = () => readdirSync(place).filter((name) => name.endsWith('.journal'));
  while (!isMade) {
    for (const name of names()) expect(readJournalFile(join(place, name), master)).toBeDefined();
    looked++;
    await new Promise(setImmediate);
  }
  await done;
  expect(looked).toBeGreaterThan(1);
  expect(names()).toHaveLength(1);
  expect(readdirSync(place)).toHaveLength(1);
  (await making).close();
});

it('one whose making was broken off is taken away when it is old, and no other', async () => {
  const place = join(folder, 'unfinished');
  const file = await makeJournalFile(place, master, fileBytes);
  file.close();
  const [old, fresh] = [randomUUID(), randomUUID()].map((id) => join(place, `${id}.journal.new`)) as [string, string];
  for (const path of [old, fresh, join(place, 'other.new')]) writeFileSync(path, '');
  const past = Date.now() / 1_000 - 3_600;
  for (const path of [old, join(place, 'other.new'), file.path]) utimesSync(path, past, past);
  removeUnfinished(place);
  expect(readdirSync(place).sort()).toEqual([basename(fresh), basename(file.path), 'other.new'].sort());
  removeUnfinished(join(place, 'nowhere'));
});

it('has nothing in it that can be read without the master key', async () => {
  const file = await fileOf([['entries', Buffer.from('Patient/secret-of-somebody')]]);
  expect(readFileSync(file.path, 'latin1')).not.toContain('secret-of-somebody');
  expect(readJournalFile(file.path, fixedMasterKey(Buffer.alloc(32, 4)))).toBeUndefined();
});

it('whatever byte of its frames is changed, no frame is another, those before stand, and those after are found', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, fc.nat(), fc.integer({ min: 1, max: 255 }), async (written, where, change) => {
      const file = await fileOf(written);
      const whole = readJournalFile(file.path, master)!.frames;
      const bytes = readFileSync(file.path);
      const ends = endsOf(whole.map(({ payload }) => payload.length));
      const at = headBytes + (where % (ends.at(-1)! - headBytes));
      bytes[at]! ^= change;
      writeFileSync(file.path, bytes);
      const { frames, damaged } = readJournalFile(file.path, master)!;
      const hit = ends.findIndex((end) => at < end) + 1;
      expect(frames).toEqual(whole.filter(({ number }) => number !== hit));
      // Of the last one nobody can tell whether it was ever whole.
      expect(damaged).toEqual(hit === written.length ? [] : [hit]);
    }),
    { numRuns: 60 },
  );
});

it('frames that were exchanged, doubled or left out are not taken for others', async () => {
  const file = await fileOf([1, 2, 3, 4].map((n) => ['events', Buffer.alloc(50, n)]));
  const bytes = readFileSync(file.path);
  const size = 50 + 13 + 16;
  const frame = (n: number) => Buffer.from(bytes.subarray(headBytes + (n - 1) * size, headBytes + n * size));
  const [one, two, three, four] = [1, 2, 3, 4].map(frame) as [Buffer, Buffer, Buffer, Buffer];
  const read = (frames: Buffer[]) => {
    const changed = Buffer.alloc(bytes.length);
    bytes.copy(changed, 0, 0, headBytes);
    Buffer.concat(frames).copy(changed, headBytes);
    writeFileSync(file.path, changed);
    const { frames: found, damaged } = readJournalFile(file.path, master)!;
    return { numbers: found.map(({ number }) => number), damaged };
  };
  expect(read([one, two, two, three, four])).toEqual({ numbers: [1, 2, 3, 4], damaged: [] });
  expect(read([one, three, four])).toEqual({ numbers: [1, 3, 4], damaged: [2] });
  expect(read([one, three, two, four])).toEqual({ numbers: [1, 3, 4], damaged: [2] });
});

it('tells that its end is missing; what stands before that is there', async () => {
  const file = await fileOf([1, 2, 3].map((n) => ['events', Buffer.alloc(50, n)]));
  truncateSync(file.path, headBytes + 2 * (50 + 13 + 16) + 20);
  const { frames, isCut, damaged } = readJournalFile(file.path, master)!;
  expect(frames.map(({ number }) => number)).toEqual([1, 2]);
  expect({ isCut, damaged }).toEqual({ isCut: true, damaged: [] });
});

it('is no journal where its head is gone', async () => {
  const file = await fileOf([['events', Buffer.from('x')]]);
  const bytes = readFileSync(file.path);
  bytes.fill(0, 0, 100);
  writeFileSync(file.path, bytes);
  expect(readJournalFile(file.path, master)).toBeUndefined();
});

it('takes no more than it has room for, and leaves nothing where it cannot be made', async () => {
  const file = await makeJournalFile(folder, master, fileBytes);
  await expect(file.append('events', Buffer.alloc(file.room + 1))).rejects.toThrow(RangeError);
  await file.append('events', Buffer.alloc(file.room));
  expect(file.room).toBeLessThan(0);
  file.close();
  expect(readJournalFile(file.path, master)!.frames).toHaveLength(1);
  const place = join(folder, 'file');
  writeFileSync(place, '');
  await expect(makeJournalFile(join(place, 'below'), master, fileBytes)).rejects.toThrow();
  expect(readdirSync(folder).filter((name) => name === 'below')).toEqual([]);
});

function endsOf(lengths: readonly number[]): number[] {
  let end = headBytes;
  return lengths.map((length) => {
    end += 13 + length + 16;
    return end;
  });
}
