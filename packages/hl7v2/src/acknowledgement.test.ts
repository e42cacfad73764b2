/** Acknowledgements: mode, form by version, addressing. */
import { describe, expect, test } from 'vitest';
import { encodeText } from './charset.ts';
import { acknowledge, acknowledgementCode, isParseError, type Message, parseMessage } from './index.ts';

const time = new Date('2024-02-29T13:45:00Z');
const header = (version: string, tail = '') =>
  `MSH|^~\\&|LAB|NORTH^1.2^ISO|HUB|REGION|2024||ORU^R01|77|T|${version}${tail}\r`;

function message(text: string): Message {
  const parsed = parseMessage(text);
  if (isParseError(parsed)) throw new Error(parsed.message);
  return parsed;
}

test('accepted: addressed back, in the sender’s version', () => {
  const answer = acknowledge(message(header('2.5.1')), { outcome: 'accept', time, controlId: 'A1' });
  expect(answer?.text).toBe(
    'MSH|^~\\&|HUB|REGION|LAB|NORTH^1.2^ISO|20240229134500+0000||ACK^R01^ACK|A1|T|2.5.1\rMSA|AA|77\r',
  );
  expect(isParseError(parseMessage(answer!.bytes))).toBe(false);
});

test('conditions from v2.5: an ERR each', () => {
  const conditions = [
    { errorCode: '102', message: 'PID-7 has no day 30 | in month 2', segment: 'PID', occurrence: 1, field: 7 },
    { errorCode: '103', message: 'Unknown code', severity: 'W', segment: 'OBX', occurrence: 2, field: 3, component: 1 },
    { errorCode: '207', message: 'No room' },
  ] as const;
  const answer = acknowledge(message(header('2.6')), { outcome: 'error', time, controlId: 'A1', conditions });
  expect(answer?.text.split('\r').slice(1)).toEqual([
    'MSA|AE|77',
    'ERR||PID^1^7|102^Data type error^HL70357|E||||PID-7 has no day 30 \\F\\ in month 2',
    'ERR||OBX^2^3^1^1|103^Table value not found^HL70357|W||||Unknown code',
    'ERR|||207^Application internal error^HL70357|E||||No room',
    '',
  ]);
});

test('conditions before v2.5: MSA-3 and a repeating ERR-1', () => {
  const conditions = [
    { errorCode: '101', message: 'x'.repeat(200), segment: 'PID', field: 3 },
    { errorCode: '207', message: 'No room' },
  ] as const;
  const answer = acknowledge(message(header('2.3')), { outcome: 'reject', time, controlId: 'A1', conditions });
  expect(answer?.text.split('\r')).toEqual([
    'MSH|^~\\&|HUB|REGION|LAB|NORTH^1.2^ISO|20240229134500+0000||ACK^R01|A1|T|2.3',
    `MSA|AR|77|${'x'.repeat(80)}`,
    'ERR|PID^1^3^101&Required field missing&HL70357~^^^207&Application internal error&HL70357',
    '',
  ]);
});

test('a refused message is answered with place and code', () => {
  const error = parseMessage('MSH|^~\\&|LAB|NORTH|HUB|REGION|||ADT^A01||P|2.5.1\r');
  if (!isParseError(error)) throw new Error('was not refused');
  const answer = acknowledge(error, { outcome: 'reject', time, controlId: 'A1' });
  expect(answer?.code).toBe('AR');
  expect(answer?.text).toContain('\rMSA|AR|\rERR||MSH^1^10|101^Required field missing^HL70357|E||||MSH-10 is empty');
});

test('what is no message at all is answered too', () => {
  const error = parseMessage('GET / HTTP/1.1');
  if (!isParseError(error)) throw new Error('was not refused');
  const answer = acknowledge(error, { outcome: 'reject', time, controlId: 'A1' });
  expect(answer?.text).toContain('MSH|^~\\&|||||20240229134500+0000||ACK|A1|P|2.5.1\rMSA|AR|\rERR||MSH^1|100^');
});

test('own delimiters and charset are used in the answer', () => {
  const text = 'MSH!@%*$!LAB\u00e9!N!HUB!R!!!ADT@A01!7!P!2.5!!!!!!8859/1\r';
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const parsed = parseMessage(bytes);
  if (isParseError(parsed)) throw new Error(parsed.message);
  const answer = acknowledge(parsed, { outcome: 'accept', time, controlId: 'A1' });
  expect(answer?.text).toMatch(
    /^MSH!@%\*\$!HUB!R!LABé!N!2024\d+\+0000!!ACK@A01@ACK!A1!P!2\.5!!!!!!8859\/1\rMSA!AA!7\r$/,
  );
  expect(answer?.bytes).toHaveLength(answer!.text.length);
});

test.each([
  ['UTF-16 is declared and the bytes are not', 'MSH|^~\\&|A|B|C|D|2024||ADT^A01|7|P|2.5||||||UNICODE UTF-16\r'],
  ['UTF-16 is declared, the mark says UTF-8', '\ufeffMSH|^~\\&|A|B|C|D|2024||ADT^A01|7|P|2.5||||||UNICODE UTF-16\r'],
  ['there is no such version', 'MSH|^~\\&|A|B|C|D|2024||ADT^A01|7|P|2.5.3\r'],
  ['a delimiter stands in versions', 'MSH|.&#!|A|B|C|D|2024||ADT.A01|7|P|2.5\r'],
  [
    'the control number has more parts than are taken',
    `MSH|^~\\&|A|B|C|D|2024||ADT^A01|7${'&x'.repeat(3_000)}|P|2.5\r`,
  ],
  ['a delimiter stands in times', 'MSH|+~\\&|A|B|C|D|2024||ADT+A01|7|P|2.5\r'],
])('the answer can be read where %s', (_, text) => {
  const answer = acknowledge(parseMessage(Buffer.from(text)), { outcome: 'error', time, controlId: 'A1' });
  const read = parseMessage(answer!.bytes);
  if (isParseError(read)) throw new Error(read.message);
  expect(read.header).toMatchObject({ controlId: 'A1', messageCode: 'ACK' });
  expect(read.header.version).toMatch(/^2\.5/);
  expect(answer!.text).toMatch(/\rMSA.A[ER].7/);
});

