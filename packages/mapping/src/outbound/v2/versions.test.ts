/** Messages in the version that a destination reads. */
import { isParseError, parseMessage } from '@causeway/hl7v2';
import type { Patient, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { Envelope } from '../envelope.ts';
import { refusedVersion, type V2Version, v2Versions } from './versions.ts';
import { writeV2 } from './write.ts';

const patient: Patient = {
  resourceType: 'Patient',
  identifier: [{ system: 'urn:oid:2.999.7.1', value: 'H-77' }],
  name: [{ family: 'Dell' }],
};

function send(code: string, event: string, resources: Resource[], version: V2Version | undefined) {
  const envelope: Envelope = {
    controlId: 'C1',
    deliveryId: '01890000-0000-7000-8000-000000000001',
    time: '2025-05-06T07:08:09.000Z',
    kind: 'new',
    version,
    recipient: { patient, identifierSystem: 'urn:oid:2.999.7.1' },
    origin: { key: 'the-lab', name: 'The Laboratory' },
  };
  const bytes = writeV2({ code, event, resources }, envelope);
  if (typeof bytes === 'string') throw new Error(bytes);
  const message = parseMessage(bytes);
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

const subject = { reference: 'Patient/elsewhere' };
const specimen = {
  resourceType: 'Specimen',
  id: 'sp',
  subject,
  identifier: [{ value: 'S9' }],
  type: { coding: [{ system: 'http://snomed.info/sct', code: '119297000', display: 'Blood' }] },
  receivedTime: '2025-05-05T09:00:00Z',
  collection: { collectedDateTime: '2025-05-05T08:30:00Z' },
} as Resource;
const culture = {
  resourceType: 'Observation',
  id: 'o1',
  status: 'final',
  subject,
  code: { coding: [{ system: 'http://loinc.org', code: '600-7' }] },
  valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '112283007' }], text: 'a|b\\c' },
} as Resource;
const report = {
  resourceType: 'DiagnosticReport',
  id: 'r1',
  status: 'final',
  subject,
  code: { coding: [{ system: 'http://loinc.org', code: '600-7' }] },
  result: [{ reference: 'Observation/o1' }],
  specimen: [{ reference: 'Specimen/sp' }],
} as Resource;
const order = {
  resourceType: 'MedicationRequest',
  id: 'm1',
  status: 'active',
  intent: 'order',
  priority: 'stat',
  subject,
  medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '197696' }] },
  dosageInstruction: [
    {
      timing: {
        code: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation', code: 'BID' }] },
        repeat: { boundsPeriod: { start: '2025-05-06' } },
      },
    },
  ],
} as Resource;

describe.each(v2Versions)('version %s', (version) => {
  it('is named, and the message can be read with the same identifiers and text', () => {
    const message = send('ORU', 'R01', [report, culture, specimen], version);
    const paths = ['MSH-12', 'PID-3.1', 'OBR-3.1', 'OBX-3.1', 'OBX-5.1', 'OBX-5.9'] as const;
    expect(paths.map((path) => message.get(path))).toEqual([version, 'H-77', 'r1', '600-7', '112283007', 'a|b\\c']);
  });
});

it('puts the specimen where it was before there was SPM', () => {
  const old = send('ORU', 'R01', [report, culture, specimen], '2.3.1');
  expect(old.all('SPM')).toHaveLength(0);
  expect([old.get('OBR-15.1.1'), old.get('OBR-15.1.2'), old.get('OBR-14')]).toEqual([
    '119297000',
    'Blood',
    '20250505090000+0000',
  ]);
  expect([old.get('OBX-2'), old.get('MSH-9.3')]).toEqual(['CE', undefined]);
  const current = send('ORU', 'R01', [report, culture, specimen], '2.5.1');
  expect([current.get('SPM-4.1'), current.get('OBX-2'), current.get('MSH-9.3')]).toEqual([
    '119297000',
    'CWE',
    'ORU_R01',
  ]);
});

it('puts the timing where it was before there was TQ1', () => {
  const old = send('RDE', 'O11', [order], '2.3');
  expect(old.all('TQ1')).toHaveLength(0);
  expect([old.type.event, old.get('RXE-1.2'), old.get('RXE-1.4'), old.get('ORC-7.6')]).toEqual([
    'O01',
    'BID',
    '20250506',
    'S',
  ]);
  expect(send('RDE', 'O11', [order], '2.8').get('TQ1-7')).toBe('20250506');
});

it('has no order message before the version that brought it', () => {
  expect(refusedVersion('OMG', '2.3.1')).toContain('2.4');
  expect(refusedVersion('OML', '2.4')).toBeUndefined();
  expect(refusedVersion('ORM', '2.3')).toBeUndefined();
});
