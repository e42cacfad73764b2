/** Subscriptions, as people look after them. */
export type SubscriptionState = 'requested' | 'active' | 'error' | 'off' | 'paused';

export interface SubscriptionOverview {
  id: string;
  who: string;
  name: string;
  role: string;
  organization: string;
  client: string | null;
  state: SubscriptionState;
  error: string | null;
  topic: string | null;
  criteria: string | null;
  channel: 'rest-hook' | 'websocket' | 'message' | 'email' | null;
  endpoint: string | null;
  events: number;
  told: number;
  /** By how many events its channel is behind. */
  behind: number;
  failures: number;
  nextAttempt: string | null;
  lastSent: string | null;
  ends: string | null;
}

export interface SubscriptionEvent {
  number: number;
  at: string;
  kind: 'create' | 'update' | 'delete';
  /** `Type/id`; null where it may not be seen any more. */
  reference: string | null;
  isTold: boolean;
}

export interface SubscriptionDetails {
  subscription: SubscriptionOverview;
  latest: SubscriptionEvent[];
}