describe('enhanced mode', () => {
  const wish = (accept: string, application: string) => message(header('2.5', `|||${accept}|${application}`)).header;
  test.each([
    ['AL', 'NE', 'accept', 'CA', undefined],
    ['AL', 'AL', 'error', 'CE', 'AE'],
    ['NE', 'AL', 'reject', undefined, 'AR'],
    ['ER', 'SU', 'accept', undefined, 'AA'],
    ['ER', 'SU', 'reject', 'CR', undefined],
    ['', 'AL', 'accept', undefined, 'AA'],
    ['AL', '', 'accept', 'CA', undefined],
    ['', '', 'accept', 'AA', 'AA'],
  ] as const)('MSH-15 %j, MSH-16 %j, %s: %s, then %s', (accept, application, outcome, commit, later) => {
    const to = wish(accept, application);
    expect(acknowledgementCode(to, outcome)).toBe(commit);
    expect(acknowledgementCode(to, outcome, 'application')).toBe(later);
  });

  test('no answer where none is wished', () => {
    expect(acknowledge(wish('NE', 'NE'), { outcome: 'accept', time, controlId: 'A1' })).toBeUndefined();
  });

  test('an application acknowledgement asks to be confirmed, and for no answer to itself', () => {
    const options = { outcome: 'accept', stage: 'application', time, controlId: 'A2' } as const;
    expect(acknowledge(wish('AL', 'AL'), options)?.text).toMatch(/^MSH(\|[^|\r]*){11}\|\|\|AL\|NE\rMSA\|AA\|77\r$/);
    expect(acknowledge(message(header('2.5')), options)?.text).toMatch(/\|2\.5\rMSA\|AA\|77\r$/);
  });
});

test.each(['2.3', '2.5.1'])('the sequence number expected next stands in MSA-4 (v%s)', (version) => {
  const options = { outcome: 'accept', time, controlId: 'A1', expectedSequenceNumber: -1 } as const;
  expect(acknowledge(message(header(version)), options)?.text).toContain('\rMSA|AA|77||-1\r');
  const conditions = [{ errorCode: '100', message: 'Number 9 comes after 7' }] as const;
  const refusal = acknowledge(message(header(version)), { ...options, expectedSequenceNumber: 8, conditions })!.text;
  expect(refusal).toContain(version === '2.3' ? '\rMSA|AA|77|Number 9 comes after 7|8\r' : '\rMSA|AA|77||8\r');
});

test.each([
  ['0', 0],
  ['-1', -1],
  ['17', 17],
  ['', undefined],
  ['-2', undefined],
  ['1.5', undefined],
  ['x', undefined],
])('MSH-13 %j', (field, number) => {
  expect(message(header('2.5', `|${field}`)).header.sequenceNumber).toBe(number);
});

describe('the answer is in the charset of the message', () => {
  const charsets = (name: string) => `MSH|^~\\&|LABÉ|NORTH|HUB|REGION|2024||ORU^R01|77|T|2.5||||||${name}\rPID|1\r`;
  const answerTo = (bytes: Uint8Array) => {
    const parsed = parseMessage(bytes);
    if (isParseError(parsed)) throw new Error(parsed.message);
    return acknowledge(parsed, { outcome: 'accept', time, controlId: 'A1' })!;
  };
  test.each([
    ['8859/1', 'windows-1252'],
    ['8859/15', 'iso-8859-15'],
    ['UNICODE UTF-8', 'utf-8'],
    ['UNICODE UTF-16', 'utf-16le'],
    ['UNICODE UTF-16', 'utf-16be'],
    ['8859/1~UNICODE UTF-8', 'windows-1252'],
  ])('%s as %s', (name, label) => {
    for (const mark of label.startsWith('utf-16') ? ['', '\ufeff'] : ['']) {
      const answer = answerTo(encodeText(mark + charsets(name), label)!);
      expect(new TextDecoder(label, { ignoreBOM: true }).decode(answer.bytes)).toBe(mark + answer.text);
      expect(answer.text).toContain(`|LABÉ|`);
      expect(answer.text).toContain(`||||||${name.split('~')[0]}\r`);
    }
  });
  test('or in UTF-8, and says so, where that cannot be written', () => {
    const head = encodeText('MSH|^~\\&|', 'utf-8')!;
    const kanji = [0x1b, 0x24, 0x42, 0x34, 0x41, 0x1b, 0x28, 0x42];
    const rest = encodeText('|NORTH|HUB|REGION|2024||ORU^R01|77|T|2.5||||||ISO IR87\rPID|1\r', 'utf-8')!;
    const answer = answerTo(Uint8Array.from([...head, ...kanji, ...rest]));
    expect(new TextDecoder().decode(answer.bytes)).toContain('|漢|NORTH|');
    expect(answer.text).toContain('||||||UNICODE UTF-8\r');
  });
});
