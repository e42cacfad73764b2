/** MSH, EVN and SFT: the message itself, held by its Provenance and the MessageHeader contained in it. */
import type { Row } from '../engine.ts';

export const MSH: readonly Row[] = [
  ['MSH-1', '', 'structural'],
  ['MSH-2', '', 'structural'],
  ['MSH-9', '', 'consumed'],
  ['MSH-12', '', 'consumed'],
  ['MSH-15', '', 'consumed'],
  ['MSH-16', '', 'consumed'],
  ['MSH-18', '', 'consumed'],
  ['MSH-20', '', 'consumed'],
];

export const EVN: readonly Row[] = [
  ['EVN-1', '', 'consumed'],
  ['EVN-4', 'reason[]', 'CodeableConcept'],
  [
    'EVN-5',
    'agent[].who',
    'Practitioner',
    {
      with: {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'enterer' }],
        },
      },
    },
  ],
  ['EVN-6', 'occurredDateTime', 'dateTime'],
  ['EVN-7', 'location', 'FacilityLocation'],
];

/** Who entered and who verified an order. */
export const ORC_AGENTS: readonly Row[] = [
  [
    'ORC-10',
    'agent[].who',
    'Practitioner',
    {
      with: {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'enterer' }],
        },
      },
    },
  ],
  [
    'ORC-11',
    'agent[].who',
    'Practitioner',
    {
      with: {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'verifier' }],
        },
      },
    },
  ],
  [
    'ORC-19',
    'agent[].who',
    'Practitioner',
    {
      with: {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'performer' }],
        },
      },
    },
  ],
];

/** Where and on what an order was entered. */
export const ORC_ENTRY: readonly Row[] = [
  ['ORC-13', 'location', 'Location'],
  ['ORC-17', 'agent[].who', 'CodedOrganization', { with: { type: { text: 'entering organization' } } }],
  ['ORC-18', 'agent[].who', 'CodedDevice', { with: { type: { text: 'entering device' } } }],
];

/** The software a message was made by. */
export const SFT: readonly Row[] = [
  ['SFT-1', 'manufacturer', 'string'],
  ['SFT-1.2', '', 'consumed', { when: 'SFT-1.2 in L, D, A' }],
  ['SFT-2', 'version[].value', 'string'],
  ['SFT-3', 'deviceName[].name', 'string', { with: { type: 'manufacturer-name' } }],
  ['SFT-4', 'modelNumber', 'string'],
  ['SFT-5', 'note[]', 'Annotation'],
  ['SFT-6', 'version[installed].value', 'dateTime', { with: { type: { text: 'install date' } } }],
];
