/** What a client is told when it asks about subscriptions: how they fare, and what they were told. */
import type { Database } from '../database/index.ts';
import { type FhirRecord, RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { Definition } from './definition.ts';
import { isLasting } from './lasting.ts';
import { keptNoLonger, notification, statusOf } from './notification.ts';
import { ownerOf } from './owner.ts';
import { patientsOf, tellings } from './sender.ts';
import { eventsOf, type Kept, keptOf } from './store.ts';

export interface Answering {
  database: Database;
  record: FhirRecord;
  /** The address of the FHIR server. */
  base: string;
  definition(kept: Kept): Promise<Definition | undefined>;
}

/** Which events are asked for, by their numbers, and how much of them. */
export interface WantedEvents {
  from?: number | undefined;
  to?: number | undefined;
  content?: (typeof contents)[number] | undefined;
}

const mostEvents = 1_000;
/** By how much they say. */
const contents = ['empty', 'id-only', 'full-resource'] as const;

/** Whose subscriptions a caller may see; undefined for everybody's. */
export function ownerFor(access: Access): string | undefined {
  return access.limits.isCustodian ? undefined : ownerOf(access);
}

/**
 * The statuses of subscriptions that a caller may see (`$status`), each a Parameters resource.
 * @param ids those that are asked for; all, where left out
 */
export async function statuses(
  { database, base, definition }: Answering,
  access: Access,
  ids: readonly string[] | undefined,
  states: readonly string[] = [],
): Promise<object[]> {
  const kept = await keptOf(database, { owner: ownerFor(access), ids });
  const wanted = states.length === 0 ? kept : kept.filter(({ state }) => states.includes(state));
  const found = await Promise.all(
    wanted.map(async (one) => ({ one, defined: await definition(one).catch((error) => whereBroken(error)) })),
  );
  return found.flatMap(({ one, defined }) => (defined ? statusOf(base, one, defined, 'query-status') : []));
}

/** How one is told of whose criteria are not understood any more. */
function whereBroken(error: unknown): Pick<Definition, 'topic' | 'content'> {
  if (!isLasting(error)) throw error;
  return { topic: undefined, content: 'empty' };
}

/**
 * Events of a subscription, as a notification (`$events`).
 * @throws RecordError 404 where there is none that the caller may see, 400 for too many events
 */
export async function pastEvents(
  { database, record, base, definition }: Answering,
  access: Access,
  id: string,
  { from, to, content }: WantedEvents,
): Promise<{ bundle: string; patients: string[] }> {
  const [kept] = await keptOf(database, { owner: ownerFor(access), ids: [id] });
  const defined = kept && (await definition(kept));
  if (!kept || !defined) throw new RecordError(404, 'not-found', 'There is no Subscription of this id.');
  const first = from ?? Math.max(1, kept.events - mostEvents + 1);
  const last = Math.min(to ?? kept.events, kept.events);
  if (last - first + 1 > mostEvents) {
    const text = `Ask for at most ${mostEvents} events at once, by eventsSinceNumber and eventsUntilNumber.`;
    throw new RecordError(400, 'too-costly', text);
  }
  const events = await eventsOf(database, kept.rid, { from: first, to: last, limit: mostEvents });
  const { topic } = defined;
  // Mail says nothing of what there is: here it is seen by who has signed in.
  const given = defined.channel === 'email' ? (content ?? 'id-only') : leastOf(defined.content, content);
  const told = await tellings(record, access, given, events);
  const reason = keptNoLonger(first, last, events) ?? kept.reason;
  return {
    bundle: notification(base, { ...kept, reason }, { topic, content: given }, 'query-event', told),
    patients: patientsOf(told),
  };
}

/** What is asked for may be less than what the subscription has, never more. */
function leastOf(own: Definition['content'], asked: WantedEvents['content']): (typeof contents)[number] {
  const most = contents.indexOf(own as (typeof contents)[number]);
  const wanted = asked === undefined ? most : contents.indexOf(asked);
  // Subscriptions by criteria have contents of their own.
  return contents[Math.min(most < 0 ? 1 : most, wanted < 0 ? 1 : wanted)]!;
}
