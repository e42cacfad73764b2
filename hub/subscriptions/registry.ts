/**
 * The subscriptions at hand, found by what a change has: for each type by the most selective of their criteria, so that a
 * change costs nothing for subscriptions that cannot be meant.
 */
import type { Subscription } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import type { FhirRecord } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import { type Definition, readDefinition } from './definition.ts';
import { isLasting } from './lasting.ts';
import { allKept, broken, type Kept } from './store.ts';

/** A subscription that is listened for. */
export interface Live {
  kept: Kept;
  definition: Definition;
}

/** Those about one type. */
interface OfType {
  byHash: Map<bigint, Live[]>;
  byPerson: Map<string, Live[]>;
  others: Live[];
}

export class Registry {
  readonly #database: Database;
  readonly #record: FhirRecord;
  readonly #hub: Access;
  readonly #fault: (error: unknown) => void;
  #live = new Map<string, Live>();
  #ofType = new Map<string, OfType>();
  #aboutPersons: Live[] = [];

  /** @param hub the hub's own access */
  constructor(database: Database, record: FhirRecord, hub: Access, fault: (error: unknown) => void) {
    this.#database = database;
    this.#record = record;
    this.#hub = hub;
    this.#fault = fault;
  }

  /** Learns which subscriptions there are. How far those are that it knows, whoever sends knows better than the database. */
  async load(): Promise<void> {
    const kept = (await allKept(this.#database)).filter(({ state }) => state !== 'off');
    const live = new Map<string, Live>();
    // In the order in which they are stored, whichever is read first.
    for (const one of await Promise.all(kept.map((each) => this.#read(each)))) if (one) live.set(one.kept.rid, one);
    this.#live = live;
    const [aboutPersons, others] = partition(
      [...live.values()],
      ({ definition }) => definition.topic?.link !== undefined,
    );
    this.#aboutPersons = aboutPersons;
    this.#ofType = grouped(others);
  }

  /** Whoever sends at the moment goes on with the state that it finds here. */
  async #read(kept: Kept): Promise<Live | undefined> {
    const known = this.#live.get(kept.rid);
    if (known?.kept.version === kept.version) {
      known.kept.events = kept.events;
      return known;
    }
    if (known) kept.told = Math.max(kept.told, known.kept.told);
    const found = await this.#record.reader.read(this.#hub, 'Subscription', kept.id);
    if (!found || found.deleted) return undefined;
    try {
      const definition = readDefinition(JSON.parse(found.text) as Subscription, this.#record.keys.index);
      return Object.assign(known ?? { kept, definition }, { kept, definition });
    } catch (error) {
      // Criteria that wait for an index hold up the looking: nothing is passed over meanwhile.
      if (!isLasting(error)) throw error;
      this.#fault(error);
      await broken(this.#database, kept.rid, 'Its criteria are not understood any more.');
      return undefined;
    }
  }

  /** Forgets all: another hub has sent meanwhile. */
  reset(): void {
    this.#live = new Map();
    this.#ofType = new Map();
    this.#aboutPersons = [];
  }

  get(rid: string): Live | undefined {
    return this.#live.get(rid);
  }

  all(): Iterable<Live> {
    return this.#live.values();
  }

  get isEmpty(): boolean {
    return this.#live.size === 0;
  }

  /** The types that anybody wants to be told about. */
  types(): string[] {
    return [...this.#ofType.keys()];
  }

  /** Those that are about persons, not about a change of a resource. */
  aboutPersons(): Live[] {
    return this.#aboutPersons;
  }

  /** Whether anybody is to be told about certain persons, so that it has to be known whose a change is. */
  looksAtPersons(type: string): boolean {
    return (this.#ofType.get(type)?.byPerson.size ?? 0) > 0;
  }

  /**
   * Subscriptions that a change of a resource may be an event for.
   * @param hashes its tokens, undefined where they are not known @param persons the Patients that stand for its person
   */
  candidates(type: string, hashes: ReadonlySet<bigint> | undefined, persons: Iterable<string>): Set<Live> {
    const of = this.#ofType.get(type);
    if (!of) return new Set();
    const found = new Set(of.others);
    const add = (some: Live[] | undefined) => {
      for (const one of some ?? []) found.add(one);
    };
    if (hashes) for (const hash of hashes) add(of.byHash.get(hash));
    else for (const some of of.byHash.values()) add(some);
    for (const person of persons) add(of.byPerson.get(person));
    return found;
  }
}

function partition<T>(all: readonly T[], holds: (one: T) => boolean): [T[], T[]] {
  return [all.filter(holds), all.filter((one) => !holds(one))];
}

function grouped(all: Live[]): Map<string, OfType> {
  const groups = new Map<string, OfType>();
  const each = all.flatMap((live) => live.definition.abouts.map((about) => ({ live, ...about })));
  for (const { live, type, held } of each) {
    let of = groups.get(type);
    if (!of) {
      of = { byHash: new Map(), byPerson: new Map(), others: [] };
      groups.set(type, of);
    }
    const { key } = held;
    if (key && 'persons' in key) for (const person of key.persons) addTo(of.byPerson, person, live);
    else if (key) for (const hash of key.hashes) addTo(of.byHash, hash, live);
    else of.others.push(live);
  }
  return groups;
}

function addTo<K>(map: Map<K, Live[]>, key: K, live: Live): void {
  const some = map.get(key);
  if (some) some.push(live);
  else map.set(key, [live]);
}
