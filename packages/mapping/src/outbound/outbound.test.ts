import type { DiagnosticReport, DocumentReference, Observation, Patient, Provenance } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { type Envelope, writeResultBundle, writeStatementBundle } from './index.ts';

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

describe('a document', () => {
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

  it('goes as a transaction with its content, and as entered in error without', () => {
    const sent = writeStatementBundle([document], envelope());
    const taken = writeStatementBundle([document], envelope('retraction'));
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

describe('a Bundle that is no transaction', () => {
  const stated = () => ({ report, observations: [observation('o1', {})] });
  const read = (form: 'message' | 'document', kind?: 'retraction') => {
    const bundle = writeResultBundle(stated(), envelope(kind), form);
    if (typeof bundle === 'string') throw new Error(bundle);
    return bundle;
  };

  it('begins with its header, names the destination’s own Patient, and refers to its own entries only', () => {
    for (const form of ['message', 'document'] as const) {
      const bundle = read(form);
      expect(bundle.type).toBe(form);
      const [first] = bundle.entry!.map(({ resource }) => resource!);
      expect(first!.resourceType).toBe(form === 'message' ? 'MessageHeader' : 'Composition');
      const urls = bundle.entry!.map(({ fullUrl }) => fullUrl);
      expect(new Set(urls).size).toBe(urls.length);
      const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map(([, one]) => one);
      expect(references.length).toBeGreaterThan(3);
      expect(references.filter((one) => !urls.includes(one))).toEqual([]);
      expect(JSON.stringify(bundle)).not.toContain('"request"');
      const patient = bundle.entry!.find(({ resource }) => resource?.resourceType === 'Patient')!.resource;
      expect(JSON.stringify(patient)).toContain('H-77');
    }
  });

  it('has the same ids at every attempt, and says what is taken back', () => {
    expect(read('message')).toEqual(read('message'));
    expect(read('document', 'retraction').entry![0]!.resource).toMatchObject({ status: 'entered-in-error' });
    expect(read('message', 'retraction').entry![0]!.resource).toMatchObject({ eventUri: 'urn:causeway:retraction' });
  });
});
