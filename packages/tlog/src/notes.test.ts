import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkpointText,
  Edge,
  inclusionFolds,
  leafHash,
  NoteError,
  proofFrom,
  proofText,
  readCheckpoint,
  readNote,
  readProof,
  readVerifier,
  secretKey,
  signerOf,
  signNote,
  verifierText,
  verifyCheckpoint,
  verifyNote,
  verifyProof,
} from './index.ts';

const origin = 'hub.example/audit';
const log = signerOf(origin, secretKey(Buffer.alloc(32, 7)));
const witness = signerOf('witness.example/w1', secretKey(Buffer.alloc(32, 8)), 'cosignature');
const now = 1_764_000_000;

const edge = new Edge();
const leaves = ['a', 'b', 'c'].map((entry) => leafHash(Buffer.from(entry)));
const [tile] = edge.append(Buffer.concat(leaves));
const text = checkpointText({ origin, size: 3, root: edge.root() });
const checkpoint = signNote(text, [log, witness], now);

describe('a note', () => {
  it('is verified by the keys that are trusted, with the time that a witness gives', () => {
    expect(verifyNote(readNote(checkpoint), [log, witness])).toEqual([
      { name: origin, id: log.id, kind: 'signature' },
      { name: 'witness.example/w1', id: witness.id, kind: 'cosignature', time: now },
    ]);
    expect(verifyNote(readNote(checkpoint), [witness])).toHaveLength(1);
  });

  it('is believed by nobody who trusts none of its keys, or when a character is otherwise', () => {
    const other = signerOf(origin, generateKeyPairSync('ed25519').privateKey);
    expect(() => verifyNote(readNote(checkpoint), [other])).toThrow('no key that is trusted');
    const changed = checkpoint.replace('\n3\n', '\n4\n');
    expect(() => verifyNote(readNote(changed), [log])).toThrow('is not one of this text');
    const later = checkpoint.replace(
      /— witness.example.*\n/u,
      `${signNote(text, [witness], now + 1)
        .split('\n')
        .at(-2)!}\n`,
    );
    expect(verifyNote(readNote(later), [witness])).toMatchObject([{ time: now + 1 }]);
  });

  it('holds its text as it was, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\x00-\x1f]/.test(line))), (lines) => {
        const some = `${lines.join('\n')}\n`;
        const read = readNote(signNote(some, [log]));
        expect(read.text).toBe(some);
        expect(verifyNote(read, [log])).toHaveLength(1);
      }),
    );
  });

  it('that is none is refused with the reason', () => {
    for (const bad of [
      '',
      'text\n',
      'text\n\n',
      'text\n\n— name\n',
      'text\n\n— na+me AAAAAAA=\n',
      'te\txt\n\n— name AAAAAAA=\n',
    ])
      expect(() => readNote(bad), JSON.stringify(bad)).toThrow(NoteError);
    expect(() => readNote(`${'x'.repeat(70_000)}\n\n— a AAAAAAA=\n`)).toThrow('more than');
    fc.assert(
      fc.property(fc.string(), (some) => {
        try {
          readNote(some);
        } catch (error) {
          expect(error).toBeInstanceOf(NoteError);
        }
      }),
    );
  });
});

describe('a verifier key', () => {
  it('is read as it is written', () => {
    for (const key of [log, witness]) {
      const read = readVerifier(verifierText(key));
      expect(verifyNote(readNote(checkpoint), [read])[0]!.name).toBe(key.name);
      expect(verifierText(read)).toBe(verifierText(key));
    }
  });

  it('of another name or id is refused', () => {
    const text = verifierText(log);
    expect(() => readVerifier(text.replace('hub', 'hab'))).toThrow('not the one of its name and key');
    expect(() => readVerifier(text.slice(0, -4))).toThrow(NoteError);
    expect(() => signerOf('two words', secretKey(Buffer.alloc(32, 1)))).toThrow('no spaces');
  });
});

describe('a checkpoint', () => {
  it('says whose tree had which size and root', () => {
    expect(readCheckpoint(text)).toEqual({ origin, size: 3, root: edge.root() });
    const trusted = { origin, log: [log], witnesses: [witness] };
    expect(verifyCheckpoint(checkpoint, trusted)).toMatchObject({ size: 3, signatures: [{}, { time: now }] });
  });

  it('counts only if its own log signed it', () => {
    const witnessed = signNote(text, [witness], now);
    expect(() => verifyCheckpoint(witnessed, { origin, log: [log], witnesses: [witness] })).toThrow(
      'itself did not sign',
    );
    expect(() => verifyCheckpoint(checkpoint, { origin: 'other.example', log: [log] })).toThrow('of the log');
  });

  it('that is none is refused', () => {
    for (const bad of [
      '',
      'a\n',
      'a\n01\nAAAA\n',
      'a\n1\nAAAA\n',
      `\n1\n${edge.root().toString('base64')}\n`,
      text.slice(0, -1),
    ])
      expect(() => readCheckpoint(bad), bad).toThrow(NoteError);
  });
});

describe('a proof', () => {
  const proofOf = async (index: number, extra?: Buffer) =>
    proofText({
      index,
      path: await proofFrom(inclusionFolds(index, 3), () => tile!.hashes),
      checkpoint,
      ...(extra ? { extra } : {}),
    });

  it('holds offline, by the keys of log and witnesses alone', async () => {
    const trusted = {
      origin,
      log: [readVerifier(verifierText(log))],
      witnesses: [readVerifier(verifierText(witness))],
    };
    for (const [index, leaf] of leaves.entries()) {
      const text = await proofOf(index, Buffer.from('more'));
      expect(verifyProof(text, leaf, trusted, 1)).toMatchObject({ index, checkpoint: { size: 3 } });
      expect(readProof(text).extra?.toString()).toBe('more');
      expect(text.length).toBeLessThan(2_048);
      expect(() => verifyProof(text, leaves[(index + 1) % 3]!, trusted)).toThrow('not in the tree');
      expect(() => verifyProof(text, leaf, trusted, 2)).toThrow('1 witnesses');
    }
  });

  it('that is none is refused', async () => {
    const good = await proofOf(1);
    for (const bad of [
      '',
      good.replace('@v1', '@v2'),
      good.replace('index 1', 'index 01'),
      good.replace('index 1\n', ''),
      good.replace('index 1', 'extra ?\nindex 1'),
      good.replace('=\n', '\n'),
    ])
      expect(() => readProof(bad), bad).toThrow(NoteError);
  });
});
