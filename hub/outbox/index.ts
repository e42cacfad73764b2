/** The outbox: what must reach whom. */
export { Deliveries } from './deliveries.ts';
