import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FhirError } from '../outcome.ts';
import { applyFhirPathPatch, isQuickFhirPathPatch } from './fhirpath-patch.ts';
import { PATCH_LIMITS } from './refusal.ts';

const text = (name: string, value: string) => ({ name, valueString: value });
const number = (name: string, value: number) => ({ name, valueInteger: value });
const operation = (type: string, path: string, ...parts: object[]) => ({
  name: 'operation',
  part: [{ name: 'type', valueCode: type }, text('path', path), ...parts],
});
const parameters = (...operations: object[]) => JSON.stringify({ resourceType: 'Parameters', parameter: operations });

const patient = {
  resourceType: 'Patient',
  id: 'p',
  name: [
    { use: 'official', family: 'A', given: ['a', 'b'], _given: [null, { id: 'g' }] },
    { use: 'usual', given: ['c'] },
  ],
  birthDate: '1990-01-01',
  _birthDate: { extension: [{ url: 'u', valueString: 's' }] },
  multipleBirthInteger: 2,
  contact: [{ name: { text: 't' }, gender: 'male' }],
};

function patched(...operations: object[]) {
  const result = applyFhirPathPatch(JSON.stringify(patient), parameters(...operations));
  return typeof result === 'string' ? JSON.parse(result) : result;
}

function refusal(...operations: object[]): FhirError {
  const result = applyFhirPathPatch(JSON.stringify(patient), parameters(...operations));
  if (typeof result === 'string') throw new Error('The patch was carried out.');
  return result;
}

