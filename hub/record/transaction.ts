/**
 * Transactions (FHIR R4 §3.1.0.11.2): carried out whole or not at all, in the order DELETE, POST, PUT and PATCH, GET and
 * HEAD, whatever the order of the entries.
 */
import type { ScannedResource } from '@causeway/fhir';
import type { Access } from '../trust/index.ts';
import { type BundleEntry, type BundleServices, type EntryOutcome, single } from './bundle.ts';
import type { BundleReferences } from './bundle-references.ts';
import { lockConditions } from './conditions.ts';
import { RecordError } from './errors.ts';
import { inTurns } from './in-turns.ts';
import { asShown, entryPatch, patchedResource, shownPatients } from './patch.ts';
import { NotPatched, type Patched, withPatches } from './path-patches.ts';
import { checkPreconditions } from './preconditions.ts';
import { homePatient } from './prepare.ts';
import { shownText } from './present.ts';
import { withoutLabels } from './shown-labels.ts';
import { checkResource, mergedPatient, refuseOther } from './targets.ts';
import { conditionsOf, isRead, type Plan, type Planned, planTransaction } from './transaction-plan.ts';
import type { ResourceKey, Version } from './transaction-resources.ts';
import type { WriteSet } from './write-set.ts';
import type { WriteJob } from './writer.ts';

/** Carries out a transaction. @throws RecordError where any entry cannot be carried out; then nothing was changed */
export async function runTransaction(
  services: BundleServices,
  access: Access,
  entries: BundleEntry[],
): Promise<EntryOutcome[]> {
  const conditions = conditionsOf(entries);
  const outcomes = new Array<EntryOutcome>(entries.length);
  let plan = conditions.length === 0 ? await planTransaction(services, access, entries) : undefined;
  const writes = entries.filter((entry) => !isRead(entry));
  await checkReads(services, access, entries);
  if (writes.length > 0) {
    const job = (patched: Patched): WriteJob<void> => ({
      access,
      keys: plan ? keysOf(plan).known : [],
      made: plan ? keysOf(plan).made : [],
      patients: plan ? patientsOf(plan) : [],
      texts: writes.some(needsText),
      size: writes.length,
      alone: plan === undefined || services.spool !== undefined,
      ...(services.audit ? { audit: () => services.audit!(outcomes, entries) } : {}),
      apply: async (set) => {
        if (conditions.length > 0) {
          await lockConditions(set.transaction, conditions);
          plan = await planTransaction(services, access, entries);
          const { known, made } = keysOf(plan);
          await set.expect(made);
          await set.load(known, patientsOf(plan), writes.some(needsText));
        }
        await applyPlan(services, set, plan!, outcomes, patched);
      },
    });
    await withPatches(access.who, services.patchAside, (patched) => services.write(job(patched)));
  }
  await inTurns(entries.filter(isRead), 4, async (entry) => {
    outcomes[entry.index] = await single(services, access, entry);
  });
  return outcomes;
}

/**
 * A read that cannot be answered fails the transaction before anything is written; reads of what the transaction itself
 * changes are answered afterwards.
 */
async function checkReads(services: BundleServices, access: Access, entries: BundleEntry[]): Promise<void> {
  const changed = new Set(entries.filter((entry) => !isRead(entry)).map(({ url }) => url));
  const reads = entries.filter((entry) => isRead(entry) && !changed.has(entry.url));
  await inTurns(reads, 4, async (entry) => {
    await services.single(access, entry);
  });
}

/** The resources that a transaction changes: those under ids that others may know, and those it makes. */
function keysOf({ planned }: Plan): { known: ResourceKey[]; made: ResourceKey[] } {
  const changed = planned.filter(isChange);
  const keys = (isMade: boolean) =>
    changed.filter(({ action }) => (action === 'create') === isMade).map(({ type, id }) => ({ type, id }));
  return { known: keys(false), made: keys(true) };
}

function patientsOf({ planned, references }: Plan): string[] {
  const patients = new Set<string>();
  for (const one of planned) {
    const { entry, id } = one;
    if (!entry.resource || !isChange(one) || isPatch(one)) continue;
    const patient = homePatient(entry.resource, id, references.resolver(entry.fullUrl));
    if (patient) patients.add(patient);
  }
  return [...patients];
}

function isChange({ action }: Planned): boolean {
  return action !== 'found' && action !== 'none';
}

/** Whether what an entry changes depends on the text that is there. */
function needsText({ method, resource }: BundleEntry): boolean {
  return method === 'PATCH' || (method === 'PUT' && resource?.hasSecurity === true);
}

function isPatch({ action }: Planned): boolean {
  return action === 'patch';
}

