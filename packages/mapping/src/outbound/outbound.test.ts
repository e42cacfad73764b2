import { isParseError, type Message, parseMessage } from '@causeway/hl7v2';
import type { DiagnosticReport, DocumentReference, Observation, Patient, Provenance } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertV2 } from '../v2/index.ts';
import { type Envelope, writeDocumentBundle, writeMdm, writeOru, writeResultBundle } from './index.ts';

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

const oruOf = (observations: Observation[], kind: Envelope['kind'] = 'new', of = report) =>
  written(writeOru({ report: of, observations }, envelope(kind)));

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

  it('says so when the recipient has no record number of the destination', () => {
    const stranger = envelope('new', { resourceType: 'Patient', identifier: [{ system: 'urn:other', value: '1' }] });
    expect(writeOru({ report, observations: [] }, stranger)).toContain('no record number');
    expect(writeResultBundle({ report, observations: [] }, stranger)).toContain('no record number');
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
    const message = written(writeMdm({ document }, envelope()));
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
      'ED ^application^PDF^Base64^AAAA',
    ]);
  });

  it('is cancelled by T11 without content', () => {
    const message = written(writeMdm({ document }, envelope('retraction')));
    expect([message.get('MSH-9.2'), message.get('TXA-12.1'), message.get('TXA-19'), message.all('OBX').length]).toEqual(
      ['T11', 'D-9', 'CA', 0],
    );
  });

  it('goes as a transaction with its content, and as entered in error without', () => {
    const sent = writeDocumentBundle({ document }, envelope());
    const taken = writeDocumentBundle({ document }, envelope('retraction'));
    if (typeof sent === 'string' || typeof taken === 'string') throw new Error('not written');
    expect((sent.entry![0]!.resource as DocumentReference).content?.[1]?.attachment?.data).toBe('AAAA');
    expect(taken.entry![0]!.resource).toMatchObject({
      status: 'entered-in-error',
      content: [{ attachment: { title: 'Withdrawn' } }],
    });
    expect(JSON.stringify(taken)).not.toContain('AAAA');
  });
});

describe('a transaction', () => {
  it("keeps the hub's ids and refers to nothing the destination has not", () => {
    const bundle = writeResultBundle(
      {
        report,
        observations: [
          observation('o1', {
            encounter: { reference: 'Encounter/e1' },
            performer: [{ reference: 'Organization/1', display: 'Lab' }],
          }),
        ],
      },
      envelope(),
    );
    if (typeof bundle === 'string') throw new Error(bundle);
    expect(bundle.identifier?.value).toBe('urn:uuid:01890000-0000-7000-8000-000000000001');
    expect(bundle.entry!.map(({ request }) => `${request?.method} ${request?.url}`)).toEqual([
      'PUT Observation/o1',
      'PUT DiagnosticReport/report-1',
      'PUT Provenance/01890000-0000-7000-8000-000000000001',
    ]);
    const [result, stated, provenance] = bundle.entry!.map(({ resource }) => resource);
    expect(result).toMatchObject({
      subject: { reference: 'Patient?identifier=urn%3Aoid%3A2.999.7.1|H-77', identifier: { value: 'H-77' } },
      performer: [{ display: 'Lab' }],
    });
    expect(JSON.stringify([result, stated])).not.toMatch(/Encounter|at-the-lab|Organization/);
    expect((stated as DiagnosticReport).result).toEqual([{ reference: 'Observation/o1' }]);
    expect((stated as DiagnosticReport).basedOn?.[0]?.identifier?.value).toBe('P-1');
    expect((provenance as Provenance).agent?.[0]?.who?.display).toBe('The Laboratory');
  });
});
