/** FHIR → v2: any message that is read is written, and what is written stays the same from then on. */
import { escapeText, isParseError, type Message, parseMessage, standardDelimiters } from '@causeway/hl7v2';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { convertV2 } from '../../v2/index.ts';
import { restoreV2 } from './restore.ts';
import { context, relay } from './testing.ts';
import { writeV2 } from './write.ts';

const TYPES = ['ADT^A01', 'ADT^A40', 'ORU^R01', 'ORM^O01', 'RDE^O11', 'VXU^V04', 'SIU^S12', 'MDM^T02'];
const SEGMENTS = [
  ...['PD1', 'NK1', 'PV1', 'PV2', 'AL1', 'DG1', 'PR1', 'GT1', 'IN1', 'IN2', 'ORC', 'OBR', 'OBX', 'NTE', 'SPM'],
  ...['TQ1', 'RXE', 'RXA', 'RXR', 'SCH', 'AIS', 'AIP', 'AIL', 'TXA', 'ROL', 'MRG', 'ACC', 'ARV', 'EVN'],
];

type Leaf = string | 'date' | 'time' | undefined;

const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abXYZ9 |^~\\&#é漢'), minLength: 1, maxLength: 8 }),
  fc.constant(undefined),
);
const field: fc.Arbitrary<Leaf[]> = fc.oneof(
  fc.array(leaf, { maxLength: 9 }),
  fc.constant<Leaf[]>([]),
  fc.constant<Leaf[]>(['date']),
  fc.constant<Leaf[]>(['time']),
);
const segment = fc.tuple(fc.constantFrom(...SEGMENTS), fc.array(field, { maxLength: 30 }));
const message = fc
  .tuple(fc.constantFrom(...TYPES), fc.array(field, { maxLength: 40 }), fc.array(segment, { maxLength: 6 }))
  .map(([type, pid, rest]) => textOf(type, [['PID', pid], ...rest]));

/** Every value is another one, so that no two of the things named are taken for the same by chance. */
function textOf(type: string, segments: readonly (readonly [string, Leaf[][]])[]): string {
  let count = 0;
  const written = (value: Leaf): string => {
    if (value === undefined) return '';
    count++;
    if (value === 'date') return `${1800 + (count % 200)}0210`;
    if (value === 'time') return `${1800 + (count % 200)}0210081500+0100`;
    return escapeText(`${value}${count}`, standardDelimiters);
  };
  const header = `MSH|^~\\&|EHR|CLINIC|HUB|REGION|20260210080910+0100||${type}|C42|P|2.5.1`;
  const lines = segments.map(([name, fields]) =>
    [name, ...fields.map((parts) => parts.map(written).join('^'))].join('|'),
  );
  return `${[header, ...lines].join('\r')}\r`;
}

function read(bytes: Uint8Array): Message {
  const parsed = parseMessage(bytes);
  if (isParseError(parsed)) throw new Error(parsed.message);
  return parsed;
}

function rewritten(source: Message): Message {
  const { code, event } = source.type;
  const resources = convertV2(source, context).facts.map(({ resource }) => resource);
  const bytes = writeV2({ code, event, resources }, relay);
  if (typeof bytes === 'string') throw new Error(bytes);
  return read(bytes);
}

it('restores any message by its ledger, the same each time', () => {
  fc.assert(
    fc.property(message, (text) => {
      const source = read(new TextEncoder().encode(text));
      const { facts, ledger } = convertV2(source, context);
      const { code, event } = source.type;
      const restore = () => restoreV2({ code, event, resources: facts.map(({ resource }) => resource) }, ledger, relay);
      const restored = restore();
      if (typeof restored === 'string') throw new Error(restored);
      expect(read(restored).toString()).toBe(read(restore() as Uint8Array).toString());
      const kept = new Set(source.segments.map(({ name }) => name));
      for (const { name } of read(restored).segments) expect(kept).toContain(name);
    }),
    { numRuns: 200 },
  );
});

it('writes what it reads, the same from the second time on', () => {
  fc.assert(
    fc.property(message, (text) => {
      const first = rewritten(read(new TextEncoder().encode(text)));
      const second = rewritten(first);
      expect(rewritten(second).toString()).toBe(second.toString());
    }),
    {
      numRuns: 200,
      examples: [
        [
          textOf('MDM^T02', [
            ['PID', []],
            ['ORC', [['time'], ['time']]],
            ['RXE', [['time']]],
          ]),
        ],
      ],
    },
  );
});
