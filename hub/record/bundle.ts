/**
 * Batch and transaction bundles (FHIR R4 §3.1.0.11). A transaction is carried out whole or not at all, in the order
 * DELETE, POST, PUT, GET; references by `urn:uuid:` and conditional references are resolved.
 */

import { isFhirError, isResourceType, type ScannedResource, scanBundle } from '@causeway/fhir';
import type { Access, AccessNote } from '../trust/index.ts';
import { lockConditions, type SearchCondition } from './conditions.ts';
import { type Issue, RecordError } from './errors.ts';
import { isId } from './keys.ts';
import { newId } from './new-id.ts';
import { checkPreconditions } from './preconditions.ts';
import { homePatient } from './prepare.ts';
import { checkResource } from './targets.ts';
import type { ResourceKey, WriteSet } from './write-set.ts';
import type { WriteJob } from './writer.ts';

/** One answer of a bundle, to be rendered as `Bundle.entry`. */
export interface EntryOutcome {
  status: number;
  location?: string;
  etag?: string;
  lastModified?: Date;
  /** Canonical JSON of a resource to be returned. */
  resource?: string;
  issues?: Issue[];
}

export interface BundleEntry {
  fullUrl: string | undefined;
  method: string;
  url: string;
  ifNoneExist: string | undefined;
  ifMatch: string | undefined;
  scanned: ScannedResource | undefined;
}

/** What a bundle needs of the record besides its own changes. */
export interface BundleServices {
  /** What a conditional search finds, two at most. */
  find(access: Access, type: string, query: string): Promise<{ id: string }[]>;
  /** Carries out one entry of a batch, or a read of a transaction. */
  single(access: Access, entry: BundleEntry): Promise<EntryOutcome>;
  write<T>(job: WriteJob<T>): Promise<T>;
  /** The access that a transaction is. */
  audit?(outcomes: EntryOutcome[]): AccessNote;
}

