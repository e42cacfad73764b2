/** The record: the FHIR store. Changes go through `Record.writer`, reads take an Access. */
export { type BundleEntry, checkResource, type EntryOutcome } from './bundle.ts';
export { useDefinitions } from './definitions.ts';
export { type Issue, RecordError } from './errors.ts';
export type { EverythingRequest } from './everything.ts';
export type { HomeKeys } from './home-keys.ts';
export { hash64, ridOf } from './keys.ts';
export { newId } from './new-id.ts';
export { homePatient } from './prepare.ts';
export type { StoredResource } from './read.ts';
export { type Audit, FhirRecord, type Persons, type Snapshot } from './record.ts';
export { open, seal } from './sealing.ts';
export type { RecordStream, StreamScope, VersionKey } from './stream.ts';
export { type Change as ResourceChange, sealIdentity, type Version, type WriteSet } from './write-set.ts';
export type { WriteJob } from './writer.ts';
