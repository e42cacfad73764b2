/**
 * What a Subscription resource asks for: R4 by criteria (https://hl7.org/fhir/R4/subscription.html), or by topic
 * (Subscriptions R5 Backport 1.1). What the hub would not keep to is refused when it is asked for.
 */
import { isResourceType } from '@causeway/fhir';
import type { Extension, Subscription } from '@medplum/fhirtypes';
import { type Held, heldInMemory, type IndexKey, RecordError, readSearchRequest } from '../record/index.ts';
import { backport, type ChannelType, channelOf, refused } from './channel.ts';
import { type Topic, topicOf } from './topics.ts';

/** How much of a resource a notification says; `resource`: as R4 has it, the resource alone. */
export type Content = 'empty' | 'id-only' | 'full-resource' | 'resource' | 'nothing';

/** Resources that somebody is told about: of a type, by criteria in memory, and as a search for what can only be said so. */
export interface About {
  type: string;
  held: Held;
  query: [string, string][];
}

export interface Definition {
  /** A resource is told about where one of these holds. */
  abouts: About[];
  /** Undefined where it is by criteria. */
  topic: Topic | undefined;
  channel: ChannelType;
  /** Where the channel leads: an http(s) address, or a mailbox. */
  endpoint: string | undefined;
  headers: [string, string][];
  content: Content;
  mime: 'application/fhir+json' | 'application/fhir+xml' | undefined;
  /** Seconds. */
  heartbeat: number | undefined;
  timeout: number;
  /** Events in one notification, at most. */
  most: number;
  end: Date | undefined;
}

const usualTimeout = 30;
const longestTimeout = 120;
const mostEvents = 100;
const shortestHeartbeat = 10;

/**
 * @param index the key of the hashes that its criteria are held against
 * @throws RecordError 422 for what the hub would not keep to
 */
export function readDefinition(subscription: Subscription, index: IndexKey): Definition {
  const { criteria, channel } = subscription;
  const keyed = (hashes: readonly bigint[]) => index.keyed(hashes);
  const topic = topicOf(criteria);
  const isByTopic = topic !== undefined || !criteria.includes('?');
  if (isByTopic && !topic)
    throw refused('criteria', `names no topic of this server, and is no search such as Observation?code=…`);
  const wanted = topic ? filtersOf(topic, subscription) : [criteriaOf(criteria)];
  const isMail = channel.type === 'email';
  const mime = isMail ? undefined : mimeOf(channel.payload);
  const seconds = (name: string) => numberIn(channel.extension, name);
  const heartbeat = seconds('backport-heartbeat-period') || undefined;
  if (heartbeat !== undefined && heartbeat < shortestHeartbeat)
    throw refused('channel.extension', `asks for a heartbeat more often than every ${shortestHeartbeat} seconds`);
  return {
    abouts: wanted.map(({ type, query }) => ({ type, query, held: heldInMemory(type, filtersIn(type, query), keyed) })),
    topic,
    ...channelOf(subscription),
    content: isMail ? 'empty' : topic ? contentOf(subscription) : mime ? 'resource' : 'nothing',
    mime: mime ?? (topic || channel.type === 'message' ? 'application/fhir+json' : undefined),
    heartbeat: topic ? heartbeat : undefined,
    timeout: Math.min(seconds('backport-timeout') || usualTimeout, longestTimeout),
    most: topic ? Math.min(seconds('backport-max-count') || mostEvents, mostEvents) : 1,
    end: subscription.end === undefined ? undefined : new Date(subscription.end),
  };
}

