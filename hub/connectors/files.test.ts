import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Folder, takeFiles } from './files.ts';
import type { Run } from './run.ts';
import type { FilesSettings } from './settings.ts';

const text = (name: string) => `MSH|^~\\&|LAB|MILL|||20260102||ADT^A04|${name}|P|2.5.1\rPID|1||${name}\r`;

/** A folder with one file, to which somebody writes while it is read. */
function folderOf(written: string[]) {
  const moved: string[] = [];
  const file = () => ({ name: 'a.hl7', size: written.join('').length, modified: new Date(1_000 * written.length) });
  const folder: Folder = {
    list: async () => [file()],
    look: async () => file(),
    async open() {
      const now = Buffer.from(written.join(''));
      return (async function* () {
        yield now;
        await delay(1);
        if (written.length < 2) written.push(text('B'));
      })();
    },
    move: async (name, to) => void moved.push(`${to}/${name}`),
    close: async () => {},
  };
  return { folder, moved };
}

function runOf() {
  const noted: string[] = [];
  const taken: string[] = [];
  const run = {
    settings: { path: '/x', content: 'messages', after: 'move', stableSeconds: 0, everyMinutes: 1 },
    participant: { key: 'p' },
    progress: {},
    signal: new AbortController().signal,
    items: {
      changed: async (all: object[]) => all,
      note: async (all: { item: string }[]) => noted.push(...all.map(({ item }) => item)),
    },
    recognise: (bytes: Buffer) => ({ bytes }),
    pace: async () => {},
    take: async (messages: { bytes: Buffer }[]) => {
      taken.push(...messages.map(({ bytes }) => bytes.toString().split('|')[9]!));
      return messages.map(() => ({ duplicate: false }));
    },
    save: async (progress: object) => {
      run.progress = progress;
    },
  };
  return { run: run as unknown as Run<FilesSettings>, noted, taken };
}

describe('a file to which somebody writes while it is taken', () => {
  it('is not moved, nor noted as taken: the next run takes it as it is then', async () => {
    const { folder, moved } = folderOf([text('A')]);
    const { run, noted, taken } = runOf();
    await takeFiles(run, folder, 1_000_000);
    expect([taken, noted, moved]).toEqual([['A'], [], []]);
    await takeFiles(run, folder, 1_000_000);
    expect([taken, noted, moved]).toEqual([['A', 'A', 'B'], ['a.hl7'], ['done/a.hl7']]);
  });
});
