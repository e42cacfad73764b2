/** A user as a resource, which apps are told as `fhirUser` (SMART App Launch 2.2, "Scopes for requesting identity data"). */
import type { FhirRecord } from '../record/index.ts';
import { accessOf, type Bindings, type User } from '../trust/index.ts';

const system = 'urn:causeway:account';

/**
 * The resource that stands for a user: the Patient that a patient is bound to, a Practitioner of staff, made when it is first
 * asked for; undefined for those who act for patients, who are in no resource.
 */
export async function userResource(
  record: FhirRecord,
  bindings: Pick<Bindings, 'of'>,
  { username, name, role }: User,
): Promise<string | undefined> {
  if (role === 'proxy') return undefined;
  if (role === 'patient') {
    const own = (await bindings.of(username)).find(({ relation }) => relation === 'self');
    return own && `Patient/${own.patient}`;
  }
  const access = accessOf({ username: 'authorization', name: 'Authorization', role: 'system', organization: 'hub' });
  const practitioner = {
    resourceType: 'Practitioner',
    identifier: [{ system, value: username }],
    active: true,
    name: [{ text: name }],
  };
  const scanned = record.scan(JSON.stringify(practitioner), 'Practitioner');
  const condition = String(new URLSearchParams({ identifier: `${system}|${escaped(username)}` }));
  const made = await record.create(access, scanned, condition, ({ status }) => ({
    access,
    entry: { action: 'create', what: `Practitioner of ${username}`, status },
  }));
  return `Practitioner/${made.id}`;
}

/** A value in a search parameter (FHIR R4 §3.1.1.4.0.3). */
function escaped(value: string): string {
  return value.replace(/[\\,|$]/g, (character) => `\\${character}`);
}
