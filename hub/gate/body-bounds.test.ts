import { describe, expect, it } from 'vitest';
import { BodyBounds } from './body-bounds.ts';

const most = 70;
/** Whether a body is too much, told byte by byte and at once alike. */
function tooMuch(text: string): string | undefined {
  const bytes = Buffer.from(text);
  const whole = new BodyBounds(most).exceededBy(bytes);
  const bounds = new BodyBounds(most);
  let over: string | undefined;
  // The first byte says what it is.
  for (let at = 0; at < bytes.length; at++) over ??= bounds.exceededBy(bytes.subarray(at, at + 1));
  expect(over).toBe(whole);
  return whole;
}

describe('values in a body', () => {
  it.each([
    ['members of an array', `[${'1,'.repeat(most - 1)}1]`, undefined],
    ['too many members', `[${'1,'.repeat(most)}1]`, 'values'],
    ['properties', `{${Array.from({ length: most + 1 }, (_, i) => `"${i}":1`).join()}}`, 'values'],
    ['arrays within arrays', '['.repeat(65), 'depth'],
    ['objects within objects', '{"a":'.repeat(65), 'depth'],
    ['arrays beside arrays', `[${'[],'.repeat(30)}`, undefined],
    ['commas in a text', `{"a":"${','.repeat(100)}"}`, undefined],
    ['commas in a text behind quotes', `{"a":"\\"${',\\",'.repeat(100)}"}`, undefined],
    ['commas behind a text that ends in a backslash', `{"a":"\\\\"${',"b":1'.repeat(most)}}`, 'values'],
    ['commas far into a text', `{"a":"${'x'.repeat(200)}\\"${',['.repeat(100)}"}`, undefined],
    ['commas behind a long text', `["${'x'.repeat(200)}"${',1'.repeat(most)}]`, 'values'],
    ['tags', `<a>${'<b/>'.repeat(3 * most - 2)}</a>`, undefined],
    ['too many tags', `<a>${'<b/>'.repeat(3 * most)}</a>`, 'values'],
    ['commas in what is neither JSON nor XML', `MSH|${','.repeat(100)}`, undefined],
    ['commas in XML', `<a b="${',['.repeat(100)}"/>`, undefined],
  ])('%s', (_, text, expected) => {
    expect(tooMuch(text)).toBe(expected);
  });
});
