/**
 * FHIR R4 Bundles that a site sends as messages. The resources stay as they are, but for their ids: every site counts
 * its own Patients, so each id is made the hub's, and references within the Bundle and to the site's other resources
 * follow.
 */

import { createHash } from 'node:crypto';
import { isDefinition, isFhirError, isResourceType, type ScannedEntry, scanBundle } from '@causeway/fhir';
import type { Resource } from '@medplum/fhirtypes';
import { addStandardCodes } from '../concepts.ts';
import type { Conversion, ConversionContext, ConversionIssue, Fact, LedgerEntry } from '../conversion.ts';
import { factId } from '../fact-id.ts';
import { canBeWithdrawn } from '../withdrawn.ts';
import { asOfHub, isOfHub, refusedOfHub } from './of-hub.ts';

/** @returns a sentence where the text is no Bundle of R4 resources */
export function convertFhir(text: string, context: ConversionContext): Conversion | string {
  const scanned = scanBundle(text);
  if (isFhirError(scanned)) return `Line ${scanned.line}, column ${scanned.column}: ${scanned.error}`;
  const issues: ConversionIssue[] = [];
  const ledger: LedgerEntry[] = [];
  const targets = new Map<string, string>();
  const ofHub = isOfHub(scanned);
  const stated: { entry: ScannedEntry; index: number; id: string; identity: string }[] = [];
  const deleted: Fact[] = [];
  for (const [index, entry] of scanned.entries.entries()) {
    if (!entry.resource) {
      const fact = deletedBy(entry, scanned.bundle.timestamp, context);
      if (fact !== undefined) {
        deleted.push(fact);
        ledger.push({ source: `Bundle.entry[${index}]`, disposition: 'consumed', rule: 'fhir', target: fact.key });
        continue;
      }
      issues.push(notStated(index, entry));
      ledger.push({
        source: `Bundle.entry[${index}]`,
        disposition: 'rejected',
        reason: 'The entry has no resource to store.',
      });
      continue;
    }
    const { resourceType } = entry.resource;
    if (isDefinition(resourceType)) {
      issues.push(ofAdministrators(index, resourceType));
      ledger.push({
        source: `Bundle.entry[${index}]`,
        disposition: 'rejected',
        reason: `A ${resourceType} is for the administrators of the hub to store.`,
      });
      continue;
    }
    const refused = ofHub ? refusedOfHub(entry) : undefined;
    if (refused !== undefined) {
      ledger.push({ source: `Bundle.entry[${index}]`, disposition: 'rejected', reason: refused });
      continue;
    }
    const identity = ofHub ? entry.resource.id! : identityOf(entry);
    const id = factId(context.source, resourceType, identity);
    if (entry.fullUrl) targets.set(entry.fullUrl, `${resourceType}/${id}`);
    if (entry.resource.id) targets.set(`${resourceType}/${entry.resource.id}`, `${resourceType}/${id}`);
    stated.push({ entry, index, id, identity });
  }
  const facts = stated.map(({ entry, index, id, identity }): Fact => {
    const resource = withReferences(entry.resource!.value, context.source, targets) as Resource;
    if (ofHub) asOfHub(resource, entry.fullUrl);
    resource.id = id;
    resource.meta = { ...resource.meta, source: context.messageUri };
    for (const element of Object.keys(resource)) {
      ledger.push({
        source: `Bundle.entry[${index}].resource.${element}`,
        disposition: element === 'resourceType' || element === 'id' ? 'consumed' : 'mapped',
        target: `${resource.resourceType}/${id}#${element}`,
        rule: 'fhir',
      });
    }
    const shown = scanned.type === 'history' ? shownAt(entry) : undefined;
    const said = shown ?? entry.resource!.value.meta?.lastUpdated ?? scanned.bundle.timestamp;
    const asOf = said === undefined ? context.receivedAt : instantOf(said);
    if (asOf === undefined) issues.push(ofNoTime(index));
    return { resource, key: `${resource.resourceType}|${identity}`, asOf: asOf ?? context.receivedAt, mode: 'replace' };
  });
  facts.sort((a, b) => rank(a) - rank(b));
  facts.push(...deleted);
  return addStandardCodes({ facts, identityEvents: [], ledger, issues }, context.concepts);
}

