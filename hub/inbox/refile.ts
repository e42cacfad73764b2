/**
 * Visits and accounts that a source merges, renumbers or moves to another patient (A35, A36, A41, A42, A44, A45,
 * A49–A51): what is filed under them follows, and so does what comes late and still names them as they were.
 */
import { isFhirError, type ScannedResource, scanResource, typeName } from '@causeway/fhir';
import type { IdentityEvent } from '@causeway/mapping';
import type { Transaction } from '../database/index.ts';
import type { Version, WriteSet } from '../record/index.ts';
import { type FactStore, isOlder, type PreparedFact, prepareFact } from './apply.ts';

type Change = { reference: string; version: number };
type Refiling = Extract<IdentityEvent, { kind: 'replace' | 'refile' }>;

/** Whose an account or visit was before the message was applied. */
export type FiledBefore = Map<Refiling, string | undefined>;

function isRefiling(event: IdentityEvent): event is Refiling {
  return event.kind === 'replace' || event.kind === 'refile';
}

/**
 * Before a message's facts are applied: notes whose the accounts and visits are, and lets a renumbered one go on under
 * its number with all that is known of it.
 */
export function beginRefiling(set: WriteSet, events: readonly IdentityEvent[]): FiledBefore {
  const before: FiledBefore = new Map();
  for (const event of events.filter(isRefiling)) {
    const known = textOf(set, event.kind === 'replace' ? event.retired : event.of);
    before.set(event, known && patientOf(known));
    if (event.kind !== 'replace' || !event.renumbered || known === undefined) continue;
    const [type, id] = keyOf(event.surviving);
    const { asOf } = versionOf(set, event.retired)!;
    if (set.get(type, id) !== undefined) continue;
    const text = JSON.stringify({ ...JSON.parse(known), id });
    set.put(scan(text), type, id, asOf ? { asOf } : {});
  }
  return before;
}

/** After a message's facts are applied: what is filed under the accounts and visits follows them. */
export async function refile(set: WriteSet, transaction: Transaction, before: FiledBefore): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [event, from] of before) {
    if (from === undefined) continue;
    if (event.kind === 'replace') {
      const filed = along(await contentOf(set, transaction, from), event.retired);
      const to = patientOf(textOf(set, event.surviving) ?? '{}') ?? from;
      const replacements: [string, string][] = [[event.retired, event.surviving]];
      if (to !== from) replacements.push([from, to]);
      for (const one of filed) {
        if (one.reference === event.retired || one.reference === event.surviving) continue;
        if (to !== from || namesOne(one, [event.retired])) changes.push(rewrite(set, one, replacements));
      }
      continue;
    }
    const to = `Patient/${event.to}`;
    if (from === to) continue;
    const moved = along(await contentOf(set, transaction, from), event.of);
    for (const one of moved) changes.push(rewrite(set, one, [[from, to]]));
  }
  return changes;
}

/**
 * A message's facts as they have to be filed: one that came late names a visit or account as it was before it was
 * merged or moved.
 */
export function filedAnew(store: FactStore, facts: readonly PreparedFact[]): readonly PreparedFact[] {
  let filed = facts;
  for (const { fact } of facts) {
    if (fact.type !== 'Encounter' && fact.type !== 'Account') continue;
    const known = store.get(fact.type, fact.id);
    if (known?.text === undefined || !isOlder(fact.asOf, known)) continue;
    const resource = JSON.parse(known.text);
    const name = `${fact.type}/${fact.id}`;
    const replacements: [string, string][] = [];
    if (isRetired(resource)) replacements.push([name, resource.partOf.reference]);
    const [stated, right] = [patientOf(fact.text), patientOf(known.text)];
    if (stated !== undefined && right !== undefined && stated !== right) replacements.push([stated, right]);
    if (replacements.length === 0) continue;
    const follow = followers(
      filed.filter((one) => one.fact !== fact && one.fact.type !== 'Patient' && one.fact.type !== 'Provenance'),
      (one) => names(one.fact.text, name),
      ({ fact: { type, id, text } }) => ({ type, reference: `${type}/${id}`, text }),
    );
    filed = filed.map((one) =>
      follow.has(one) ? prepareFact({ ...one.fact, text: replaced(one.fact.text, replacements) }) : one,
    );
  }
  return filed;
}