async function applyPlan(
  services: BundleServices,
  set: WriteSet,
  plan: Plan,
  outcomes: EntryOutcome[],
  made: Patched,
): Promise<void> {
  const { planned, references } = plan;
  const versions = new Map<string, number>();
  for (const { type, id } of planned.filter(isChange)) {
    versions.set(`${type}/${id}`, (set.get(type, id)?.version ?? 0) + 1);
  }
  references.useVersions(({ type, id }) => versions.get(`${type}/${id}`));
  for (const one of planned) {
    if (!isChange(one)) outcomes[one.entry.index] = unchanged(one);
    else await checkTarget(services, one, set.get(one.type, one.id));
  }
  const patched = await patchAll(services, set, plan, made);
  for (const action of ['delete', 'create', 'update', 'patch'] as const) {
    for (const one of planned) {
      if (one.action !== action) continue;
      outcomes[one.entry.index] = apply(set, one, plan, patched.get(one));
      if (services.spool) await set.settle(services.spool);
    }
  }
}

/** @throws RecordError where an entry may not change what is there */
async function checkTarget(services: BundleServices, one: Planned, before: Version | undefined): Promise<void> {
  const { entry, type, id, action, isFound, at } = one;
  if (action === 'create') return;
  checkPreconditions(entry, before, at);
  if (isFound && !before) throw mergedPatient(at);
  if (action === 'update' && !isFound && entry.url.includes('?')) refuseOther(before, at);
  if (!before) await services.refuseMerged(type, id);
  if (action === 'patch' && (!before || before.deleted)) {
    const gone = before !== undefined;
    const text = gone ? 'The resource to be patched was deleted.' : 'There is no resource of this id to be patched.';
    throw new RecordError(gone ? 410 : 404, gone ? 'deleted' : 'not-found', text, at);
  }
}

/** What the patches of a transaction make of what is there, those that change something; their patients are numbered. */
async function patchAll(
  { isStoredWanted }: BundleServices,
  set: WriteSet,
  { planned, references }: Plan,
  made: Patched,
): Promise<Map<Planned, ScannedResource>> {
  const patches = planned.filter(isPatch).map((one) => ({ one, before: set.get(one.type, one.id)! }));
  const shown = await shownPatients(
    set,
    patches.map(({ before }) => before),
  );
  const patched = new Map<Planned, ScannedResource>();
  const patients = new Set<string>();
  const toPatch: NotPatched['patches'][number][] = [];
  for (const { one, before } of patches) {
    const { id, at, entry } = one;
    const patch = entryPatch(entry.resource!.scanned(), at);
    const scanned = orLater(toPatch, () => patchedResource(before, patch, made, shown.get(before.home), at));
    if (scanned === 'later') continue;
    if (!scanned) {
      const { version, updated } = before;
      one.version = { version, updated, ...(isStoredWanted ? { text: asShown(before, shown.get(before.home)) } : {}) };
      continue;
    }
    patched.set(one, scanned);
    const patient = homePatient(scanned, id, references.resolver(entry.fullUrl));
    if (patient !== undefined) patients.add(patient);
  }
  if (toPatch.length > 0) throw new NotPatched(toPatch);
  await set.load([], patients);
  return patched;
}

/** What a patch makes, or that it is to be carried out first, with all others of its kind. */
function orLater<T>(toPatch: NotPatched['patches'][number][], patch: () => T): T | 'later' {
  try {
    return patch();
  } catch (error) {
    if (!(error instanceof NotPatched)) throw error;
    toPatch.push(...error.patches);
    return 'later';
  }
}

function apply(set: WriteSet, one: Planned, { references }: Plan, patched: ScannedResource | undefined): EntryOutcome {
  const { entry, type, id, action } = one;
  const before = set.get(type, id);
  if (action === 'delete') {
    if (!before) return { status: 204 };
    return new Changed(204, before.deleted ? before : set.remove(type, id));
  }
  if (action === 'patch' && !patched) return unchanged(one);
  const resolve = references.resolver(entry.fullUrl);
  const after = set.put(withoutLabels(patched ?? linked(one, references), before), type, id, { resolve });
  return new Changed(before && !before.deleted ? 200 : 201, after);
}

/** The outcome of a change, told from its version: its time is not known before it is written. */
class Changed implements EntryOutcome {
  readonly status: number;
  readonly #after: Version;

  constructor(status: number, after: Version) {
    this.status = status;
    this.#after = after;
  }

  get location(): string | undefined {
    const { type, id, version, deleted } = this.#after;
    return deleted ? undefined : `${type}/${id}/_history/${version}`;
  }

  get etag(): string {
    return `W/"${this.#after.version}"`;
  }

  get lastModified(): Date {
    return this.#after.updated;
  }

  get stored(): string | undefined {
    return shownText(this.#after);
  }
}

/** The entry's resource with its links put right. @throws RecordError 422 for one that was not checked before */
function linked({ entry, at }: Planned, references: BundleReferences): ScannedResource {
  const scanned = entry.resource!.scanned();
  if (entry.resource!.keptLength > 0) checkResource(scanned, `${at}.resource`);
  return references.relinked(scanned, entry.fullUrl);
}

function unchanged({ type, id, action, version }: Planned): EntryOutcome {
  if (action === 'none' || !version) return { status: 204 };
  return {
    status: 200,
    location: `${type}/${id}/_history/${version.version}`,
    etag: `W/"${version.version}"`,
    lastModified: version.updated,
    ...(version.text === undefined ? {} : { stored: version.text }),
  };
}
