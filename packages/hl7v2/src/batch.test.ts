/** Batch files: cut into messages, counts checked. */
import { expect, test } from 'vitest';
import { type BatchFile, isBatch, isParseError, parseMessage, splitBatch } from './index.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const message = (id: string) => `MSH|^~\\&|A|B|C|D|2024||ADT^A01|${id}|P|2.5\rPID|1\r`;

function file(text: string): BatchFile {
  const result = splitBatch(encode(text));
  if (isParseError(result)) throw new Error(result.message);
  return result;
}

test('a whole file', () => {
  const text = `FHS|^~\\&|A\rBHS|^~\\&|A\r${message('1')}${message('2')}BTS|2\rBHS|^~\\&|B\r${message('3')}BTS|1\rFTS|2\r`;
  const result = file(text);
  expect(isBatch(encode(text))).toBe(true);
  expect([result.header, result.trailer, result.problems]).toEqual(['FHS|^~\\&|A', 'FTS|2', []]);
  expect(result.batches.map((batch) => batch.messages.length)).toEqual([2, 1]);
  const ids = result.batches.flatMap((batch) => batch.messages.map(({ bytes }) => parseMessage(bytes)));
  expect(ids.map((parsed) => (isParseError(parsed) ? parsed.code : parsed.controlId))).toEqual(['1', '2', '3']);
});

test('messages are cut without loss, whatever the line ends', () => {
  const text = `\ufeff${message('1')}${message('2')}`.replaceAll('\r', '\r\n');
  const result = file(text);
  expect(isBatch(encode(text))).toBe(false);
  const cut = result.batches.flatMap((batch) => batch.messages.map(({ bytes }) => new TextDecoder().decode(bytes)));
  expect(cut.join('')).toBe(text.slice(1));
  expect(result.problems).toEqual([]);
});

test('one bad message spoils no other', () => {
  const result = file(`BHS|^~\\&\rMSH|broken\r${message('2')}BTS|2\r`);
  const parsed = result.batches[0]!.messages.map(({ bytes }) => isParseError(parseMessage(bytes)));
  expect(parsed).toEqual([true, false]);
});

test.each([
  ['wrong message count', `BHS|^~\\&\r${message('1')}BTS|2\r`, ['message-count']],
  ['count that is no number', `BHS|^~\\&\r${message('1')}BTS|two\r`, ['message-count']],
  ['wrong batch count', `FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|3\r`, ['batch-count']],
  ['cut off', `FHS|^~\\&\rBHS|^~\\&\r${message('1')}`, ['missing-trailer', 'missing-trailer']],
  ['trailers without headers', `${message('1')}BTS|1\rBTS|1\rFTS|1\r`, ['unexpected-segment', 'unexpected-segment']],
  ['second FHS', `${message('1')}FHS|^~\\&\r`, ['unexpected-segment']],
  ['stray segments', `BHS|^~\\&\rPID|1\r${message('1')}BTS|1\r`, ['stray-bytes']],
])('%s is reported', (_, text, codes) => {
  expect(file(text).problems.map((problem) => problem.code)).toEqual(codes);
});

test.each([
  ['', 'empty'],
  ['PID|1\rMSH|x', 'missing-msh'],
  ['hello', 'missing-msh'],
  ['M\u0000S\u0000H\u0000', 'unsupported-charset'],
])('%j is refused: %s', (text, code) => {
  expect(splitBatch(encode(text))).toMatchObject({ kind: 'parse-error', code });
});

test('the number of messages is limited', () => {
  expect(splitBatch(encode(message('1').repeat(3)), { maximumMessages: 2 })).toMatchObject({ code: 'too-large' });
});
