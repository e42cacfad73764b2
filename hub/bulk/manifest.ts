/** What a job that ended well tells: Bulk Data Access IG 2.0, "Response - Complete Status", and its like for imports. */
import type { BulkFile } from './files.ts';
import type { Job } from './jobs.ts';

/** @param address gives the address of a file's download */
export function manifest(job: Job, files: readonly BulkFile[], address: (file: BulkFile) => string): object {
  const head = { transactionTime: job.transactionTime!.toISOString(), request: job.request };
  const listed = (category: BulkFile['category']) =>
    files.filter((file) => file.category === category && file.lines !== 0);
  if (job.kind === 'import') {
    return {
      ...head,
      output: files
        .filter(({ category }) => category === 'input')
        .map(({ type, url, lines }) => ({
          ...(type === '' ? {} : { type }),
          ...(url === undefined ? {} : { inputUrl: url }),
          count: lines ?? 0,
        })),
      error: listed('error').map((file) => ({
        type: 'OperationOutcome',
        ...(file.url === undefined ? {} : { inputUrl: file.url }),
        count: file.lines,
        url: address(file),
      })),
      ...(job.errors > 0 ? { extension: { linesRefused: job.errors } } : {}),
    };
  }
  const item = (file: BulkFile, type = file.type) => ({
    type,
    url: address(file),
    ...(file.lines === undefined ? {} : { count: file.lines }),
  });
  return {
    ...head,
    requiresAccessToken: true,
    output: listed('output').map((file) => item(file)),
    deleted: listed('deleted').map((file) => item(file, 'Bundle')),
    error: listed('error').map((file) => item(file)),
  };
}
