/** The wiring of the hub’s rooms, a step a file; `main.ts` takes them in their order. */

export { wireAccess } from './access.ts';
export { wireAudit } from './audit.ts';
export { wireDecision } from './decision.ts';
export { openDirect } from './direct.ts';
export { openMllp, wireHttp } from './doors.ts';
export { wireExchange } from './exchange.ts';
export { wireInbox } from './inbox.ts';
export { wireKeeping, wireKeyRotation } from './keeping.ts';
export { wireMessages } from './messages.ts';
export { wireOutbox } from './outbox.ts';
export { wireRecord } from './record.ts';
export { wireRevocation } from './revocation.ts';
export { openStore } from './store.ts';
export { wireTrust } from './trust.ts';
export { beginWiring } from './wiring.ts';
