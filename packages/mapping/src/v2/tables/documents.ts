/** TXA: a document's header (v2.9 chapter 9.7.1; v2-to-FHIR TXA[DocumentReference]). */
import type { Row } from '../engine.ts';

export const TXA: readonly Row[] = [
  ['TXA-1', '', 'structural'],
  ['TXA-2', 'type', 'CodeableConcept'],
  ['TXA-3', '', 'consumed'],
  ['TXA-4', 'context.period.start', 'dateTime'],
  ['TXA-5', 'author[]', 'Practitioner'],
  ['TXA-6', 'date', 'instant'],
  ['TXA-9', 'author[]', 'Practitioner'],
  ['TXA-10', 'authenticator', 'Practitioner'],
  ['TXA-11', 'author[]', 'Practitioner'],
  ['TXA-12', 'masterIdentifier', 'EntityIdentifier'],
  [
    'TXA-14',
    'identifier[]',
    'EntityIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] } } },
  ],
  [
    'TXA-15',
    'identifier[]',
    'EntityIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'FILL' }] } } },
  ],
  ['TXA-16', 'identifier[]', 'PlainIdentifier'],
  ['TXA-18', 'securityLabel[]', 'CodeableConcept:confidentiality'],
  ['TXA-22', 'authenticator', 'Practitioner'],
  ['TXA-25', 'description', 'string'],
];
