/** From the record to what a destination reads: HL7 v2 messages, FHIR transactions, C-CDA documents and patient summaries. */
export { type CcdaOptions, type Omission, type WrittenCcda, type WrittenVersion, writeCcda } from './ccda/index.ts';
export {
  type Envelope,
  isWithdrawn,
  type OutboundKind,
  type OutboundResult,
  recordNumber,
} from './envelope.ts';
export { type BundleForm, writeResultBundle, writeStatementBundle } from './fhir-bundle.ts';
export { type SummaryOptions, writeSummary } from './ips/index.ts';
export { type Change, personEvent, visitEvent } from './v2/adt-events.ts';
export { immunizationSegments, personSegments, type SegmentValues } from './v2/response.ts';
export { restoreV2 } from './v2/restore.ts';
export { universalOf } from './v2/values/identifiers.ts';
export {
  refusedVersion,
  type V2MessageCode,
  type V2Version,
  v2MessageCodes,
  v2Versions,
} from './v2/versions.ts';
export { type OutboundMessage, writeV2 } from './v2/write.ts';
