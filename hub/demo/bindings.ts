/** Whom the demonstration's patient and parent stand for: the showcase of the region, and a child of it. */
import { type RegionOptions, showcase, type TruthPerson, truth } from '@causeway/region';
import type { PersonIndex } from '../identity/index.ts';
import { type FhirRecord, logicalId, newId } from '../record/index.ts';
import { accessOf, type Bindings, type Relation } from '../trust/index.ts';

const own = accessOf({ username: 'demonstration', name: 'Demonstration', role: 'system', organization: 'hub' });
const mainSite = 'harbor-hospital';
const oldestChild = 12;

interface Parts {
  record: FhirRecord;
  persons: PersonIndex;
  bindings: Bindings;
}

/** Binds the accounts `patient` and `proxy`, once the region is loaded; accounts that are bound stay as they are. */
export async function bindDemoAccounts(parts: Parts, region: RegionOptions, now = new Date()): Promise<void> {
  const born = `${now.getUTCFullYear() - oldestChild}-01-01`;
  const child = truth(region).find(({ birthDate, records }) => birthDate >= born && records.length > 0);
  await bind(parts, 'patient', 'self', showcase(region));
  if (child) await bind(parts, 'proxy', 'parent', child);
}

async function bind(
  { record, persons, bindings }: Parts,
  username: string,
  relation: Relation,
  { name, birthDate }: TruthPerson,
): Promise<void> {
  if ((await bindings.of(username)).length > 0) return;
  const query = new URLSearchParams({ family: name.family, given: name.given, birthdate: birthDate });
  const found = await record.search(own, { ...record.readSearch('Patient', query, false), count: 1 });
  const [shown] = found.matches;
  if (!shown) return;
  // Accounts are bound to what one organisation says of a person; of links nobody confirmed nothing follows.
  const { members } = (await persons.person(logicalId(shown.text))) as {
    members: { patient: string; source: string }[];
  };
  const [member] = members.toSorted((a, b) => Number(b.source === mainSite) - Number(a.source === mainSite));
  if (!member) return;
  await bindings.bind({
    id: newId(),
    username,
    patient: member.patient,
    relation,
    proofing: 'in-person',
    evidence: 'Made with the demonstration.',
    by: own.who,
    until: undefined,
  });
}
