/** The International Patient Summary of a record, as a FHIR R4 document. */
export { type SummaryOptions, writeSummary } from './summary.ts';
