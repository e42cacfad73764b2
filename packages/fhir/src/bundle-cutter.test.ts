import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanBundle } from './bundle.ts';
import { BundleCutter, CUT_LIMITS, type CutLimits } from './bundle-cutter.ts';
import { type FhirError, isFhirError } from './outcome.ts';
import { scanResource } from './scan.ts';

/** Cuts a Bundle that arrives in chunks of these sizes, and scans what comes out: comparable with `scanBundle`. */
function cut(text: string | Buffer, sizes: number[] = [7], limits: CutLimits = CUT_LIMITS) {
  const resources = new Map<number, string>();
  const wrong = new Map<number, FhirError>();
  const cutter = new BundleCutter((resource, entry) => {
    const scanned = scanResource(resource, limits);
    if (isFhirError(scanned)) wrong.set(entry, cutter.placed(scanned, entry));
    else resources.set(entry, scanned.text);
  }, limits);
  const bytes = Buffer.from(text);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    const failure = cutter.write(bytes.subarray(at, at + size));
    if (failure) return failure;
    at += size;
  }
  const end = cutter.end();
  if (isFhirError(end)) return end;
  const entries = end.entries.map((frame, i) => ({
    ...frame,
    resource: resources.get(i),
    wrong: frame.wrong ?? wrong.get(i),
  }));
  return entries.find((entry) => entry.wrong)?.wrong ?? { bundle: end.bundle, type: end.type, entries };
}

/** What `scanBundle` makes of it, in the same form. */
function whole(text: string) {
  const scanned = scanBundle(text);
  if (isFhirError(scanned)) return scanned;
  return {
    ...scanned,
    entries: scanned.entries.map((entry) => ({ ...entry, resource: entry.resource?.text, wrong: undefined })),
  };
}

const place = ({ line, column, path }: FhirError) => [line, column, path];

describe('BundleCutter', () => {
  test.each([
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient",\n"a":1,"a":2}}]}'],
    [
      '{"resourceType":"Bundle",\n"entry":[{"resource":{"resourceType":"Patient"}},\n {"resource":{"resourceType":"Patient","a":1,"a":2}}]}',
    ],
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"},"resource":null}]}'],
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient",\n"é":"ü"}}],"type":}'],
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Pat'],
    ['{"resourceType":"Bundle","entry":{}}'],
    ['{"resourceType":"Bundle","entry":[{"request":{"method":1}}]}'],
    ['{"resourceType":"Patient"}'],
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","x":"\\ud800"}}]}'],
    [
      `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","x":${'['.repeat(70)}${']'.repeat(70)}}}]}`,
    ],
  ])('refuses what scanBundle refuses, at the same place: %s', (text) => {
    const [one, other] = [cut(text), whole(text)];
    expect(isFhirError(one) && isFhirError(other) && [place(one), one.code]).toEqual(
      isFhirError(other) && [place(other), other.code],
    );
  });

  const string = fc.oneof(fc.string(), fc.constantFrom('"', '\\', '}]', '{[,', 'resource', 'entry', 'é\n💚'));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      string,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      tie('object'),
    ),
    object: fc.dictionary(fc.constantFrom('a', 'resource', 'entry', 'reference', 'type'), tie('any'), { maxKeys: 3 }),
  }));
  const resource = value.object.map((more) => ({ ...(more as object), resourceType: 'Basic' }));
  const entry = fc.record(
    { fullUrl: fc.string(), resource, request: fc.constant({ method: 'POST', url: 'Basic' }), link: value.any },
    { requiredKeys: [] },
  );
  const bundle = fc.record(
    {
      resourceType: fc.constant('Bundle'),
      type: fc.constantFrom('batch', 'transaction'),
      link: value.any,
      entry: fc.array(entry, { maxLength: 4 }),
    },
    { requiredKeys: ['resourceType'] },
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  const written = fc.tuple(bundle, fc.nat(2), fc.boolean()).map(([sent, indent, isEscaped]) => {
    const text = JSON.stringify(sent, null, indent);
    return isEscaped
      ? text.replaceAll('"resource":', '"\\u0072esource":').replaceAll('"entry":', '"entr\\u0079":')
      : text;
  });

  test('gives what scanBundle gives, wherever the chunks end', () => {
    fc.assert(
      fc.property(written, sizes, (text, chunks) => {
        fc.pre(!/\\u0000|\\ud[89a-f]/i.test(text));
        expect(cut(text, chunks)).toEqual(whole(text));
      }),
      { numRuns: 500 },
    );
  });

  test('refuses what scanBundle refuses when a character is put in, taken away or doubled', () => {
    const spoilt = fc.tuple(
      written,
      fc.nat(),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', 'x', ' '),
      fc.boolean(),
    );
    fc.assert(
      fc.property(spoilt, sizes, ([text, at, character, isPutIn], chunks) => {
        const place = at % text.length;
        const other = text.slice(0, place) + character + text.slice(isPutIn ? place : place + 1);
        fc.pre(!/\\u0000|\\ud[89a-f]/i.test(other) && other.isWellFormed());
        const [one, two] = [cut(other, chunks), whole(other)];
        if (isFhirError(two)) expect(isFhirError(one)).toBe(true);
        else expect(one).toEqual(two);
      }),
      { numRuns: 2_000 },
    );
  });

  test('refuses bytes that are not UTF-8, in a resource and around it', () => {
    const text = '{"resourceType":"Bundle","id":"_","entry":[{"resource":{"resourceType":"Basic","x":"_"}}]}';
    for (const at of [text.indexOf('_'), text.lastIndexOf('_')]) {
      const bytes = Buffer.from(text);
      bytes[at] = 0xff;
      expect(cut(bytes)).toMatchObject({ code: 'structure' });
    }
  });

  test('ends early where there are too many entries, or too much around them', () => {
    const entries = (count: number) =>
      `{"resourceType":"Bundle","entry":[${Array(count).fill('{"resource":{"resourceType":"Basic"}}')}]}`;
    const limits = { ...CUT_LIMITS, maxEntries: 3, maxFrame: 200 };
    expect(isFhirError(cut(entries(3), [9], limits))).toBe(false);
    expect(cut(entries(4), [9], limits)).toMatchObject({ code: 'too-costly', path: 'Bundle.entry' });
    expect(cut(`{"resourceType":"Bundle","id":"${'x'.repeat(300)}"}`, [9], limits)).toMatchObject({ code: 'too-long' });
  });
});
