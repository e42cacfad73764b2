/**
 * Which organisation of the network a reference means: named by its key on the network, by its OID, by one of the identifiers
 * of it or its practitioners that its settings tell (`providers`), or an Organization of exactly its name.
 */
import { participantSystem } from '@causeway/access';
import { typeCode } from '@causeway/fhir';
import type { Identifier, Organization, Practitioner, PractitionerRole, Reference, Resource } from '@medplum/fhirtypes';
import { type HomeKeys, openText, ridOf, sealIdentity, type WriteSet } from '../record/index.ts';
import type { Participant } from '../trust/index.ts';

type Party = Organization | Practitioner | PractitionerRole;

const partyReference = /^(Organization|Practitioner|PractitionerRole)\/([A-Za-z0-9\-.]{1,64})$/;
/** From a role to its organisation and practitioner. */
const steps = 2;

/** The key of the participant that each of these references means, in their order; undefined where it is none. */
export async function organizationsMeant(
  set: WriteSet,
  keys: HomeKeys,
  participants: readonly Participant[],
  references: readonly Reference[],
): Promise<(string | undefined)[]> {
  const index = namesOf(participants);
  const known = new Map<string, Party | undefined>();
  let asked = references;
  for (let step = 0; step < steps && asked.length > 0; step++) {
    const loaded = await load(set, keys, unknownOf(asked, known));
    for (const [name, party] of loaded) known.set(name, party);
    asked = [...loaded.values()].flatMap((party) => (party?.resourceType === 'PractitionerRole' ? partsOf(party) : []));
  }
  return references.map((reference) => meant(reference, known, index, steps));
}

/** By `system|value` and by name, the keys of participants. */
interface Names {
  identifiers: Map<string, string>;
  names: Map<string, string>;
}

function namesOf(participants: readonly Participant[]): Names {
  const identifiers = new Map<string, string>();
  const names = new Map<string, string>();
  for (const { key, name, settings } of participants) {
    identifiers.set(`${participantSystem}|${key}`, key);
    if (settings.oid) identifiers.set(`urn:ietf:rfc:3986|urn:oid:${settings.oid}`, key);
    for (const { system, value } of settings.providers ?? []) identifiers.set(`${system}|${value}`, key);
    names.set(plain(name), key);
  }
  return { identifiers, names };
}

function meant(
  { reference, identifier }: Reference,
  known: ReadonlyMap<string, Party | undefined>,
  index: Names,
  left: number,
): string | undefined {
  const named = byIdentifiers(identifier ? [identifier] : [], index);
  if (named !== undefined || reference === undefined) return named;
  const party = known.get(reference);
  if (!party || left === 0) return undefined;
  const found = byIdentifiers(party.identifier ?? [], index);
  if (found !== undefined) return found;
  if (party.resourceType === 'Organization') return index.names.get(plain(party.name ?? ''));
  if (party.resourceType === 'Practitioner') return undefined;
  for (const part of partsOf(party)) {
    const one = meant(part, known, index, left - 1);
    if (one !== undefined) return one;
  }
  return undefined;
}

function partsOf({ organization, practitioner }: PractitionerRole): Reference[] {
  return [organization, practitioner].filter((one) => one !== undefined);
}

function byIdentifiers(identifiers: readonly Identifier[], { identifiers: index }: Names): string | undefined {
  for (const { system, value } of identifiers) {
    const key = index.get(`${system ?? ''}|${value ?? ''}`);
    if (key !== undefined) return key;
  }
  return undefined;
}

function unknownOf(references: readonly Reference[], known: ReadonlyMap<string, unknown>): string[] {
  const names = references.flatMap(({ reference }) => (reference && partyReference.test(reference) ? reference : []));
  return [...new Set(names)].filter((name) => !known.has(name));
}

/** From what the transaction changes, else from the record. */
async function load(set: WriteSet, keys: HomeKeys, names: string[]): Promise<Map<string, Party | undefined>> {
  const found = new Map<string, Party | undefined>(names.map((name) => [name, undefined]));
  if (names.length === 0) return found;
  const wanted = new Map(
    names.map((name) => {
      const [, type, id] = partyReference.exec(name)!;
      return [`${type}/${ridOf(id!)}`, name] as const;
    }),
  );
  for (const change of set.changes) {
    const name = wanted.get(`${change.after.type}/${change.after.rid}`);
    if (name !== undefined) found.set(name, change.parsed() as unknown as Party | undefined);
  }
  const stored = [...wanted].filter(([, name]) => found.get(name) === undefined);
  if (stored.length === 0) return found;
  const { rows } = await set.transaction.query({
    name: 'care_parties',
    text: `SELECT r.home, r.type, r.rid, r.version, r.body, v.name FROM unnest($1::smallint[], $2::uuid[], $3::text[])
             AS v (type, rid, name) JOIN resource r ON r.rid = v.rid AND r.type = v.type WHERE NOT r.deleted`,
    values: [
      stored.map(([place]) => typeCode(place.split('/')[0]!)),
      stored.map(([place]) => place.split('/')[1]!),
      stored.map(([, name]) => name),
    ],
  });
  const homeKeys = await keys.load(
    set.transaction,
    rows.map((row) => row.home),
  );
  for (const { home, rid, version, body, name } of rows) {
    const key = homeKeys.get(home);
    const type = (name as string).split('/')[0]!;
    if (!key || !body) continue;
    found.set(name, JSON.parse(openText(body, key, sealIdentity({ type, rid, version }))) as Resource as Party);
  }
  return found;
}

function plain(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}
