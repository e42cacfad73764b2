/** Queries of HL7 v2: who somebody is, by which numbers, and which immunizations. */
export { type QueryKind, queryKind } from './query.ts';
export { QueryResponder, type TakenQuery } from './responder.ts';
