/** SCH, AIS, AIG, AIL, AIP: appointments (v2.9 chapter 10; v2-to-FHIR SCH/AIS/AIG/AIL/AIP[Appointment]). */
import type { Row } from '../engine.ts';

const PLAC = { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] } };
const FILL = { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] } };
const contact = (text: string) => ({ with: { type: [{ text }], status: 'accepted' } });

export const SCH: readonly Row[] = [
  ['SCH-1', 'identifier[]', 'EntityIdentifier', { with: PLAC }],
  ['SCH-2', 'identifier[]', 'EntityIdentifier', { with: FILL }],
  [
    'SCH-6',
    'extension(http://hl7.org/fhir/StructureDefinition/request-statusReason).valueCodeableConcept',
    'CodeableConcept',
    { when: 'not SCH-25 in CANCELLED, CANCELED, DC, NOSHOW, DELETED' },
  ],
  ['SCH-6', 'cancelationReason', 'CodeableConcept', { when: 'SCH-25 in CANCELLED, CANCELED, DC, NOSHOW, DELETED' }],
  ['SCH-7', 'reasonCode[]', 'CodeableConcept'],
  ['SCH-8', 'appointmentType', 'CodeableConcept'],
  ['SCH-12', 'participant[].actor', 'Practitioner', contact('placer contact')],
  ['SCH-16', 'participant[].actor', 'Practitioner', contact('filler contact')],
  [
    'SCH-20',
    'participant[].actor',
    'Practitioner',
    {
      with: {
        type: [
          {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'enterer' }],
          },
        ],
        status: 'accepted',
      },
    },
  ],
];

/** SCH where no appointment is meant: the slot that is blocked or opened. */
export const SCH_SLOT: readonly Row[] = [
  ['SCH-1', 'identifier[]', 'EntityIdentifier', { with: PLAC }],
  ['SCH-2', 'identifier[]', 'EntityIdentifier', { with: FILL }],
  ['SCH-7', 'comment', 'ConceptText'],
  ['SCH-8', 'appointmentType', 'CodeableConcept'],
];

export const AIS: readonly Row[] = [
  ['AIS-1', '', 'structural'],
  ['AIS-2', '', 'consumed'],
  ['AIS-3', 'serviceType[]', 'CodeableConcept'],
];
export const AIP: readonly Row[] = [
  ['AIP-1', '', 'structural'],
  ['AIP-2', '', 'consumed'],
];
export const AIL: readonly Row[] = [
  ['AIL-1', '', 'structural'],
  ['AIL-2', '', 'consumed'],
];
export const AIG: readonly Row[] = [
  ['AIG-1', '', 'structural'],
  ['AIG-2', '', 'consumed'],
];
