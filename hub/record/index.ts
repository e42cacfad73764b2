/** The record: the FHIR store. Changes go through `Record.writer`, reads take an Access. */

export { isXml, jsonText } from './body-text.ts';
export {
  type AnswerText,
  type BundleEntry,
  type EntryOutcome,
  mostBundleEntries,
  type ReadBundle,
  readBundle,
} from './bundle.ts';
export { type BundleHead, bundleHead } from './bundle-head.ts';
export { BundleIntake } from './bundle-intake.ts';
export { careTime } from './care-time.ts';
export { type Audit, type Removal, removedAtOnce } from './changes.ts';
export { recordErrorOf } from './database-faults.ts';
export { useDefinitions } from './definitions.ts';
export { ErasedPerson, erasedText, type Issue, RecordError } from './errors.ts';
export type { EverythingRequest } from './everything.ts';
export { type Expunged, type ExpungePart, type ExpungeRequest, Expunger } from './expunge.ts';
export { giveBack } from './give-back.ts';
export { graphOf } from './graph.ts';
export { HomeKeys, homeKeyColumn } from './home-keys.ts';
export { HubLabels } from './hub-labels.ts';
export type { PatientsIndexed } from './index-build.ts';
export { codedHash, indexEntries, indexFormat, logicalHash, logicalSystemHash, systemHash } from './index-entries.ts';
export { IndexKey, indexKeyColumn, indexKeyOf, renewIndexKey } from './index-key.ts';
export { hash64, parameterNumber, referenceHash, referenceMask, ridOf, tokenHash } from './keys.ts';
export { LabelRules, type LabelRulesVersion } from './label-rules.ts';
export { labelsOfCodes } from './label-sets.ts';
export { Labels } from './labels.ts';
export { LargeBodies, largeBytes } from './large-bodies.ts';
export { lastObservations } from './lastn.ts';
export { LateLabelling } from './late-labelling.ts';
export { logicalId } from './logical-id.ts';
export { LowPriority } from './low-priority.ts';
export { changeMeta, metaOf } from './meta.ts';
export { newId } from './new-id.ts';
export { type Patch, patchBy } from './path-patches.ts';
export { isNamed, type Preconditions } from './preconditions.ts';
export { homePatient } from './prepare.ts';
export type { HistoryPage, ShownResource, StoredResource } from './read.ts';
export { type BundleExchange, FhirRecord, type Persons, type Snapshot } from './record.ts';
export { redacted } from './redaction.ts';
export { Retention, type RetentionPart } from './retention.ts';
export { digestLarge, open, openLarge, openText, seal, sealIdentity, sealLarge } from './sealing.ts';
export {
  compareSortValues,
  type Explanation,
  type Facts,
  type Held,
  heldInMemory,
  readSearchRequest,
  type SearchRequest,
  type SearchResult,
  sortValues,
} from './search/index.ts';
export { labelled, withLabels, withoutLabels } from './shown-labels.ts';
export type { Reading, RecordStream, StreamScope, VersionKey } from './stream.ts';
export { checkFurther, checkResource } from './targets.ts';
export { TextSpool } from './text-spool.ts';
export type { Version } from './transaction-resources.ts';
export { type ValidationMode, validationIssues, validationModes } from './validation.ts';
export type { Change as ResourceChange, WriteSet } from './write-set.ts';
export type { WriteJob } from './writer.ts';
