/** What a transaction's entries are to do, and to which resources, before anything is written (FHIR R4 §3.1.0.11.2). */
import { isResourceType } from '@causeway/fhir';
import { type Access, refusedChange } from '../trust/index.ts';
import { type AnswerText, type BundleEntry, type BundleServices, keepText } from './bundle.ts';
import { BundleReferences, readConditional } from './bundle-references.ts';
import { type Found, removedAtOnce } from './changes.ts';
import { checkCondition, type SearchCondition, sameCondition } from './conditions.ts';
import { RecordError } from './errors.ts';
import { inTurns } from './in-turns.ts';
import { isId } from './keys.ts';
import { newId } from './new-id.ts';
import { checkResource, severalFound, targetOf } from './targets.ts';

export interface Planned {
  entry: BundleEntry;
  /** The place in the Bundle, for errors. */
  at: string;
  type: string;
  id: string;
  action: 'create' | 'update' | 'patch' | 'delete' | 'found' | 'none';
  /** Whether a search said that the resource is there. */
  isFound: boolean;
  /** The version that a conditional create found, or that a patch leaves as it is; its text where the answer tells it. */
  version?: { version: number; updated: Date; text?: AnswerText };
}

export interface Plan {
  planned: Planned[];
  reads: BundleEntry[];
  references: BundleReferences;
}

/** Whether an entry only reads. */
export function isRead({ method }: BundleEntry): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The conditions on which a transaction creates, updates, patches or deletes. @throws RecordError 400, 412 */
export function conditionsOf(entries: readonly BundleEntry[]): SearchCondition[] {
  const conditions: SearchCondition[] = [];
  for (const entry of entries) {
    if (isRead(entry)) continue;
    const condition = conditionOf(entry);
    if (condition === undefined) continue;
    checkCondition(condition.query, `Bundle.entry[${entry.index}].request`);
    conditions.push(condition);
  }
  return conditions;
}

/** Plans a transaction. @throws RecordError for what cannot be carried out */
export async function planTransaction(
  services: BundleServices,
  access: Access,
  entries: readonly BundleEntry[],
): Promise<Plan> {
  const writes = entries.filter((entry) => !isRead(entry));
  const plans: Planned[][] = new Array(writes.length);
  await inTurns(writes, findsAtOnce, async (entry, i) => {
    plans[i] = await planEntry(services, access, entry);
  });
  const planned = plans.flat();
  checkOverlaps(planned);
  const references = await referencesOf(services, access, planned);
  return { planned, reads: entries.filter(isRead), references };
}

/** Searches of one transaction that run at once. */
const findsAtOnce = 6;

function conditionOf({ method, url, ifNoneExist }: BundleEntry): SearchCondition | undefined {
  const [type, query] = url.split('?') as [string, string | undefined];
  if (method === 'POST') return ifNoneExist === undefined ? undefined : { type, query: ifNoneExist };
  return query === undefined ? undefined : { type, query };
}

async function planEntry(services: BundleServices, access: Access, entry: BundleEntry): Promise<Planned[]> {
  const at = `Bundle.entry[${entry.index}]`;
  const { method, resource } = entry;
  const { type, id } = addressOf(entry, at);
  const refused = refusedChange(access, type);
  if (refused !== undefined) throw new RecordError(403, 'forbidden', refused, at);
  if (resource && method !== 'PATCH' && method !== 'DELETE') {
    if (resource.resourceType !== type) {
      const text = `request.url names ${type}, the resource is a ${resource.resourceType}.`;
      throw new RecordError(400, 'invariant', text, at);
    }
    // One that is kept elsewhere is checked when it is read.
    if (resource.keptLength === 0) checkResource(resource.scanned(), `${at}.resource`);
  }
  const plan = (action: Planned['action'], target: string, isFound = false): Planned[] => [
    { entry, at, type, id: target, action, isFound },
  ];
  const condition = conditionOf(entry);
  if (id !== undefined) {
    if (method === 'PUT' && resource?.id !== id) {
      throw new RecordError(400, 'invariant', 'The id of the resource must be that of request.url.', at);
    }
    return plan(method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : 'delete', id);
  }
  if (!condition) return plan('create', newId());
  const limit = method === 'DELETE' ? removedAtOnce + 1 : 2;
  const found = await services.find(access, type, condition.query, limit);
  if (found.length > (method === 'DELETE' ? removedAtOnce : 1)) throw severalFound(at);
  const [one] = found;
  switch (method) {
    case 'POST':
      if (!one) return plan('create', newId());
      return plan('found', one.id, true).map((planned) => ({ ...planned, version: versionOf(services, one) }));
    case 'PUT':
      return plan('update', targetOf(one?.id, resource?.id, at), one !== undefined);
    case 'PATCH':
      if (!one) throw new RecordError(404, 'not-found', 'The condition finds no resource that could be patched.', at);
      return plan('patch', one.id, true);
    default:
      return one ? found.flatMap((each) => plan('delete', each.id, true)) : plan('none', '');
  }
}

