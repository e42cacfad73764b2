import type { Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { operationOutcome } from '../outcome.ts';
import { MAX_ISSUES, validate } from './validate.ts';

function found(resource: object): string[] {
  return validate(resource as Resource).map((issue) => `${issue.code} ${issue.expression}`);
}

const patient = { resourceType: 'Patient' };

describe('validate', () => {
  test('accepts what R4 allows', () => {
    expect(
      found({
        resourceType: 'Patient',
        id: 'a-1.B',
        name: [{ given: ['A', null], _given: [null, { extension: [{ url: 'http://x', valueCode: 'y' }] }] }],
        _birthDate: { extension: [{ url: 'http://x', valueDateTime: '1980-01-01T10:00:00.5+01:00' }] },
        gender: 'other',
        deceasedBoolean: false,
        contained: [{ resourceType: 'Organization', id: 'o', name: 'X' }],
        contact: [{ gender: 'female' }],
        multipleBirthInteger: 2,
      }),
    ).toEqual([]);
    expect(
      found({
        resourceType: 'Observation',
        _status: { extension: [{ url: 'http://x', valueCode: 'unknown' }] },
        code: { text: 'x' },
        component: [{ code: { text: 'x' }, referenceRange: [{ low: { value: 1.5 } }] }],
      }),
    ).toEqual([]);
  });

  test.each([
    [{ ...patient, nmae: 1 }, 'structure Patient.nmae'],
    [{ ...patient, 'Maja Lindqvist': 1 }, 'structure Patient'],
    [{ ...patient, name: { family: 'x' } }, 'structure Patient.name'],
    [{ ...patient, birthDate: ['1980'] }, 'structure Patient.birthDate'],
    [{ ...patient, name: [] }, 'structure Patient.name'],
    [{ ...patient, name: [{}] }, 'structure Patient.name[0]'],
    [{ ...patient, name: [null] }, 'structure Patient.name[0]'],
    [{ ...patient, name: [{ given: ['a', null] }] }, 'value Patient.name[0].given[1]'],
    [{ ...patient, active: 'true' }, 'value Patient.active'],
    [{ ...patient, birthDate: '2024-02-30' }, 'value Patient.birthDate'],
    [{ ...patient, birthDate: '1980-01-01T10:00:00Z' }, 'value Patient.birthDate'],
    [{ ...patient, deceasedDateTime: '1980-01-01T10:00' }, 'value Patient.deceased.ofType(dateTime)'],
    [{ ...patient, gender: 'M' }, 'code-invalid Patient.gender'],
    [
      { ...patient, contact: [patient, { gender: ' x' }] },
      'structure Patient.contact[0].resourceType',
      'value Patient.contact[1].gender',
    ],
    [{ ...patient, id: 'a b' }, 'value Patient.id'],
    [{ ...patient, text: { status: 'generated', div: 'x\u0000' } }, 'value Patient.text.div'],
    [{ ...patient, deceasedBoolean: true, deceasedDateTime: '2020' }, 'structure Patient.deceased'],
    [{ ...patient, deceased: true }, 'structure Patient.deceased'],
    [{ ...patient, _birthDate: [] }, 'structure Patient.birthDate'],
    [{ ...patient, _name: {} }, 'structure Patient._name'],
    [{ ...patient, link: [{ other: { reference: 'Patient/1' } }] }, 'required Patient.link[0].type'],
    [{ ...patient, extension: [{ url: 'http://x' }] }, 'invariant Patient.extension[0]'],
    [{ ...patient, contained: [{ resourceType: 'Patient', x: 1 }] }, 'structure Patient.contained[0].x'],
    [{ ...patient, contained: ['x'] }, 'structure Patient.contained[0]'],
    [{ resourceType: 'Observation', status: 'final' }, 'required Observation.code'],
    [
      { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { display: 'x' } },
      'required MedicationRequest.medication',
    ],
    [
      {
        resourceType: 'Slot',
        schedule: { display: 'x' },
        status: 'free',
        start: '2020-01-01',
        end: '2020-01-01T10:00:00Z',
      },
      'value Slot.start',
    ],
    [{ resourceType: 'Hobbit' }, 'structure undefined'],
  ])('finds what is wrong in %j', (resource, ...expected) => {
    expect(found(resource)).toEqual(expected);
  });

  test('says what would be right', () => {
    const [wrongCase] = validate({ ...patient, birthdate: '1980' } as unknown as Resource);
    expect(wrongCase?.diagnostics).toContain('right is birthDate');
    const [code] = validate({ ...patient, gender: 'M' } as unknown as Resource);
    expect(code?.diagnostics).toContain('female, male, other, unknown');
    const [choice] = validate({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      value: 7,
    } as unknown as Resource);
    expect(choice?.diagnostics).toContain('valueQuantity');
    expect(operationOutcome([code!]).issue[0]).toEqual({
      severity: 'error',
      code: 'code-invalid',
      diagnostics: code?.diagnostics,
      expression: ['Patient.gender'],
    });
  });

  test('stops at a limit and never throws', () => {
    expect(validate({ ...patient, name: Array(500).fill({ x: 1 }) } as unknown as Resource)).toHaveLength(MAX_ISSUES);
    let deep: object = { linkId: 'x' };
    for (let i = 0; i < 200; i++) deep = { linkId: 'x', item: [deep] };
    expect(found({ resourceType: 'QuestionnaireResponse', status: 'completed', item: [deep] })).toHaveLength(1);
    const member = fc.constantFrom(
      'name',
      'contained',
      'extension',
      'deceasedBoolean',
      '_birthDate',
      'telecom',
      'meta',
      '__proto__',
      'text',
    );
    fc.assert(
      fc.property(
        fc.dictionary(member, fc.jsonValue()),
        fc.constantFrom('Patient', 'Bundle', 'Parameters'),
        (any, resourceType) => {
          for (const issue of validate({ ...any, resourceType } as Resource)) expect(issue.diagnostics).not.toBe('');
        },
      ),
    );
  });
});
