/** A user as a resource, which apps are told as `fhirUser` (SMART App Launch 2.2, "Scopes for requesting identity data"). */
import type { FhirRecord } from '../record/index.ts';
import { accessOf, type User } from '../trust/index.ts';

const system = 'urn:causeway:account';

/** `Practitioner/…` of a user; made when it is first asked for. */
export async function practitionerOf(record: FhirRecord, { username, name }: User): Promise<string> {
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
