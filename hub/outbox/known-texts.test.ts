import { expect, it } from 'vitest';
import { KnownTexts } from './known-texts.ts';

const at = (ms: number) => new Date(ms);

it('keeps the latest version of a resource, whichever is read last', () => {
  const texts = new KnownTexts();
  texts.keep({ type: 'Observation', rid: 'a', updated: at(2) }, 'second');
  texts.keep({ type: 'Observation', rid: 'a', updated: at(1) }, 'first');
  expect(texts.ofId('a')).toMatchObject({ type: 'Observation', updated: at(2), text: 'second' });
  expect(texts.of('Patient', 'a')).toBeUndefined();
});

it('lets go of what was not asked for the longest, and takes nothing that is long', () => {
  const texts = new KnownTexts();
  const text = 'x'.repeat(60_000);
  texts.keep({ type: 'Observation', rid: 'asked', updated: at(1) }, text);
  texts.keep({ type: 'Observation', rid: 'not', updated: at(1) }, text);
  for (let i = 0; i < 16; i++) {
    texts.ofId('asked');
    texts.keep({ type: 'Observation', rid: `${i}`, updated: at(1) }, text);
  }
  expect(texts.ofId('asked')?.text).toBe(text);
  expect(texts.ofId('not')).toBeUndefined();
  texts.keep({ type: 'Binary', rid: 'long', updated: at(1) }, 'x'.repeat(70_000));
  expect(texts.ofId('long')).toBeUndefined();
});
