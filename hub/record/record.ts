/**
 * The record: FHIR R4 resources, one person's from many sources. Every read takes an Access; every change goes through
 * `write`.
 */

import { isFhirError, isResourceType, type ScannedResource, scanResource, typeName } from '@causeway/fhir';
import type { Database } from '../database/index.ts';
import type { Access, AccessNote } from '../trust/index.ts';
import { type BundleServices, type EntryOutcome, readBundle, runBatch } from './bundle.ts';
import { checkCondition, lockConditions } from './conditions.ts';
import { RecordError } from './errors.ts';
import { type EverythingPage, type EverythingRequest, everythingPage } from './everything.ts';
import type { Scope } from './everything-rows.ts';
import { HomeKeys } from './home-keys.ts';
import { isId, ridOf } from './keys.ts';
import { logicalId } from './logical-id.ts';
import { newId } from './new-id.ts';
import { type Patch, patchedResource, shownPatients } from './patch.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { homePatient } from './prepare.ts';
import { type HistoryPage, Reader, type StoredResource } from './read.ts';
import { type PresentPersons, Searcher, type SearchResult } from './search.ts';
import type { ResolvePatient } from './search-condition.ts';
import { readSearchRequest, type SearchRequest } from './search-request.ts';
import { RecordStream } from './stream.ts';
import { checkResource, mergedPatient, refuseOther, severalFound, targetOf } from './targets.ts';
import { runTransaction } from './transaction.ts';
import type { ResourceKey, WriteSet } from './write-set.ts';
import { Writer } from './writer.ts';

/** What the record asks of the person index. */
export interface Persons {
  resolvePatient: ResolvePatient;
  present: PresentPersons;
  /** The merged Patient of a person with several source patients. */
  readPerson(access: Access, id: string): Promise<StoredResource | undefined>;
  /** The homes of many patients or persons, each with those of all source patients that are the same person. */
  homesOf(ids: readonly string[]): Promise<Map<string, number[]>>;
}

/** The record at one moment: nothing that is committed later is seen. */
export interface Snapshot {
  seq: number;
  stream: RecordStream;
  search(access: Access, request: SearchRequest): Promise<SearchResult>;
}

export interface WriteOutcome {
  status: 200 | 201;
  id: string;
  version: number;
  updated: Date;
  text: string;
}

/** The version that says a resource was deleted. */
export interface Removal {
  version: number;
  updated: Date;
}

/** What a conditional search found. */
export interface Found {
  id: string;
  version: number;
  updated: Date;
  text: string;
}

/** A page of a history. */
export interface History {
  versions: StoredResource[];
  /** The logical id of each version. */
  ids: string[];
  /** The cursor of the next page. */
  next: number | undefined;
  total: number | undefined;
}

/** What a bundle needs of the one who received it. */
export type BundleExchange = Pick<BundleServices, 'single' | 'audit' | 'fault'> & {
  /** The base URL that the client used. */
  base: string;
};

/** The access that a change is, told by its outcome; recorded in the transaction of the change. */
export type Audit<T> = (outcome: T) => AccessNote;

export class FhirRecord {
  readonly keys: HomeKeys;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly #database: Database;
  #persons: Persons | undefined;
  #searcher: Searcher | undefined;

  constructor(database: Database, master: Buffer) {
    this.#database = database;
    this.keys = new HomeKeys(master);
    this.writer = new Writer(database, this.keys);
    this.reader = new Reader(database, this.keys);
  }

  /** Connects the person index, which itself is built on the record. */
  usePersons(persons: Persons): void {
    this.#persons = persons;
    this.#searcher = new Searcher(this.#database, this.reader, persons.resolvePatient, persons.present);
  }

