/** Erasure of a person on lawful request, and what keeps them erased; see docs/erasure.md. */

export { type Erasure, type ErasureState, Erasures } from './erasures.ts';
export { Maintenance, type MaintenanceState } from './maintenance.ts';
export { Stops } from './stops.ts';
export type { Extent, Preview } from './subject.ts';
export { erasureKeyColumn, tokensOf } from './tokens.ts';
