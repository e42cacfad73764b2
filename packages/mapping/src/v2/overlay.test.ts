import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { Observation, Patient } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import type { ConversionContext } from '../conversion.ts';
import { convertV2 } from './convert.ts';
import { compileOverlay, type Overlay } from './overlay.ts';

const context: ConversionContext = {
  source: 'harbor',
  receivedAt: '2026-03-05T12:00:00Z',
  messageUri: 'urn:causeway:message:42',
};

function convert(overlay: Overlay | undefined, more: Partial<ConversionContext>, ...segments: string[]) {
  const header = 'MSH|^~\\&|EHR|HARBOR|HUB|REGION|20260305101500||ORU^R01|C1|P|2.5.1';
  const message = parseMessage([header, ...segments].join('\r'));
  if (isParseError(message)) throw new Error(message.message);
  return convertV2(message, { ...context, ...more, ...(overlay === undefined ? {} : { overlay }) });
}

function only<T>(result: ReturnType<typeof convert>, type: string): T {
  return result.facts.find(({ resource }) => resource.resourceType === type)!.resource as unknown as T;
}

describe('what a sender does differently', () => {
  test('values of its own are read as what they mean, and stay accounted for', () => {
    const pid = 'PID|1||778^^^HARBOR^MR||Sommer^Ida||19720311|W';
    expect(only<Patient>(convert(undefined, {}, pid), 'Patient').gender).toBeUndefined();
    const result = convert({ values: { 'PID-8': { W: 'F' } } }, {}, pid);
    expect(only<Patient>(result, 'Patient').gender).toBe('female');
    expect(result.ledger.find(({ source }) => source === 'PID[1]-8[1].1.1')).toMatchObject({
      disposition: 'mapped',
      target: expect.stringMatching(/#gender$/),
    });
  });

  test('a field that stands in another one is read there, and told of where it stood', () => {
    const result = convert(
      { moves: [['PID-27', 'PID-13']] },
      {},
      `PID|1||778^^^HARBOR^MR||Sommer^Ida${'|'.repeat(22)}^PRN^PH^^^33^5551234`,
    );
    expect(only<Patient>(result, 'Patient').telecom).toMatchObject([{ value: '33 5551234' }]);
    expect(result.ledger.find(({ source }) => source === 'PID[1]-27[1].7.1')?.disposition).toBe('mapped');
  });

  test('rows carry Z segments and unused fields into the resource at hand, under their condition', () => {
    const overlay: Overlay = {
      rows: [
        ['ZPI-2', 'Patient', 'maritalStatus', 'CodeableConcept', { when: 'ZPI-1 in M' }],
        ['ZPI-3', 'Patient', 'communication[].language', 'CodeableConcept'],
      ],
    };
    const pid = 'PID|1||778^^^HARBOR^MR||Sommer^Ida';
    const married = convert(overlay, {}, pid, 'ZPI|M|M^Married|de~fr');
    expect(only<Patient>(married, 'Patient')).toMatchObject({
      maritalStatus: { coding: [{ code: 'M', display: 'Married' }] },
      communication: [{ language: { coding: [{ code: 'de' }] } }, { language: { coding: [{ code: 'fr' }] } }],
    });
    expect(
      married.ledger.filter(({ source }) => source.startsWith('ZPI')).map(({ disposition }) => disposition),
    ).toEqual(['consumed', 'mapped', 'mapped', 'mapped', 'mapped']);
    const other = convert(overlay, {}, pid, 'ZPI|X|M^Married');
    expect(only<Patient>(other, 'Patient').maritalStatus).toBeUndefined();
  });

  test('a local code gets the standard code beside it, once', () => {
    const concepts = {
      'https://harbor.example/lab|GLU': { system: 'http://loinc.org', code: '2345-7', display: 'Glucose' },
    };
    const result = convert(
      undefined,
      { concepts, codeSystems: { HARBLAB: 'https://harbor.example/lab' } },
      'PID|1||778^^^HARBOR^MR||Sommer^Ida',
      'OBR|1||F1^LAB|PANEL^Panel^HARBLAB|||20260305',
      'OBX|1|NM|GLU^Glucose^HARBLAB||5.1|mmol/L|||||F',
      'OBX|2|NM|GLU^Glucose^HARBLAB^2345-7^Glucose^LN||5.2|mmol/L|||||F',
    );
    const codings = result.facts
      .filter(({ resource }) => resource.resourceType === 'Observation')
      .map(({ resource }) => (resource as Observation).code!.coding!.map(({ code }) => code));
    expect(codings).toEqual([
      ['GLU', '2345-7'],
      ['GLU', '2345-7'],
    ]);
  });

  test.each([
    [{ rows: [['ZPI', 'Patient', 'gender', 'string']] }, 'ZPI names no field'],
    [{ rows: [['ZPI-1', 'Nothing', 'gender', 'string']] }, 'Nothing is none of'],
    [{ rows: [['ZPI-1', 'Patient', 'gender', 'NoType']] }, 'NoType'],
    [{ rows: [['ZPI-1', 'Patient', 'gender', 'string', { when: 'never' }]] }, 'never'],
    [{ rows: [['ZPI-1', 'Patient', 'gender', 'code:nothing']] }, 'nothing'],
    [{ moves: [['PID-4.1', 'PID-3']] }, 'whole field'],
    [{ moves: [['PID-4', 'PV1-3']] }, 'of its segment'],
    [{ values: { PID8: { W: 'F' } } }, 'PID8'],
  ] as unknown as [Overlay, string][])('one that does not compile is refused and says why', (overlay, words) => {
    expect(() => compileOverlay(overlay)).toThrow(words);
  });
});
