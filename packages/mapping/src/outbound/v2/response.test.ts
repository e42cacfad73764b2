/** A person and a person's immunizations as segments of a response. */
import { isParseError, type Message, MessageBuilder, parseMessage } from '@causeway/hl7v2';
import type { Immunization, Observation, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { immunizationSegments, personSegments, type SegmentValues } from './response.ts';

const patient: Patient = {
  resourceType: 'Patient',
  id: 'p',
  identifier: [{ system: 'urn:oid:2.999.1', value: '7', assigner: { display: 'CLINIC' } }],
  name: [{ family: 'Quill', given: ['Ada'] }],
  birthDate: '1970-04-05',
};

function written(segments: SegmentValues[]): Message {
  const builder = new MessageBuilder({
    time: '2024',
    type: ['RSP', 'K11', 'RSP_K11'],
    controlId: '1',
    version: '2.5.1',
  });
  for (const { name, values } of segments) builder.segment(name, values);
  const message = parseMessage(builder.toString());
  if (isParseError(message)) throw new Error(message.message);
  return message;
}

it('writes a person at its place, with those related', () => {
  const mother: RelatedPerson = {
    resourceType: 'RelatedPerson',
    patient: { reference: 'Patient/p' },
    name: [{ family: 'Quill', given: ['Eve'] }],
    relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0063', code: 'MTH' }] }],
  };
  const message = written(personSegments(patient, [mother], 3));
  const paths = ['PID-1', 'PID-3.1', 'PID-3.4.1', 'PID-3.4.2', 'PID-5.1', 'PID-7', 'NK1-1', 'NK1-2.2', 'NK1-3.1'];
  expect(paths.map((path) => message.get(path))).toEqual([
    '3',
    '7',
    'CLINIC',
    '2.999.1',
    'Quill',
    '19700405',
    '1',
    'Eve',
    'MTH',
  ]);
});

it('writes immunizations in their order, each with its observations and a number of its own', () => {
  const immunization = (id: string, date: string, cvx: string): Immunization => ({
    resourceType: 'Immunization',
    id,
    status: 'completed',
    patient: { reference: 'Patient/p' },
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: cvx }] },
    occurrenceDateTime: date,
  });
  const eligibility: Observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '64994-7' }] },
    partOf: [{ reference: 'Immunization/a' }],
    valueString: 'V02',
  };
  const first = immunization('a', '2020-01-02', '03');
  const message = written(immunizationSegments(patient, [first, immunization('b', '2021-01-02', '10'), eligibility]));
  expect(message.segments.slice(1).map(({ name }) => name)).toEqual(['ORC', 'RXA', 'OBX', 'ORC', 'RXA']);
  expect(message.all('ORC').map((orc) => [orc.rawField(1), orc.rawField(3)])).toEqual([
    ['RE', 'a^CAUSEWAY'],
    ['RE', 'b^CAUSEWAY'],
  ]);
  expect(message.all('RXA').map((rxa) => [rxa.rawField(3), rxa.field(5).first.component(1).text])).toEqual([
    ['20200102', '03'],
    ['20210102', '10'],
  ]);
});
