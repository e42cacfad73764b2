import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanBundle } from './bundle.ts';
import { canonicalText } from './canonical-text.ts';
import { parseJson } from './json/parse.ts';
import type { FhirError } from './outcome.ts';
import { isFhirError } from './outcome.ts';
import type { ScannedResource } from './scan.ts';
import { scanResource } from './scan.ts';

const VERSION = { id: 'abc', versionId: '3', lastUpdated: '2026-01-31T08:00:00.000Z' };

function scanned(text: string): ScannedResource {
  const result = scanResource(text);
  if (isFhirError(result)) throw new Error(result.error);
  return result;
}

function members(count: number): string {
  return Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');
}

function refused(text: string): FhirError {
  const result = scanResource(text);
  if (!isFhirError(result)) throw new Error('the text should have been refused');
  return result;
}

describe('scanResource', () => {
  test('finds id, meta and references in the text without white space', () => {
    const result = scanned(`{ "resourceType" : "Observation",\n "id": "o1", "meta": {"profile": ["http://a b"]},
      "subject": {"reference": "Patient/7"}, "performer": [{"display": "x"}, {"reference": "Practitioner\\/9"}],
      "contained": [{"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "#q"}}]}] }`);
    expect(result.resourceType).toBe('Observation');
    expect(result.id).toBe('o1');
    expect(result.text).toBe(JSON.stringify(JSON.parse(result.text)).replace('Practitioner/9', 'Practitioner\\/9'));
    const { idSpan, metaSpan, text } = result;
    expect(text.slice(idSpan?.start, idSpan?.end)).toBe('"o1"');
    expect(text.slice(metaSpan?.start, metaSpan?.end)).toBe('{"profile":["http://a b"]}');
    expect(result.references.map((it) => [it.path, it.value, text.slice(it.start, it.end)])).toEqual([
      ['subject', 'Patient/7', 'Patient/7'],
      ['performer[1]', 'Practitioner/9', 'Practitioner\\/9'],
      ['contained[0].link[0].other', '#q', '#q'],
    ]);
  });

  test.each([
    ['{"resourceType":"Patient","name":[{"family":"a","family":"b"}]}', 'duplicate', 'name[0].family', 49],
    ['{"resourceType":"Patient",\n"active":tru}', 'invalid', 'active', 10],
    ['{"resourceType":"Patient","x":"\\u0000"}', 'invalid', 'x', 32],
    ['{"resourceType":"Patient","x":"\\ud800"}', 'invalid', 'x', 39],
    ['{"resourceType":"Patient","x":"\\\\ud83d\\ude00"}', 'invalid', 'x', 46],
    ['{"id":"x"}', 'required', 'resourceType', 1],
    ['{"resourceType":"Hobbit"}', 'value', 'resourceType', 2],
    ['{"resourceType":"Patient","id":7}', 'value', 'id', 27],
    ['{"resourceType":"Patient","meta":[]}', 'structure', 'meta', 27],
    ['[]', 'structure', '', 1],
    ['', 'invalid', '', 1],
    [`{"resourceType":"Patient","x":${'['.repeat(70)}${']'.repeat(70)}}`, 'too-costly', `x${'[0]'.repeat(63)}`, 94],
  ])('refuses %s', (text, code, path, column) => {
    const error = refused(text);
    expect([error.code, error.path, error.column]).toEqual([code, path, column]);
  });

  test('counts the properties of each object alone', () => {
    const full = `{${members(1_000)}}`;
    const text = `{"resourceType":"Basic","x":[${full},${full}],"y":{"z":${full},"a":1}}`;
    expect(scanned(text).text).toBe(text);
    expect(refused(`{"resourceType":"Basic","x":${full},${members(1_000)}}`).path).toBe('k998');
  });

  test('refuses a million properties before it parses them', () => {
    const text = `{"resourceType":"Patient",${members(1_000_000)}}`;
    const { user, system } = process.cpuUsage();
    expect(refused(text).code).toBe('too-costly');
    const used = process.cpuUsage({ user, system });
    expect(used.user + used.system).toBeLessThan(100_000);
  });

  test('says the line, and nothing of the content', () => {
    const error = refused('{"resourceType":"Patient",\n  "name": "Secret\n"}');
    expect([error.line, error.column]).toEqual([2, 18]);
    expect(error.error).not.toContain('Secret');
  });

  test('any JSON object comes out as JSON.parse has it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 })),
        fc.nat(3),
        (any, indent) => {
          const resource = { ...any, resourceType: 'Basic', id: 'x', meta: {} };
          const text = JSON.stringify(resource, null, indent);
          const result = scanResource(text);
          if (text.includes('\\u0000') || /\\ud[89a-f]/.test(text)) return isFhirError(result) || result.id === 'x';
          expect(isFhirError(result)).toBe(false);
          expect((result as ScannedResource).value).toEqual(JSON.parse(text));
          expect((result as ScannedResource).text).toBe(JSON.stringify(resource));
          expect(parseJson(text)).toEqual({ value: JSON.parse(text) });
          return true;
        },
      ),
    );
  });

  test('garbage gives error values and never throws', () => {
    const garbage = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          ':',
          ',',
          '\\',
          '"resourceType":"Patient"',
          '"entry":[',
          ' ',
          '1e9',
          'null',
        ),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(garbage, (pieces) => {
        const text = pieces.join('');
        scanResource(text);
        scanBundle(text);
        scanBundle(`{"resourceType":"Bundle","entry":[{"resource":${text}}]}`);
      }),
    );
  });

  test('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', '}', ',', '\\', '0', '-', ' ', 'e'),
        (json, place, insert) => {
          const at = place % (json.length + 1);
          const text = json.slice(0, at) + insert + json.slice(at);
          let valid = true;
          try {
            JSON.parse(text);
          } catch {
            valid = false;
          }
          const result = parseJson(text);
          if (!valid) expect(isFhirError(result)).toBe(true);
          else if (isFhirError(result)) expect(result.error).toMatch(/twice|U\+0000|surrogate/);
        },
      ),
    );
  });
});