/** Reads a bundle's text. @throws RecordError 400 for what is no batch or transaction */
export function readBundle(text: string): { type: 'batch' | 'transaction'; entries: BundleEntry[] } {
  const scanned = scanBundle(text);
  if (isFhirError(scanned)) {
    throw new RecordError(
      400,
      'structure',
      `Line ${scanned.line}, column ${scanned.column}: ${scanned.error}`,
      scanned.path || undefined,
    );
  }
  if (scanned.type !== 'batch' && scanned.type !== 'transaction') {
    throw new RecordError(
      400,
      'value',
      'A Bundle posted to the base has the type batch or transaction.',
      'Bundle.type',
    );
  }
  if (scanned.entries.length > maximumEntries) {
    throw new RecordError(
      413,
      'too-costly',
      `A Bundle may have ${maximumEntries} entries; send it in parts.`,
      'Bundle.entry',
    );
  }
  const entries = scanned.entries.map((entry, i): BundleEntry => {
    const request = entry.request;
    if (!request?.method || request.url === undefined) {
      throw new RecordError(
        400,
        'required',
        'Each entry needs request.method and request.url.',
        `Bundle.entry[${i}].request`,
      );
    }
    return {
      fullUrl: entry.fullUrl,
      method: request.method,
      url: request.url.replace(/^\//, ''),
      ifNoneExist: request.ifNoneExist,
      ifMatch: request.ifMatch,
      scanned: entry.resource,
    };
  });
  return { type: scanned.type, entries };
}

const maximumEntries = 10_000;

/** Carries out a batch: each entry for itself. */
export async function runBatch(
  services: BundleServices,
  access: Access,
  entries: BundleEntry[],
): Promise<EntryOutcome[]> {
  return Promise.all(
    entries.map(async (entry) => {
      try {
        return await services.single(access, entry);
      } catch (error) {
        if (error instanceof RecordError) return { status: error.status, issues: error.issues };
        throw error;
      }
    }),
  );
}

interface Planned {
  entry: BundleEntry;
  index: number;
  type: string;
  id: string;
  action: 'create' | 'update' | 'delete' | 'found' | 'read';
}

/** Carries out a transaction. @throws RecordError where any entry cannot be carried out; then nothing was changed */
export async function runTransaction(
  services: BundleServices,
  access: Access,
  entries: BundleEntry[],
): Promise<EntryOutcome[]> {
  const conditions = conditionsOf(entries);
  const outcomes = new Array<EntryOutcome>(entries.length);
  let work = conditions.length === 0 ? await plannedWork(services, access, entries) : undefined;
  await services.write({
    keys: work?.keys ?? [],
    patients: work?.patients ?? [],
    size: entries.length,
    alone: work === undefined,
    ...(services.audit ? { audit: () => services.audit!(outcomes) } : {}),
    apply: async (set) => {
      if (conditions.length > 0) {
        await lockConditions(set.transaction, conditions);
        work = await plannedWork(services, access, entries);
        await set.load(work.keys, work.patients);
      }
      for (const action of ['delete', 'create', 'update'] as const) {
        for (const planned of work!.plan) {
          if (planned.action === action) outcomes[planned.index] = apply(set, planned, work!.resolve);
        }
      }
    },
  });
  const { plan } = work!;
  for (const planned of plan) {
    if (planned.action === 'found')
      outcomes[planned.index] = { status: 200, location: `${planned.type}/${planned.id}` };
    if (planned.action === 'read') outcomes[planned.index] = await services.single(access, planned.entry);
  }
  return outcomes;
}

interface Work {
  plan: Planned[];
  resolve(reference: string): string | undefined;
  keys: ResourceKey[];
  patients: string[];
}

async function plannedWork(services: BundleServices, access: Access, entries: BundleEntry[]): Promise<Work> {
  const plan = await planEntries(services, access, entries);
  const resolve = resolver(plan, await conditionalReferences(services, access, plan));
  const writes = plan.filter(({ action }) => action !== 'found' && action !== 'read');
  const patients = new Set<string>();
  for (const { entry, id } of writes) {
    const patient = entry.scanned && homePatient(entry.scanned, id, resolve);
    if (patient) patients.add(patient);
  }
  return { plan, resolve, keys: writes.map(({ type, id }) => ({ type, id })), patients: [...patients] };
}

/** The conditions on which a transaction creates, updates or deletes. */
function conditionsOf(entries: readonly BundleEntry[]): SearchCondition[] {
  return entries.flatMap(({ method, url, ifNoneExist }) => {
    const [type, query] = url.split('?') as [string, string | undefined];
    if (method === 'GET') return [];
    if (ifNoneExist !== undefined) return [{ type, query: ifNoneExist }];
    return query === undefined ? [] : [{ type, query }];
  });
}

function apply(set: WriteSet, planned: Planned, resolve: (reference: string) => string | undefined): EntryOutcome {
  const { entry, type, id, index } = planned;
  const before = set.get(type, id);
  checkPreconditions(entry, before, `Bundle.entry[${index}]`);
  if (planned.action === 'delete') {
    if (before && !before.deleted) set.remove(type, id);
    return { status: 204 };
  }
  const after = set.put(entry.scanned!, type, id, { resolve });
  return {
    status: before && !before.deleted ? 200 : 201,
    location: `${type}/${id}/_history/${after.version}`,
    etag: `W/"${after.version}"`,
    lastModified: after.updated,
  };
}

async function planEntries(services: BundleServices, access: Access, entries: BundleEntry[]): Promise<Planned[]> {
  const plan: Planned[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const planned = await planEntry(services, access, entry, index);
    if (planned.action !== 'read' && planned.action !== 'found') {
      const key = `${planned.type}/${planned.id}`;
      if (seen.has(key)) {
        throw new RecordError(
          400,
          'invariant',
          'A transaction may change each resource once.',
          `Bundle.entry[${index}]`,
        );
      }
      seen.add(key);
    }
    plan.push(planned);
  }
  return plan;
}

async function planEntry(
  services: BundleServices,
  access: Access,
  entry: BundleEntry,
  index: number,
): Promise<Planned> {
  const at = `Bundle.entry[${index}]`;
  const [path, query] = entry.url.split('?') as [string, string | undefined];
  const [type, id, ...rest] = path.split('/') as [string, string | undefined];
  if (entry.method === 'GET') return { entry, index, type, id: id ?? '', action: 'read' };
  if (!isResourceType(type) || rest.length > 0) {
    throw new RecordError(
      400,
      'value',
      `request.url must begin with a resource type, such as Patient.`,
      `${at}.request.url`,
    );
  }
  if (entry.method !== 'DELETE') {
    if (!entry.scanned) throw new RecordError(400, 'required', 'The entry has no resource.', `${at}.resource`);
    if (entry.scanned.resourceType !== type) {
      throw new RecordError(
        400,
        'invariant',
        `request.url names ${type}, the resource is a ${entry.scanned.resourceType}.`,
        at,
      );
    }
    checkResource(entry.scanned, `${at}.resource`);
  }
  const criteria = entry.method === 'POST' ? entry.ifNoneExist : query;
  const found = criteria === undefined ? [] : await services.find(access, type, criteria);
  if (found.length > 1) {
    throw new RecordError(412, 'multiple-matches', 'The condition finds more than one resource.', at);
  }
  switch (entry.method) {
    case 'POST':
      if (found[0] !== undefined) return { entry, index, type, id: found[0].id, action: 'found' };
      return { entry, index, type, id: newId(), action: 'create' };
    case 'PUT': {
      const target = id ?? found[0]?.id ?? entry.scanned!.id ?? newId();
      if (!isId(target))
        throw new RecordError(400, 'value', 'An id has 1 to 64 letters, digits, - and dots.', `${at}.request.url`);
      return { entry, index, type, id: target, action: 'update' };
    }
    case 'DELETE':
      if (id === undefined && found[0] === undefined) return { entry, index, type, id: newId(), action: 'delete' };
      return { entry, index, type, id: id ?? found[0]!.id, action: 'delete' };
    default:
      throw new RecordError(
        400,
        'not-supported',
        'request.method may be GET, POST, PUT or DELETE.',
        `${at}.request.method`,
      );
  }
}

/** References of the form `Type?query` and what they find. */
async function conditionalReferences(
  services: BundleServices,
  access: Access,
  plan: Planned[],
): Promise<Map<string, string>> {
  const resolved = new Map<string, string>();
  for (const { entry, index } of plan) {
    for (const { value } of entry.scanned?.references ?? []) {
      const parts = /^([A-Z][A-Za-z]+)\?(.+)$/.exec(value);
      if (!parts || resolved.has(value)) continue;
      const found = await services.find(access, parts[1]!, parts[2]!);
      if (found.length !== 1) {
        throw new RecordError(
          412,
          found.length === 0 ? 'not-found' : 'multiple-matches',
          `A conditional reference finds ${found.length === 0 ? 'nothing' : 'more than one resource'}; it must find one.`,
          `Bundle.entry[${index}].resource`,
        );
      }
      resolved.set(value, `${parts[1]}/${found[0]!.id}`);
    }
  }
  return resolved;
}

function resolver(plan: Planned[], conditional: Map<string, string>): (reference: string) => string | undefined {
  const targets = new Map(conditional);
  for (const { entry, type, id } of plan) {
    if (entry.fullUrl && entry.method !== 'GET') targets.set(entry.fullUrl, `${type}/${id}`);
  }
  return (reference) => targets.get(reference);
}
