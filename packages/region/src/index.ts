/** A simulated region: people, illnesses and encounters as the messages each site's system would send. */

export { dayMessages } from './day.ts';
export { neighbourMessages, neighbourSites } from './neighbour.ts';
export type { Fact } from './outgoing.ts';
export type { Relation, RelationKind } from './people.ts';
export {
  DEFAULT_SEED,
  DEFAULT_UNTIL,
  messages,
  type RegionMessage,
  type RegionOptions,
  showcase,
  type TruthFact,
  type TruthPerson,
  type TruthRecord,
  truth,
} from './region.ts';
export type { Demographics, Slip } from './registrations.ts';
export { type Site, type SiteKey, sites } from './sites.ts';
