/** ORC, OBR, OBX, SPM, SAC: orders, reports, observations, specimens (v2-to-FHIR ORC/OBR/OBX/SPM maps). */
import type { Row } from '../engine.ts';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition';
const PLACER = {
  with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] } },
};
const FILLER = {
  with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] } },
};
const GROUP = {
  with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PGN' }] } },
};

/** Rows of the order into its ServiceRequest. */
export const ORC_REQUEST: readonly Row[] = [
  ['ORC-1', '', 'consumed'],
  ['ORC-2', 'identifier[]', 'EntityIdentifier', PLACER],
  ['ORC-3', 'identifier[]', 'EntityIdentifier', FILLER],
  ['ORC-4', 'requisition', 'GroupIdentifier', GROUP],
  ['ORC-8', 'basedOn[]', 'ParentRequests'],
  ['ORC-9', 'authoredOn', 'dateTime'],
  ['ORC-12', 'requester', 'Practitioner'],
  ['ORC-16', 'reasonCode[]', 'CodeableConcept'],
  ['ORC-28', 'meta.security[]', 'Coding'],
  ['ORC-29', 'locationCode[]', 'CodeableConcept'],
];

/** The filler's group number, beside the placer's. */
export const ORC_FILLER_GROUP: readonly Row[] = [['ORC-4', 'identifier[]', 'FillerGroupIdentifier']];

export const OBR_REQUEST: readonly Row[] = [
  ['OBR-1', '', 'structural'],
  ['OBR-2', 'identifier[]', 'EntityIdentifier', PLACER],
  ['OBR-3', 'identifier[]', 'EntityIdentifier', FILLER],
  ['OBR-4', 'code', 'CodeableConcept'],
  ['OBR-6', 'occurrenceDateTime', 'dateTime'],
  ['OBR-12', 'note[]', 'ConceptNote'],
  ['OBR-13', 'note[]', 'ConceptNote'],
  ['OBR-16', 'requester', 'Practitioner'],
  ['OBR-17', `extension(${EXTENSION}/servicerequest-order-callback-phone-number).valueContactPoint`, 'OneContactPoint'],
  ['OBR-29', 'basedOn[]', 'ParentRequests'],
  ['OBR-31', 'reasonCode[]', 'CodeableConcept'],
  ['OBR-11', '', 'consumed', { when: 'OBR-11 in A, G, L, O, P, R, S' }],
  ['OBR-44', 'orderDetail[]', 'CodeableConcept'],
  ['OBR-45', 'orderDetail[]', 'CodeableConcept'],
  ['OBR-46', 'orderDetail[]', 'CodeableConcept'],
  ['OBR-47', 'orderDetail[]', 'CodeableConcept'],
  ['OBR-48', 'reasonCode[]', 'CodeableConcept'],
  ['OBR-53', 'identifier[]', 'Identifier:alternatePlacer'],
];

const performedAs = (code: string, display: string, system = 'v3-ParticipationType') => ({
  with: {
    extension: [
      {
        url: `${EXTENSION}/event-performerFunction`,
        valueCodeableConcept: {
          coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code, display }],
        },
      },
    ],
  },
});

export const OBR_REPORT: readonly Row[] = [
  ['OBR-2', 'identifier[]', 'EntityIdentifier', PLACER],
  ['OBR-3', 'identifier[]', 'EntityIdentifier', FILLER],
  ['OBR-4', 'code', 'CodeableConcept'],
  ['OBR-7', 'effectiveDateTime', 'dateTime', { when: 'not OBR-8 valued' }],
  ['OBR-7', 'effectivePeriod.start', 'dateTime', { when: 'OBR-8 valued' }],
  ['OBR-8', 'effectivePeriod.end', 'dateTime'],
  ['OBR-22', 'issued', 'instant'],
  ['OBR-24', 'category[]', 'CodeableConcept:diagnosticSection'],
  ['OBR-32', 'resultsInterpreter[]', 'NestedPractitioner'],
  ['OBR-33', 'performer[]', 'NestedPractitioner'],
  ['OBR-34', 'performer[]', 'NestedPractitioner', performedAs('SPRF', 'secondary performer')],
  ['OBR-35', 'performer[]', 'NestedPractitioner', performedAs('TRANS', 'Transcriber')],
];

