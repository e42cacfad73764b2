/** MLLP framing: the same events however the stream is cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFrame, MllpDecoder, type MllpEvent } from './mllp.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (content: Uint8Array): string => String.fromCharCode(...content);

function events(chunks: readonly Uint8Array[], maximumFrameBytes?: number): string[] {
  const decoder = new MllpDecoder({ maximumFrameBytes });
  const all: MllpEvent[] = chunks.flatMap((chunk) => decoder.push(chunk));
  all.push(...decoder.end());
  return all.map((event) => `${event.kind === 'frame' ? 'frame' : event.code} ${text(event.content)}`);
}

test.each<[string, string, string[]]>([
  ['one frame', '\x0bMSH|a\x1c\r', ['frame MSH|a']],
  ['two frames', '\x0bMSH|a\x1c\r\x0bMSH|b\x1c\r', ['frame MSH|a', 'frame MSH|b']],
  ['an empty frame', '\x0b\x1c\r', ['frame ']],
  [
    'garbage around',
    'xx\x0bMSH|a\x1c\ryy\r\n\x0bMSH|b\x1c\rz',
    ['garbage ', 'frame MSH|a', 'garbage ', 'frame MSH|b', 'garbage '],
  ],
  ['a start block twice', '\x0b\x0bMSH|a\x1c\r', ['garbage ', 'frame MSH|a']],
  ['cut off by the end', '\x0bMSH|a', ['truncated MSH|a']],
  ['cut off by the next', '\x0bMSH|a\x0bMSH|b\x1c\r', ['truncated MSH|a', 'frame MSH|b']],
  ['final CR missing', '\x0bMSH|a\x1c\x0bMSH|b\x1c', ['frame MSH|a', 'frame MSH|b']],
  ['framing bytes as content', '\x0ba\x0bb\x1cc\x0bM\x1c\r', ['frame a\x0bb\x1cc\x0bM']],
  ['too large', '\x0bMSH|123456789\x1c\r\x0bMSH|b\x1c\r', ['too-large MSH|12345', 'frame MSH|b']],
  ['too large and cut off', '\x0bMSH|123456789\x0bMSH|b\x1c\r', ['too-large MSH|12345', 'frame MSH|b']],
  ['just not too large', '\x0bMSH|12345\x1c\r', ['frame MSH|12345']],
])('%s', (_, stream, expected) => {
  expect(events([bytes(stream)], 9)).toEqual(expected);
  expect(events([...stream].map(bytes), 9)).toEqual(expected);
});

describe('UTF-16, whose characters may look like the end of a frame', () => {
  // Malayalam JA and Lepcha have the bytes of the end; the others have them between two characters.
  const content = '\ufeffMSH|^~\\&|A|B\rPID|1||\u0d1c\u1c0d|\u1c41\u420d|\u411c\u0d42\r';
  const encode = (isLittle: boolean) =>
    Uint8Array.from(
      [...content].flatMap((one) => {
        const [high, low] = [one.charCodeAt(0) >> 8, one.charCodeAt(0) & 0xff];
        return isLittle ? [low, high] : [high, low];
      }),
    );
  test.each([
    ['little', true, true],
    ['big', false, true],
    ['little', true, false],
    ['big', false, false],
  ] as const)('%s-endian, byte order mark %s', (_, isLittle, isMarked) => {
    const frame = encode(isLittle).subarray(isMarked ? 0 : 2);
    const stream = [...encodeFrame(frame), ...encodeFrame(bytes('MSH|next'))];
    for (const chunks of [[Uint8Array.from(stream)], stream.map((byte) => Uint8Array.of(byte))]) {
      expect(events(chunks)).toEqual([`frame ${text(frame)}`, 'frame MSH|next']);
      // One that is too large ends where it would if it were not.
      expect(events(chunks, 20)).toEqual([`too-large ${text(frame.subarray(0, 20))}`, 'frame MSH|next']);
      const odd = [...encodeFrame(frame.subarray(0, -1)), ...encodeFrame(bytes('MSH|next'))];
      const cuts = Array.from({ length: odd.length }, (_one, cut) => [odd.slice(0, cut), odd.slice(cut)]);
      const told = new Set(
        cuts.map((two) =>
          events(
            two.map((part) => Uint8Array.from(part)),
            20,
          ).join('\n'),
        ),
      );
      expect(told.size).toBe(1);
    }
  });
});

describe('framing in two bytes for each character, around big-endian UTF-16', () => {
  const wide = (text: string) =>
    Uint8Array.from([...text].flatMap((one) => [one.charCodeAt(0) >> 8, one.charCodeAt(0) & 0xff]));
  const content = wide('MSH|^~\\&|A|B\rPID|1||\u0d1c\u1c0d|\u1c00\u0d00|\u001b\r');
  const seen = (chunks: readonly (readonly number[])[], limit?: number) => {
    const decoder = new MllpDecoder({ maximumFrameBytes: limit });
    const all = chunks.flatMap((chunk) => decoder.push(Uint8Array.from(chunk)));
    all.push(...decoder.end());
    return all.map((event) => (event.kind === 'frame' ? [event.isWide, text(event.content)] : [event.code]));
  };

  test('ends where its own end block is, however it is cut', () => {
    const frame = [...encodeFrame(content, true)];
    expect(frame.slice(0, 4)).toEqual([0, 0x0b, 0, 0x4d]);
    expect(frame.slice(-4)).toEqual([0, 0x1c, 0, 0x0d]);
    const stream = [...frame, ...frame, ...encodeFrame(content), ...encodeFrame(bytes('MSH|next'))];
    const found = [
      [true, text(content)],
      [true, text(content)],
      [false, text(content)],
      [false, 'MSH|next'],
    ];
    for (let cut = 0; cut <= stream.length; cut++)
      expect(seen([stream.slice(0, cut), stream.slice(cut)])).toEqual(found);
    expect(seen(stream.map((byte) => [byte]))).toEqual(found);
  });

  test('counts as too large, or cut off, as any other', () => {
    const frame = [...encodeFrame(content, true)];
    const next = [...encodeFrame(content.slice(0, 10), true)];
    for (let cut = 0; cut <= frame.length; cut++) {
      const cuts = [frame.slice(0, cut), [...frame.slice(cut), ...next]];
      expect(seen(cuts, content.length)).toEqual([
        [true, text(content)],
        [true, text(content.slice(0, 10))],
      ]);
      expect(seen(cuts, content.length - 1)).toEqual([['too-large'], [true, text(content.slice(0, 10))]]);
      expect(seen(cuts, 20)).toEqual([['too-large'], [true, text(content.slice(0, 10))]]);
    }
    expect(seen([frame.slice(0, 20)])).toEqual([['truncated']]);
    expect(seen([frame.slice(0, -2)])).toEqual([[true, text(content)]]);
  });

  test('a zero before another frame is garbage', () => {
    expect(seen([[0, ...encodeFrame(bytes('MSH|a'))]])).toEqual([['garbage'], [false, 'MSH|a']]);
    expect(seen([[0, 0, ...encodeFrame(bytes('MSH|a')).slice(0, 4)]])).toEqual([
      ['garbage'],
      ['garbage'],
      ['truncated'],
    ]);
  });
});

test('a frame goes through whole', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 50 }).filter((content) => !/[\x0b\x1c]|^(\xff\xfe|\xfe\xff)/.test(text(content))),
      (content) => {
        expect(events([encodeFrame(content)])).toEqual([`frame ${text(content)}`]);
      },
    ),
  );
});

test('any stream cut anywhere gives the same events', () => {
  const piece = fc.constantFrom(
    '\x0b',
    '\x1c',
    '\r',
    '\x1c\r',
    'MSH|',
    'M',
    'MS',
    'BHS',
    'x',
    'abcdefgh',
    '\x0bMSH|1\x1c\r',
    '\0',
    '\0M\0S\0H',
    '\0\x0b\0M\0S\0H\0\x1c\0\r',
  );
  const stream = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(stream, fc.array(fc.nat({ max: 12 })), (whole, lengths) => {
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const length of lengths) {
        chunks.push(bytes(whole.slice(at, at + length)));
        at += length;
      }
      chunks.push(bytes(whole.slice(at)));
      expect(events(chunks, 10)).toEqual(events([bytes(whole)], 10));
    }),
    { numRuns: 1000 },
  );
});

describe('hostile streams', () => {
  test('a frame past the limit is refused once and not kept', () => {
    const decoder = new MllpDecoder({ maximumFrameBytes: 100_000 });
    const chunk = new Uint8Array(60_000).fill(0x41);
    const seen = decoder.push(Uint8Array.of(0x0b));
    for (let i = 0; i < 50; i++) seen.push(...decoder.push(chunk));
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ kind: 'error', code: 'too-large' });
    expect(seen[0]!.content).toHaveLength(65_536);
    expect(decoder.push(bytes('\x1c\r\x0bMSH|b\x1c\r')).map((event) => event.kind)).toEqual(['frame']);
  });

  test('endless garbage is reported as it comes', () => {
    const decoder = new MllpDecoder();
    expect(decoder.push(new Uint8Array(10_000))).toHaveLength(2);
    expect(decoder.pendingGarbage).toBe(10_000 - 2 * 4096);
    expect(decoder.insideFrame).toBe(false);
  });
});
