/** Messages of our own: whom they name, and what they say of what is corrected or does not hold. */
import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import type { DiagnosticReport, DocumentReference, Observation, Patient, Resource } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertV2 } from '../../v2/index.ts';
import type { Envelope } from '../envelope.ts';
import { writeV2 } from './write.ts';

const subject = { reference: 'Patient/at-the-lab' };
const loinc = (code: string, display: string) => ({ coding: [{ system: 'http://loinc.org', code, display }] });
const typed = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] });

const recipient: Patient = {
  resourceType: 'Patient',
  identifier: [
    { system: 'urn:other', value: 'not-this' },
    { system: 'urn:oid:2.999.7.1', value: 'H-77' },
  ],
  name: [{ family: "O'Dell|Pipe", given: ['Wren', 'Ida'] }],
  birthDate: '1961-02-03',
  gender: 'female',
};

function envelope(kind: Envelope['kind'] = 'new', patient = recipient): Envelope {
  return {
    controlId: '0ABCDEFGHIJKLMNOPQRS',
    deliveryId: '01890000-0000-7000-8000-000000000001',
    time: '2025-05-06T07:08:09.000Z',
    kind,
    recipient: {
      patient,
      identifierSystem: 'urn:oid:2.999.7.1',
      authority: 'HOSPMRN',
      application: 'EHR',
      facility: 'HOSP',
    },
    origin: { key: 'the-lab', name: 'The Laboratory' },
  };
}

function observation(id: string, more: Partial<Observation>): Observation {
  return { resourceType: 'Observation', id, status: 'final', code: loinc('2823-3', 'Potassium'), subject, ...more };
}

const report: DiagnosticReport = {
  resourceType: 'DiagnosticReport',
  id: 'report-1',
  status: 'final',
  identifier: [
    { type: typed('PLAC'), system: 'urn:causeway:authority:the-lab:PRACTICE', value: 'P-1' },
    { type: typed('FILL'), system: 'urn:oid:2.999.8', value: 'F-1' },
  ],
  code: {
    coding: [
      { system: 'urn:causeway:codesystem:the-lab:L', code: 'CHEM', display: 'Chemistry' },
      loinc('24323-8', 'CMP').coding[0]!,
    ],
  },
  subject,
  effectiveDateTime: '2025-05-05T08:00:00-05:00',
  issued: '2025-05-06T01:00:00.250Z',
  result: [{ reference: 'Observation/o1' }],
  encounter: { reference: 'Encounter/e1' },
};