/** A deletion of what can be withdrawn; people, places and the like stay, since others refer to them. */
function deletedBy(
  { request }: ScannedEntry,
  said: unknown,
  { source, messageUri, receivedAt }: ConversionContext,
): Fact | undefined {
  const [, type, identity] = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(request?.url ?? '') ?? [];
  if (request?.method !== 'DELETE' || !type || !identity || !isResourceType(type) || !canBeWithdrawn(type))
    return undefined;
  const id = factId(source, type, identity);
  const resource = { resourceType: type, id, meta: { source: messageUri } } as unknown as Resource;
  return { resource, key: `${type}/${id}`, asOf: instantOf(said) ?? receivedAt, mode: 'withdraw' };
}

/** When a server says, in a history, that a resource was so: later than the resource itself where it was deleted meanwhile. */
function shownAt({ entry, resource }: ScannedEntry): string | undefined {
  const said = instantOf(entry.response?.lastModified);
  const own = instantOf(resource!.value.meta?.lastUpdated);
  return said !== undefined && (own === undefined || Date.parse(said) > Date.parse(own)) ? said : undefined;
}

function rank({ resource }: Fact): number {
  return resource.resourceType === 'Patient' ? 0 : 1;
}

const dateTime = /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?)?)?$/;

/** The time as it was said, where it is one. */
function instantOf(said: unknown): string | undefined {
  return typeof said === 'string' && dateTime.test(said) && !Number.isNaN(Date.parse(said)) ? said : undefined;
}

/** What the site knows a resource by: its id there, the condition under which it is made, an identifier, its content. */
function identityOf({ request, resource, fullUrl }: ScannedEntry): string {
  const [path, query] = (request?.url ?? '').split('?') as [string, string | undefined];
  const [, id] = path.split('/');
  if (request?.method === 'PUT' && id) return id;
  if (query) return query;
  if (request?.ifNoneExist) return request.ifNoneExist;
  const identifiers = (resource!.value as { identifier?: unknown }).identifier;
  const first = Array.isArray(identifiers) ? identifiers[0] : identifiers;
  if (first?.value) return `identifier=${first.system ?? ''}|${first.value}`;
  if (resource!.id) return resource!.id;
  if (fullUrl && !fullUrl.startsWith('urn:uuid:')) return fullUrl;
  return createHash('sha256').update(resource!.text).digest('hex');
}

/** A copy with every reference, and address of an attachment, that names one of the site's resources made the hub's. */
function withReferences(value: unknown, source: string, targets: Map<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withReferences(item, source, targets));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    copy[key] =
      typeof member === 'string' && (key === 'reference' || (key === 'url' && member.startsWith('Binary/')))
        ? referenceTo(member, source, targets)
        : withReferences(member, source, targets);
  }
  return copy;
}

function referenceTo(reference: string, source: string, targets: Map<string, string>): string {
  const known = targets.get(reference);
  if (known) return known;
  const [, type, identity] = /^([A-Z][A-Za-z]+)[/?](.+)$/.exec(reference) ?? [];
  return type && identity && isResourceType(type) ? `${type}/${factId(source, type, identity)}` : reference;
}

function ofAdministrators(index: number, type: string): ConversionIssue {
  return {
    severity: 'warning',
    code: 'not-supported',
    source: `Bundle.entry[${index}]`,
    message: `An entry with a ${type}, by which the whole hub goes, was kept and not carried out; an administrator may store it.`,
  };
}

function ofNoTime(index: number): ConversionIssue {
  return {
    severity: 'warning',
    code: 'value',
    source: `Bundle.entry[${index}]`,
    message:
      'meta.lastUpdated, or else the timestamp of the Bundle, is no time such as 2026-01-31T08:00:00Z; the entry is taken for said when it was received.',
  };
}

function notStated(index: number, { request }: ScannedEntry): ConversionIssue {
  return {
    severity: 'warning',
    code: 'not-supported',
    source: `Bundle.entry[${index}]`,
    message: `An entry without a resource (${request?.method ?? 'no request'}) states no fact; it was kept and not carried out.`,
  };
}