function criteriaOf(criteria: string): { type: string; query: [string, string][] } {
  const at = criteria.indexOf('?');
  const type = criteria.slice(0, at).replace(/^\//, '');
  if (!isResourceType(type)) throw refused('criteria', 'must begin with a resource type, such as Observation?code=…');
  return { type, query: pairsOf(criteria.slice(at + 1)) };
}

/**
 * The filters of a topic: `Encounter?patient=Patient/1` or `patient=Patient/1`, each of which has to hold. Of a topic about
 * several types each names its own, and one that holds is enough; without any, all are told of.
 */
function filtersOf(topic: Topic, { _criteria }: Subscription & { _criteria?: { extension?: Extension[] } }) {
  const filters = (_criteria?.extension ?? []).flatMap(({ url, valueString }) =>
    url === `${backport}/backport-filter-criteria` && valueString !== undefined ? filterIn(topic, valueString) : [],
  );
  if (topic.types === undefined) return [{ type: topic.type, query: filters.flatMap(({ query }) => query) }];
  return filters.length > 0 ? filters : topic.types.map((type) => ({ type, query: [] }));
}

function filterIn({ type, types = [type], triggers = [] }: Topic, text: string) {
  const at = text.indexOf('?');
  const named = at < 0 ? type : text.slice(0, at);
  if (!types.includes(named))
    throw refused('criteria.extension', `filters ${named.slice(0, 60)}; the topic is about ${types.join(', ')}`);
  const all = pairsOf(text.slice(at + 1));
  const isTrigger = ([name]: [string, string]) => triggers.length > 0 && name === 'trigger';
  const unknown = all.find((pair) => isTrigger(pair) && !pair[1].split(',').some((one) => triggers.includes(one)));
  if (unknown) throw refused('criteria.extension', `asks for another trigger than ${triggers.join(', ')}`);
  return { type: named, query: all.filter((pair) => !isTrigger(pair)) };
}

function pairsOf(text: string): [string, string][] {
  return [...new URLSearchParams(text)];
}

function filtersIn(type: string, query: [string, string][]) {
  try {
    const plain = query.filter(([name]) => !notCriteria.has(name.split(':')[0]!));
    if (plain.length < query.length)
      throw refused('criteria', 'has a parameter that says how to answer, not what to find');
    return readSearchRequest(type, plain, false).filters;
  } catch (error) {
    if (!(error instanceof RecordError) || error.status !== 400) throw error;
    throw RecordError.of(
      422,
      error.issues.map((issue) => ({ ...issue, expression: 'Subscription.criteria' })),
    );
  }
}

const notCriteria = new Set([
  '_count',
  '_sort',
  '_include',
  '_revinclude',
  '_total',
  '_summary',
  '_elements',
  '_cursor',
  '_contained',
  '_containedType',
  '_format',
  '_pretty',
]);

function mimeOf(payload: string | undefined): Definition['mime'] {
  if (payload === undefined || payload === '') return undefined;
  const [media, ...parameters] = payload.split(';').map((part) => part.trim());
  const version = parameters.find((one) => /^fhirVersion=/i.test(one))?.split('=')[1];
  if (version !== undefined && version.replaceAll('"', '') !== '4.0')
    throw refused('channel.payload', 'asks for another FHIR version than 4.0');
  if (media === 'application/fhir+json' || media === 'application/json') return 'application/fhir+json';
  if (media === 'application/fhir+xml' || media === 'application/xml') return 'application/fhir+xml';
  throw refused('channel.payload', 'must be application/fhir+json or application/fhir+xml');
}

function contentOf({ channel }: Subscription): Content {
  const { _payload } = channel as typeof channel & { _payload?: { extension?: Extension[] } };
  const code = _payload?.extension?.find(({ url }) => url === `${backport}/backport-payload-content`)?.valueCode;
  if (code === undefined) return 'id-only';
  if (code === 'empty' || code === 'id-only' || code === 'full-resource') return code;
  throw refused('channel.payload', 'has another content than empty, id-only and full-resource');
}

function numberIn(extensions: Extension[] | undefined, name: string): number | undefined {
  const found = extensions?.find(({ url }) => url === `${backport}/${name}`);
  return found?.valueUnsignedInt ?? found?.valuePositiveInt;
}

/**
 * A resource as it is stored when a client sends it: whether a subscription is active is for the server to say, once its
 * channel has answered.
 */
export function asRequested(text: string, type: string): string {
  if (type !== 'Subscription') return text;
  try {
    const { error: _, ...subscription } = JSON.parse(text) as Subscription;
    if (subscription.status !== 'active' && subscription.status !== 'error') return text;
    return JSON.stringify({ ...subscription, status: 'requested' });
  } catch {
    // What is wrong with it is said where it is read.
    return text;
  }
}
