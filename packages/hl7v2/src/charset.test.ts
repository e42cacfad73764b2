/** Character sets of MSH-18, and bytes that belong to none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { charsetLabel, decodeText, encodeText } from './charset.ts';
import { isParseError, parseMessage } from './index.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];

function name(charset: string, bytes: number[], options = {}): [string | undefined, string] {
  const head = ascii(`MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5||||||${charset}\rPID|1||||`);
  const input = Uint8Array.from([...head, ...bytes, ...ascii('|end\r')]);
  const message = parseMessage(input, options);
  if (isParseError(message)) throw new Error(message.message);
  expect(message.toBytes()).toEqual(input);
  expect(message.get('PID-6')).toBe('end');
  return [message.get('PID-5'), message.encoding];
}

test.each<[string, number[], string, string]>([
  ['ASCII', ascii('plain'), 'plain', 'utf-8'],
  ['', [0xc3, 0xa9], 'é', 'utf-8'],
  ['', [0xe9], 'é', 'windows-1252'],
  ['UNICODE UTF-8', [0xe6, 0xbc, 0xa2], '漢', 'utf-8'],
  ['8859/1', [0xe9], 'é', 'windows-1252'],
  ['8859/2', [0xb3], 'ł', 'iso-8859-2'],
  ['8859/5', [0xb0], 'А', 'iso-8859-5'],
  ['8859/7', [0xe1], 'α', 'iso-8859-7'],
  ['8859/9', [0xfe], 'ş', 'windows-1254'],
  ['8859/15', [0xa4], '€', 'iso-8859-15'],
  ['windows-1252', [0x93, 0x80], '“€', 'windows-1252'],
  ['CP1251', [0xc0], 'А', 'windows-1251'],
  ['GB 18030-2000', [0xba, 0xba], '汉', 'gb18030'],
  ['BIG-5', [0xba, 0x7e], '漢', 'big5'],
  ['KS X 1001', [0xc7, 0xd1], '한', 'euc-kr'],
  ['ISO IR14', [0xb1], 'ｱ', 'shift_jis'],
  ['ISO IR87', [0x1b, 0x24, 0x42, 0x34, 0x41, 0x1b, 0x28, 0x42], '漢', 'iso-2022-jp'],
  ['UNICODE UTF-8~ISO IR87', [0xc3, 0xa9], 'é', 'utf-8'],
  ['~ISO IR87', [0x1b, 0x24, 0x42, 0x34, 0x41, 0x1b, 0x28, 0x42], '漢', 'iso-2022-jp'],
  ['ASCII~ISO IR87', [...ascii('Kan'), 0x1b, 0x24, 0x42, 0x34, 0x41, 0x1b, 0x28, 0x42], 'Kan漢', 'iso-2022-jp'],
  ['8859/1~8859/2', [0xe9], 'é', 'windows-1252'],
])('%s', (charset, bytes, text, encoding) => {
  expect(name(charset, bytes)).toEqual([text, encoding]);
});

test('a sender known to declare wrongly is overruled', () => {
  expect(name('8859/1', [0xc3, 0xa9], { charset: 'UNICODE UTF-8' })).toEqual(['é', 'utf-8']);
});

test('text is given the bytes its MSH-18 says', () => {
  const text = (charset: string) => `MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5||||||${charset}\rPID|1||||é漢`;
  for (const [charset, encoding] of [
    ['GB 18030-2000', 'gb18030'],
    ['', 'utf-8'],
    ['8859/1', 'utf-8'],
    ['EBCDIC', 'utf-8'],
  ] as const) {
    const message = parseMessage(text(charset));
    if (isParseError(message)) throw new Error(message.message);
    expect([message.encoding, message.toString()]).toEqual([encoding, text(charset)]);
    expect(new TextDecoder(encoding).decode(message.toBytes())).toBe(text(charset));
  }
});

test('the sender’s own charset is taken for undeclared text', () => {
  expect(name('', [0xb3], { fallbackCharset: '8859/2' })).toEqual(['ł', 'iso-8859-2']);
});

test('hexadecimal escapes are read in the charset of the message', () => {
  expect(name('8859/1', ascii('\\XE9\\'))[0]).toBe('é');
  expect(name('GB 18030-2000', ascii('\\XBABA\\'))[0]).toBe('汉');
  expect(name('UNICODE UTF-8', ascii('\\XC3A9\\'))[0]).toBe('é');
});

describe('UTF-16', () => {
  const text = 'MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5||||||UNICODE UTF-16\rPID|1||||漢\ud83d\ude00\r';
  test.each(['utf-16le', 'utf-16be'])('%s, with byte order mark and without', (label) => {
    for (const content of [`\ufeff${text}`, text]) {
      const bytes = encodeText(content, label)!;
      const message = parseMessage(bytes);
      if (isParseError(message)) throw new Error(message.message);
      expect([message.encoding, message.get('PID-5'), message.toString()]).toEqual([label, '漢\ud83d\ude00', text]);
    }
  });
  test('cut off', () => {
    const bytes = encodeText(`\ufeff${text}`, 'utf-16le')!.subarray(0, -1);
    expect(parseMessage(bytes)).toMatchObject({ code: 'undecodable' });
  });
  test('declared but not sent', () => {
    expect(parseMessage(new TextEncoder().encode(text))).toMatchObject({ code: 'unsupported-charset' });
  });
});

test.each(['utf-8', 'windows-1252', 'iso-8859-6', 'iso-8859-8', 'windows-874', 'utf-16le'])(
  '%s: any bytes come back from the text they were read as',
  (label) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
        const bytes = label === 'utf-16le' ? input.subarray(0, input.length & ~1) : input;
        expect(encodeText(decodeText(bytes, label, label).text, label)).toEqual(Uint8Array.from(bytes));
      }),
      { numRuns: 200 },
    );
  },
);

test('two-byte charsets write what they read', () => {
  for (const [label, text] of [
    ['gb18030', '汉字 abc'],
    ['big5', '漢字'],
    ['euc-kr', '한국'],
    ['shift_jis', '漢字カナ'],
    ['euc-jp', '漢字'],
  ] as const) {
    expect(decodeText(encodeText(text, label)!, label, label)).toMatchObject({ text, undecodable: 0 });
  }
  expect(encodeText('漢', 'windows-1252')).toBeUndefined();
  expect(encodeText('漢', 'iso-2022-jp')).toBeUndefined();
});

test('names that are none', () => {
  expect(charsetLabel('EBCDIC')).toBeUndefined();
  expect(charsetLabel('CNS 11643-1992')).toBeUndefined();
});
