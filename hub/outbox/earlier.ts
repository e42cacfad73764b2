/** What deliveries are about as it stood before a transaction; and what a transaction makes one person of. */
import { typeCode } from '@causeway/fhir';
import type { DiagnosticReport, Patient, Resource } from '@medplum/fhirtypes';
import type { HomeKeys, ResourceChange, WriteSet } from '../record/index.ts';
import type { Route } from '../trust/index.ts';
import { current, type Focus, focusKey, type Loaded } from './focus.ts';

/** What a result says of itself as long as it may change. */
const unsettled: ReadonlySet<string | undefined> = new Set(['registered', 'partial', 'preliminary', 'unknown']);

/**
 * Those of these resources that said, before the transaction, that they were final or so: what was told of them was told as
 * what holds.
 */
export async function finalBefore(set: WriteSet, keys: HomeKeys, foci: readonly Focus[]): Promise<Set<string>> {
  const types = [...new Set(foci.map(({ type }) => type))];
  const ridsOf = (type: string) => foci.filter((one) => one.type === type).map(({ rid }) => rid);
  const read = await Promise.all(types.map((type) => current(set, keys, typeCode(type)!, ridsOf(type))));
  const isFinal = ({ resource }: Loaded) =>
    resource.resourceType === 'DocumentReference'
      ? resource.docStatus !== 'preliminary'
      : !unsettled.has((resource as DiagnosticReport).status);
  return new Set(read.flat().filter(isFinal).map(focusKey));
}

/** Topics of what changed: whether it did shows only beside what was there. */
const ofChanges: ReadonlySet<string> = new Set([
  'medication-started',
  'medication-changed',
  'medication-stopped',
  'appointment-changed',
  'appointment-cancelled',
  'referral-closed',
]);

/** Whether a route asks for what shows only beside what was there before. */
export function asksForChanges({ topics = [], urgent = [] }: Route): boolean {
  return [...topics, ...urgent].some((topic) => ofChanges.has(topic));
}

/** Notes of requests and appointments how they stood before the transaction. */
export async function noteBefore(set: WriteSet, keys: HomeKeys, foci: readonly Focus[]): Promise<void> {
  for (const type of ['MedicationRequest', 'Appointment', 'ServiceRequest']) {
    const changed = foci.filter((focus) => focus.type === type && focus.version > 1);
    const rids = changed.map(({ rid }) => rid);
    const before = new Map<string, Resource>();
    for (const { rid, resource } of await current(set, keys, typeCode(type)!, rids)) before.set(rid, resource);
    for (const focus of changed) if (before.has(focus.rid)) focus.before = before.get(focus.rid)!;
  }
}

/** The Patients of homes that came to be one person with others. */
export async function linkedFoci(set: WriteSet, keys: HomeKeys, homes: readonly number[]): Promise<Focus[]> {
  if (homes.length === 0) return [];
  const { rows } = await set.transaction.query({
    name: 'outbox_linked',
    text: 'SELECT home, patient FROM link WHERE home = ANY($1) AND placeholder IS NULL ORDER BY home',
    values: [[...new Set(homes)]],
  });
  const patients = await patientsNow(
    set,
    keys,
    rows.map(({ patient }) => patient as string),
  );
  const isItself = ({ resource }: Loaded) => !(resource as Patient).link?.some(({ type }) => type === 'replaced-by');
  return patients.filter(isItself).map((one) => ({
    ...one,
    topic: 'linked',
    withdrawn: false,
    isPast: false,
    isCritical: false,
  }));
}

/** Patients as the transaction leaves them; none that are gone. */
export async function patientsNow(set: WriteSet, keys: HomeKeys, rids: readonly string[]): Promise<Loaded[]> {
  const wanted = new Set(rids);
  const changed = new Map<string, ResourceChange>();
  for (const change of set.changes)
    if (change.after.type === 'Patient' && wanted.has(change.after.rid)) changed.set(change.after.rid, change);
  const unchanged = rids.filter((rid) => !changed.has(rid));
  const stored = await current(set, keys, typeCode('Patient')!, unchanged);
  const fresh = [...wanted].flatMap((wantedRid): Loaded[] => {
    const change = changed.get(wantedRid);
    if (!change) return [];
    const { type, rid, home, version, message, deleted } = change.after;
    return deleted ? [] : [{ type, rid, home, version, message, resource: change.parsed() as object as Resource }];
  });
  return [...stored, ...fresh];
}
