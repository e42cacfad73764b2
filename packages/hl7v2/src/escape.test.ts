/** Escape sequences, both ways. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { standardDelimiters as standard } from './delimiters.ts';
import { escapeText, unescapeText } from './escape.ts';
import { delimiterSets, leafTexts } from './message.arbitrary.ts';

test.each([
  ['a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f', 'a|b^c&d~e\\f'],
  ['\\X41\\\\X42\\', 'AB'],
  ['\\XC3\\\\XA9\\', 'é'],
  ['\\XC3A9\\', 'é'],
  ['\\XFF\\', '\\XFF\\'],
  ['\\X4\\', '\\X4\\'],
  ['one\\.br\\two\\.sp2\\three\\.sp\\four', 'one\ntwo\n\nthree\nfour'],
  ['\\.in+4\\\\.ti-2\\text\\.sk3\\on\\.ce\\mid\\.fi\\\\.nf\\', 'text   on\nmid'],
  ['\\H\\bold\\N\\', 'bold'],
  ['\\Z01\\ \\C2842\\ \\M244242\\ \\Q\\', '\\Z01\\ \\C2842\\ \\M244242\\ \\Q\\'],
  ['\\P\\', '\\P\\'],
  ['C:\\temp\\F\\x', 'C:\\temp|x'],
  ['5 \\ 3\\S\\2', '5 \\ 3^2'],
  ['ends \\', 'ends \\'],
  ['\\\\', '\\\\'],
])('%j means %j', (raw, meaning) => {
  expect(unescapeText(raw, standard)).toBe(meaning);
});

test('the truncation character has its sequence when declared', () => {
  const delimiters = { ...standard, truncation: '#' };
  expect(escapeText('a#b', delimiters)).toBe('a\\P\\b');
  expect(unescapeText('a\\P\\b', delimiters)).toBe('a#b');
});

test('skips are bounded', () => {
  expect(unescapeText('\\.sp99999\\', standard)).toHaveLength(100);
});

describe('without an escape character', () => {
  const bare = { ...standard, escape: '', subcomponent: '' };
  test('nothing is a sequence', () => expect(unescapeText('\\F\\', bare)).toBe('\\F\\'));
  test('what needs escaping cannot be written', () => {
    expect(escapeText('plain', bare)).toBe('plain');
    expect(() => escapeText('a|b', bare)).toThrow(RangeError);
  });
});

test('unescaping undoes escaping, whatever the delimiters', () => {
  fc.assert(
    fc.property(delimiterSets, fc.oneof(leafTexts, fc.string({ unit: 'binary' })), (delimiters, text) => {
      const escaped = escapeText(text, delimiters);
      expect(unescapeText(escaped, delimiters)).toBe(text);
      const { field, component, repetition, subcomponent } = delimiters;
      for (const mark of [field, component, repetition, subcomponent, '\r', '\n']) {
        expect(escaped.includes(mark)).toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});
