/**
 * The shapes of the hub's own API (`/auth` and `/api`), as the screens use them. The clinical record is FHIR R4 and
 * has its types from `@medplum/fhirtypes`.
 */
export type * from './contract/accesses.ts';
export type * from './contract/accounts.ts';
export type * from './contract/apps.ts';
export type * from './contract/care.ts';
export type * from './contract/compliance.ts';
export type * from './contract/connectors.ts';
export type * from './contract/decision.ts';
export type * from './contract/erasures.ts';
export type * from './contract/messages.ts';
export type * from './contract/network.ts';
export type * from './contract/operation.ts';
export type * from './contract/people.ts';
export type * from './contract/sharing.ts';
export type * from './contract/subscriptions.ts';
