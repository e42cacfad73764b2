/** Bulk data: `$export`, `$import` and the jobs that carry them out (Bulk Data Access IG 2.0). */
export { Bulk, type BulkSettings } from './bulk.ts';
export type { DeferredRequest } from './deferred.ts';
export { exportedTypes } from './export-job.ts';
export { type ExportLevel, readParameters } from './export-request.ts';
export type { BulkFile } from './files.ts';
export { type Job, jobKeyColumn } from './jobs.ts';
export { retryAfter } from './polling.ts';
