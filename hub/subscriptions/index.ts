/** Subscriptions: whoever asks for it is told of what changes in the record. */
export { pastEvents, statuses } from './answers.ts';
export { asRequested } from './definition.ts';
export { act, actions, overview, overviews } from './overview.ts';
export { Subscriptions, type SubscriptionsParts } from './subscriptions.ts';
export { topics } from './topics.ts';
