/** How subscriptions are spoken of. */
import type { SubscriptionOverview, SubscriptionState } from '../api/contract.ts';
import type { Tone } from '../theme/tones.ts';

export const STATES: { [state in SubscriptionState]: { tone: Tone; label: string } } = {
  requested: { tone: 'info', label: 'Not yet answered' },
  active: { tone: 'good', label: 'Active' },
  error: { tone: 'bad', label: 'Not taken' },
  paused: { tone: 'warn', label: 'Paused' },
  off: { tone: 'neutral', label: 'Off' },
};

export const KINDS = { create: 'new', update: 'changed', delete: 'deleted' };

const CHANNELS = {
  'rest-hook': 'Calls an address',
  websocket: 'Listens by WebSocket',
  message: 'FHIR messages',
  email: 'Mail',
};

/** What it is told of. */
export function whatOf({ topic, criteria }: SubscriptionOverview): string {
  return topic ?? criteria ?? 'Its criteria are not understood any more';
}

/** How it is told, and where: of an address only the part that says whose it is. */
export function channelOf({ channel, endpoint }: SubscriptionOverview): { how: string; where: string } {
  const where = endpoint && URL.canParse(endpoint) ? new URL(endpoint).host : (endpoint ?? '');
  return { how: channel ? CHANNELS[channel] : 'Unknown', where };
}
