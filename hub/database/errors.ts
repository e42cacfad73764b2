/** What can keep the database from starting, as one sentence for the person at the terminal. */

/** The database cannot be used; the message is one sentence that says what is wrong, where, and what would be right. */
export class DatabaseStartError extends Error {
  override name = 'DatabaseStartError';
}

/** The sentence that fits what PostgreSQL wrote about its failure, or its own last complaint. */
export function sentenceFor(output: string, directory: string): string {
  if (/No space left on device|could not extend file|Disk quota exceeded/.test(output)) {
    return `There is no space left on the disk that holds the database in ${directory}: free some space and start again.`;
  }
  if (/Read-only file system/.test(output)) {
    return `The database directory ${directory} lies on a read-only file system: choose another with --data-dir.`;
  }
  if (/could not look up effective user ID|could not look up local user ID/.test(output)) {
    return 'PostgreSQL needs the current user to have an entry in the system’s user list (/etc/passwd), and it has none: add one, or set DATABASE_URL to a PostgreSQL of your own.';
  }
  if (/could not (create|map) (any )?(shared memory|anonymous shared memory)|Cannot allocate memory/.test(output)) {
    return 'There is not enough memory to start PostgreSQL (it needs about 400 MB): free some memory and start again.';
  }
  const complaint = lastComplaint(output);
  if (
    /is not a database cluster directory|could not (open|read|locate|find).*(file|checkpoint)|invalid|PANIC|incorrect checksum/.test(
      complaint,
    )
  ) {
    return `The database directory ${directory} is damaged (PostgreSQL says: ${complaint}): restore it from a back-up, or choose another with --data-dir.`;
  }
  return `PostgreSQL did not start in ${directory}: ${complaint || 'it gave no reason'}.`;
}

function lastComplaint(output: string): string {
  const complaints = output.split('\n').filter((line) => /\b(FATAL|PANIC)\b|error:/.test(line));
  const last = complaints.at(-1) ?? output.trim().split('\n').at(-1) ?? '';
  return last.replace(/^.*?\b(FATAL|PANIC|error):\s*/, '').trim();
}