describe('canonicalText', () => {
  test('keeps digits and order, replaces id and meta, and says where they are', () => {
    const result = canonicalText(
      scanned(
        '{"valueQuantity": {"value": 1.00}, "meta": {"versionId": "9", "tag": [{"code": "t"}], "source": "s"}, "resourceType": "Observation", "subject": {"reference": "Patient/1"}}',
      ),
      { ...VERSION, source: 'urn:m:1' },
    );
    expect(result.text).toBe(
      '{"valueQuantity":{"value":1.00},"meta":{"versionId":"3","lastUpdated":"2026-01-31T08:00:00.000Z","source":"urn:m:1","tag":[{"code":"t"}]},"resourceType":"Observation","id":"abc","subject":{"reference":"Patient/1"}}',
    );
    expect(result.text.slice(result.id.start, result.id.end)).toBe('"abc"');
    expect(JSON.parse(result.text.slice(result.meta.start, result.meta.end)).versionId).toBe('3');
    expect(result.patientReferences.map((it) => result.text.slice(it.start, it.end))).toEqual(['Patient/1']);
  });

  test('writes escaped references plainly', () => {
    const result = canonicalText(
      scanned('{"resourceType":"Encounter","subject":{"reference":"Patient\\/\\u0037"},"x":"\\/"}'),
      VERSION,
    );
    expect(result.text).toContain('"subject":{"reference":"Patient/7"},"x":"\\/"}');
    expect(result.patientReferences.map((it) => result.text.slice(it.start, it.end))).toEqual(['Patient/7']);
  });

  test('resolves references in text and value', () => {
    const source = scanned(
      '{"resourceType":"Encounter","subject":{"reference":"urn:uuid:1"},"participant":[{"individual":{"reference":"urn:uuid:2"}}]}',
    );
    const result = canonicalText(source, VERSION, (reference) =>
      reference === 'urn:uuid:1' ? 'Patient/p1' : 'Practitioner/x',
    );
    expect(JSON.parse(result.text)).toEqual(source.value);
    expect(result.references.map((it) => result.text.slice(it.start, it.end))).toEqual([
      'Patient/p1',
      'Practitioner/x',
    ]);
    expect(result.patientReferences).toHaveLength(1);
  });

  test('is the resource with id and meta for any resource', () => {
    const reference = fc.record({
      reference: fc.constantFrom('Patient/1', 'urn:uuid:7', '#a', 'Patient/"2'),
      display: fc.string(),
    });
    const member = fc.oneof(fc.jsonValue({ maxDepth: 2 }), reference, fc.array(reference));
    const meta = fc.option(fc.record({ tag: fc.jsonValue({ maxDepth: 1 }), versionId: fc.string() }), {
      nil: undefined,
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), member),
        meta,
        fc.boolean(),
        fc.nat(2),
        (any, sentMeta, idFirst, indent) => {
          const { id, meta: _, ...rest } = any;
          const resource = idFirst
            ? { id: 'old', ...rest, meta: sentMeta, resourceType: 'Basic' }
            : { resourceType: 'Basic', meta: sentMeta, ...rest };
          const text = JSON.stringify(resource, null, indent);
          fc.pre(!/\\u0000|\\ud[89a-f]/.test(text));
          const source = scanned(text);
          const result = canonicalText(source, VERSION, (it) => (it === 'urn:uuid:7' ? 'Patient/é"7' : undefined));
          const expected = JSON.parse(
            text
              .replaceAll('"reference":"urn:uuid:7"', '"reference":"Patient/é\\"7"')
              .replaceAll('"reference": "urn:uuid:7"', '"reference": "Patient/é\\"7"'),
          );
          expect(JSON.parse(result.text)).toEqual({
            ...expected,
            id: 'abc',
            meta: {
              ...(sentMeta && JSON.parse(JSON.stringify(sentMeta))),
              versionId: '3',
              lastUpdated: VERSION.lastUpdated,
            },
          });
          expect(source.value).toEqual(JSON.parse(result.text));
          for (const it of result.references)
            expect(JSON.parse(`"${result.text.slice(it.start, it.end)}"`)).toBe(it.value);
        },
      ),
    );
  });
});