  /**
   * The current version. @throws RecordError 404 where there is none that this access may see, 410 where it is deleted
   */
  async read(access: Access, type: string, id: string): Promise<StoredResource> {
    checkType(type);
    const found =
      (isId(id) ? await this.reader.read(access, type, id) : undefined) ??
      (type === 'Patient' ? await this.#persons?.readPerson(access, id) : undefined);
    return existing(found, type);
  }

  /** One version. @throws RecordError 404, 410 */
  async vread(access: Access, type: string, id: string, version: string): Promise<StoredResource> {
    checkType(type);
    const number = /^\d{1,9}$/.test(version) ? Number(version) : 0;
    return existing(await this.reader.vread(access, type, id, number), type);
  }

  /**
   * Versions, newest first, with the id of each; the total where it costs next to nothing.
   * @throws RecordError 404 where there is no such resource that this access may see
   */
  async history(access: Access, scope: { type?: string; id?: string }, page: HistoryPage): Promise<History> {
    if (scope.type !== undefined) checkType(scope.type);
    if (scope.id !== undefined && !isId(scope.id)) throw nothing(scope.type!);
    const found = await this.reader.history(access, scope, { ...page, count: page.count + 1 });
    const isWhole = page.before === undefined && found.length <= page.count;
    const isAll = page.since === undefined && page.at === undefined;
    if (found.length === 0 && scope.id !== undefined && page.before === undefined) {
      if (isAll || (await this.reader.versionCount(access, scope.type!, scope.id)) === 0) throw nothing(scope.type!);
    }
    const versions = found.slice(0, page.count);
    const total = isWhole
      ? found.length
      : scope.id !== undefined && isAll
        ? await this.reader.versionCount(access, scope.type!, scope.id)
        : undefined;
    return {
      versions,
      ids: await Promise.all(versions.map((stored) => scope.id ?? this.#idOf(access, stored))),
      next: found.length > page.count ? versions.at(-1)!.seq : undefined,
      total,
    };
  }

  /** The id of a version; that of a deletion is told by the version before it. */
  async #idOf(access: Access, { text, type, rid, version }: StoredResource): Promise<string> {
    if (text !== '') return logicalId(text);
    const before = await this.reader.vread(access, type, rid, version - 1);
    return before && before.text !== '' ? logicalId(before.text) : rid;
  }

  /** @throws RecordError 400 for parameters that are not understood */
  search(access: Access, request: SearchRequest): Promise<SearchResult> {
    return this.#searcher!.search(access, request);
  }

  /** The homes of patients or persons; ids that are not known are missing. */
  homesOf(ids: readonly string[]): Promise<Map<string, number[]>> {
    return this.#persons!.homesOf(ids);
  }

  /** Resources as they stood at a moment, whatever is written while they are read. */
  get stream(): RecordStream {
    return new RecordStream(this.#database, this.reader, this.#persons!.present);
  }

  /** Reads, counts and searches at one moment. What `run` reads elsewhere is not of that moment. */
  snapshot<T>(run: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#database.transaction(
      async (transaction) => {
        const { rows } = await transaction.query('SELECT seq FROM clock');
        const reader = new Reader(transaction, this.keys);
        const { resolvePatient, present } = this.#persons!;
        const searcher = new Searcher(transaction, reader, resolvePatient, present);
        return run({
          seq: rows[0]!.seq,
          stream: new RecordStream(transaction, reader, present),
          search: (access, request) => searcher.search(access, request),
        });
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  }

  /** The types of which anything is stored, so that a search over all types asks for no others. */
  async storedTypes(_access: Access): Promise<string[]> {
    const { rows } = await this.#database.query({
      name: 'stored_types',
      text: `WITH RECURSIVE stored (type) AS (
               SELECT min(type) FROM resource
               UNION ALL
               SELECT (SELECT min(r.type) FROM resource r WHERE r.type > stored.type) FROM stored WHERE stored.type IS NOT NULL
             ) SELECT type FROM stored WHERE type IS NOT NULL`,
    });
    return rows.map((row) => typeName(row.type)!);
  }

  /** @param anyOf filters one of which has to hold, as name and value */
  readSearch(
    type: string,
    parameters: Iterable<[string, string]>,
    lenient: boolean,
    anyOf?: readonly [string, string][],
  ): SearchRequest {
    checkType(type);
    return readSearchRequest(type, parameters, lenient, anyOf);
  }

  /** `$everything` of a person by any of its ids, or of everybody. @throws RecordError 404 where there is nobody */
  async everything(access: Access, id: string | undefined, request: EverythingRequest): Promise<EverythingPage> {
    if (id === undefined) return this.#everything(access, { of: 'everybody' }, request);
    const { homes, rids } = await this.#persons!.resolvePatient(id);
    const page =
      homes.length > 0
        ? await this.#everything(access, { of: 'person', homes, rids }, request)
        : { matches: [], included: [], next: undefined };
    const { cursor, types, since, care } = request;
    const isWhole = cursor === undefined && types === undefined && since === undefined && care === undefined;
    if (page.matches.length === 0 && isWhole) {
      throw new RecordError(404, 'not-found', 'There is no Patient of this id.');
    }
    return page;
  }

  /** `$everything` of an encounter. @throws RecordError 404, 410 */
  async encounterEverything(access: Access, id: string, request: EverythingRequest): Promise<EverythingPage> {
    const { home, rid } = await this.read(access, 'Encounter', id);
    return this.#everything(access, { of: 'encounter', home, rid }, request);
  }

  /** Reads a resource's text as a client sent it. @throws RecordError 400, 422 */
  scan(text: string, type: string): ScannedResource {
    checkType(type);
    const scanned = scanResource(text);
    if (isFhirError(scanned)) {
      throw new RecordError(
        400,
        'structure',
        `Line ${scanned.line}, column ${scanned.column}: ${scanned.error}`,
        scanned.path || undefined,
      );
    }
    return this.check(scanned, type);
  }

  /** Checks a resource that was scanned with a Bundle. @throws RecordError 400, 422 */
  check(scanned: ScannedResource, type: string): ScannedResource {
    checkType(type);
    if (scanned.resourceType !== type) {
      throw new RecordError(
        400,
        'invariant',
        `The address names ${type}, the body is a ${scanned.resourceType}.`,
        'resourceType',
      );
    }
    checkResource(scanned);
    return scanned;
  }

  /** Creates a resource under an id of the hub's making; with `ifNoneExist`, only when that finds nothing. */
  async create(
    access: Access,
    scanned: ScannedResource,
    ifNoneExist?: string,
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const id = newId();
    const type = scanned.resourceType;
    if (ifNoneExist !== undefined) checkCondition(ifNoneExist, 'If-None-Exist');
    return this.#write(scanned, id, ifNoneExist !== undefined, audit, async (set) => {
      if (ifNoneExist === undefined) return put(set, scanned, id);
      await lockConditions(set.transaction, [{ type, query: ifNoneExist }]);
      const found = await this.#findOne(access, type, ifNoneExist);
      return found ? { status: 200, ...found } : put(set, scanned, id);
    });
  }

