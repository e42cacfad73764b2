import fc from 'fast-check';
import { compressSync } from 'lz4-napi';
import { describe, expect, it } from 'vitest';
import { dictionaryOf } from './dictionaries.ts';
import { longestUnpacked, unpackBytes, unpackText } from './unpack.ts';

const types = fc.constantFrom('Patient', 'Observation', 'Claim', 'Basic');
/** Texts that repeat themselves and their dictionary, in pieces of any length. */
const texts = types.chain((type) => {
  const dictionary = dictionaryOf(type).toString();
  const slice = fc
    .tuple(fc.nat(dictionary.length), fc.nat(300))
    .map(([at, length]) => dictionary.slice(at, at + length));
  const repeated = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }), fc.nat(200));
  const piece = fc.oneof(
    slice,
    fc.string({ unit: 'grapheme' }),
    repeated.map(([text, times]) => text.repeat(times)),
  );
  return fc.record({
    type: fc.constant(type),
    text: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  });
});

describe('unpackText and unpackBytes', () => {
  it('give back what was packed', () => {
    fc.assert(
      fc.property(texts, ({ type, text }) => {
        const dictionary = dictionaryOf(type);
        const packed = compressSync(text, dictionary);
        expect(unpackText(packed, dictionary)).toBe(text);
        expect(unpackBytes(packed, dictionary).equals(Buffer.from(text))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('take texts up to the longest', () => {
    const text = 'ab'.repeat(longestUnpacked / 2);
    expect(unpackText(compressSync(text, dictionaryOf('Basic')), dictionaryOf('Basic'))).toBe(text);
    const longer = compressSync(`${text}c`, dictionaryOf('Basic'));
    expect(() => unpackText(longer, dictionaryOf('Basic'))).toThrow('no packed text');
  });

  it('refuse what is cut off, and never read what is not theirs', () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.nat(255), ({ type, text }, place, byte) => {
        const dictionary = dictionaryOf(type);
        const packed = compressSync(`${text}0123456789`, dictionary);
        const cut = packed.subarray(0, 4 + (place % (packed.length - 4)));
        expect(() => unpackText(cut, dictionary)).toThrow('no packed text');
        const changed = Buffer.from(packed);
        changed[4 + (place % (packed.length - 4))] = byte;
        try {
          expect(unpackBytes(changed, dictionary).length).toBe(packed.readUInt32LE(0));
        } catch (error) {
          expect(String(error)).toContain('no packed text');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuse a match that reaches back before the dictionary', () => {
    const text = Buffer.from([8, 0, 0, 0, 0x04, 0xff, 0xff]);
    expect(() => unpackText(text, dictionaryOf('Basic'))).toThrow('no packed text');
  });
});
