import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { subset } from './subset.ts';

const TAG = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
  display: 'subsetted',
};

const observation = {
  resourceType: 'Observation',
  id: 'o',
  meta: { versionId: '1', tag: [{ code: 'x' }] },
  text: { status: 'generated', div: '<div>x</div>' },
  extension: [{ url: 'u', valueString: 'x' }],
  status: 'final',
  _status: { id: 's' },
  code: { extension: [{ url: 'u', valueString: 'x' }], text: 'c' },
  subject: { reference: 'Patient/1', _reference: { id: 'r' } },
  valueQuantity: { value: 1 },
  note: [{ text: 'n' }],
};

function parts(resource: object, request: Parameters<typeof subset>[1]) {
  return JSON.parse(subset(JSON.stringify(resource), request));
}

describe('subset', () => {
  test('_summary=true holds the elements marked for it, extensions of data types and texts not', () => {
    expect(parts(observation, { summary: 'true' })).toEqual({
      resourceType: 'Observation',
      id: 'o',
      meta: { versionId: '1', tag: [{ code: 'x' }, TAG] },
      status: 'final',
      _status: { id: 's' },
      code: { text: 'c' },
      subject: { reference: 'Patient/1', _reference: { id: 'r' } },
      valueQuantity: { value: 1 },
    });
  });

  test('_summary=true holds mandatory elements, also inside, and modifier extensions whole', () => {
    const claim = {
      resourceType: 'Patient',
      modifierExtension: [{ url: 'u', valueString: 'x' }],
      name: [{ family: 'a', extension: [{ url: 'u', valueString: 'x' }] }],
      contact: [{ gender: 'female' }],
      communication: [{ language: { text: 'x' } }],
      photo: [{ contentType: 'image/png', data: 'AA==', url: 'http://x' }],
      link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }],
    };
    expect(parts(claim, { summary: 'true' })).toEqual({
      resourceType: 'Patient',
      meta: { tag: [TAG] },
      modifierExtension: [{ url: 'u', valueString: 'x' }],
      name: [{ family: 'a' }],
      link: [{ other: { reference: 'Patient/2' }, type: 'seealso' }],
    });
  });

  test('_summary=true goes into the resources of a Bundle', () => {
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl: 'x', resource: observation }] };
    const [entry] = parts(bundle, { summary: 'true' }).entry;
    expect(entry.fullUrl).toBe('x');
    expect(Object.keys(entry.resource)).not.toContain('note');
    expect(entry.resource).toMatchObject({ resourceType: 'Observation', status: 'final' });
  });

  test('_summary=text holds id, meta, text and mandatory elements; data all but the text', () => {
    expect(Object.keys(parts(observation, { summary: 'text' }))).toEqual([
      'resourceType',
      'id',
      'meta',
      'text',
      'status',
      '_status',
      'code',
    ]);
    const { text: _, ...data } = observation;
    expect(parts(observation, { summary: 'data' })).toEqual({
      ...data,
      meta: { versionId: '1', tag: [{ code: 'x' }, TAG] },
    });
  });

  test.each([
    [['subject'], ['subject']],
    [['value'], ['valueQuantity']],
    [['value[x]'], ['valueQuantity']],
    [['valueQuantity'], ['valueQuantity']],
    [['Observation.note', 'Patient.subject'], ['note']],
    [['nothing', '__proto__', 'constructor'], []],
  ])('_elements=%j', (elements, kept) => {
    expect(Object.keys(parts(observation, { elements }))).toEqual([
      'resourceType',
      'id',
      'meta',
      'status',
      '_status',
      'code',
      ...kept,
    ]);
  });

  test('keeps digits and tags once', () => {
    const text =
      '{ "resourceType" : "Observation" , "status":"final","code":{"text":"\\u00e9"},"valueQuantity" : {"value": 1.00e-2} }';
    const part = subset(text, { summary: 'true' });
    expect(part).toContain('"value":1.00e-2');
    expect(part).toContain('"\\u00e9"');
    expect(subset(part, { summary: 'true' })).toBe(part);
  });

  test('gives back what is no resource, and never throws', () => {
    for (const text of ['', '[]', '7', '{}', '{"resourceType":"Hobbit"}', '{"resourceType":7}']) {
      expect(subset(text, { summary: 'true' })).toBe(text);
    }
    const requests = [{ summary: 'true' }, { summary: 'text' }, { summary: 'data' }, { elements: ['name'] }] as const;
    const key = fc.constantFrom('name', '_gender', 'gender', 'meta', 'text', 'contained', 'extension', 'link', 'id');
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), fc.constantFrom(...requests), (any, request) => {
        expect(parts({ resourceType: 'Patient', ...any }, request).resourceType).toBe('Patient');
      }),
    );
    fc.assert(fc.property(fc.string(), fc.constantFrom(...requests), (text, request) => void subset(text, request)));
    fc.assert(
      fc.property(fc.string(), fc.nat(80), (text, cut) => {
        void subset(JSON.stringify({ ...observation, id: text }).slice(0, cut), { summary: 'true' });
      }),
    );
  });
});