function written(bytes: Uint8Array | string): Message {
  if (typeof bytes === 'string') throw new Error(bytes);
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

const send = (code: string, event: string, resources: Resource[], as = envelope()) =>
  written(writeV2({ code, event, resources }, as));

const oruOf = (observations: Observation[], kind: Envelope['kind'] = 'new', of = report) => {
  const result = observations.map(({ id }) => ({ reference: `Observation/${id}` }));
  return send('ORU', 'R01', [{ ...of, result }, ...observations], envelope(kind));
};

describe('ORU^R01', () => {
  it('names the destination, its own record number, the order, and who said it', () => {
    const message = oruOf([
      observation('o1', {
        valueQuantity: { value: 4.2, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
      }),
    ]);
    const get = (...paths: string[]) => paths.map((path) => message.get(path));
    expect(get('MSH-5', 'MSH-6', 'MSH-7', 'MSH-10', 'MSH-12')).toEqual([
      'EHR',
      'HOSP',
      '20250506070809+0000',
      '0ABCDEFGHIJKLMNOPQRS',
      '2.5.1',
    ]);
    expect(get('PID-3.1', 'PID-3.4.1', 'PID-3.4.2', 'PID-3.4.3', 'PID-3.5')).toEqual([
      'H-77',
      'HOSPMRN',
      '2.999.7.1',
      'ISO',
      'MR',
    ]);
    expect(get('PID-5.1', 'PID-5.2', 'PID-5.3', 'PID-7', 'PID-8')).toEqual([
      "O'Dell|Pipe",
      'Wren',
      'Ida',
      '19610203',
      'F',
    ]);
    expect(get('OBR-2.1', 'OBR-2.2', 'OBR-3.1', 'OBR-3.3', 'OBR-3.4')).toEqual([
      'P-1',
      'PRACTICE',
      'F-1',
      '2.999.8',
      'ISO',
    ]);
    expect(get('OBR-4.1', 'OBR-4.3', 'OBR-4.4', 'OBR-4.6')).toEqual(['CHEM', '99THELAB', '24323-8', 'LN']);
    expect(get('OBR-7', 'OBR-22', 'OBR-25')).toEqual(['20250505080000-0500', '20250506010000.25+0000', 'F']);
    expect(get('OBX-2', 'OBX-3.1', 'OBX-5', 'OBX-6.1', 'OBX-6.3', 'OBX-11', 'OBX-15.1')).toEqual([
      'NM',
      '2823-3',
      '4.2',
      'mmol/L',
      'UCUM',
      'F',
      'the-lab',
    ]);
  });

  it('writes each kind of value in its type', () => {
    const message = oruOf([
      observation('a', { valueQuantity: { value: 5, comparator: '<', unit: 'mg/L' } }),
      observation('b', {
        valueCodeableConcept: {
          coding: [{ system: 'http://snomed.info/sct', code: '260385009', display: 'Negative' }],
        },
      }),
      observation('c', { valueString: 'one\ntwo' }),
      observation('d', { valueString: 'seen & noted' }),
      observation('e', { valueDateTime: '2025-01-02' }),
      observation('f', { valueRange: { low: { value: 1 }, high: { value: 3 } } }),
    ]);
    const values = message.all('OBX').map((obx) => `${obx.rawField(2)} ${obx.rawField(5)}`);
    expect(values).toEqual([
      'SN <^5',
      'CWE 260385009^Negative^SCT',
      'TX one~two',
      'ST seen \\T\\ noted',
      'TS 20250102',
      'SN ^1^-^3',
    ]);
  });

  it('tells corrected, deleted and wrong results apart, and repeats no value of what was withdrawn', () => {
    const wrong = { _status: { extension: [{ valueCodeableConcept: { coding: [{ code: 'W' }] } }] } } as object;
    const message = oruOf(
      [
        observation('a', { status: 'corrected', valueQuantity: { value: 1 } }),
        observation('b', { status: 'entered-in-error', valueQuantity: { value: 2 }, note: [{ text: 'why' }] }),
        observation('c', { status: 'entered-in-error', ...wrong, valueQuantity: { value: 3 } }),
        observation('d', { status: 'preliminary', valueQuantity: { value: 4 } }),
      ],
      'correction',
      { ...report, status: 'corrected' },
    );
    expect(message.get('OBR-25')).toBe('C');
    expect(message.all('OBX').map((obx) => `${obx.rawField(11)} ${obx.rawField(5)}`)).toEqual([
      'C 1',
      'D ',
      'W ',
      'P 4',
    ]);
    expect(message.all('NTE')).toHaveLength(0);
  });

  it('retracts what was delivered to the wrong person as W, without its values', () => {
    const message = oruOf(
      [observation('a', { valueQuantity: { value: 1 }, interpretation: [loinc('H', 'High')] })],
      'retraction',
    );
    expect([message.get('OBR-25'), message.get('OBX-11'), message.get('OBX-5'), message.get('OBX-8')]).toEqual([
      'C',
      'W',
      undefined,
      undefined,
    ]);
  });

  it('is read back by the hub with the same value, code, status and time', () => {
    const message = oruOf([
      observation('a', {
        effectiveDateTime: '2025-05-05T08:00:00-05:00',
        valueQuantity: { value: 4.2, unit: 'mmol/L', system: 'http://unitsofmeasure.org', code: 'mmol/L' },
      }),
    ]);
    const context = {
      source: 's',
      receivedAt: '2025-05-06T08:00:00Z',
      messageUri: 'urn:m',
      identifierSystems: { HOSPMRN: 'urn:oid:2.999.7.1' },
    };
    const { facts } = convertV2(message, context);
    const read = facts.find(({ resource }) => resource.resourceType === 'Observation')!.resource as Observation;
    expect(read).toMatchObject({
      status: 'final',
      effectiveDateTime: '2025-05-05T08:00:00-05:00',
      valueQuantity: { value: 4.2, code: 'mmol/L' },
    });
    expect(read.code?.coding?.[0]).toMatchObject({ system: 'http://loinc.org', code: '2823-3' });
    const patient = facts.find(({ resource }) => resource.resourceType === 'Patient')!.resource as Patient;
    expect(patient.identifier?.[0]).toMatchObject({ system: 'urn:oid:2.999.7.1', value: 'H-77' });
  });

  it('keeps any text whole, and is always a message that can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ maxLength: 30 }), (value, display) => {
        const message = oruOf([
          observation('a', { valueString: value, code: { coding: [{ code: 'X', display, system: 'urn:y' }] } }),
        ]);
        expect(message.all('OBX')).toHaveLength(1);
        const repetitions = message
          .segment('OBX')!
          .field(5)
          .repetitions.map((one) => one.component(1).sub(1));
        expect(repetitions.join('\n')).toBe(value);
      }),
    );
  });
});

