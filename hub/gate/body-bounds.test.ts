import { describe, expect, it } from 'vitest';
import { BodyBounds } from './body-bounds.ts';

const most = 10;
/** Whether a body is too much, told byte by byte and at once alike. */
function isTooMuch(text: string): boolean {
  const bytes = Buffer.from(text);
  const whole = new BodyBounds(most).exceededBy(bytes);
  const bounds = new BodyBounds(most);
  let isOver = false;
  // The first byte says what it is.
  for (let at = 0; at < bytes.length; at++) isOver = bounds.exceededBy(bytes.subarray(at, at + 1)) || isOver;
  expect(isOver).toBe(whole);
  return whole;
}

describe('values in a body', () => {
  it.each([
    ['members of an array', `[${'1,'.repeat(most - 1)}1]`, false],
    ['too many members', `[${'1,'.repeat(most)}1]`, true],
    ['properties', `{${Array.from({ length: most + 1 }, (_, i) => `"${i}":1`).join()}}`, true],
    ['arrays within arrays', '['.repeat(most + 1), true],
    ['objects within objects', '{"a":'.repeat(most + 1), true],
    ['commas in a text', `{"a":"${','.repeat(100)}"}`, false],
    ['commas in a text behind quotes', `{"a":"\\"${',\\",'.repeat(100)}"}`, false],
    ['commas behind a text that ends in a backslash', `{"a":"\\\\"${',"b":1'.repeat(most)}}`, true],
    ['commas far into a text', `{"a":"${'x'.repeat(200)}\\"${',['.repeat(100)}"}`, false],
    ['commas behind a long text', `["${'x'.repeat(200)}"${',1'.repeat(most)}]`, true],
    ['tags', `<a>${'<b/>'.repeat(3 * most - 2)}</a>`, false],
    ['too many tags', `<a>${'<b/>'.repeat(3 * most)}</a>`, true],
    ['commas in what is neither JSON nor XML', `MSH|${','.repeat(100)}`, false],
    ['commas in XML', `<a b="${',['.repeat(100)}"/>`, false],
  ])('%s', (_, text, expected) => {
    expect(isTooMuch(text)).toBe(expected);
  });
});
