/** PV1, PV2: the visit (v2.9 chapter 3.4.3; v2-to-FHIR PV1[Encounter], PV2[Encounter]). */
import type { Element } from '../draft.ts';
import type { Row } from '../engine.ts';

const role = (code: string, display: string): { with: Element; clears: string } => ({
  with: {
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code, display }] }],
  },
  clears: `participant[type=${code}]`,
});
const R5 = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter';

export const PV1: readonly Row[] = [
  ['PV1-1', '', 'structural'],
  ['PV1-3', 'location[assigned].location', 'Location', { clears: 'location[status=active]' }],
  ['PV1-4', 'type[]', 'CodeableConcept:admissionType'],
  [
    'PV1-5',
    'hospitalization.preAdmissionIdentifier',
    'Identifier',
    { clears: 'hospitalization.preAdmissionIdentifier' },
  ],
  ['PV1-6', 'location[].location', 'Location', { with: { status: 'completed' }, clears: 'location[status=completed]' }],
  ['PV1-7', 'participant[].individual', 'Practitioner', role('ATND', 'attender')],
  ['PV1-8', 'participant[].individual', 'Practitioner', role('REF', 'referrer')],
  ['PV1-9', 'participant[].individual', 'Practitioner', role('CON', 'consultant')],
  ['PV1-17', 'participant[].individual', 'Practitioner', role('ADM', 'admitter')],
  ['PV1-52', 'participant[].individual', 'Practitioner', role('PART', 'Participation')],
  ['PV1-10', 'serviceType', 'CodeableConcept'],
  ['PV1-11', 'location[].location', 'Location', { with: { status: 'active' } }],
  ['PV1-42', 'location[].location', 'Location', { with: { status: 'planned' } }],
  ['PV1-43', 'location[].location', 'Location', { with: { status: 'completed' } }],
  ['PV1-13', 'hospitalization.reAdmission', 'CodeableConcept', { clears: 'hospitalization.reAdmission' }],
  ['PV1-14', 'hospitalization.admitSource', 'CodeableConcept', { clears: 'hospitalization.admitSource' }],
  [
    'PV1-15',
    'hospitalization.specialArrangement[]',
    'CodeableConcept',
    { clears: 'hospitalization.specialArrangement' },
  ],
  ['PV1-16', 'hospitalization.specialCourtesy[]', 'CodeableConcept', { clears: 'hospitalization.specialCourtesy' }],
  ['PV1-18', 'type[]', 'CodeableConcept'],
  ['PV1-19', 'identifier[]', 'Identifier'],
  [
    'PV1-36',
    'hospitalization.dischargeDisposition',
    'CodeableConcept',
    { clears: 'hospitalization.dischargeDisposition' },
  ],
  ['PV1-37', 'hospitalization.destination', 'DischargeLocation', { clears: 'hospitalization.destination' }],
  ['PV1-38', 'hospitalization.dietPreference[]', 'CodeableConcept', { clears: 'hospitalization.dietPreference' }],
  ['PV1-39', 'serviceProvider', 'NamedOrganization'],
  ['PV1-44', 'period.start', 'dateTime', { clears: 'period.start' }],
  ['PV1-45', 'period.end', 'dateTime', { clears: 'period.end' }],
  ['PV1-50', 'identifier[]', 'Identifier:alternateVisit'],
  ['PV1-54', 'episodeOfCare[]', 'EpisodeOfCare'],
];

export const PV2: readonly Row[] = [
  ['PV2-1', 'location[].location', 'Location', { with: { status: 'planned' } }],
  ['PV2-3', 'reasonCode[]', 'CodeableConcept'],
  ['PV2-7', 'type[]', 'CodeableConcept'],
  ['PV2-8', `extension(${R5}.plannedStartDate).valueDateTime`, 'dateTime'],
  ['PV2-9', `extension(${R5}.plannedEndDate).valueDateTime`, 'dateTime'],
  ['PV2-11', 'length', 'Days'],
  ['PV2-12', 'reasonCode[]', 'TextConcept'],
  ['PV2-13', 'participant[].individual', 'Practitioner', role('REF', 'referrer')],
  ['PV2-22', '', 'consumed', { when: 'PV2-22 in N' }],
  ['PV2-23', 'serviceProvider', 'Organization'],
  ['PV2-25', 'priority', 'CodeableConcept'],
  ['PV2-38', 'extension(http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival).valueCoding', 'Coding'],
];
