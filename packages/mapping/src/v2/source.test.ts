import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { expect, test } from 'vitest';
import { readSource, type SourceSegment } from './source.ts';

test('every sub-component stands at its numbers, whichever of them comes first', () => {
  const message = parseMessage('MSH|^~\\&|A|B|C|D|2024||ADT^A01|7|P|2.5\rPID|a|~b|^c~&d|^&e^f&g&h~~^^i|&&j\r');
  if (isParseError(message)) throw new Error(message.message);
  const { fields, atoms } = readSource(message)[1]!;
  const found = atoms.map(({ value, field, repetition, component, subcomponent }) => {
    expect(fields[field]?.[repetition - 1]?.[component]?.[subcomponent]?.value).toBe(value);
    return `${value} ${field}.${repetition}.${component}.${subcomponent}`;
  });
  expect(found.join(', ')).toBe(
    'a 1.1.1.1, b 2.2.1.1, c 3.1.2.1, d 3.2.1.2, e 4.1.2.2, f 4.1.3.1, g 4.1.3.2, h 4.1.3.3, i 4.3.3.1, j 5.1.1.3',
  );
  expect([fields[4]!.length, fields[4]![1], fields[5]![0]![1]!.length]).toEqual([3, undefined, 4]);
});

test('a sub-component takes less than half a kilobyte', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const rows = Array.from({ length: 5_000 }, (_, i) => `OBX|${i}|NM|718-7^^LN|${i}|14.${i}|g/dL||||F`);
  const message = parseMessage(['MSH|^~\\&|A|B|C|D|2024||ORU^R01|7|P|2.5', ...rows].join('\r'));
  if (isParseError(message)) throw new Error(message.message);
  collect();
  const before = process.memoryUsage().heapUsed;
  let source: SourceSegment[] | undefined = readSource(message);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  const atoms = source.reduce((sum, segment) => sum + segment.atoms.length, 0);
  source = undefined;
  expect(atoms).toBeGreaterThan(40_000);
  expect(bytes / atoms).toBeLessThan(512);
});
