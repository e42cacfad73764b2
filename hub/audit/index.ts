/** The audit log: events as leaves, their keys, and who is told what of them. */

export { AuditLog } from './audit-log.ts';
export { CheckpointFile } from './checkpoint-file.ts';
export type { WitnessState } from './cosigned.ts';
export type { DecidedBy, Entry, PrivateText, PublicEvent } from './event.ts';
export { exported, verifyExport } from './export.ts';
export { Journal, type JournalParts, type JournalTiming } from './journal.ts';
export { type BroughtIn, journalFolders, settleJournals } from './journal-found.ts';
export { KeyRetention } from './key-retention.ts';
export { auditKeyColumn } from './log-keys.ts';
export type { Opened, OpenedPatient } from './open.ts';
export type { AuditStatus, Receipt } from './published.ts';
export type { AuditedEvent, EventQuery, RawEvent } from './reader.ts';
export type { Finding } from './replay.ts';
export { acceptRestore } from './restore.ts';
export { SelfCheck } from './self-check.ts';
export { Sequencer } from './sequencer.ts';
export { auditSubjectColumn } from './subject-keys.ts';
export { takeOver } from './take-over.ts';
export { type Verification, type VerifyOptions, verifyDatabase } from './verify.ts';
export type { Witness, WitnessAnswer } from './witness.ts';
export { auditWitnessKeyColumn } from './witness-key.ts';
export { witnessing } from './witnessing.ts';
