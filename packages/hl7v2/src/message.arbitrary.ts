/**
 * Generated messages for property tests: built leaf by leaf with any delimiters, so that what each path must read is
 * known.
 */
import fc from 'fast-check';
import type { Delimiters } from './delimiters.ts';
import { escapeText } from './escape.ts';

/** Five or six different delimiters of printable punctuation. */
export const delimiterSets: fc.Arbitrary<Delimiters> = fc
  .shuffledSubarray([...'|^~\\&#!@%*$;<>'], { minLength: 6, maxLength: 6 })
  .chain((marks) =>
    fc.boolean().map((truncation) => ({
      field: marks[0]!,
      component: marks[1]!,
      repetition: marks[2]!,
      escape: marks[3]!,
      subcomponent: marks[4]!,
      ...(truncation ? { truncation: marks[5]! } : {}),
    })),
  );

/** Any text, rich in characters that need escaping and in letters that look like sequences. */
export const leafTexts: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'|^~\\&#\r\n\u000b\u001cFSTREX0D.br Zé漢'), maxLength: 12 }),
);

export interface GeneratedMessage {
  readonly text: string;
  /** Every leaf written after the header. */
  readonly leaves: ReadonlyMap<string, string>;
}

/** A message of one header and up to five segments, each field of up to 2 × 3 × 3 leaves. */
export function generatedMessage(delimiters: Delimiters): fc.Arbitrary<GeneratedMessage> {
  const subcomponents = fc.array(leafTexts, { minLength: 1, maxLength: 3 });
  const components = fc.array(subcomponents, { minLength: 1, maxLength: 3 });
  const repetitions = fc.array(components, { minLength: 1, maxLength: 2 });
  const segment = fc.tuple(fc.constantFrom('PID', 'OBX', 'ZZ1'), fc.array(repetitions, { maxLength: 4 }));
  const end = fc.constantFrom('\r', '\n', '\r\n');
  return fc.tuple(fc.array(segment, { maxLength: 5 }), end).map(([segments, terminator]) => {
    const { field, component, repetition, escape: mark, subcomponent, truncation = '' } = delimiters;
    const marks = component + repetition + mark + subcomponent + truncation;
    const type = `ADT${component}A01`;
    const lines = [['MSH', marks, 'A', 'B', 'C', 'D', '2024', '', type, '1', 'P', '2.8'].join(field)];
    const leaves = new Map<string, string>();
    const seen = new Map<string, number>();
    for (const [name, fields] of segments) {
      const occurrence = (seen.get(name) ?? 0) + 1;
      seen.set(name, occurrence);
      const written = fields.map((repeats, f) =>
        join(repeats, repetition, (parts, r) =>
          join(parts, component, (subs, c) =>
            join(subs, subcomponent, (leaf, s) => {
              leaves.set(`${name}[${occurrence}]-${f + 1}[${r + 1}].${c + 1}.${s + 1}`, leaf);
              return escapeText(leaf, delimiters);
            }),
          ),
        ),
      );
      lines.push([name, ...written].join(field));
    }
    return { text: lines.map((line) => line + terminator).join(''), leaves };
  });
}

function join<T>(parts: readonly T[], delimiter: string, write: (part: T, index: number) => string): string {
  return parts.map(write).join(delimiter);
}
