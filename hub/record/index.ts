/** The record: the FHIR store. Changes go through `Record.writer`, reads take an Access. */
export type { BundleEntry, EntryOutcome } from './bundle.ts';
export { recordErrorOf } from './database-faults.ts';
export { useDefinitions } from './definitions.ts';
export { type Issue, RecordError } from './errors.ts';
export type { EverythingRequest } from './everything.ts';
export type { HomeKeys } from './home-keys.ts';
export { hash64, ridOf } from './keys.ts';
export { logicalId } from './logical-id.ts';
export { newId } from './new-id.ts';
export { isNamed, type Preconditions } from './preconditions.ts';
export { homePatient } from './prepare.ts';
export type { HistoryPage, StoredResource } from './read.ts';
export { type Audit, FhirRecord, type Persons, removedAtOnce, type Snapshot } from './record.ts';
export { open, seal } from './sealing.ts';
export type { RecordStream, StreamScope, VersionKey } from './stream.ts';
export { checkResource } from './targets.ts';
export { type Change as ResourceChange, sealIdentity, type Version, type WriteSet } from './write-set.ts';
export type { WriteJob } from './writer.ts';
