/**
 * Segments of responses to queries, by the tables that v2 → FHIR is done by: a person (PID, PD1, NK1) and a person's
 * immunizations (ORC, RXA, RXR, OBX).
 */
import type { FieldValues } from '@causeway/hl7v2';
import type { Patient, Resource } from '@medplum/fhirtypes';
import { childOf, type Element, hasCode, listOf, OutboundRecord } from './record.ts';
import { writeNextOfKin, writePd1, writePid } from './segments/patient.ts';
import { writeImmunization } from './segments/pharmacy.ts';
import { Sheet } from './segments/sheet.ts';

/** A segment with its fields by their number. */
export interface SegmentValues {
  name: string;
  values: FieldValues;
}

/**
 * A person as PID, PD1 and, of related persons among the resources, NK1.
 * @param resources what the person's elements refer to, and related persons
 * @param position PID-1: the person's place among those of the response
 */
export function personSegments(patient: Patient, resources: readonly Resource[], position: number): SegmentValues[] {
  const sheet = sheetOf(patient, resources);
  const subject = patient as object as Element;
  writePid(sheet, subject);
  writePd1(sheet, subject);
  writeNextOfKin(sheet);
  return sheet.segments.map((segment) =>
    segment.name === 'PID' ? { ...segment, values: { ...segment.values, 1: String(position) } } : segment,
  );
}

/**
 * The immunizations among the resources, in their order, each with its observations and what it refers to. One without a
 * filler's order number is told by the record's own id.
 */
export function immunizationSegments(patient: Patient, resources: readonly Resource[]): SegmentValues[] {
  const sheet = sheetOf(patient, resources);
  for (const immunization of sheet.record.all('Immunization')) writeImmunization(sheet, numbered(immunization), false);
  return [...sheet.segments];
}

/** Orders and results of a history are told as they were: nothing is ordered (ORC-1 `RE`). */
function sheetOf(patient: Patient, resources: readonly Resource[]): Sheet {
  const record = new OutboundRecord([patient, ...resources]);
  return new Sheet({ record, origin: 'causeway', relayed: false }, 'VXU', 'V04', patient as object as Element);
}

function numbered(immunization: Element): Element {
  const known = listOf(immunization, 'identifier');
  if (known.some((identifier) => hasCode(childOf(identifier, 'type'), 'FILL'))) return immunization;
  const system = 'http://terminology.hl7.org/CodeSystem/v2-0203';
  const own = {
    type: { coding: [{ system, code: 'FILL' }] },
    value: immunization.id,
    assigner: { display: 'CAUSEWAY' },
  };
  return { ...immunization, identifier: [...known, own] };
}
