/** RF1: a referral as a ServiceRequest (v2.9 chapter 11.8.1). */
import type { Row } from '../engine.ts';

export const RF1: readonly Row[] = [
  ['RF1-3', 'category[]', 'CodeableConcept'],
  ['RF1-5', 'category[]', 'CodeableConcept'],
  [
    'RF1-6',
    'identifier[]',
    'EntityIdentifier',
    { with: { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] } } },
  ],
  ['RF1-7', 'occurrencePeriod.start', 'dateTime'],
  ['RF1-8', 'occurrencePeriod.end', 'dateTime'],
  ['RF1-9', 'authoredOn', 'dateTime'],
  ['RF1-10', 'reasonCode[]', 'CodeableConcept'],
  ['RF1-11', 'identifier[]', 'EntityIdentifier'],
  ['RF1-19', 'performer[]', 'Organization'],
  ['RF1-14', 'note[]', 'Annotation'],
  ['RF1-20', 'requester', 'Practitioner'],
  ['RF1-24', 'note[]', 'Annotation'],
];
