/** Subscriptions as people look after them: how each fares, what it was told last, and stopping it or going on. */
import type { Subscription } from '@medplum/fhirtypes';
import { RecordError } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { type Answering, ownerFor } from './answers.ts';
import type { ChannelType } from './channel.ts';
import type { Definition } from './definition.ts';
import { isLasting } from './lasting.ts';
import { patientsOf, tellings } from './sender.ts';
import { eventsOf, type Kept, keptOf, pause, type State } from './store.ts';

/** How a subscription fares. */
export interface Overview {
  id: string;
  /** Whose it is: an account, an app or a script, and for which organisation. */
  who: string;
  name: string;
  role: string;
  organization: string;
  client: string | null;
  state: State | 'paused';
  /** What its channel said when it failed last. */
  error: string | null;
  /** The topic's title; null where it is by criteria, or these are not understood any more. */
  topic: string | null;
  criteria: string | null;
  channel: ChannelType | null;
  endpoint: string | null;
  /** The last event, the last that was told, and by how many it is behind. */
  events: number;
  told: number;
  behind: number;
  failures: number;
  nextAttempt: Date | null;
  lastSent: Date | null;
  ends: Date | null;
}

export interface EventShown {
  number: number;
  at: Date;
  kind: string;
  /** `Type/id`; null where whoever asks may not see it any more. */
  reference: string | null;
  isTold: boolean;
}

/** What can be done with a subscription: `off` ends it, `paused` lets its events wait. */
export const actions = ['off', 'paused', 'requested'] as const;

const latest = 50;

/** The subscriptions that a caller may see. */
export async function overviews(parts: Answering, access: Access): Promise<Overview[]> {
  const kept = await keptOf(parts.database, { owner: ownerFor(access), ids: undefined });
  return Promise.all(kept.map((one) => overviewOf(parts, access, one)));
}

/**
 * A subscription with its latest events, the newest first.
 * @throws RecordError 404 where there is none that the caller may see
 */
export async function overview(
  parts: Answering,
  access: Access,
  id: string,
): Promise<{ subscription: Overview; latest: EventShown[]; patients: string[] }> {
  const kept = await keptFor(parts, access, id);
  const wanted = { from: Math.max(1, kept.events - latest + 1), to: kept.events, limit: latest };
  const told = await tellings(parts.record, access, 'id-only', await eventsOf(parts.database, kept.rid, wanted));
  const subscription = await overviewOf(parts, access, kept);
  const shown = told.map(({ event, isVisible }) => ({
    number: event.number,
    at: event.at,
    kind: event.kind,
    reference: isVisible ? `${event.type}/${event.id}` : null,
    isTold: event.number <= kept.told || subscription.channel === 'websocket',
  }));
  return { subscription, latest: shown.reverse(), patients: patientsOf(told) };
}

/** @throws RecordError 404 where there is none that the caller may see, 409 for pausing what its client comes for */
export async function act(parts: Answering, access: Access, id: string, action: (typeof actions)[number]) {
  const kept = await keptFor(parts, access, id);
  if (action === 'paused') {
    if ((await parts.definition(kept))?.channel === 'websocket')
      throw new RecordError(409, 'conflict', 'Who listens by a WebSocket ends the connection instead.');
    if (kept.state === 'off') throw new RecordError(409, 'conflict', 'What is off cannot be paused.');
    await pause(parts.database, kept.rid, true);
    return;
  }
  if (kept.isPaused && action === 'requested') {
    await pause(parts.database, kept.rid, false);
    return;
  }
  const operations = [{ op: 'replace', path: '/status', value: action }];
  await parts.record.patch(access, 'Subscription', id, { kind: 'json', text: JSON.stringify(operations) });
}

async function keptFor({ database }: Answering, access: Access, id: string): Promise<Kept> {
  const [kept] = await keptOf(database, { owner: ownerFor(access), ids: [id] });
  if (!kept) throw new RecordError(404, 'not-found', 'There is no Subscription of this id.');
  return kept;
}

async function overviewOf(parts: Answering, access: Access, kept: Kept): Promise<Overview> {
  const { asker, events, told, failures, state } = kept;
  const [definition, found] = await Promise.all([
    parts.definition(kept).catch((error): Definition | undefined => {
      if (!isLasting(error)) throw error;
      return undefined;
    }),
    parts.record.reader.read(access, 'Subscription', kept.id),
  ]);
  // To a client that comes by itself nothing is owed.
  const isOwed = state !== 'off' && definition?.channel !== 'websocket';
  const { criteria, end } = found?.text ? (JSON.parse(found.text) as Subscription) : { criteria: null, end: undefined };
  return {
    id: kept.id,
    who: asker.who,
    name: asker.name,
    role: asker.role,
    organization: asker.organization,
    client: asker.client ?? null,
    state: kept.isPaused && state !== 'off' ? 'paused' : state,
    error: kept.reason ?? null,
    topic: definition?.topic?.title ?? null,
    criteria: criteria ?? null,
    channel: definition?.channel ?? null,
    endpoint: definition?.endpoint ?? null,
    events,
    told,
    behind: isOwed ? Math.max(0, events - told) : 0,
    failures,
    nextAttempt: state === 'error' && !kept.isPaused ? kept.nextAttempt : null,
    lastSent: kept.lastSent ?? null,
    ends: end === undefined ? null : new Date(end),
  };
}
