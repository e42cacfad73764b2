/** From the record to what a destination reads: HL7 v2 messages and FHIR transactions. */
export {
  type Envelope,
  isWithdrawn,
  type OutboundDocument,
  type OutboundKind,
  type OutboundResult,
  recordNumber,
} from './envelope.ts';
export { writeDocumentBundle, writeResultBundle } from './fhir-bundle.ts';
export { writeMdm } from './mdm.ts';
export { writeOru } from './oru.ts';
export { type OutboundMessage, writeV2 } from './v2/write.ts';
