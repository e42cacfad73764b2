import { describe, expect, test } from 'vitest';
import { kindOf, messagesOf } from './send.ts';

const message = 'MSH|^~\\&|A|B|C|D|20260102030405||ADT^A04|1|P|2.5.1\rPID|1||7^^^B^MR\r';

describe('what a file holds', () => {
  test.each([
    [message, 'v2'],
    [`\n\u000b${message}`, 'v2'],
    ['FHS|^~\\&|A', 'v2'],
    ['<?xml version="1.0"?><ClinicalDocument/>', 'ccda'],
    ['\ufeff<ClinicalDocument/>', 'ccda'],
    [' {"resourceType":"Patient"}', 'fhir'],
    ['hello', undefined],
    ['', undefined],
  ])('%j', (text, kind) => {
    expect(kindOf(Buffer.from(text))).toBe(kind);
  });
});

describe('the messages of a v2 file', () => {
  test('stay whole, whatever their line ends and framing', () => {
    const second = message.replace('|1|P', '|2|P');
    for (const file of [
      message + second,
      (message + second).replaceAll('\r', '\r\n'),
      `\x0b${message}\x1c\r\x0b${second}\x1c\r`,
    ]) {
      const texts = messagesOf(Buffer.from(file)).map((bytes) => bytes.toString().trimEnd());
      expect(texts).toEqual([message.trimEnd(), second.trimEnd()]);
    }
  });

  test('come out of their batch', () => {
    const batch = `FHS|^~\\&|A\rBHS|^~\\&|A\r${message}BTS|1\rFTS|1\r`;
    expect(messagesOf(Buffer.from(batch)).map((bytes) => bytes.toString())).toEqual([message]);
  });
});
