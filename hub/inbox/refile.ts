/**
 * Visits and accounts that a source merges, renumbers or moves to another patient (A35, A36, A41, A42, A44, A45,
 * A49–A51): what is filed under them follows, and so does what comes late and still names them as they were.
 */
import { isFhirError, type ScannedResource, scanResource, typeName } from '@causeway/fhir';
import type { IdentityEvent } from '@causeway/mapping';
import type { Transaction } from '../database/index.ts';
import type { WriteSet } from '../record/index.ts';
import { type FactStore, isOlder, type PreparedFact, prepareFact } from './apply.ts';

type Change = { reference: string; version: number };
type Refiling = Extract<IdentityEvent, { kind: 'replace' | 'refile' }>;

/** Whose an account or visit was before the message was applied. */
export type FiledBefore = Map<Refiling, string | undefined>;

/** A resource that is filed with a patient. */
export interface Filed {
  type: string;
  /** `Type/id`. */
  reference: string;
  readonly text: string;
  asOf: string | undefined;
}

/** What is filed with a patient (a reference) by now, apart from the Patient itself and Provenances. */
export type ContentOf = (patient: string) => Promise<Filed[]> | Filed[];

export function isRefiling(event: IdentityEvent): event is Refiling {
  return event.kind === 'replace' || event.kind === 'refile';
}

/**
 * Before a message's facts are applied: notes whose the accounts and visits are, and lets a renumbered one go on under
 * its number with all that is known of it.
 */
export function beginRefiling(store: FactStore, events: readonly IdentityEvent[], message: string): FiledBefore {
  const before: FiledBefore = new Map();
  for (const event of events.filter(isRefiling)) {
    const known = knownOf(store, event.kind === 'replace' ? event.retired : event.of);
    before.set(event, known && patientOf(known.text));
    if (event.kind !== 'replace' || !event.renumbered || known === undefined) continue;
    const [type, id] = keyOf(event.surviving);
    if (store.get(type, id) !== undefined) continue;
    const text = JSON.stringify({ ...JSON.parse(known.text), id });
    store.put(scan(text), type, id, { asOf: known.asOf, message });
  }
  return before;
}

/** After a message's facts are applied: what is filed under the accounts and visits follows them, by that message. */
export async function refile(
  store: FactStore,
  contentOf: ContentOf,
  before: FiledBefore,
  message: string,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [event, from] of before) {
    if (from === undefined) continue;
    if (event.kind === 'replace') {
      const filed = along(await contentOf(from), event.retired);
      const to = patientOf(knownOf(store, event.surviving)?.text ?? '{}') ?? from;
      const replacements: [string, string][] = [[event.retired, event.surviving]];
      if (to !== from) replacements.push([from, to]);
      for (const one of filed) {
        if (one.reference === event.retired || one.reference === event.surviving) continue;
        if (to !== from || names(one.text, event.retired)) changes.push(rewrite(store, one, replacements, message));
      }
      continue;
    }
    const to = `Patient/${event.to}`;
    if (from === to) continue;
    const moved = along(await contentOf(from), event.of);
    for (const one of moved) changes.push(rewrite(store, one, [[from, to]], message));
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
    const text = known !== undefined && isOlder(fact.asOf, known) ? known.text : undefined;
    if (text === undefined) continue;
    const resource = JSON.parse(text);
    const name = `${fact.type}/${fact.id}`;
    const replacements: [string, string][] = [];
    if (isRetired(resource)) replacements.push([name, resource.partOf.reference]);
    const [stated, right] = [patientOf(fact.text), patientOf(text)];
    if (stated !== undefined && right !== undefined && stated !== right) replacements.push([stated, right]);
    if (replacements.length === 0) continue;
    const follow = followers(
      filed.filter((one) => one.fact !== fact && isFiled(one.fact.type)),
      [name],
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

/** What a patient's home holds, with the changes that the transaction has made so far. */
export async function contentOf(set: WriteSet, transaction: Transaction, patient: string): Promise<Filed[]> {
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
    if (version?.text === undefined || version.home !== home || !isFiled(type)) continue;
    const { text, asOf } = version;
    const reference = `${type}/${JSON.parse(text).id}`;
    content.set(reference, { type, reference, text, asOf });
  }
  return [...content.values()];
}

/** Whether resources of a type are filed with a patient; the Patient itself and where something comes from are not. */
export function isFiled(type: string): boolean {
  return type !== 'Patient' && type !== 'Provenance';
}

/** What follows without naming the visit: it is part of what names it. */
const PARTS = new Set(['Observation', 'Specimen', 'Media', 'ImagingStudy']);

/** What is filed under an account or visit: what names it, what names such a visit, and their parts. */
function along(content: readonly Filed[], of: string): Filed[] {
  const visits = content.filter(({ type, text }) => type === 'Encounter' && names(text, of));
  const heads = [of, ...visits.map(({ reference }) => reference)];
  const follow = followers(content, heads, (one) => one);
  for (const one of content) if (one.reference === of) follow.add(one);
  return [...follow];
}

/** Those that name one of the heads, and their parts, and the parts of these. */
function followers<T>(
  all: readonly T[],
  heads: readonly string[],
  read: (one: T) => { type: string; reference: string; text: string },
): Set<T> {
  const named = new Map(all.map((one) => [one, referencesIn(read(one).text)]));
  const parts = new Map<string, T>();
  for (const one of all) {
    const { type, reference } = read(one);
    if (PARTS.has(type)) parts.set(reference, one);
  }
  const followers = new Set(all.filter((one) => heads.some((head) => named.get(one)!.has(head))));
  // A set is gone through with what is added to it meanwhile.
  for (const one of followers) {
    for (const reference of named.get(one)!) {
      const part = parts.get(reference);
      if (part !== undefined) followers.add(part);
    }
  }
  return followers;
}

/** The next version, by the message that moves it; it says as of when what it did before. */
function rewrite(
  store: FactStore,
  { type, reference, text, asOf }: Filed,
  replacements: readonly [string, string][],
  message: string,
): Change {
  const id = reference.slice(type.length + 1);
  const { version } = store.put(scan(replaced(text, replacements)), type, id, { asOf, message });
  return { reference, version };
}

function replaced(text: string, replacements: readonly [string, string][]): string {
  let changed = text;
  for (const [from, to] of replacements) changed = changed.replaceAll(`"${from}"`, `"${to}"`);
  return changed;
}

function names(text: string, reference: string): boolean {
  return text.includes(`"${reference}"`);
}

/** All that a text names as `Type/id`. */
function referencesIn(text: string): Set<string> {
  return new Set(text.match(/(?<=")[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}(?=")/g));
}

/** The patient of a visit or account, as a reference. */
function patientOf(text: string): string | undefined {
  const { subject } = JSON.parse(text);
  const first = Array.isArray(subject) ? subject[0] : subject;
  const reference = first?.reference;
  return typeof reference === 'string' && reference.startsWith('Patient/') ? reference : undefined;
}

/** What is known of a resource, with its text; undefined where there is none. */
function knownOf(store: FactStore, reference: string): { text: string; asOf: string | undefined } | undefined {
  const known = store.get(...keyOf(reference));
  const text = known?.text;
  return text === undefined ? undefined : { text, asOf: known!.asOf };
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
