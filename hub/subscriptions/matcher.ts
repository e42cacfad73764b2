/**
 * Looks at every change of the record, once and in order, and numbers what somebody wants to be told of. The record's
 * own history is the queue: a change costs its writer nothing, and none is passed over, since numbers of changes become
 * visible in their order. Events and the place up to which was looked are noted in one transaction.
 */
import { typeCode, typeName } from '@causeway/fhir';
import type { Resource } from '@medplum/fhirtypes';
import type { Database } from '../database/index.ts';
import { type FhirRecord, logicalId, RecordError, type SearchRequest, type StoredResource } from '../record/index.ts';
import type { Access } from '../trust/index.ts';
import type { About } from './definition.ts';
import { factsOf } from './facts.ts';
import { isLasting } from './lasting.ts';
import { linkEvents } from './links.ts';
import type { Live, Registry } from './registry.ts';
import { type Found, note, position } from './store.ts';

/** So many numbers of changes are looked at in one turn. */
const stride = 1_000;
/** How often it is noted how far was looked where nothing was found. */
const noteMs = 5_000;

/** The number of the last change, and whether any that follows is of a subscription. */
const clock = `SELECT seq, EXISTS (SELECT 1 FROM resource WHERE type = ${typeCode('Subscription')} AND seq > $1)
  OR EXISTS (SELECT 1 FROM resource_history WHERE type = ${typeCode('Subscription')} AND seq > $1) AS asked FROM clock`;

interface Row {
  seq: number;
  type: number;
  rid: string;
  home: number;
  rkey: number;
  version: number;
  updated: Date;
  deleted: boolean;
  tokens: string[] | null;
  persons: string[] | null;
}

export interface MatcherParts {
  database: Database;
  record: FhirRecord;
  registry: Registry;
  /** The hub's own access. */
  hub: Access;
  /** What may be seen on behalf of whoever asked; undefined where they may not ask any more. */
  accessOf(live: Live): Promise<Access | undefined>;
  fault(error: unknown): void;
}

export class Matcher {
  readonly #parts: MatcherParts;
  /** Up to which change was looked, and up to which that is noted. */
  #at = 0;
  #noted = 0;
  #notedAt = 0;

  constructor(parts: MatcherParts) {
    this.#parts = parts;
  }

  /** Begins where an earlier one, perhaps of another hub, has ended. */
  async start(): Promise<void> {
    this.#noted = await position(this.#parts.database);
    this.#at = this.#noted;
    this.#parts.registry.reset();
    await this.#parts.registry.load();
  }

  /** Looks at the changes that follow. @returns the subscriptions that have new events, and whether there are more changes */
  async look(): Promise<{ told: Set<Live>; more: boolean }> {
    const { database, registry } = this.#parts;
    const from = this.#at;
    const { rows } = await database.query({ name: 'subscription_clock', text: clock, values: [from] });
    const { seq, asked } = rows[0]!;
    const to = Math.min(Number(seq), from + stride);
    if (to === from) return { told: new Set(), more: false };
    // Among the changes there are subscriptions that are asked for, changed or given up.
    if (asked) await registry.load();
    const found = await this.#found(from, to);
    // Where nothing was found, whoever goes on from an earlier place finds nothing either.
    if (found.length > 0 || Date.now() > this.#notedAt + noteMs) {
      if (!(await note(database, this.#noted, to, found))) {
        await this.start();
        return { told: new Set(), more: true };
      }
      this.#noted = to;
      this.#notedAt = Date.now();
    }
    this.#at = to;
    const told = new Set<Live>();
    for (const { subscription } of found) {
      const live = registry.get(subscription);
      if (!live) continue;
      live.kept.events++;
      told.add(live);
    }
    return { told, more: to < Number(seq) };
  }

  async #found(from: number, to: number): Promise<Found[]> {
    const { database, registry, fault } = this.#parts;
    const types = registry.types();
    const linked = await linkEvents({ ...this.#parts, maySee: (...one) => this.#maySee(...one) }, from, to);
    if (types.length === 0) return linked.map(({ found }) => found);
    const persons = types.some((type) => registry.looksAtPersons(type));
    const { rows } = await database.query<Row>({
      name: `subscription_changes_${persons}`,
      text: `SELECT v.*, ${persons ? personsOf : 'NULL::text[]'} AS persons FROM (
               SELECT seq, type, rid, home, rkey, version, updated, deleted, tokens::text[] FROM resource
               WHERE type = ANY($1::smallint[]) AND seq > $2 AND seq <= $3
               UNION ALL
               SELECT seq, type, rid, home, rkey, version, updated, deleted, NULL FROM resource_history
               WHERE type = ANY($1::smallint[]) AND seq > $2 AND seq <= $3) v
             ORDER BY v.seq`,
      values: [types.map(typeCode), from, to],
    });
    const changes: Change[] = [];
    for (const row of rows) {
      const type = typeName(row.type)!;
      const tokens = row.tokens ? new Set(row.tokens.map(BigInt)) : undefined;
      const persons = new Set([...(row.persons ?? []), ...(type === 'Patient' ? [row.rid] : [])]);
      const candidates = [...registry.candidates(type, tokens, persons)].filter(({ kept }) => kept.since < row.seq);
      if (candidates.length > 0) changes.push({ row, type, tokens, persons, candidates });
    }
    const texts = await this.#texts(changes);
    const events = await Promise.all(
      changes.map((change) =>
        this.#numbered(change, texts).catch((error) => {
          // What cannot be looked at now is looked at again; what never can be holds up nothing that follows.
          if (!isLasting(error)) throw error;
          fault(error);
          return [];
        }),
      ),
    );
    const all = [...events.flat(), ...linked].sort((a, b) => a.seq - b.seq);
    return all.map(({ found }) => found);
  }

  async #numbered(change: Change, texts: Map<string, string>): Promise<{ seq: number; found: Found }[]> {
    const events = await this.#eventsIn(change, texts);
    return events.map((found) => ({ seq: change.row.seq, found }));
  }

