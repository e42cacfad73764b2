/**
 * The simulated region as FHIR transactions: its messages are converted as the hub converts them and brought together a
 * household at a time, so that each resource is told once, as it is known in the end (`PUT Type/id`).
 */
import { createHash } from 'node:crypto';
import { parseCda } from '@causeway/ccda';
import { isParseError, parseMessage } from '@causeway/hl7v2';
import { type Conversion, convertCcda, convertFhir, convertV2, type Fact, mergeFact } from '@causeway/mapping';
import { messages, type RegionMessage } from '@causeway/region';
import type { Resource } from '@medplum/fhirtypes';

export interface RegionTransaction {
  /** The Bundle's JSON. */
  text: string;
  resources: number;
  /** Ids of the source patients among them. */
  patients: string[];
}

/** Resources a transaction holds at most. */
const perTransaction = 400;
const seed = 77;
const receivedAt = '2026-07-01T08:00:00.000Z';

/**
 * The transactions of the people from number `from` up to number `to` of the region. Practitioners, organisations and
 * places that several households name come once, with the first of them.
 */
export function* regionTransactions(to: number, from = 0): Generator<RegionTransaction> {
  const shared = new Set<string>();
  let skipped = from === 0 ? '' : lastHousehold(from);
  for (const household of households(to)) {
    if (skipped !== '') {
      if (household.key === skipped) skipped = '';
      continue;
    }
    const resources = [...factsOf(household.told).values()].filter((resource) => {
      if (!sharedTypes.has(resource.resourceType)) return true;
      const name = `${resource.resourceType}/${resource.id}`;
      if (shared.has(name)) return false;
      shared.add(name);
      return true;
    });
    for (let at = 0; at < resources.length; at += perTransaction) {
      yield transactionOf(resources.slice(at, at + perTransaction));
    }
  }
}

const sharedTypes = new Set<string>(['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication']);

function transactionOf(resources: Resource[]): RegionTransaction {
  const entry = resources.map((resource) => {
    const url = `${resource.resourceType}/${resource.id}`;
    return { fullUrl: `https://bench.example/${url}`, resource, request: { method: 'PUT', url } };
  });
  return {
    text: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    resources: resources.length,
    patients: resources.flatMap(({ resourceType, id }) => (resourceType === 'Patient' ? id! : [])),
  };
}

/** What a household's messages say in the end, by `Type/id`. */
function factsOf(told: RegionMessage[]): Map<string, Resource> {
  const known = new Map<string, Resource>();
  for (const message of told) {
    for (const fact of converted(message)) {
      const name = `${fact.resource.resourceType}/${fact.resource.id}`;
      const before = known.get(name);
      if (before && fact.mode === 'reference') continue;
      known.set(name, fact.mode === 'merge' ? (mergeFact(before as never, fact) as never) : fact.resource);
    }
  }
  return known;
}

function converted({ site, dialect, body, controlId }: RegionMessage): Fact[] {
  const context = { source: site, receivedAt, messageUri: `urn:causeway:message:${uuidOf(controlId)}` };
  let conversion: Conversion | string;
  if (dialect === 'hl7v2') {
    const message = parseMessage(Buffer.from(body));
    conversion = isParseError(message) ? message.message : convertV2(message, context);
  } else if (dialect === 'ccda') {
    const parsed = parseCda(Buffer.from(body));
    conversion = parsed.ok ? convertCcda(parsed.document, context) : parsed.error.message;
  } else conversion = convertFhir(body, context);
  if (typeof conversion === 'string') throw new Error(`A message of the region cannot be read: ${conversion}`);
  return conversion.facts;
}

/** The hub gives each message an id; here it is made from the control id. */
function uuidOf(controlId: string): string {
  const hex = createHash('sha256').update(controlId).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18, 30)}`;
}

interface Household {
  key: string;
  told: RegionMessage[];
}

/** The region's messages by household, one household after another. */
function* households(people: number): Generator<Household> {
  let household: Household | undefined;
  for (const message of messages({ people, seed })) {
    const key = householdOf(message);
    if (household && household.key !== key) yield household;
    if (household?.key === key) household.told.push(message);
    else household = { key, told: [message] };
  }
  if (household) yield household;
}

/** The key of the household that person number `people` belongs to. */
function lastHousehold(people: number): string {
  let last = '';
  for (const message of messages({ people, seed })) last = householdOf(message);
  return last;
}

/** A control id is the site's three letters, the household's number, and four digits of the message. */
function householdOf({ controlId }: RegionMessage): string {
  return controlId.slice(3, -4);
}
