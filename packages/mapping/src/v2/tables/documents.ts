/** TXA and CON: a document's header (v2.9 chapter 9.7.1; v2-to-FHIR TXA[DocumentReference]), a consent. */
import type { Row } from '../engine.ts';

/** CON: a consent (v2.9 chapter 9.9.1). */
export const CON: readonly Row[] = [
  ['CON-1', '', 'structural'],
  ['CON-2', 'category[]', 'TableConcept:0496'],
  ['CON-3', 'policyRule.text', 'string'],
  ['CON-4', 'identifier[]', 'EntityIdentifier'],
  ['CON-13', 'dateTime', 'dateTime'],
  ['CON-12', 'dateTime', 'dateTime', { when: 'not CON-13 valued' }],
  ['CON-14', 'provision.period.start', 'dateTime'],
  ['CON-15', 'provision.period.end', 'dateTime'],
];

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