describe('MDM', () => {
  const document: DocumentReference = {
    resourceType: 'DocumentReference',
    id: 'd1',
    status: 'current',
    docStatus: 'final',
    type: loinc('18842-5', 'Discharge summary'),
    masterIdentifier: { system: 'urn:causeway:authority:hospital:DOC', value: 'D-9' },
    subject,
    date: '2025-05-06T07:00:00Z',
    author: [{ reference: 'Practitioner/1', display: 'Ada Lowe' }],
    content: [
      { attachment: { contentType: 'text/plain; charset=utf-8', data: btoa('Line 1\nLine | 2') } },
      { attachment: { contentType: 'application/pdf', data: 'AAAA' } },
    ],
  };

  it('carries the text line by line and other content encoded', () => {
    const message = send('MDM', 'T02', [document]);
    expect([
      message.get('MSH-9.2'),
      message.get('TXA-2.1'),
      message.get('TXA-12.1'),
      message.get('TXA-17'),
      message.get('TXA-19'),
    ]).toEqual(['T02', '18842-5', 'D-9', 'AU', 'AV']);
    expect(message.all('OBX').map((obx) => `${obx.rawField(2)} ${obx.rawField(5)}`)).toEqual([
      'TX Line 1',
      'TX Line \\F\\ 2',
      'ED ^application^pdf^Base64^AAAA',
    ]);
  });

  it('is cancelled by T11 without content', () => {
    const message = send('MDM', 'T11', [document], envelope('retraction'));
    expect([message.get('MSH-9.2'), message.get('TXA-12.1'), message.get('TXA-19'), message.all('OBX').length]).toEqual(
      ['T11', 'D-9', 'CA', 0],
    );
  });
});

describe('what is taken back', () => {
  const subject = { reference: 'Patient/elsewhere' };

  it('is named by its numbers and told without its content', () => {
    const taken = envelope('retraction');
    const stay = {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject,
      identifier: [{ value: 'V-7', system: 'urn:oid:2.999.3' }],
      reasonCode: [{ text: 'a secret' }],
    } as Resource;
    const cancelled = send('ADT', 'A11', [stay], taken);
    expect([cancelled.get('PV1-2'), cancelled.get('PV1-19.1')]).toEqual(['I', 'V-7']);
    const shot = {
      resourceType: 'Immunization',
      id: 'i1',
      status: 'completed',
      patient: subject,
      vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '08' }] },
      occurrenceDateTime: '2025-02-10',
      lotNumber: 'a secret',
      note: [{ text: 'a secret' }],
    } as Resource;
    const deleted = send('VXU', 'V04', [shot], taken);
    expect([deleted.get('RXA-5.1'), deleted.get('RXA-21'), deleted.get('ORC-3.1')]).toEqual(['08', 'D', 'i1']);
    const request = {
      resourceType: 'ServiceRequest',
      id: 's1',
      status: 'active',
      intent: 'order',
      subject,
      code: loinc('58410-2', 'CBC'),
      note: [{ text: 'a secret' }],
    } as Resource;
    const order = send('OMG', 'O19', [request], taken);
    expect([order.get('ORC-1'), order.get('OBR-4.1')]).toEqual(['CA', '58410-2']);
    for (const message of [cancelled, deleted, order]) expect(String(message)).not.toContain('a secret');
  });

  it('of a person who turned out to be another is unlinked (A37): the own record, and the other', () => {
    const other = {
      resourceType: 'Patient',
      id: 'other',
      identifier: [{ system: 'urn:oid:2.999.8', value: 'L-1' }],
      name: [{ family: 'Else' }],
    } as Resource;
    const message = send('ADT', 'A37', [other], envelope('retraction'));
    expect(message.all('PID').map((pid) => pid.field(3).repetitions[0]!.component(1).sub(1))).toEqual(['H-77', 'L-1']);
  });
});

describe('a changed order, prescription or immunization', () => {
  it('is told as a change', () => {
    const change = envelope('correction');
    const request = {
      resourceType: 'MedicationRequest',
      id: 'm1',
      status: 'active',
      intent: 'order',
      subject: { reference: 'Patient/elsewhere' },
      medicationCodeableConcept: {
        coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '197696' }],
      },
    } as Resource;
    expect(send('RDE', 'O11', [request], change).get('ORC-1')).toBe('XO');
    expect(send('RDE', 'O11', [request]).get('ORC-1')).toBe('NW');
  });
});

describe('a message without a visit', () => {
  it('says so where its structure needs PV1', () => {
    expect(send('ADT', 'A31', []).get('PV1-2')).toBe('N');
  });
});
