/** The outbox: what must reach whom, and its way there. */
export { AcknowledgementRoutes } from './acknowledgement-routes.ts';
export { controlIdOf } from './control-id.ts';
export { Deliveries } from './deliveries.ts';
export { type DeliveryPolicy, DeliveryRetention, type SetDeliveryPolicy } from './delivery-retention.ts';
export { Derivation } from './derive.ts';
export { noteDirectAnswer, noteUnanswered } from './direct-answers.ts';
export type { DocumentParts } from './documents.ts';
export { forgetDeliveries } from './forget.ts';
export type { HttpParts } from './http-post.ts';
export { type NotPickedUp, type PickedUp, Pickup } from './pickup.ts';
export { readFilter, tryFilters } from './route-rules.ts';
export { type Tried, type TryRoute, tryRoute } from './route-test.ts';
export { Sender } from './sender.ts';
