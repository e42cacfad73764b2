/** Puts the facts of a message into the record: newer statements revise, older and equal ones change nothing. */
import { isFhirError, type ScannedResource, scanResource } from '@causeway/fhir';
import { mergeFact, withdrawn } from '@causeway/mapping/facts';
import type { Resource } from '@medplum/fhirtypes';
import { homePatient, type Version } from '../record/index.ts';
import type { StatedFact } from './converted.ts';

/** A fact ready to be stored. */
export interface PreparedFact {
  fact: StatedFact;
  scanned: ScannedResource;
  /** The patient in whose home it lives. */
  patient: string | undefined;
}

export interface Applied {
  /** `Type/id` of what changed, with the version it has since. */
  stored: { reference: string; version: number }[];
  /** How many facts were older than what is known. */
  superseded: number;
}

/** What is known of a resource when a statement meets it. */
export type Known = Pick<Version, 'version' | 'asOf' | 'updated' | 'message' | 'text'>;

/** Where facts are put: a transaction (`WriteSet`), or a fold in memory. */
export interface FactStore {
  get(type: string, id: string): Known | undefined;
  put(scanned: ScannedResource, type: string, id: string, by: { asOf: string | undefined; message: string }): Known;
  restate(type: string, id: string, asOf: string): void;
}

/** @throws Error where a converter made no resource that can be stored */
export function prepareFact(fact: StatedFact): PreparedFact {
  const scanned = scan(fact.text);
  return { fact, scanned, patient: homePatient(scanned, fact.id) };
}

/**
 * Applies a message's facts to what is known, in their order.
 * @param again the message was processed before: then what another message said at the same time was said after it
 */
export function applyFacts(set: FactStore, facts: readonly PreparedFact[], message: string, again: boolean): Applied {
  const applied: Applied = { stored: [], superseded: 0 };
  for (const { fact, scanned } of facts) {
    const { type, id } = fact;
    const asOf = instantOf(fact.asOf);
    const before = set.get(type, id);
    if (before && fact.mode === 'reference') continue;
    if (before && isOlder(asOf, before, again && before.message !== message)) {
      const said = fact.mode === 'merge' && before.version === 1 ? before.text : undefined;
      const completed = said === undefined ? undefined : complete(JSON.parse(said), scanned.value);
      if (completed === undefined) {
        applied.superseded++;
        continue;
      }
      const after = set.put(completed, type, id, { asOf: before.asOf, message });
      applied.stored.push({ reference: `${type}/${id}`, version: after.version });
      continue;
    }
    if (fact.mode === 'withdraw') {
      const known = before?.text;
      const after = known === undefined ? undefined : withdrawn(JSON.parse(known) as Resource);
      if (after === undefined) continue;
      const { version } = set.put(scan(JSON.stringify(after)), type, id, { asOf, message });
      applied.stored.push({ reference: `${type}/${id}`, version });
      continue;
    }
    let stated = scanned;
    const text = before?.text;
    if (text !== undefined) {
      const known = JSON.parse(text);
      if (fact.mode === 'merge') {
        stated = scan(JSON.stringify(mergeFact(known, { ...fact, resource: scanned.value })));
      }
      if (sameContent(known, stated.value)) {
        if (sameContent(known, scanned.value)) set.restate(type, id, asOf);
        continue;
      }
    }
    const after = set.put(stated, type, id, { asOf, message });
    applied.stored.push({ reference: `${type}/${id}`, version: after.version });
  }
  return applied;
}

/** Whose the resources are that these facts withdraw: the facts themselves do not say it. */
export function ownersOfWithdrawn(set: Pick<FactStore, 'get'>, facts: readonly PreparedFact[]): string[] {
  return facts.flatMap(({ fact: { mode, type, id } }) => {
    const text = mode === 'withdraw' ? set.get(type, id)?.text : undefined;
    return text === undefined ? [] : (homePatient(scan(text), id) ?? []);
  });
}

/** Whether a statement is older than what is known; a client's own change counts from when it was made. */
export function isOlder(asOf: string, known: Known, equalIsOlder = false): boolean {
  const since = known.asOf ?? known.updated.toISOString();
  return equalIsOlder ? instantOf(asOf) <= since : instantOf(asOf) < since;
}

/**
 * What is known from one statement, completed by an older one that came late: a result can be faster than the
 * registration that names its patient. Nothing can have been deleted yet, so what is not known was not said.
 */
function complete(known: object, older: object): ScannedResource | undefined {
  const { clears, resource } = withoutEnd(known as Resource);
  const whole = mergeFact(older as Record<string, unknown>, { resource, ...(clears && { clears }) });
  return sameContent(known, whole) ? undefined : scan(JSON.stringify(whole));
}

/** A visit of which it is known that it goes on has no end, whatever was said of one before: that was taken back. */
function withoutEnd(known: Resource): { resource: Resource; clears?: string[] } {
  if (known.resourceType !== 'Encounter' || known.status === 'finished' || known.status === 'unknown')
    return { resource: known };
  return {
    resource: known,
    clears: ['period.end', 'hospitalization.dischargeDisposition', 'hospitalization.destination'],
  };
}

function scan(text: string): ScannedResource {
  const scanned = scanResource(text);
  if (isFhirError(scanned)) throw new Error(`A converter made a resource that cannot be stored: ${scanned.error}`);
  return scanned;
}

/** Whether two resources say the same, apart from what the hub notes about versions. */
export function sameContent(known: object, stated: object): boolean {
  const [one, other] = [known as Members, stated as Members];
  const [oneMeta, otherMeta] = [one.meta as Members | undefined, other.meta as Members | undefined];
  return (
    isSaidOfMeta.every((name) => isSame(oneMeta?.[name], otherMeta?.[name])) && haveSame(one, other, isNotedOfVersion)
  );
}

type Members = Record<string, unknown>;

const isSaidOfMeta = ['tag', 'profile', 'security'];
const isNotedOfVersion = (name: string) => name === 'id' || name === 'meta';

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (!Array.isArray(one)) return !Array.isArray(other) && haveSame(one as Members, other as Members);
  return Array.isArray(other) && one.length === other.length && one.every((item, i) => isSame(item, other[i]));
}

/** Whether objects have the same members, in whatever order. */
function haveSame(one: Members, other: Members, isLeftOut: (name: string) => boolean = () => false): boolean {
  let more = 0;
  for (const name in one) {
    if (one[name] === undefined || isLeftOut(name)) continue;
    // Every object seems to have this one.
    if (name === '__proto__' && !Object.hasOwn(other, name)) return false;
    if (!isSame(one[name], other[name])) return false;
    more++;
  }
  for (const name in other) if (other[name] !== undefined && !isLeftOut(name)) more--;
  return more === 0;
}

/** The first instant of a FHIR dateTime; the time of processing where there is none. */
function instantOf(dateTime: string): string {
  const padded = /^\d{4}$/.test(dateTime)
    ? `${dateTime}-01-01`
    : /^\d{4}-\d{2}$/.test(dateTime)
      ? `${dateTime}-01`
      : dateTime;
  const time = new Date(padded);
  return Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString();
}