  /** Stores the next version of a resource, or its first. @throws RecordError 412 where a precondition does not hold */
  update(
    scanned: ScannedResource,
    id: string,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    if (!isId(id)) throw new RecordError(400, 'value', 'An id has 1 to 64 letters, digits, - and dots.', 'id');
    if (scanned.id !== id) {
      throw new RecordError(400, 'invariant', 'The id of the resource must be that of the address.', 'id');
    }
    return this.#write(scanned, id, false, audit, (set) => this.#next(set, scanned, id, when));
  }

  /** Updates what a search finds, or creates (FHIR R4 §3.1.0.4.3). @throws RecordError 412 for several */
  async conditionalUpdate(
    access: Access,
    scanned: ScannedResource,
    query: string,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const type = scanned.resourceType;
    const stated = scanned.id;
    checkCondition(query);
    return this.writer.write({
      keys: [],
      patients: [],
      alone: true,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        await lockConditions(set.transaction, [{ type, query }]);
        const found = await this.#findOne(access, type, query);
        const id = targetOf(found?.id, stated);
        const patient = homePatient(scanned, id);
        await set.load([{ type, id }], patient === undefined ? [] : [patient]);
        if (!found && stated !== undefined) refuseOther(set.get(type, id));
        return this.#next(set, scanned, id, when, found !== undefined);
      },
    });
  }

  /**
   * Stores what a patch makes of the current version; one that changes nothing makes no version.
   * @throws RecordError 404, 410, 412, 400 for what is no patch, 422 for one that the resource cannot take
   */
  async patch(
    access: Access,
    type: string,
    id: string,
    patch: Patch,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    await this.read(access, type, id);
    return this.writer.write({
      keys: [{ type, id }],
      patients: [],
      texts: true,
      ...(audit ? { audit } : {}),
      apply: (set) => this.#patched(set, { type, id }, patch, when),
    });
  }

  /** Patches what a search finds (FHIR R4 §3.1.0.6.3). @throws RecordError 404 for nothing, 412 for several */
  async conditionalPatch(
    access: Access,
    type: string,
    query: string,
    patch: Patch,
    when: Preconditions = {},
    audit?: Audit<WriteOutcome>,
  ): Promise<WriteOutcome> {
    checkType(type);
    checkCondition(query);
    return this.writer.write({
      keys: [],
      patients: [],
      alone: true,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        await lockConditions(set.transaction, [{ type, query }]);
        const found = await this.#findOne(access, type, query);
        if (!found) {
          throw new RecordError(404, 'not-found', `The condition finds no ${type} that could be patched.`);
        }
        const key = { type, id: found.id };
        await set.load([key], [], true);
        if (!set.get(type, found.id)) throw mergedPatient();
        return this.#patched(set, key, patch, when);
      },
    });
  }

  /** Deletes a resource; deleting what is not there changes nothing. Returns the version that says so. */
  async remove(
    type: string,
    id: string,
    when: Preconditions = {},
    audit?: Audit<Removal | undefined>,
  ): Promise<Removal | undefined> {
    checkType(type);
    return this.writer.write({
      keys: [{ type, id }],
      patients: [],
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        const before = set.get(type, id);
        checkPreconditions(when, before);
        if (!before) await this.#refuseMerged(type, id);
        return before && (before.deleted ? before : set.remove(type, id));
      },
    });
  }

  /**
   * Deletes all that a search finds, in one transaction; returns their ids.
   * @throws RecordError 412 where it finds more than `removedAtOnce`, or several under If-Match
   */
  async conditionalRemove(
    access: Access,
    type: string,
    query: string,
    when: Preconditions = {},
    audit?: Audit<string[]>,
  ): Promise<string[]> {
    checkType(type);
    checkCondition(query);
    return this.writer.write({
      keys: [],
      patients: [],
      alone: true,
      ...(audit ? { audit } : {}),
      apply: async (set) => {
        await lockConditions(set.transaction, [{ type, query }]);
        const found = await this.find(access, type, query, removedAtOnce + 1);
        if (found.length > removedAtOnce) {
          const text = `The condition finds more than ${removedAtOnce} resources, which is as many as are deleted at once.`;
          throw new RecordError(412, 'multiple-matches', text);
        }
        if (when.ifMatch !== undefined && found.length > 1) throw severalFound();
        await set.load(
          found.map(({ id }) => ({ type, id })),
          [],
        );
        if (found.length === 0) checkPreconditions(when, undefined);
        for (const { id } of found) {
          const before = set.get(type, id);
          if (!before) throw mergedPatient();
          checkPreconditions(when, before);
          if (!before.deleted) set.remove(type, id);
        }
        return found.map(({ id }) => id);
      },
    });
  }

  /** Carries out a batch or transaction bundle. */
  async bundle(
    access: Access,
    text: string,
    exchange: BundleExchange,
  ): Promise<{ type: 'batch' | 'transaction'; outcomes: EntryOutcome[] }> {
    const { type, entries } = readBundle(text, exchange.base);
    const services: BundleServices = {
      find: (who, of, query, limit) => this.find(who, of, query, limit),
      write: (job) => this.writer.write(job),
      refuseMerged: (of, id) => this.#refuseMerged(of, id),
      ...exchange,
    };
    const run = type === 'batch' ? runBatch : runTransaction;
    return { type, outcomes: await run(services, access, entries) };
  }

  /** What a conditional search finds, at most `limit`. @throws RecordError 400, 412 */
  async find(access: Access, type: string, query: string, limit = 2): Promise<Found[]> {
    const request = this.readSearch(type, new URLSearchParams(query), false);
    if (request.filters.length === 0)
      throw new RecordError(412, 'invalid', 'A condition needs at least one parameter.');
    const found = await this.#searcher!.matchingIds(access, request, limit);
    return found.map(({ text, version, updated }) => ({ id: logicalId(text), version, updated, text }));
  }

  #everything(access: Access, scope: Scope, request: EverythingRequest): Promise<EverythingPage> {
    const services = { database: this.#database, reader: this.reader, present: this.#persons!.present };
    return everythingPage(services, access, scope, request);
  }

  async #findOne(access: Access, type: string, query: string): Promise<Found | undefined> {
    const found = await this.find(access, type, query);
    if (found.length > 1) throw severalFound();
    return found[0];
  }

  /** The next version, or the first. @param isFound whether a search said that the resource exists */
  async #next(
    set: WriteSet,
    scanned: ScannedResource,
    id: string,
    when: Preconditions,
    isFound = false,
  ): Promise<WriteOutcome> {
    const before = set.get(scanned.resourceType, id);
    checkPreconditions(when, before);
    if (!before && isFound) throw mergedPatient();
    if (!before) await this.#refuseMerged(scanned.resourceType, id);
    return put(set, scanned, id);
  }

  async #patched(set: WriteSet, key: ResourceKey, patch: Patch, when: Preconditions): Promise<WriteOutcome> {
    const { type } = key;
    const before = set.get(type, key.id);
    if (!before) await this.#refuseMerged(type, key.id);
    const { version, updated, text } = existing(before, type);
    checkPreconditions(when, before);
    const id = logicalId(text!);
    const shown = await shownPatients(set, [before!]);
    const scanned = patchedResource(before!, patch, shown.get(before!.home));
    if (!scanned) return { status: 200, id, version, updated, text: text! };
    const patient = homePatient(scanned, id);
    if (patient !== undefined) await set.load([], [patient]);
    return put(set, scanned, id);
  }

  /** A merged Patient is made from its sources; nothing can be stored under its id. @throws RecordError 409 */
  async #refuseMerged(type: string, id: string): Promise<void> {
    if (type !== 'Patient' || !this.#persons) return;
    const { homes, rids } = await this.#persons.resolvePatient(id);
    if (homes.length > 0 && !rids.includes(ridOf(id))) throw mergedPatient();
  }

  #write(
    scanned: ScannedResource,
    id: string,
    alone: boolean,
    audit: Audit<WriteOutcome> | undefined,
    apply: (set: WriteSet) => Promise<WriteOutcome> | WriteOutcome,
  ): Promise<WriteOutcome> {
    const patient = homePatient(scanned, id);
    return this.writer.write({
      keys: [{ type: scanned.resourceType, id }],
      patients: patient === undefined ? [] : [patient],
      alone,
      ...(audit ? { audit } : {}),
      apply,
    });
  }
}

/** How many resources one conditional delete takes away. */
export const removedAtOnce = 1_000;

function put(set: WriteSet, scanned: ScannedResource, id: string): WriteOutcome {
  const before = set.get(scanned.resourceType, id);
  const after = set.put(scanned, scanned.resourceType, id);
  const status = before && !before.deleted ? 200 : 201;
  return { status, id, version: after.version, updated: after.updated, text: after.text! };
}

function checkType(type: string): void {
  if (!isResourceType(type)) {
    throw new RecordError(
      404,
      'not-supported',
      'The address names no FHIR R4 resource type, such as Patient or Observation.',
    );
  }
}

function nothing(type: string): RecordError {
  return new RecordError(404, 'not-found', `There is no ${type} of this id.`);
}

function existing<T extends { deleted: boolean; version: number; updated: Date }>(
  found: T | undefined,
  type: string,
): T {
  if (!found) throw nothing(type);
  if (!found.deleted) return found;
  throw new RecordError(410, 'deleted', `This ${type} was deleted; its history is kept.`)
    .with('etag', `W/"${found.version}"`)
    .with('last-modified', found.updated.toUTCString());
}