/** Specimen facts that lie in OBR (before SPM existed, v2.5). */
export const OBR_SPECIMEN: readonly Row[] = [
  ['OBR-9', 'collection.quantity', 'Quantity'],
  ['OBR-10', 'collection.collector', 'Practitioner'],
  ['OBR-14', 'receivedTime', 'dateTime'],
  ['OBR-15', 'type', 'SpecimenSource'],
  ['OBR-15.2', 'container[source].additiveCodeableConcept', 'CodeableConcept'],
  ['OBR-15.3', 'collection.method', 'TextConcept'],
  ['OBR-15.4', 'collection.bodySite', 'CodeableConcept'],
  ['OBR-39', 'note[]', 'ConceptNote'],
];

export const OBX: readonly Row[] = [
  ['OBX-1', '', 'structural'],
  ['OBX-3', 'code', 'CodeableConcept'],
  ['OBX-8', 'interpretation[]', 'CodeableConcept:interpretation'],
  ['OBX-10', `extension(${EXTENSION}/observation-nature-of-abnormal-test).valueCodeableConcept`, 'CodeableConcept'],
  ['OBX-14', 'effectiveDateTime', 'dateTime'],
  ['OBX-16', 'performer[]', 'Practitioner'],
  ['OBX-15', 'performer[]', 'CodedOrganization'],
  ['OBX-17', 'method', 'CodeableConcept'],
  ['OBX-18', 'device', 'devices'],
  ['OBX-19', `extension(${EXTENSION}/observation-analysis-date-time).valueDateTime`, 'dateTime'],
  ['OBX-20', 'bodySite', 'CodeableConcept'],
  ['OBX-21', 'identifier[]', 'EntityIdentifier', FILLER],
  ['OBX-25', 'performer[]', 'Practitioner', performedAs('MDIR', 'Medical Director', 'v2-0443')],
  ['OBX-26', 'meta.security[]', 'Coding'],
];

export const SPM: readonly Row[] = [
  ['SPM-1', '', 'structural'],
  ['SPM-2', 'identifier[]', 'PairIdentifiers'],
  ['SPM-3', 'parent[]', 'SpecimenReference'],
  ['SPM-4', 'type', 'CodeableConcept'],
  ['SPM-6', 'container[first].additiveCodeableConcept', 'CodeableConcept'],
  ['SPM-7', 'collection.method', 'CodeableConcept'],
  ['SPM-8', 'collection.bodySite', 'CodeableConcept'],
  [
    'SPM-11',
    'extension(http://hl7.org/fhir/5.0/StructureDefinition/extension-Specimen.role).valueCodeableConcept',
    'CodeableConcept',
  ],
  ['SPM-12', 'collection.quantity', 'Quantity'],
  ['SPM-14', 'note[]', 'Annotation'],
  ['SPM-15', `extension(${EXTENSION}/specimen-specialHandling).valueCodeableConcept`, 'CodeableConcept'],
  ['SPM-17', 'collection.collectedDateTime', 'dateTime', { when: 'not SPM-17.2 valued' }],
  ['SPM-17', 'collection.collectedPeriod', 'Period', { when: 'SPM-17.2 valued' }],
  ['SPM-18', 'receivedTime', 'dateTime'],
  ['SPM-21', `extension(${EXTENSION}/specimen-reject-reason).valueCodeableConcept`, 'CodeableConcept'],
  ['SPM-24', 'condition[]', 'CodeableConcept'],
  ['SPM-27', 'container[first].type', 'CodeableConcept'],
  ['SPM-30', 'accessionIdentifier', 'Identifier'],
  ['SPM-31', 'identifier[]', 'Identifier'],
  ['SPM-32', 'identifier[]', 'EntityIdentifier', { with: { type: { coding: [{ code: 'SHIP' }] } } }],
];

/** SAC-2, unless SPM-30 gave the specimen another accession number. */
export const SAC_ACCESSION: readonly Row[] = [['SAC-2', 'accessionIdentifier', 'EntityIdentifier']];
export const SAC_OTHER_ACCESSION: readonly Row[] = [
  [
    'SAC-2',
    'identifier[]',
    'EntityIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'ACSN' }] } } },
  ],
];

/** SAC: the container of the specimen in hand. */
export const SAC: readonly Row[] = [
  ['SAC-3', 'container[first].identifier[]', 'EntityIdentifier'],
  ['SAC-4', 'container[first].identifier[]', 'EntityIdentifier', { with: { type: { text: 'Primary container' } } }],
  ['SAC-6', 'type', 'SpecimenSource', { when: 'SAC-6 valued' }],
  ['SAC-7', 'receivedTime', 'dateTime'],
];
