/**
 * What whoever asked for a job may do while it goes on, decided anew before each batch and each download. What was taken
 * back (client, account, token, agreement, role) ends the job and closes its files.
 */
import { type FhirRecord, RecordError, type StoredResource } from '../record/index.ts';
import { type Access, type Activity, type Asker, accessOf, askerOf, ofTypes, type Role } from '../trust/index.ts';
import type { Job } from './jobs.ts';

/** What somebody may do now who asked earlier; a sentence where they may not ask any more. */
export type AccessNow = (asker: Asker, activity: Activity) => Promise<Access | string>;

/** Roles that may take whole records out or in. */
export const bulkRoles: readonly Role[] = ['administrator', 'system'];

/** The access by which a job was asked for was taken back. */
export class AccessEnded extends RecordError {
  override name = 'AccessEnded';

  constructor(reason: string) {
    super(403, 'forbidden', reason);
  }
}

/** The access of who asked for a job, now. @throws AccessEnded */
export async function accessNow(now: AccessNow, { kind, access: asked, done }: Job): Promise<Access> {
  const found = await now(askerOf(asked), kind === 'import' ? 'send' : 'query');
  const refused = typeof found === 'string' ? found : refusedRole(found, kind);
  if (refused !== undefined) {
    const stored = kind === 'import' ? ` ${done} resources had been stored.` : '';
    throw new AccessEnded(`${refused} The job is ended, and its files are closed.${stored}`);
  }
  const access = found as Access;
  const { types } = asked.limits;
  return kind === 'export' && types !== 'all' ? ofTypes(access, types, access.limits.found) : access;
}

function refusedRole({ role }: Access, kind: Job['kind']): string | undefined {
  if (kind === 'request' || bulkRoles.includes(role)) return undefined;
  return `The role ${role} may not take whole records out or in.`;
}

const custodian = accessOf({ username: 'jobs', name: 'Jobs', role: 'system', organization: 'local' });
const readsAtOnce = 500;

/**
 * Whether all that an answer holds may be shown to somebody still, and no more is redacted of it than when it was made.
 * @param asked the access by which it was asked for
 */
export async function isShownStill(record: FhirRecord, asked: Access, access: Access, body: string): Promise<boolean> {
  if (access.limits.isCustodian) return true;
  if (JSON.stringify(asked.limits.redactions) !== JSON.stringify(access.limits.redactions)) return false;
  const { entry = [] } = JSON.parse(body) as { entry?: { resource?: Held }[] };
  const held = entry.flatMap(({ resource }) => (resource?.id === undefined ? [] : [resource as Held & { id: string }]));
  for (let from = 0; from < held.length; from += readsAtOnce) {
    const some = held.slice(from, from + readsAtOnce);
    const shown = await Promise.all(some.map((resource) => isShown(record, access, resource)));
    if (shown.includes(false)) return false;
  }
  return true;
}

interface Held {
  resourceType: string;
  id?: string;
  meta?: { security?: { code?: string }[] };
}

/** What is of no row (made for the answer, or erased since) hides nothing. */
async function isShown(record: FhirRecord, access: Access, resource: Held & { id: string }): Promise<boolean> {
  const { resourceType: type, id, meta } = resource;
  const found = await stored(record, access, type, id);
  if (found)
    return !found.text.includes(redactedCode) || (meta?.security ?? []).some(({ code }) => code === 'REDACTED');
  return (await stored(record, custodian, type, id)) === undefined;
}

async function stored(
  record: FhirRecord,
  access: Access,
  type: string,
  id: string,
): Promise<StoredResource | undefined> {
  if (type !== 'Patient') return record.reader.read(access, type, id);
  // A person of several source patients has no row.
  return record.read(access, type, id).catch((error) => {
    if (error instanceof RecordError) return undefined;
    throw error;
  });
}

const redactedCode = '"code":"REDACTED"';
