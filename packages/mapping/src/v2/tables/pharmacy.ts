/** RXO, RXE, RXD, RXA, RXR, RXC: orders for medicines, dispenses, and immunizations (v2.9 chapter 4A; v2-to-FHIR RXO, RXA, RXR). */
import type { Row } from '../engine.ts';

export const RXO: readonly Row[] = [
  ['RXO-1', 'medicationCodeableConcept', 'CodeableConcept'],
  ['RXO-6', 'note[]', 'ConceptNote'],
  ['RXO-7', 'dosageInstruction[first].text', 'ConceptText'],
  ['RXO-9', 'substitution.allowedCodeableConcept', 'CodeableConcept'],
  ['RXO-13', 'dispenseRequest.numberOfRepeatsAllowed', 'integer'],
  ['RXO-14', 'requester', 'Practitioner'],
  ['RXO-20', 'reasonCode[]', 'CodeableConcept'],
  ['RXO-32', 'dispenseRequest.performer', 'CodedOrganization'],
];

export const RXE: readonly Row[] = [
  ['RXE-2', 'medicationCodeableConcept', 'CodeableConcept'],
  ['RXE-7', 'dosageInstruction[first].text', 'ConceptText'],
  ['RXE-9', 'substitution.allowedCodeableConcept', 'CodeableConcept'],
  ['RXE-12', 'dispenseRequest.numberOfRepeatsAllowed', 'integer'],
  ['RXE-13', 'requester', 'Practitioner'],
  [
    'RXE-15',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'RX' }] } } },
  ],
  ['RXE-21', 'note[]', 'ConceptNote'],
  ['RXE-27', 'reasonCode[]', 'CodeableConcept'],
  ['RXE-40', 'dispenseRequest.performer', 'CodedOrganization'],
];

export const RXD: readonly Row[] = [
  ['RXD-1', '', 'structural'],
  ['RXD-2', 'medicationCodeableConcept', 'CodeableConcept'],
  ['RXD-3', 'whenHandedOver', 'dateTime'],
  [
    'RXD-7',
    'identifier[]',
    'PlainIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'RX' }] } } },
  ],
  ['RXD-9', 'note[]', 'ConceptNote'],
  ['RXD-10', 'performer[].actor', 'Practitioner'],
  ['RXD-30', 'location', 'CodedLocation'],
  ['RXD-31', 'destination', 'AddressLocation'],
  ['RXD-33', 'type', 'CodeableConcept'],
];

export const RXA: readonly Row[] = [
  ['RXA-1', '', 'structural'],
  ['RXA-2', '', 'structural'],
  ['RXA-3', 'occurrenceDateTime', 'dateTime'],
  ['RXA-5', 'vaccineCode', 'CodeableConcept'],
  ['RXA-9', 'note[]', 'ConceptNote'],
  [
    'RXA-10',
    'performer[].actor',
    'Practitioner',
    {
      with: {
        function: {
          coding: [
            { system: 'http://terminology.hl7.org/CodeSystem/v2-0443', code: 'AP', display: 'Administering Provider' },
          ],
        },
      },
    },
  ],
  ['RXA-11', 'location', 'Location', { when: 'not RXA-27 valued' }],
  ['RXA-15', 'lotNumber', 'string'],
  ['RXA-16', 'expirationDate', 'date'],
  ['RXA-17', 'manufacturer', 'CodedOrganization'],
  ['RXA-18', 'statusReason', 'CodeableConcept'],
  ['RXA-19', 'reasonCode[]', 'CodeableConcept'],
  ['RXA-22', 'recorded', 'dateTime'],
  ['RXA-27', 'location', 'Location'],
];

/** RXA of a medicine that is no vaccine. */
export const RXA_ADMINISTRATION: readonly Row[] = [
  ['RXA-1', '', 'structural'],
  ['RXA-2', '', 'consumed'],
  ['RXA-3', 'effectiveDateTime', 'dateTime', { when: 'not RXA-4 valued' }],
  ['RXA-3', 'effectivePeriod.start', 'dateTime', { when: 'RXA-4 valued' }],
  ['RXA-4', 'effectivePeriod.end', 'dateTime'],
  ['RXA-9', 'note[]', 'ConceptNote'],
  ['RXA-10', 'performer[].actor', 'Practitioner'],
  ['RXA-18', 'statusReason[]', 'CodeableConcept'],
  ['RXA-19', 'reasonCode[]', 'CodeableConcept'],
];

/** What was given, by its code or, where a lot is told, as a Medication. */
export const RXA_MEDICATION: readonly Row[] = [
  ['RXA-5', 'code', 'CodeableConcept'],
  ['RXA-8', 'form', 'CodeableConcept'],
  ['RXA-15', 'batch.lotNumber', 'string'],
  ['RXA-16', 'batch.expirationDate', 'dateTime'],
  ['RXA-17', 'manufacturer', 'CodedOrganization'],
];

export const RXG: readonly Row[] = [
  ['RXG-1', '', 'consumed'],
  ['RXG-4', 'medicationCodeableConcept', 'CodeableConcept'],
  ['RXG-9', 'note[]', 'ConceptNote'],
  ['RXG-13', 'dosageInstruction[first].patientInstruction', 'ConceptText'],
  ['RXG-22', 'reasonCode[]', 'CodeableConcept'],
];

export const RXR_ADMINISTRATION: readonly Row[] = [
  ['RXR-1', 'dosage.route', 'CodeableConcept'],
  ['RXR-2', 'dosage.site', 'CodeableConcept'],
  ['RXR-3', 'device[]', 'CodedDevice'],
  ['RXR-4', 'dosage.method', 'CodeableConcept'],
];

export const RXR_IMMUNIZATION: readonly Row[] = [
  ['RXR-1', 'route', 'CodeableConcept'],
  ['RXR-2', 'site', 'CodeableConcept'],
];

export const RXR_DOSAGE: readonly Row[] = [
  ['RXR-1', 'dosageInstruction[first].route', 'CodeableConcept'],
  ['RXR-2', 'dosageInstruction[first].site', 'CodeableConcept'],
  ['RXR-3', 'dosageInstruction[first].additionalInstruction[]', 'CodeableConcept'],
  ['RXR-4', 'dosageInstruction[first].method', 'CodeableConcept'],
];