function versionOf(services: BundleServices, { version, updated, text }: Found): Planned['version'] {
  return { version, updated, ...(services.isStoredWanted ? { text: keepText(services, text) } : {}) };
}

/** The type and id of an entry that writes. @throws RecordError 400 */
function addressOf({ method, url }: BundleEntry, at: string): { type: string; id: string | undefined } {
  const [path, query] = url.split('?') as [string, string | undefined];
  const [type, id, ...rest] = path.split('/') as [string, ...string[]];
  const where = `${at}.request.url`;
  if (path.includes('$') || id === '_search' || path === '_search') {
    const text = 'A transaction carries out interactions, not operations or searches by POST; send those in a batch.';
    throw new RecordError(400, 'not-supported', text, where);
  }
  if (!isResourceType(type) || rest.length > 0) {
    throw new RecordError(400, 'value', 'request.url must begin with a resource type, such as Patient.', where);
  }
  if (id !== undefined && !isId(id)) {
    throw new RecordError(400, 'value', 'An id has 1 to 64 letters, digits, - and dots.', where);
  }
  if (method === 'POST' && (id !== undefined || query !== undefined)) {
    throw new RecordError(400, 'value', 'The request.url of a POST is a resource type alone, such as Patient.', where);
  }
  if (method !== 'POST' && id === undefined && query === undefined) {
    throw new RecordError(400, 'value', `The request.url of a ${method} has an id or a condition.`, where);
  }
  if (id !== undefined && query !== undefined) {
    throw new RecordError(400, 'value', 'request.url has an id or a condition, not both.', where);
  }
  return { type, id };
}

/** @throws RecordError 400 where two entries change the same resource, or would make one each for the same condition */
function checkOverlaps(planned: readonly Planned[]): void {
  const changed = new Map<string, number>();
  const made = new Map<string, number>();
  for (const { entry, type, id, action, isFound, at } of planned) {
    if (action === 'none' || action === 'found') continue;
    claim(changed, `${type}/${id}`, entry.index, at);
    const condition = isFound ? undefined : conditionOf(entry);
    if (condition) claim(made, sameCondition(condition), entry.index, at);
  }
}

function claim(claimed: Map<string, number>, key: string, index: number, at: string): void {
  const first = claimed.get(key);
  if (first !== undefined && first !== index) {
    const text = `A transaction may change each resource once; entry ${first} is about the same one.`;
    throw new RecordError(400, 'invariant', text, at);
  }
  claimed.set(key, index);
}

/** What the references in a transaction stand for. @throws RecordError 412 for a conditional one that finds not one */
async function referencesOf(
  services: BundleServices,
  access: Access,
  planned: readonly Planned[],
): Promise<BundleReferences> {
  const references = new BundleReferences();
  for (const { entry, type, id, action } of planned) {
    if (action === 'delete' || action === 'none') continue;
    if (entry.fullUrl) references.add(entry.fullUrl, { type, id });
    const condition = conditionOf(entry);
    if (condition) references.addCondition(condition.type, condition.query, { type, id });
  }
  const wanted = new Map<string, { type: string; query: string; at: string }>();
  for (const { entry } of planned) {
    for (const { value, path } of entry.resource?.references ?? []) {
      const condition = readConditional(value);
      if (!condition || wanted.has(value) || references.conditional(condition.type, condition.query)) continue;
      wanted.set(value, { ...condition, at: `Bundle.entry[${entry.index}].resource.${path}` });
    }
  }
  await inTurns([...wanted.values()], findsAtOnce, async ({ type, query, at }) => {
    const found = await services.find(access, type, query);
    if (found.length !== 1) {
      const what = found.length === 0 ? 'nothing' : 'more than one resource';
      const code = found.length === 0 ? 'not-found' : 'multiple-matches';
      throw new RecordError(412, code, `A conditional reference finds ${what}; it must find one.`, at);
    }
    references.addCondition(type, query, { type, id: found[0]!.id });
  });
  return references;
}
