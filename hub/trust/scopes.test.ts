import { resourceTypes } from '@causeway/fhir';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { includesScope, readScope, type Scope, writeScope } from './scopes.ts';

function scopeOf(text: string): Scope {
  const scope = readScope(text);
  if ('refused' in scope) throw new Error(scope.refused);
  return scope;
}

function letters({ create, read, update, delete: remove, search }: Scope): string {
  return `${create ? 'c' : ''}${read ? 'r' : ''}${update ? 'u' : ''}${remove ? 'd' : ''}${search ? 's' : ''}`;
}

test('reads the scopes of version 2', () => {
  expect(
    scopeOf('patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'),
  ).toEqual({
    context: 'patient',
    type: 'Observation',
    create: false,
    read: true,
    update: false,
    delete: false,
    search: true,
    query: [['category', 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory']],
  });
  expect(letters(scopeOf('system/*.cruds'))).toBe('cruds');
  expect(letters(scopeOf('user/Patient.cud'))).toBe('cud');
});

test('reads those of version 1 as what they mean in version 2', () => {
  expect(letters(scopeOf('patient/*.read'))).toBe('rs');
  expect(letters(scopeOf('user/Condition.write'))).toBe('cud');
  expect(letters(scopeOf('system/*.*'))).toBe('cruds');
});

test('several parameters, values encoded as in an address', () => {
  expect(scopeOf('user/Observation.s?code=a%26b&date=ge2020-01-01').query).toEqual([
    ['code', 'a&b'],
    ['date', 'ge2020-01-01'],
  ]);
});

test.each([
  ['', 'nothing'],
  ['openid', 'no scope for resources'],
  ['patient/Observation.dus', 'letters out of order'],
  ['patient/Observation.rr', 'a letter twice'],
  ['patient/Observation.', 'no letters'],
  ['patient/Observation', 'no suffix'],
  ['patient/Observation.rd s', 'a space'],
  ['patient/Observation.READ', 'capitals'],
  ['patient/Observations.rs', 'an unknown type'],
  ['patient/constructor.rs', 'what objects inherit'],
  ['clinic/Observation.rs', 'an unknown context'],
  ['Patient/Observation.rs', 'a context in capitals'],
  [' patient/Observation.rs', 'a space before'],
  ['patient/Observation.rs\n', 'a line after'],
  ['patient/Observation.read?category=laboratory', 'parameters in version 1'],
  ['patient/*.rs?_tag=a', 'parameters for all types'],
  ['patient/Observation.rs?', 'an empty query'],
  ['patient/Observation.rs?category', 'no value'],
  ['patient/Observation.rs?category=', 'an empty value'],
  ['patient/Observation.rs?category=a,', 'an empty value of several'],
  ['patient/Observation.rs?category=a&', 'an empty parameter'],
  ['patient/Observation.rs?nonsense=a', 'an unknown parameter'],
  ['patient/Observation.rs?category:not=a', 'a modifier'],
  ['patient/Observation.rs?subject:Patient=a', 'a type as modifier'],
  ['patient/Observation.rs?patient.name=a', 'a chain'],
  ['patient/Observation.rs?_has:Provenance:target:agent=a', '_has'],
  ['patient/Observation.rs?_filter=code eq a', '_filter'],
  ['patient/Observation.rs?_content=a', '_content'],
  ['patient/Observation.rs?_include=a', '_include'],
  ['patient/Observation.rs?code-value-quantity=a$1', 'a composite'],
  ['patient/Location.rs?near=1|1|1|km', 'a special parameter'],
  ['patient/Observation.rs?category=%zz', 'broken encoding'],
  ['patient/Observation.rs?category=a%00', 'a control character'],
  ['patient/Observation.rs?category%3Anot=a', 'an encoded name'],
  [`patient/Observation.rs?category=${'a'.repeat(1_000)}`, 'a long one'],
  [`patient/Observation.rs?${Array(9).fill('code=a').join('&')}`, 'many parameters'],
])('refuses %j (%s)', (text) => {
  expect(readScope(text)).toHaveProperty('refused');
});

const suffix = fc.subarray(['c', 'r', 'u', 'd', 's']).filter((some) => some.length > 0);
const value = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\0-\x1f\x7f,]/.test(text) && text.trim() !== '' && text.isWellFormed());
const scope = fc.record({
  context: fc.constantFrom('patient', 'user', 'system'),
  type: fc.constantFrom('Observation', 'Condition', 'DiagnosticReport'),
  suffix,
  query: fc.array(fc.tuple(fc.constantFrom('category', 'code', 'patient', '_lastUpdated', '_tag'), value), {
    maxLength: 3,
  }),
});

test('what is written is read as the same, and is a token of a list of scopes', () => {
  fc.assert(
    fc.property(scope, ({ context, type, suffix: allowed, query }) => {
      const base = scopeOf(`${context}/${type}.${allowed.join('')}`);
      const written = writeScope({ ...base, query });
      expect(written).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
      expect(scopeOf(written)).toEqual({ ...base, query });
      expect(writeScope(scopeOf(written))).toBe(written);
    }),
  );
});

test('of all suffixes those in order are read, and mean their letters', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('c', 'r', 'u', 'd', 's', 'x'), { maxLength: 6 }), (some) => {
      const text = some.join('');
      const read = readScope(`patient/Patient.${text}`);
      const isInOrder = text !== '' && /^c?r?u?d?s?$/.test(text);
      expect('refused' in read).toBe(!isInOrder);
      if (!('refused' in read)) expect(letters(read)).toBe(text);
    }),
  );
});

test('a scope includes narrower ones of its context', () => {
  const includes = (wide: string, narrow: string) => includesScope(scopeOf(wide), scopeOf(narrow));
  expect(includes('patient/*.cruds', 'patient/Observation.rs?category=laboratory')).toBe(true);
  expect(includes('patient/Observation.rs', 'patient/Observation.r')).toBe(true);
  expect(includes('patient/Observation.read', 'patient/Observation.s')).toBe(true);
  expect(includes('user/*.rs', 'patient/Observation.rs')).toBe(false);
  expect(includes('patient/Observation.rs', 'patient/*.rs')).toBe(false);
  expect(includes('patient/Observation.r', 'patient/Observation.rs')).toBe(false);
  expect(includes('patient/Observation.rs?category=a', 'patient/Observation.rs')).toBe(false);
  expect(includes('patient/Observation.rs?category=a', 'patient/Observation.rs?category=b')).toBe(false);
  expect(includes('patient/Observation.rs?category=a', 'patient/Observation.r?code=b&category=a')).toBe(true);
});

test('any text is read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.constantFrom(...resourceTypes()), (text, type) => {
      for (const one of [text, `patient/${text}`, `patient/${type}.${text}`, `patient/${type}.rs?${text}`]) {
        const read = readScope(one);
        if (!('refused' in read)) expect(readScope(writeScope(read))).toEqual(read);
      }
    }),
  );
});
