/**
 * A second network across the bay: four organisations of its own, at which some people of Ellery Bay are known as well. They
 * write as the town's do, under names, facilities and record numbers of their own.
 */
import { DEFAULT_SEED, messages, type RegionMessage } from './region.ts';
import { type Site, sites } from './sites.ts';

export interface NeighbourOptions {
  /** How many people it knows. */
  people: number;
  /** The seed of the region whose first households it knows too. */
  seed?: number;
  households?: number;
}

type Neighbouring<T> = Omit<T, 'key' | 'site'>;
export type NeighbourSite = Neighbouring<Site> & { key: string };
export type NeighbourMessage = Neighbouring<RegionMessage> & { site: string };

const sharedHouseholds = 3;
const ownSeed = 7_001;

/** What the town's organisations write of themselves, and what its neighbours do. */
const names: readonly [RegExp, string][] = [
  [/Harbor General Hospital/g, 'Saint Brendan Hospital'],
  [/Millbrook Family Practice/g, 'Quarry Hill Family Practice'],
  [/Ellery Reference Laboratory/g, 'Beacon Laboratory'],
  [/Corner Street Pharmacy/g, 'Lantern Pharmacy'],
  [/\b2\.999\.4187\b/g, '2.999.4188'],
  [/\bHARBOR(ADT|LAB)\b/g, 'BRENDAN$1'],
  [/\bHGH(?=[A-Z]*\b|\d)/g, 'SBH'],
  [/\bELLERYLIS\b/g, 'BEACONLIS'],
  [/\bERL(?=PID\b|\b|\d)/g, 'BCN'],
  [/\bMFP(?=\d)/g, 'QHP'],
  [/\bCSP(?=\d)/g, 'LNP'],
  [/\bharbor-hospital\b/g, 'brendan-hospital'],
  [/\bmillbrook-practice\b/g, 'quarry-hill-practice'],
  [/\bellery-lab\b/g, 'beacon-lab'],
  [/\bcorner-pharmacy\b/g, 'lantern-pharmacy'],
];

/** Its four organisations, in the order of the town's. */
export function neighbourSites(): NeighbourSite[] {
  return sites().map((site) => JSON.parse(renamed(JSON.stringify(site))) as NeighbourSite);
}

/** Its messages, as `messages()` gives the town's. */
export function* neighbourMessages({
  people,
  seed = DEFAULT_SEED,
  households = sharedHouseholds,
}: NeighbourOptions): Generator<NeighbourMessage> {
  for (const message of messages({ people, seed: seed + ownSeed, shared: { seed, households } })) {
    const { site, body, controlId, type, ...rest } = message;
    yield { ...rest, type, site: renamed(site), body: renamed(body), controlId: renamed(controlId) };
  }
}

function renamed(text: string): string {
  return names.reduce((all, [pattern, name]) => all.replace(pattern, name), text);
}
