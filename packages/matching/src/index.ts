/**
 * Record linkage: are two records about one person? Pure functions over demographics.
 */
export type { PreparedAddress } from './addresses.ts';
export { blockingKeys, MAX_KEYS } from './blocking.ts';
export { type Clustering, type ClusterOptions, cluster, type Edge, edgeOf, type Pair } from './cluster.ts';
export { type Comparison, compare, type Explanation } from './compare.ts';
export type { DateParts } from './dates.ts';
export {
  type Demographics,
  demographicsOf,
  type PersonAddress,
  type PersonIdentifier,
  type PersonName,
} from './demographics.ts';
export { type EstimateOptions, estimate, frequenciesOf } from './estimate.ts';
export type { Guard, GuardId, Outcome } from './guards.ts';
export { matchKeys, mostMatchKeys } from './match-keys.ts';
export {
  defaultModel,
  FIELDS,
  type Field,
  type LevelWeight,
  type Model,
  type NameFrequencies,
  type Thresholds,
  withPopulation,
} from './model.ts';
export type { FamilyName, GivenName } from './names.ts';
export { isOverlay, type OverlayDecision } from './overlay.ts';
export { type Prepared, placeholderReason, prepare } from './prepare.ts';