  /** The texts of the changed versions, and of those before them where that matters, by `keyOf`. */
  async #texts(changes: readonly Change[]): Promise<Map<string, string>> {
    const { record, hub } = this.#parts;
    const texts = new Map<string, string>();
    for (const type of new Set(changes.map((change) => change.type))) {
      const own = changes.filter((change) => change.type === type);
      const keys = own.flatMap(({ row, candidates }) => {
        const { home, rkey, version, deleted } = row;
        const isBefore = deleted || candidates.some(({ definition }) => definition.topic);
        return (isBefore && version > 1 ? [version - 1, version] : [version]).map((one) => ({
          home,
          rkey,
          version: one,
          rid: row.rid,
        }));
      });
      const add = ({ deleted, rid, version, text }: StoredResource) => {
        if (!deleted) texts.set(keyOf(type, rid, version), text);
      };
      // In a stream a Patient is its person.
      if (type === 'Patient') {
        const found = await Promise.all(keys.map(({ rid, version }) => record.reader.vread(hub, type, rid, version)));
        for (const stored of found) if (stored) add(stored);
      } else for await (const some of record.stream.versions(hub, type, keys)) some.forEach(add);
    }
    return texts;
  }

  async #eventsIn({ row, type, tokens, persons, candidates }: Change, texts: Map<string, string>): Promise<Found[]> {
    const after = row.deleted ? undefined : texts.get(keyOf(type, row.rid, row.version));
    const before = texts.get(keyOf(type, row.rid, row.version - 1));
    const shown = after ?? before;
    if (shown === undefined) return [];
    const facts = factsOf(row, shown, this.#parts.record.keys.index, tokens, persons);
    const id = logicalId(shown);
    const [was, is] = [before, after].map((text) => (text === undefined ? undefined : (JSON.parse(text) as Resource)));
    const found: Found[] = [];
    for (const live of candidates) {
      const { topic, abouts } = live.definition;
      if (!(topic ? topic.isEvent(was, is) : is !== undefined)) continue;
      const holding = abouts.filter((about) => about.type === type && about.held.holds(facts));
      if (!(await this.#seesAny(live, holding, row.rid, id))) continue;
      const kind = row.deleted ? 'delete' : row.version === 1 ? 'create' : 'update';
      const { rid, version, updated: at } = row;
      found.push({ subscription: live.kept.rid, kind, type, rid, id, version, at });
    }
    return found;
  }

  async #seesAny(live: Live, abouts: readonly About[], rid: string, id: string): Promise<boolean> {
    for (const about of abouts) if (await this.#maySee(live, about, rid, id)) return true;
    return false;
  }

  /** Whether whoever asked may see the resource, as it is now, and the rest of the criteria holds for what they may see. */
  async #maySee(live: Live, { type, held, query }: About, rid: string, id: string): Promise<boolean> {
    const { record, accessOf } = this.#parts;
    const access = await accessOf(live);
    if (!access) return false;
    const seen = await record.reader.read(access, type, rid);
    if (!seen) return false;
    const request = record.readSearch(type, [...query, ['_id', id]], false);
    if (isAboutHidden(record, access, request)) return false;
    if (!held.isPartial) return true;
    const { matches } = await record.search(access, request);
    return matches.length > 0;
  }
}

/** Whether the criteria look at elements that are hidden from whoever asked: then nothing is told by them. */
function isAboutHidden(record: FhirRecord, access: Access, request: SearchRequest): boolean {
  try {
    record.checkSearch(access, request);
    return false;
  } catch (error) {
    if (error instanceof RecordError && error.status === 403) return true;
    throw error;
  }
}

/** The Patients that stand for the person of a home, and the person. */
const personsOf = `(SELECT array_agg(m.patient::text) || array_agg(DISTINCT m.person::text)
  FROM link l JOIN link m ON m.person = l.person WHERE l.home = v.home)`;

/** A change that somebody may have to be told of. */
interface Change {
  row: Row;
  type: string;
  tokens: Set<bigint> | undefined;
  persons: Set<string>;
  candidates: Live[];
}

function keyOf(type: string, rid: string, version: number): string {
  return `${type}/${rid}/${version}`;
}
