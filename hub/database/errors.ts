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
  const damage =
    /is not a database cluster directory|could not (open|read|locate|find).*(file|checkpoint)|invalid|PANIC|incorrect checksum|could not access status|directory .* does not exist/;
  if (damage.test(complaint)) return damagedSentence(directory, complaint);
  return `PostgreSQL did not start in ${directory}: ${complaint || 'it gave no reason'}.`;
}

/** The sentence for files that were lost or changed, with PostgreSQL's own complaint. */
export function damagedSentence(directory: string, complaint: string): string {
  return `The database directory ${directory} is damaged (PostgreSQL says: ${complaint}): restore it from a back-up, or choose another with --data-dir.`;
}

function lastComplaint(output: string): string {
  const complaints = output.split('\n').filter((line) => /\b(FATAL|PANIC)\b|error:/.test(line));
  const last = complaints.at(-1) ?? output.trim().split('\n').at(-1) ?? '';
  return last.replace(/^.*?\b(FATAL|PANIC|error):\s*(but )?/, '').trim();
}

interface ConnectionFailure extends Error {
  code?: string;
  address?: string;
  port?: number;
  hostname?: string;
}

/** The sentence for a server that could not be connected to: what it or the system answered, and what would be right. */
export function unreachable(error: Error): string {
  const { code, address, port, hostname, message } = firstFailure(error);
  const where = port === undefined ? address : `${address}:${port}`;
  const sentences: Record<string, string> = {
    ECONNREFUSED: `nothing listens on ${where}: check the address in DATABASE_URL, and that PostgreSQL runs there.`,
    ENOENT: `there is no socket ${where}: check the address in DATABASE_URL, and that PostgreSQL runs there.`,
    ENOTFOUND: `no machine is called ${hostname}: check the address in DATABASE_URL.`,
    EAI_AGAIN: `the address of ${hostname} cannot be looked up now: check DATABASE_URL and the network.`,
    '28P01': 'the role or its password is wrong: check DATABASE_URL.',
    '28000': `the server refuses this role (${message}): check DATABASE_URL and the server’s pg_hba.conf.`,
    '3D000': `the ${message}: make it (CREATE DATABASE), or name another in DATABASE_URL.`,
  };
  const reason = sentences[code ?? ''] ?? `${message || code || 'it gave no reason'}: check DATABASE_URL.`;
  return `The database cannot be used: ${reason}`;
}

/** A name with several addresses fails with one error for each; the first tells. */
function firstFailure(error: Error): ConnectionFailure {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