describe('FHIRPath Patch', () => {
  it('adds to lists, to elements that are not there, and to the extensions of a primitive', () => {
    const value = { name: 'value', valueHumanName: { text: 'x' } };
    expect(patched(operation('add', 'Patient', text('name', 'name'), value)).name).toHaveLength(3);
    const gender = operation('add', 'Patient.contact[0].name', text('name', 'given'), text('value', 'x'));
    expect(patched(gender).contact[0].name).toEqual({ text: 't', given: ['x'] });
    const parts = { name: 'value', part: [text('url', 'v'), { name: 'value', valueBoolean: true }] };
    const extension = operation('add', 'Patient.name[1].given[0]', text('name', 'extension'), parts);
    expect(patched(extension).name[1]).toEqual({
      use: 'usual',
      given: ['c'],
      _given: [{ extension: [{ url: 'v', valueBoolean: true }] }],
    });
  });

  it('names a choice by its element, and takes the property from the type of the value', () => {
    const deceased = operation('add', 'Patient', text('name', 'deceased'), { name: 'value', valueDateTime: '2020' });
    expect(patched(deceased)).toMatchObject({ deceasedDateTime: '2020' });
    const birth = patched(operation('replace', 'Patient.multipleBirth', { name: 'value', valueBoolean: true }));
    expect(Object.keys(birth)).toEqual(Object.keys(patient).map((key) => key.replace('Integer', 'Boolean')));
    expect(patched(operation('delete', 'Patient.multipleBirth.ofType(integer)'))).not.toHaveProperty(
      'multipleBirthInteger',
    );
  });

  it('builds elements without a type of their own from parts', () => {
    const parts = [
      { name: 'name', valueHumanName: { text: 'x' } },
      { name: 'telecom', valueContactPoint: { value: '1' } },
      { name: 'telecom', valueContactPoint: { value: '2' } },
      { name: 'gender', valueCode: 'other', _valueCode: { id: 'i' } },
    ];
    const { contact } = patched(
      operation('insert', 'Patient.contact', number('index', 0), { name: 'value', part: parts }),
    );
    expect(contact[0]).toEqual({
      name: { text: 'x' },
      telecom: [{ value: '1' }, { value: '2' }],
      gender: 'other',
      _gender: { id: 'i' },
    });
    expect(contact).toHaveLength(2);
  });

  it('keeps lists of primitives and what stands beside them in step', () => {
    const insert = operation('insert', 'Patient.name[0].given', number('index', 1), text('value', 'x'));
    expect(patched(insert).name[0]).toMatchObject({ given: ['a', 'x', 'b'], _given: [null, null, { id: 'g' }] });
    const move = operation('move', 'Patient.name[0].given', number('source', 1), number('destination', 0));
    expect(patched(move).name[0]).toMatchObject({ given: ['b', 'a'], _given: [{ id: 'g' }, null] });
    expect(patched(operation('delete', 'Patient.name[0].given[1]')).name[0]).toEqual({
      use: 'official',
      family: 'A',
      given: ['a'],
    });
  });

  it('leaves no empty element behind', () => {
    expect(patched(operation('delete', 'Patient.contact.name.text')).contact).toEqual([{ gender: 'male' }]);
    const both = [operation('delete', 'Patient.contact.gender'), operation('delete', 'Patient.contact.name.text')];
    expect(patched(...both)).not.toHaveProperty('contact');
    expect(patched(operation('delete', "Patient.birthDate.extension('u')"))).not.toHaveProperty('_birthDate');
  });

  it('reaches the narrative, whose element has the name of an operator', () => {
    const narrative = '{"resourceType":"Patient","text":{"status":"generated","div":"<div>a</div>"}}';
    const path = "Patient.text.where('.div' = '.div' and 4 div 2 = 2).div";
    const result = applyFhirPathPatch(narrative, parameters(operation('replace', path, text('value', '<div>b</div>'))));
    expect(result).toBe(narrative.replace('>a<', '>b<'));
  });

  it('replaces a primitive whole, and deletes nothing without complaint', () => {
    const replaced = patched(operation('replace', 'Patient.birthDate', { name: 'value', valueDate: '1991' }));
    expect(replaced.birthDate).toBe('1991');
    expect(replaced).not.toHaveProperty('_birthDate');
    expect(patched(operation('delete', 'Patient.photo'))).toEqual(patient);
  });

  it('keeps the digits of numbers, those of the patch too', () => {
    const observation =
      '{"resourceType":"Observation","valueQuantity":{"value":1.00},"component":[{"valueInteger":1}]}';
    const patch = `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},
      {"name":"path","valueString":"Observation.component.where(value = 1)"},{"name":"name","valueString":"referenceRange"},
      {"name":"value","part":[{"name":"low","valueQuantity":{"value":0.50}}]}]}]}`;
    expect(applyFhirPathPatch(observation, patch)).toBe(
      '{"resourceType":"Observation","valueQuantity":{"value":1.00},"component":[{"valueInteger":1,"referenceRange":[{"low":{"value":0.50}}]}]}',
    );
  });

  it.each([
    [operation('add', 'Patient.name', text('name', 'family'), text('value', 'x')), 'multiple-matches', 'one'],
    [operation('add', 'Patient.photo', text('name', 'url'), text('value', 'x')), 'not-found', 'add it first'],
    [operation('add', 'Patient', text('name', 'birthDate'), text('value', '2000')), 'duplicate', 'replace it'],
    [
      operation('add', 'Patient', text('name', 'multipleBirth'), { name: 'value', valueBoolean: true }),
      'duplicate',
      '',
    ],
    [operation('add', 'Patient', text('name', 'Gender'), text('value', 'x')), 'value', 'right is gender'],
    [operation('add', 'Patient', text('name', 'gender'), { name: 'value', valueBoolean: true }), 'value', 'code'],
    [operation('add', 'Patient', text('name', 'contact'), text('value', 'x')), 'value', 'right is parts'],
    [operation('add', 'Patient', text('name', 'gender')), 'required', 'value is missing'],
    [operation('add', 'Patient', { name: 'value', valueCode: 'male' }), 'required', 'the part name'],
    [operation('insert', 'Patient.name', number('index', 3), { name: 'value', valueHumanName: {} }), 'value', '0 to 2'],
    [
      operation('insert', 'Patient.name[0]', number('index', 0), { name: 'value', valueHumanName: {} }),
      'value',
      'whole',
    ],
    [operation('insert', 'Patient.gender', number('index', 0), text('value', 'x')), 'not-found', ''],
    [operation('insert', 'Patient.name.given', number('index', 0), text('value', 'x')), 'value', 'whole list'],
    [operation('move', 'Patient.birthDate', number('source', 0), number('destination', 0)), 'value', 'not repeat'],
    [operation('move', 'Patient.name', number('source', 0), number('destination', 2)), 'value', 'from 0 to 1'],
    [operation('delete', 'Patient.name'), 'multiple-matches', 'finds 2 elements'],
    [operation('delete', 'Patient'), 'value', 'delete the resource'],
    [operation('replace', 'Patient.name.count()', number('value', 1)), 'value', 'computes a value'],
    [operation('delete', 'Patient.managingOrganization.resolve()'), 'value', 'resolve()'],
    [operation('delete', 'Patient.name['), 'invalid', 'at its character'],
    [operation('delete', 'x'.repeat(PATCH_LIMITS.maxPathLength + 1)), 'too-long', ''],
    [operation('patch', 'Patient'), 'value', 'add, insert, delete, replace, move'],
    [{ name: 'Operation' }, 'structure', '"operation"'],
    [operation('delete', 'Patient.name', text('where', 'x')), 'structure', 'parts named'],
  ])('refuses %j', (wrong, code, sentence) => {
    const error = refusal(operation('delete', 'Patient.photo'), wrong);
    expect(error.code).toBe(code);
    expect(error.error).toContain(sentence);
    expect(error.error).toMatch(/^operation 2/);
    expect(error.path).toBe('Parameters.parameter[1]');
  });

  it('gives out no value of the resource or of a path in errors', () => {
    const wrong = operation('delete', "Patient.name.where(family.matches(given) and family = 'Secret')");
    const error = JSON.stringify(refusal(wrong));
    expect(error).not.toContain('Secret');
    expect(error).not.toContain('"b"');
  });

  it('takes property names as names, whatever they mean to JavaScript', () => {
    for (const path of [
      'Patient.__proto__',
      'Patient.constructor',
      'Patient.constructor.prototype',
      'Patient.toString',
    ]) {
      expect(['not-found', 'value']).toContain(
        refusal(operation('add', path, text('name', 'polluted'), text('value', 'x'))).code,
      );
    }
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      expect(refusal(operation('add', 'Patient', text('name', name), text('value', 'x'))).code).toBe('value');
    }
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it('stops a path that takes too long, and the patch after its time', () => {
    const slow = operation(
      'delete',
      "Patient.name.given.where('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^([ab]+)+$'))",
    );
    const began = performance.now();
    expect(refusal(slow).code).toBe('too-costly');
    expect(performance.now() - began).toBeLessThan(5 * PATCH_LIMITS.maxPathMs);
    // It is its own patch that ends: another with such a path is carried out.
    const wide = operation('delete', 'Patient.descendants().where($this = 1)');
    expect(applyFhirPathPatch('{"resourceType":"Patient"}', parameters(wide))).toBe('{"resourceType":"Patient"}');
    const many = Array.from({ length: PATCH_LIMITS.maxFhirPathOperations + 1 }, () => operation('delete', 'Patient'));
    expect(applyFhirPathPatch('{"resourceType":"Patient"}', parameters(...many))).toMatchObject({ code: 'too-costly' });
  });

  it.each([
    ['Patient', true],
    ['Patient.name[0].given[1]', true],
    ["Patient.contact.where(gender='male').telecom.where(system = 'phone' and use = 'work').first()", true],
    ['Patient.name.where(given.exists())', false],
    ["('a'|'b').where(('a'|'b').where(true))", false],
    ["Patient.name.where((family|family).family = 'x')", false],
    ["Patient.name.where(family = 'a\\'b')", false],
    ['Patient.descendants()', false],
    ["Patient.name.given.where($this.matches('^([ab]+)+$'))", false],
    ['Patient.name | Patient.name', false],
    ['Patient.name[%context.count()]', false],
    ['Patient.repeat(name)', false],
  ])('knows of %s whether it is quick', (path, isPlain) => {
    const patch = parameters(operation('delete', path));
    expect(isQuickFhirPathPatch('{}', patch)).toBe(isPlain);
    expect(isQuickFhirPathPatch('x'.repeat(PATCH_LIMITS.maxQuickLength + 1), patch)).toBe(false);
  });

  it('never throws, and what comes out is JSON without empty elements', () => {
    const path = fc.oneof(
      fc.constantFrom(
        'Patient',
        'Patient.name',
        'Patient.name[0]',
        'Patient.name[1].given[0]',
        'Patient.name[0].given',
        'Patient.birthDate',
        'Patient.birthDate.extension[0].value',
        'Patient.multipleBirth',
        "Patient.contact.where(gender='male')",
        'Patient.contact.name.text',
        'Patient.descendants()',
        '1 + 1',
        '%resource.id',
      ),
      fc.string({ maxLength: 10 }),
    );
    const value = fc.oneof(
      fc.record({ name: fc.constant('value'), valueString: fc.jsonValue({ maxDepth: 1 }) }),
      fc.record({ name: fc.constant('value'), valueHumanName: fc.jsonValue({ maxDepth: 1 }) }),
      fc.record({
        name: fc.constant('value'),
        part: fc.array(fc.record({ name: fc.constantFrom('name', 'text', 'given', 'url'), valueString: fc.string() })),
      }),
    );
    const one = fc
      .tuple(
        fc.constantFrom('add', 'insert', 'delete', 'replace', 'move'),
        path,
        fc.constantFrom('name', 'given', 'extension', 'contact', 'text', 'id', '__proto__'),
        fc.integer({ min: -1, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        value,
      )
      .map(([type, where, name, source, destination, content]) =>
        operation(
          type,
          where,
          ...(type === 'add' ? [text('name', name)] : []),
          ...(type === 'insert' ? [number('index', source)] : []),
          ...(type === 'move' ? [number('source', source), number('destination', destination)] : []),
          ...(type === 'move' || type === 'delete' ? [] : [content]),
        ),
      );
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (operations) => {
        const result = applyFhirPathPatch(JSON.stringify(patient), parameters(...operations));
        if (typeof result === 'string') expect(JSON.parse(result).resourceType).toBe('Patient');
        else expect(result.error).toMatch(/^operation \d/);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.json(), fc.json(), (a, b) => void applyFhirPathPatch(a, b)));
    fc.assert(
      fc.property(fc.jsonValue(), (parameter) => {
        applyFhirPathPatch('{"resourceType":"Patient"}', JSON.stringify({ resourceType: 'Parameters', parameter }));
        applyFhirPathPatch(
          '{"resourceType":"Patient"}',
          JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'operation', part: parameter }] }),
        );
      }),
    );
  });
});