/** A visit or account that goes on as another: see `segments/prior.ts` of the mapping. */
function isRetired(resource: { status?: string; partOf?: { reference?: string } }): boolean {
  return (
    resource.partOf?.reference !== undefined &&
    (resource.status === 'entered-in-error' || resource.status === 'inactive')
  );
}

interface Filed {
  reference: string;
  version: Version;
}

/** What a patient's home holds, with the changes made so far. */
async function contentOf(set: WriteSet, transaction: Transaction, patient: string): Promise<Filed[]> {
  const id = patient.slice('Patient/'.length);
  await set.load([], [id]);
  const home = set.homeOf(id);
  const { rows } = await transaction.query<{ type: number; rid: string }>({
    name: 'content_of_home',
    text: 'SELECT type, rid FROM resource WHERE home = $1 AND NOT deleted',
    values: [home],
  });
  const keys = rows.map(({ type, rid }) => ({ type: typeName(type)!, id: rid }));
  await set.load(keys, [], true);
  const made = set.changes.map(({ after }) => ({ type: after.type, id: after.rid }));
  const content = new Map<string, Filed>();
  for (const { type, id: rid } of [...keys, ...made]) {
    const version = set.get(type, rid);
    if (version?.text === undefined || version.deleted || version.home !== home) continue;
    const reference = `${type}/${JSON.parse(version.text).id}`;
    content.set(reference, { reference, version });
  }
  return [...content.values()].filter(({ version }) => version.type !== 'Patient' && version.type !== 'Provenance');
}

/** What follows without naming the visit: it is part of what names it. */
const PARTS = new Set(['Observation', 'Specimen', 'Media', 'ImagingStudy']);

/** What is filed under an account or visit: what names it, what names such a visit, and their parts. */
function along(content: readonly Filed[], of: string): Filed[] {
  const visits = content.filter((one) => one.version.type === 'Encounter' && namesOne(one, [of]));
  const heads = [of, ...visits.map(({ reference }) => reference)];
  const follow = followers(
    content,
    (one) => namesOne(one, heads) || one.reference === of,
    ({ reference, version }) => ({ type: version.type, reference, text: version.text! }),
  );
  return [...follow];
}

/** Those that a condition holds of, and their parts, and the parts of these. */
function followers<T>(
  all: readonly T[],
  isHead: (one: T) => boolean,
  read: (one: T) => { type: string; reference: string; text: string },
): Set<T> {
  const followers = new Set(all.filter(isHead));
  for (let size = -1; size !== followers.size; ) {
    size = followers.size;
    for (const one of all) {
      const { type, reference } = read(one);
      if (followers.has(one) || !PARTS.has(type)) continue;
      if ([...followers].some((whole) => names(read(whole).text, reference))) followers.add(one);
    }
  }
  return followers;
}

/** The next version, of no message: none states it so, and it stands when messages are converted anew. */
function rewrite(set: WriteSet, { version }: Filed, replacements: [string, string][]): Change {
  const { type, asOf } = version;
  const text = replaced(version.text!, replacements);
  const { id } = JSON.parse(text);
  const after = set.put(scan(text), type, id, asOf ? { asOf } : {});
  return { reference: `${type}/${id}`, version: after.version };
}

function replaced(text: string, replacements: readonly [string, string][]): string {
  let changed = text;
  for (const [from, to] of replacements) changed = changed.replaceAll(`"${from}"`, `"${to}"`);
  return changed;
}

function namesOne({ version }: Filed, references: readonly string[]): boolean {
  return references.some((reference) => names(version.text!, reference));
}

function names(text: string, reference: string): boolean {
  return text.includes(`"${reference}"`);
}

/** The patient of a visit or account, as a reference. */
function patientOf(text: string): string | undefined {
  const { subject } = JSON.parse(text);
  const first = Array.isArray(subject) ? subject[0] : subject;
  const reference = first?.reference;
  return typeof reference === 'string' && reference.startsWith('Patient/') ? reference : undefined;
}

function versionOf(set: WriteSet, reference: string): Version | undefined {
  const version = set.get(...keyOf(reference));
  return version === undefined || version.deleted ? undefined : version;
}

function textOf(set: WriteSet, reference: string): string | undefined {
  return versionOf(set, reference)?.text;
}

function keyOf(reference: string): [type: string, id: string] {
  const [type = '', id = ''] = reference.split('/');
  return [type, id];
}

function scan(text: string): ScannedResource {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) throw new Error(`What was filed anew cannot be stored: ${scanned.error}`);
  return scanned;
}
