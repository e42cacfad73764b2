import { describe, expect, it } from 'vitest';
import { BodyBounds } from './body-bounds.ts';

const most = 70;
/** Whether a body is too much, told byte by byte and at once alike. */
function tooMuch(text: string, values = most, entries?: number): string | undefined {
  const bytes = Buffer.from(text);
  const whole = new BodyBounds(values, entries).exceededBy(bytes);
  const bounds = new BodyBounds(values, entries);
  let over: string | undefined;
  // The first byte says what it is.
  for (let at = 0; at < bytes.length; at++) over ??= bounds.exceededBy(bytes.subarray(at, at + 1));
  expect(over).toBe(whole);
  return whole;
}

describe('entries of a Bundle', () => {
  const bundle = (entries: string) => `{"type":"batch","meta":{${'"a":1,'.repeat(20)}"b":1},"entry":[${entries}]}`;
  it.each([
    ['as many as there may be', bundle(`${'{},'.repeat(9)}{}`), undefined],
    ['one more', bundle(`${'{},'.repeat(10)}{}`), 'entries'],
    ['many values in one', bundle(`{"resource":{"a":[${'1,'.repeat(20)}1],"b":{}}}`), undefined],
    ['commas in their texts', bundle(`{"fullUrl":"${','.repeat(20)}"}`), undefined],
    ['members of another list', `{"link":[${'{},'.repeat(10)}{}]}`, 'entries'],
    ['members of a list that is all', `[${'{},'.repeat(20)}{}]`, undefined],
    ['several lists', `{"link":[${'{},'.repeat(9)}{}],"entry":[${'{},'.repeat(9)}{}]}`, undefined],
  ])('%s', (_, text, expected) => {
    expect(tooMuch(text, 1_000, 10)).toBe(expected);
  });
});

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
