/**
 * Notifications of subscriptions by topic: Bundles of type `history` whose first entry is the status, as Parameters
 * (Subscriptions R5 Backport 1.1, "Notifications", "Payload Types").
 */
import { randomUUID } from 'node:crypto';
import type { Content, Definition } from './definition.ts';
import type { Event, Kept } from './store.ts';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition';

/** Codes of what triggered an event (US Core 8, "Patient Data Feed"). */
const triggerSystem = 'http://hl7.org/fhir/us/core/CodeSystem/trigger';

export type NotificationType = 'handshake' | 'heartbeat' | 'event-notification' | 'query-status' | 'query-event';

/** An event with what may be told of it. */
export interface Telling {
  event: Event;
  /** Whether whoever asked may still see the resource. */
  isVisible: boolean;
  /** Whose the resource is, as ids of Patients. */
  patients: string[];
  /** The resource as it was with this event; undefined where it was deleted, or is not asked for. */
  text?: string | undefined;
}

interface Parameter {
  name: string;
  part?: Parameter[];
  [value: `value${string}`]: unknown;
}

/** What a status says. @param base the address of the FHIR server */
export function statusOf(
  base: string,
  kept: Kept,
  { topic, content }: Pick<Definition, 'topic' | 'content'>,
  type: NotificationType,
  told: readonly Telling[] = [],
): object {
  const events = told.map(({ event, isVisible }) => ({
    name: 'notification-event',
    part: [
      { name: 'event-number', valueString: String(event.number) },
      { name: 'timestamp', valueInstant: event.at.toISOString() },
      ...(content !== 'empty' && isVisible
        ? [{ name: 'focus', valueReference: { reference: `${base}/${event.type}/${event.id}` } }]
        : []),
      ...(topic?.triggers ?? []).map((code) => ({ name: 'trigger', valueCoding: { system: triggerSystem, code } })),
    ],
  }));
  const parameter: Parameter[] = [
    { name: 'subscription', valueReference: { reference: `${base}/Subscription/${kept.id}` } },
    ...(topic && content !== 'empty' ? [{ name: 'topic', valueCanonical: topic.url }] : []),
    { name: 'status', valueCode: kept.state },
    { name: 'type', valueCode: type },
    { name: 'events-since-subscription-start', valueString: String(kept.events) },
    ...events,
    ...(kept.reason === undefined ? [] : [{ name: 'error', valueCodeableConcept: { text: kept.reason } }]),
  ];
  return {
    resourceType: 'Parameters',
    id: randomUUID(),
    meta: { profile: [`${backport}/backport-subscription-status-r4`] },
    parameter,
  };
}

/** A notification, as JSON. */
export function notification(
  base: string,
  kept: Kept,
  definition: Pick<Definition, 'topic' | 'content'>,
  type: NotificationType,
  told: readonly Telling[] = [],
): string {
  const status = statusOf(base, kept, definition, type, told) as { id: string };
  const first = JSON.stringify({
    fullUrl: `urn:uuid:${status.id}`,
    resource: status,
    request: { method: 'GET', url: `Subscription/${kept.id}/$status` },
    response: { status: '200' },
  });
  const others = entriesOf(base, definition.content, told);
  const head = JSON.stringify({
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [`${backport}/backport-subscription-notification-r4`] },
    type: 'history',
    timestamp: new Date().toISOString(),
  });
  return `${head.slice(0, -1)},"entry":[${[first, ...others].join(',')}]}`;
}

/**
 * What is said to whoever was away for longer than events are kept; undefined where nothing is missing.
 * @param from @param to the first and the last event that are wanted
 */
export function keptNoLonger(from: number, to: number, events: readonly Event[]): string | undefined {
  const last = (events[0]?.number ?? to + 1) - 1;
  if (last < from) return undefined;
  return last === from ? `The event ${from} is kept no longer.` : `The events ${from} to ${last} are kept no longer.`;
}

/** One entry for each resource, in its newest state: a history may not have the same version twice. */
function entriesOf(base: string, content: Content, told: readonly Telling[]): string[] {
  if (content !== 'id-only' && content !== 'full-resource') return [];
  const entries = new Map<string, string>();
  for (const { event, isVisible, text } of told) {
    if (!isVisible) continue;
    const { type, id, kind } = event;
    const method = kind === 'delete' ? 'DELETE' : kind === 'create' ? 'POST' : 'PUT';
    const entry = JSON.stringify({
      fullUrl: `${base}/${type}/${id}`,
      request: { method, url: method === 'POST' ? type : `${type}/${id}` },
      response: { status: kind === 'delete' ? '204' : kind === 'create' ? '201' : '200' },
    });
    const withText =
      content === 'full-resource' && text !== undefined && kind !== 'delete'
        ? `${entry.slice(0, -1)},"resource":${text}}`
        : entry;
    entries.set(`${type}/${id}/${event.version}`, withText);
  }
  return [...entries.values()];
}
