/** AL1, IAM, DG1, PRB, PR1: allergies, diagnoses, problems, procedures. */
import type { Row } from '../engine.ts';

const ASSERTED = 'extension(http://hl7.org/fhir/StructureDefinition/condition-assertedDate).valueDateTime';

export const AL1: readonly Row[] = [
  ['AL1-1', '', 'structural'],
  ['AL1-3', 'code', 'CodeableConcept'],
  ['AL1-5', 'reaction[first].manifestation[]', 'TextOrConcept'],
  ['AL1-6', 'onsetDateTime', 'dateTime'],
];

export const IAM: readonly Row[] = [
  ['IAM-1', '', 'structural'],
  ['IAM-3', 'code', 'CodeableConcept'],
  ['IAM-5', 'reaction[first].manifestation[]', 'TextOrConcept'],
  ['IAM-6', '', 'consumed'],
  ['IAM-7', 'identifier[]', 'EntityIdentifier'],
  ['IAM-11', 'onsetDateTime', 'dateTime'],
  ['IAM-12', 'onsetString', 'string', { when: 'not IAM-11 valued' }],
  ['IAM-13', 'recordedDate', 'dateTime'],
  ['IAM-14', 'asserter', 'NamedPractitioner', { when: 'not IAM-15 valued' }],
  ['IAM-23', 'recorder', 'Practitioner'],
];

export const DG1: readonly Row[] = [
  ['DG1-1', '', 'structural'],
  ['DG1-3', 'code', 'CodeableConcept'],
  ['DG1-5', 'onsetDateTime', 'dateTime'],
  ['DG1-15', '', 'consumed', { when: 'DG1-15 in 0' }],
  ['DG1-16', 'asserter', 'Practitioner'],
  ['DG1-17', 'category[]', 'TableConcept:0228'],
  ['DG1-18', '', 'consumed', { when: 'DG1-18 in N' }],
  ['DG1-19', 'recordedDate', 'dateTime'],
  ['DG1-20', 'identifier[]', 'EntityIdentifier'],
  [
    'DG1-22',
    'extension(http://hl7.org/fhir/StructureDefinition/condition-dueTo).valueReference.identifier',
    'EntityIdentifier',
  ],
];

export const PRB: readonly Row[] = [
  ['PRB-1', '', 'consumed'],
  ['PRB-2', 'recordedDate', 'dateTime'],
  ['PRB-3', 'code', 'CodeableConcept'],
  ['PRB-4', 'identifier[]', 'EntityIdentifier'],
  ['PRB-7', ASSERTED, 'dateTime'],
  ['PRB-9', 'abatementDateTime', 'dateTime'],
  ['PRB-16', 'onsetDateTime', 'dateTime'],
];

const performer = (code: string, display: string) => ({
  with: { function: { coding: [{ system: 'http://snomed.info/sct', code, display }] } },
});

export const PR1: readonly Row[] = [
  ['PR1-1', '', 'structural'],
  ['PR1-3', 'code', 'CodeableConcept'],
  ['PR1-6', 'category', 'CodeableConcept'],
  ['PR1-8', 'performer[].actor', 'Practitioner', performer('88189002', 'Anesthesiologist')],
  ['PR1-11', 'performer[].actor', 'Practitioner', performer('304292004', 'Surgeon')],
  ['PR1-12', 'performer[].actor', 'Practitioner'],
  ['PR1-15', 'reasonCode[]', 'CodeableConcept'],
  ['PR1-19', 'identifier[]', 'EntityIdentifier'],
  ['PR1-23', 'location', 'Location'],
];
