/** Parsing: views, losslessness, refusals with their codes, limits. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forEachAtom, isParseError, Message, parseMessage } from './index.ts';
import { delimiterSets, generatedMessage } from './message.arbitrary.ts';
import type { ParseError } from './parse-error.ts';

const head = 'MSH|^~\\&|LAB|NORTH|EHR|SOUTH|20240229134500+0000||ORU^R01^ORU_R01|77|P|2.5.1';

function parsed(input: Uint8Array | string): Message {
  const message = parseMessage(input);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

function refused(input: Uint8Array | string, options = {}): ParseError {
  const error = parseMessage(input, options);
  if (!isParseError(error)) throw new Error('was not refused');
  return error;
}

describe('reading', () => {
  const message = parsed(
    `${head}\rPID|1||A1^^^NORTH&2.16.1&ISO^MR~B2^^^SOUTH^PI||O\\T\\Neil^Ada||""|F\rOBX|1|NM|x||5\rOBX|2|ST|y||a\\.br\\b\rZX1|own\r`,
  );

  test('header', () => {
    expect(message.type).toEqual({ code: 'ORU', event: 'R01', structure: 'ORU_R01' });
    expect([message.controlId, message.version, message.encoding]).toEqual(['77', '2.5.1', 'utf-8']);
    expect(message.get('MSH-1')).toBe('|');
    expect(message.get('MSH-2')).toBe('^~\\&');
    expect(message.get('MSH-3')).toBe('LAB');
  });

  test('paths', () => {
    expect(message.get('PID-5')).toBe('O&Neil');
    expect(message.get('PID-5.2')).toBe('Ada');
    expect(message.get('PID-3[2].4')).toBe('SOUTH');
    expect(message.get('PID-3.4.2')).toBe('2.16.1');
    expect(message.get('OBX[2]-5')).toBe('a\nb');
    expect(message.get('ZX1-1')).toBe('own');
    expect(message.get('PID-7')).toBe('""');
    expect(message.get('PID-6')).toBeUndefined();
    expect(message.get('PV1-2')).toBeUndefined();
    expect(message.get('PID-3[3].1')).toBeUndefined();
    expect(() => message.get('PID.3')).toThrow(TypeError);
  });

  test('views', () => {
    const pid = message.segment('PID')!;
    expect([pid.fieldCount, pid.occurrence, pid.index]).toEqual([8, 1, 1]);
    expect(pid.field(6).isEmpty).toBe(true);
    expect(pid.field(7).isNull).toBe(true);
    expect(pid.field(99).first.component(3).sub(2)).toBe('');
    expect(pid.field(3).repetitions.map((each) => each.componentCount)).toEqual([5, 5]);
    expect(pid.field(3).first.component(4).subCount).toBe(3);
    expect(pid.field(5).first.text).toBe('O&Neil^Ada');
    expect(message.all('OBX').map((segment) => segment.occurrence)).toEqual([1, 2]);
  });

  test('atoms agree with paths', () => {
    let count = 0;
    forEachAtom(message, (atom) => {
      count++;
      const { segment, occurrence, field, repetition, component, subcomponent } = atom;
      const path = `${segment}[${occurrence}]-${field}[${repetition}].${component}.${subcomponent}`;
      expect(message.get(path)).toBe(atom.value);
    });
    expect(count).toBe(35);
  });
});

describe('line ends', () => {
  test.each(['\r', '\n', '\r\n', '\r\r', '\n\r'])('%j ends segments and is written back', (end) => {
    const text = `${head}${end}PID|1${end}PV1|1${end}`;
    const message = parsed(text);
    expect(message.segments.map((segment) => segment.name)).toEqual(['MSH', 'PID', 'PV1']);
    expect(message.toString()).toBe(text);
  });

  test('a bare line feed within CR-ended segments is content unless a segment follows', () => {
    const message = parsed(`${head}\rOBX|1|TX|||line one\nline two\nPID|1\rPV1|1`);
    expect(message.get('OBX-5')).toBe('line one\nline two');
    expect(message.segments.map((segment) => segment.name)).toEqual(['MSH', 'OBX', 'PID', 'PV1']);
  });

  test('blank lines, byte order mark and left-over framing are kept and are no segments', () => {
    const text = `\u000b${head}\r\r \rPID|1\r\u001c\r`;
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, ...new TextEncoder().encode(text));
    const message = parsed(bytes);
    expect(message.segments).toHaveLength(2);
    expect(message.toString()).toBe(text);
    expect(message.toBytes()).toEqual(bytes);
  });

  test('a line without a segment name is kept and listed', () => {
    const message = parsed(`${head}\rpid|1\r`);
    expect(message.segments[1]?.name).toBe('pid');
    expect(message.problems).toMatchObject([{ code: 'segment-name', segmentIndex: 1 }]);
  });

  test('text where a segment should be is seen as field 0', () => {
    const seen: unknown[] = [];
    forEachAtom(parsed(`${head}\rstray words|1\rmore`), ({ segment, field, value }) =>
      seen.push([segment, field, value]),
    );
    expect(seen.slice(-3)).toEqual([
      ['str', 0, 'stray words'],
      ['str', 1, '1'],
      ['mor', 0, 'more'],
    ]);
  });
});

describe('refusals', () => {
  test.each([
    ['', 'empty', '100'],
    ['\r\n \r', 'empty', '100'],
    ['PID|1', 'missing-msh', '100'],
    ['FHS|^~\\&\rMSH|^~\\&', 'missing-msh', '100'],
    [`${head}\rPID|1\r${head}\rPID|1\r`, 'several-messages', '100'],
    ['MSH', 'bad-field-separator', '102'],
    ['MSHA^~\\&A', 'bad-field-separator', '102'],
    ['MSH||LAB', 'bad-encoding-characters', '101'],
    ['MSH|^^\\&|LAB', 'bad-encoding-characters', '102'],
    ['MSH|abcd|LAB', 'bad-encoding-characters', '102'],
    ['MSH|^~\\&#$|LAB', 'bad-encoding-characters', '102'],
    ['MSH|^~\\&|LAB|||||||77|P|2.5', 'missing-message-type', '101'],
    ['MSH|^~\\&|LAB||||||ADT^A01||P|2.5', 'missing-control-id', '101'],
    ['MSH|^~\\&|LAB||||||ADT^A01|77|P|', 'missing-version', '101'],
    ['MSH|^~\\&|LAB||||||ADT^A01|77|P|3.0', 'unsupported-version', '203'],
  ])('%j: %s', (text, code, errorCode) => {
    expect(refused(text)).toMatchObject({ kind: 'parse-error', code, errorCode });
    expect(refused(new TextEncoder().encode(text))).toMatchObject({ code, errorCode });
  });

  test('an unknown character set', () => {
    const bytes = new TextEncoder().encode(`${head}||||||EBCDIC`);
    expect(refused(bytes)).toMatchObject({ code: 'unsupported-charset', errorCode: '103', field: 18 });
  });

  test('a refusal brings the header that could be read', () => {
    expect(refused('MSH|^~\\&|LAB||||||ADT^A01|77|P|9.9').header).toMatchObject({ controlId: '77' });
  });

  test.each([
    [{ messageBytes: 50 }, 'too-large'],
    [{ segments: 2 }, 'too-many-segments'],
    [{ fields: 12 }, 'too-many-fields'],
    [{ repetitions: 2 }, 'too-many-repetitions'],
    [{ components: 3 }, 'too-many-components'],
    [{ subcomponents: 2 }, 'too-many-subcomponents'],
  ])('limit %j', (limits, code) => {
    const text = `${head}\rPID|1||a^b^c^d\rPV1|1||||||||||||x\rNTE|1~2~3|a&b&c`;
    expect(isParseError(parseMessage(text))).toBe(false);
    expect(refused(text, { limits })).toMatchObject({ code, errorCode: '104' });
  });
});

describe('properties', () => {
  test('any delimiters: writing back gives the bytes parsed, and every leaf its value', () => {
    fc.assert(
      fc.property(delimiterSets.chain(generatedMessage), ({ text, leaves }) => {
        const bytes = new TextEncoder().encode(text);
        const message = parsed(bytes);
        expect(message.toString()).toBe(text);
        expect(message.toBytes()).toEqual(bytes);
        for (const [path, value] of leaves) {
          expect(message.get(path)).toBe(value === '' ? undefined : value);
        }
      }),
    );
  });

  test('any bytes after the header: parsed or refused, written back the same', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('', '||||||UNICODE UTF-8', '||||||GB 18030-2000'),
        (tail, charset) => {
          const bytes = Uint8Array.from([...new TextEncoder().encode(`${head}${charset}\r`), ...tail]);
          const message = parsed(bytes);
          expect(message.toBytes()).toEqual(bytes);
          forEachAtom(message, (atom) => expect(atom.value.isWellFormed()).toBe(true));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('any bytes at all: a message or an error, never an exception', () => {
    const near = fc.array(fc.constantFrom('MSH', '|', '^', '~', '\\', '&', '\r', '\n', 'ADT', '2.5', '1', '\u0000'));
    const inputs = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      near.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(inputs, (input) => {
        const result = parseMessage(input);
        expect(result instanceof Message || isParseError(result)).toBe(true);
      }),
    );
  });
});
