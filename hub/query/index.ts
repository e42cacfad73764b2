/** Queries of HL7 v2: who somebody is, by which numbers, and which immunizations; and what FHIR asks of numbers. */

export { type AskedIdentifier, correspondenceOf } from './correspondence.ts';
export { Domains } from './domains.ts';
export { type QueryKind, queryKind } from './query.ts';
export { QueryResponder, type TakenQuery } from './responder.ts';
