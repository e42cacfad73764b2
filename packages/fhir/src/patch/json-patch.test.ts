import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FhirError } from '../outcome.ts';
import { applyJsonPatch } from './json-patch.ts';
import { PATCH_LIMITS } from './refusal.ts';

const patched = (document: string, ...operations: object[]) => applyJsonPatch(document, JSON.stringify(operations));

function refusal(document: string, ...operations: object[]): FhirError {
  const result = patched(document, ...operations);
  if (typeof result === 'string') throw new Error('The patch was carried out.');
  return result;
}

describe('JSON Patch', () => {
  const document = '{"a":{"b":[1,2,3]},"c":"x","m~n":{"o/p":true}}';

  it.each([
    [{ op: 'add', path: '/a/b/-', value: 4 }, '{"a":{"b":[1,2,3,4]},"c":"x","m~n":{"o/p":true}}'],
    [{ op: 'add', path: '/a/b/0', value: 0 }, '{"a":{"b":[0,1,2,3]},"c":"x","m~n":{"o/p":true}}'],
    [{ op: 'add', path: '/c', value: null }, '{"a":{"b":[1,2,3]},"c":null,"m~n":{"o/p":true}}'],
    [{ op: 'remove', path: '/m~0n/o~1p' }, '{"a":{"b":[1,2,3]},"c":"x","m~n":{}}'],
    [{ op: 'replace', path: '', value: { d: 1 } }, '{"d":1}'],
    [{ op: 'move', from: '/a/b/0', path: '/a/b/2' }, '{"a":{"b":[2,3,1]},"c":"x","m~n":{"o/p":true}}'],
    [{ op: 'move', from: '/c', path: '/c' }, document],
    [{ op: 'copy', from: '/a', path: '/d' }, `${document.slice(0, -1)},"d":{"b":[1,2,3]}}`],
    [{ op: 'test', path: '/a', value: { b: [1, 2, 3] } }, document],
  ])('%j', (operation, expected) => {
    expect(patched(document, operation)).toBe(expected);
  });

  it.each([
    [{ op: 'add', path: '/a/b/4', value: 0 }, 'not-found', 'the list has 3 items'],
    [{ op: 'add', path: '/c/d', value: 0 }, 'not-found', 'there is nothing at /c/d'],
    [{ op: 'remove', path: '/a/b/-' }, 'not-found', 'there is nothing at /a/b/-'],
    [{ op: 'remove', path: '/a/b/01' }, 'not-found', 'by their number'],
    [{ op: 'remove', path: '' }, 'value', 'delete it instead'],
    [{ op: 'replace', path: '/d', value: 0 }, 'not-found', 'there is nothing at /d'],
    [{ op: 'move', from: '/a', path: '/a/b/0' }, 'value', 'into itself'],
    [{ op: 'test', path: '/c', value: 'y' }, 'invariant', 'the test failed: /c has another value'],
    [{ op: 'test', path: '/c' }, 'required', 'value is missing'],
    [{ op: 'copy', path: '/c' }, 'required', 'from is missing'],
    [{ op: 'add', path: 'c', value: 0 }, 'value', 'begin with "/"'],
    [{ op: 'add', path: '/m~n', value: 0 }, 'value', '"~0"'],
    [{ op: 'Add', path: '/c', value: 0 }, 'value', 'add, remove, replace, move, copy, test'],
  ])('refuses %j', (operation, code, sentence) => {
    const error = refusal(document, operation);
    expect(error.code).toBe(code);
    expect(error.error).toContain(sentence);
  });

  it('says which operation is wrong, and where it stands, and repeats no value', () => {
    const text =
      '[\n  {"op": "test", "path": "/c", "value": "x"},\n  {"op": "test", "path": "/c", "value": "secret"}\n]';
    const error = applyJsonPatch('{"c":"x"}', text) as FhirError;
    expect(error).toMatchObject({ line: 3, column: 3, path: '[1]' });
    expect(error.error).toBe('operation 2 (test): the test failed: /c has another value');
  });

  it('keeps the digits of numbers, those of the patch too', () => {
    const result = applyJsonPatch('{"a":1.00,"b":[10e-1]}', '[{"op":"add","path":"/b/0","value":0.50}]');
    expect(result).toBe('{"a":1.00,"b":[0.50,10e-1]}');
  });

  it.each([
    ['1.0', '1.00', true],
    ['100', '1e2', true],
    ['-0', '0', true],
    ['0.1', '0.10000000000000000001', false],
    ['9007199254740993', '9007199254740992', false],
    ['1', '"1"', false],
  ])('tests %s against %s by what they are worth', (a, b, isEqual) => {
    const result = applyJsonPatch(`{"a":${a}}`, `[{"op":"test","path":"/a","value":${b}}]`);
    expect(typeof result === 'string').toBe(isEqual);
  });

  it('takes property names as names, whatever they mean to JavaScript', () => {
    const add = (path: string) => patched('{"a":{}}', { op: 'add', path, value: { polluted: true } });
    expect(add('/__proto__')).toBe('{"a":{},"__proto__":{"polluted":true}}');
    expect(add('/a/constructor')).toBe('{"a":{"constructor":{"polluted":true}}}');
    expect(refusal('{"a":{}}', { op: 'add', path: '/a/__proto__/b', value: 1 }).code).toBe('not-found');
    expect(refusal('{"a":{}}', { op: 'add', path: '/a/constructor/prototype/b', value: 1 }).code).toBe('not-found');
    expect(refusal('{"a":[]}', { op: 'add', path: '/a/length', value: 1 }).code).toBe('not-found');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('refuses a patch with a member twice, and what is no list of operations', () => {
    expect(applyJsonPatch('{}', '[{"op":"add","op":"remove","path":"/a"}]')).toMatchObject({ code: 'duplicate' });
    expect(applyJsonPatch('{}', '{"op":"add"}')).toMatchObject({ code: 'structure' });
    expect(applyJsonPatch('{}', '[1]')).toMatchObject({ code: 'structure' });
  });

  it('is bounded: operations, depth, and copies of copies', () => {
    const many = Array.from({ length: PATCH_LIMITS.maxJsonOperations + 1 }, () => ({
      op: 'test',
      path: '',
      value: {},
    }));
    expect(refusal('{}', ...many).code).toBe('too-costly');
    const doubled = Array.from({ length: 70 }, () => ({ op: 'copy', from: '', path: '/a' }));
    expect(refusal('{"a":{}}', ...doubled).code).toBe('too-costly');
    const wide = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/a', path: `/a/${i}` }));
    expect(refusal(`{"a":["${'x'.repeat(1_000)}"]}`, ...wide).code).toBe('too-costly');
  });

  it('carries out what it can and never throws', () => {
    const pointer = fc.array(fc.constantFrom('a', 'b', '0', '1', '-', '~', '__proto__', ''), { maxLength: 4 });
    const path = pointer.map((tokens) => tokens.map((token) => `/${token}`).join(''));
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path,
        from: path,
        value: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: ['op', 'path'] },
    );
    const document = fc.record({ a: fc.jsonValue({ maxDepth: 3 }), b: fc.array(fc.jsonValue({ maxDepth: 1 })) });
    fc.assert(
      fc.property(document, fc.array(operation, { maxLength: 6 }), (value, operations) => {
        const result = patched(JSON.stringify(value), ...operations);
        if (typeof result === 'string') JSON.parse(result);
        else expect(result.error).toMatch(/^operation \d/);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => void applyJsonPatch(a, b)));
    fc.assert(fc.property(fc.json(), fc.json(), (a, b) => void applyJsonPatch(a, b)));
  });

  it('gives back a document to which something was added and removed, and finds all that is in it', () => {
    const members = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 5 });
    fc.assert(
      fc.property(members, fc.string(), fc.jsonValue(), (value, key, added) => {
        const document = JSON.stringify(value);
        const path = (name: string) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const tests = Object.entries(value).map(([name, member]) => ({ op: 'test', path: path(name), value: member }));
        expect(patched(document, ...tests)).toBe(document);
        if (Object.hasOwn(value, key)) return;
        const added_ = { op: 'add', path: path(key), value: added };
        expect(patched(document, added_, { op: 'remove', path: path(key) })).toBe(document);
      }),
    );
  });
});
