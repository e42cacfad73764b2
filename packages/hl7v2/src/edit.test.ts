/** Built messages and edits: what is put in is read back, what is not touched stays. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  editMessage,
  isParseError,
  type Message,
  MessageBuilder,
  type ParseError,
  parseMessage,
  repetitions,
} from './index.ts';
import { delimiterSets, generatedMessage, leafTexts } from './message.arbitrary.ts';

const header = { time: '2024', type: ['ADT', 'A01'], controlId: '1', version: '2.5' };

function ok(result: Message | ParseError): Message {
  if (isParseError(result)) throw new Error(result.message);
  return result;
}

describe('building', () => {
  test('segments are written in the standard’s places', () => {
    const message = new MessageBuilder({ ...header, sendingApplication: 'EHR', fields: { 21: ['profile'] } })
      .segment('PID', { 1: 1, 3: repetitions(['a', '', ['x', '1&2']], 'b'), 5: null, 8: ['', ''] })
      .segment('ZZ1', {});
    expect(message.toString()).toBe(
      'MSH|^~\\&|EHR||||2024||ADT^A01|1|P|2.5||||||UNICODE UTF-8|||profile\rPID|1||a^^x&1\\T\\2~b||""\rZZ1\r',
    );
  });

  test('what is built is read back', () => {
    const fields = fc.array(fc.array(leafTexts, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(delimiterSets, fields, (delimiters, components) => {
        const values = Object.fromEntries(components.map((component, i) => [i + 1, [component, 'end']]));
        const message = ok(parseMessage(new MessageBuilder(header, delimiters).segment('ZZ1', values).toBytes()));
        components.forEach((leaves, f) => {
          expect(message.get(`ZZ1-${f + 1}.2`)).toBe('end');
          leaves.forEach((leaf, s) => {
            expect(message.get(`ZZ1-${f + 1}.1.${s + 1}`)).toBe(leaf === '' ? undefined : leaf);
          });
        });
      }),
    );
  });

  test('faults of the caller are thrown', () => {
    expect(() => new MessageBuilder({ ...header, charset: 'KLINGON' })).toThrow(RangeError);
    const message = new MessageBuilder({ ...header, charset: '8859/1' });
    expect(() => message.segment('pid', {})).toThrow(RangeError);
    expect(() => message.segment('PID', { 0: 'x' })).toThrow(RangeError);
    expect(() => message.segment('PID', { 5: '漢' }).toBytes()).toThrow(RangeError);
  });
});

describe('editing', () => {
  const source = 'MSH|^~\\&|A|B|C|D|2024||ADT^A01|1|P|2.5|\r\r\nPID|1||x^^^N~y||Old^Name|||\nZZ1|a\\.odd\\b\r';

  test('only the leaf changes', () => {
    const edited = ok(
      editMessage(ok(parseMessage(source)), [
        { path: 'PID-5.2', value: 'New|Name' },
        { path: 'PID-3[2].4.2', value: '9' },
        { path: 'PID-10', value: null },
        { path: 'MSH-6', value: 'EAST' },
      ]),
    );
    const expected = source
      .replace('^Name|||', '^New\\F\\Name|||||""')
      .replace('~y|', '~y^^^&9|')
      .replace('|C|D|', '|C|EAST|');
    expect(edited.toString()).toBe(expected);
  });

  test('an edited leaf reads as set, all others as before', () => {
    const generated = delimiterSets.chain(generatedMessage).filter(({ leaves }) => leaves.size > 0);
    fc.assert(
      fc.property(generated, fc.nat(), leafTexts, ({ text, leaves }, pick, value) => {
        const path = [...leaves.keys()][pick % leaves.size]!;
        const edited = ok(editMessage(ok(parseMessage(text)), [{ path, value }]));
        for (const [each, before] of leaves) {
          const expected = each === path ? value : before;
          expect(edited.get(each)).toBe(expected === '' ? undefined : expected);
        }
        const back = editMessage(edited, [{ path, value: leaves.get(path) }]);
        expect(ok(back).toString()).toBe(text);
      }),
    );
  });

  test('bytes that were no text survive', () => {
    const bytes = Uint8Array.from(`${source}OBX|1|TX|||caf\u00e9 \u00ff`, (character) => character.charCodeAt(0));
    const declared = source.replace('|2.5|', '|2.5||||||UNICODE UTF-8');
    const broken = Uint8Array.from([...new TextEncoder().encode(declared), ...bytes.subarray(source.length)]);
    const message = ok(parseMessage(broken));
    expect(message.get('OBX-5')).toBe('caf\ufffd \ufffd');
    expect(message.problems).toMatchObject([{ code: 'undecodable-bytes' }]);
    const edited = ok(editMessage(message, [{ path: 'ZZ1-2', value: 'é' }]));
    expect(edited.toBytes().subarray(-9)).toEqual(broken.subarray(-9));
    expect(edited.get('ZZ1-2')).toBe('é');
  });

  test('what cannot be changed says so', () => {
    const message = ok(parseMessage(source.replace('|2.5|', '|2.5||||||8859/1')));
    expect(message.encoding).toBe('windows-1252');
    expect(editMessage(message, [{ path: 'PV1-2', value: 'I' }])).toMatchObject({ code: 'missing-segment' });
    expect(editMessage(message, [{ path: 'PID-5', value: '漢' }])).toMatchObject({ code: 'unencodable' });
    expect(editMessage(message, [{ path: 'MSH-10', value: '' }])).toMatchObject({ code: 'missing-control-id' });
    expect(() => editMessage(message, [{ path: 'MSH-2', value: '#' }])).toThrow(TypeError);
  });
});