describe('scanBundle', () => {
  test('gives each resource from its own text', () => {
    const result = scanBundle(`{"resourceType":"Bundle","type":"transaction","entry":[
      {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Observation","valueQuantity":{"value":1.00}},"request":{"method":"POST","url":"Observation"}},
      {"request":{"method":"DELETE","url":"Patient/1"}}]}`);
    if (isFhirError(result)) throw new Error(result.error);
    expect(result.type).toBe('transaction');
    expect(result.entries.map((it) => [it.fullUrl, it.request?.method, it.resource?.text])).toEqual([
      ['urn:uuid:1', 'POST', '{"resourceType":"Observation","valueQuantity":{"value":1.00}}'],
      [undefined, 'DELETE', undefined],
    ]);
  });

  test.each([
    [
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient",\n"a":1,"a":2}}]}',
      2,
      7,
      'Bundle.entry[0].resource.a',
    ],
    [
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"},"resource":null}]}',
      1,
      74,
      'Bundle.entry[0].resource',
    ],
    ['{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}],"type":}', 1, 83, 'Bundle.type'],
    ['{"resourceType":"Bundle","entry":[{"request":{"method":1}}]}', 1, 1, 'Bundle.entry[0]'],
    [
      '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Pat',
      1,
      67,
      'Bundle.entry[0].resource.resourceType',
    ],
    ['{"resourceType":"Bundle","entry":{}}', 1, 1, 'Bundle'],
    ['{"resourceType":"Patient"}', 1, 1, 'resourceType'],
  ])('refuses %s', (text, line, column, path) => {
    const error = scanBundle(text);
    expect(isFhirError(error) && [error.line, error.column, error.path]).toEqual([line, column, path]);
  });

  test('keeps what is wrong with one entry with that entry, where each is for itself', () => {
    const result = scanBundle(
      '{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","a":1,"a":2}},{"request":{"url":7}},{"resource":{"resourceType":"Patient"}},{"resource":{"resourceType":"No"}}]}',
      undefined,
      true,
    );
    if (isFhirError(result)) throw new Error(result.error);
    expect(result.entries.map(({ wrong }) => wrong?.path)).toEqual([
      'Bundle.entry[0].resource.a',
      'Bundle.entry[1]',
      undefined,
      'Bundle.entry[3].resource.resourceType',
    ]);
    expect(isFhirError(scanBundle('{"resourceType":"Bundle","entry":[{"resource":{]}', undefined, true))).toBe(true);
  });
});
